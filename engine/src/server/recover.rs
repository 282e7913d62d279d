//! From stored rows back to a server (R47, layout §7).

use super::account::Account;
use super::{Config, Record, Server, Timer};
use crate::mint::Label;
use crate::time::Instant;
use std::time::Duration;

/// Recovered presentities settle within this span, spread by a hash of the AOR: a restart is not
/// a storm.
const SPREAD: Duration = Duration::from_secs(3);

impl Server {
    /// A server as it was when `records` were durable. Every live subscription is owed a NOTIFY;
    /// what ran out meanwhile ends at the first tick, with its normal NOTIFYs.
    pub fn recover(config: &Config, now: Instant, records: Vec<Record>) -> Self {
        let mut server = Self::default();
        for record in &records {
            let aor = record.aor();
            let account = server.accounts.entry(aor.clone()).or_insert_with(|| Account::boxed(aor));
            account.apply(config, record);
        }
        for (aor, account) in &mut server.accounts {
            account.registrations.rearm(&mut server.timers, config.limits.expiry_grace, aor);
            account.inbox.rearm(&mut server.timers, aor);
            account.presentity.rearm(&mut server.timers, config);
            let devices = account.devices();
            account.presentity.recovered(devices, now);
            let hash = config.secret.derive64(Label::Jitter, &[aor.as_str().as_bytes()]).0;
            let delay = hash % u64::try_from(SPREAD.as_millis()).unwrap_or(1);
            let at = now + Duration::from_millis(delay);
            server.timers.arm(Timer::Settle(aor.clone()), at);
        }
        server
    }
}
