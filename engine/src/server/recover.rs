//! From stored rows back to a server (R47, layout §7).

use super::account::Account;
use super::{Config, Record, Server, Timer};
use crate::mint::Label;
use crate::time::Instant;
use std::time::Duration;

/// Recovered presentities settle within this span at least, spread by a hash of the AOR: a restart
/// is not a storm.
const SPREAD: Duration = Duration::from_secs(3);

/// NOTIFYs of one machine in a second after it was recovered: a fraction of what it can send, so
/// that it is there for whoever refreshes meanwhile.
const PACE: u64 = 10_000;

/// A server that is being put together from its rows, one after the other: they need never be in
/// memory all at once.
#[derive(Debug, Default)]
pub struct Recovery {
    server: Server,
    subscriptions: u64,
}

impl Recovery {
    /// Takes one row that was durable. The order of rows does not matter.
    pub fn take(&mut self, config: &Config, record: &Record) {
        let aor = record.aor();
        let accounts = &mut self.server.accounts;
        let account = accounts.entry(aor.clone()).or_insert_with(|| Account::boxed(aor));
        account.apply(config, record);
        self.subscriptions += u64::from(matches!(record, Record::Subscribed(..)));
    }

    /// The server, which goes on at `now`. Every live subscription is owed a NOTIFY; what ran out
    /// meanwhile ends at the first tick, with its normal NOTIFYs.
    pub fn finish(self, config: &Config, now: Instant) -> Server {
        let Self { mut server, subscriptions } = self;
        let span = span(subscriptions);
        for (aor, account) in &mut server.accounts {
            account.registrations.rearm(&mut server.timers, config.limits.expiry_grace, aor);
            account.inbox.rearm(&mut server.timers, aor);
            account.presentity.rearm(&mut server.timers, config);
            let devices = account.devices();
            account.presentity.recovered(devices, now);
            let hash = config.secret.derive64(Label::Jitter, &[aor.as_str().as_bytes()]).0;
            let at = now + Duration::from_millis(hash % span);
            server.timers.arm(Timer::Settle(aor.clone()), at);
        }
        server
    }
}

impl Server {
    /// A server as it was when `records` were durable: [`Recovery`], all at once.
    pub fn recover(config: &Config, now: Instant, records: Vec<Record>) -> Self {
        let mut recovery = Recovery::default();
        records.iter().for_each(|record| recovery.take(config, record));
        recovery.finish(config, now)
    }
}

/// Milliseconds in which so many subscriptions are told that the server is back.
fn span(subscriptions: u64) -> u64 {
    let least = u64::try_from(SPREAD.as_millis()).expect("a few seconds");
    least.max(subscriptions * 1000 / PACE)
}

#[cfg(test)]
mod tests;
