//! Watchers who come and go while the one they watch is subscribed to presence.winfo: each of them
//! changes a list that somebody is told about (RFC 3857 §4.7). The versions of the documents say
//! whether one was left out.

use super::subscribe;
use crate::load::Nanos;
use crate::load::bench::{Bench, Next, Source};
use crate::load::client::{Client, Deed, Look, Notice, Outcome};
use crate::load::crowd::Package;
use crate::load::report::{Report, Winfo};
use presently::failure::Failure;
use std::collections::VecDeque;

/// Watchers of each owner, on average.
const WATCHERS: u32 = 10;

/// A tenth of the users are owners; of the others one comes or one goes.
pub(crate) fn owners(bench: &mut Bench) -> Result<Report, Failure> {
    let users = bench.options.crowd().max(2);
    let owners = (users / 10).max(1);
    bench.client.look = Look::AtVersion;
    let subscriptions: Vec<Deed> = (0..owners)
        .map(|owner| Deed::Subscribe { dialog: bench.client.dialog(owner, owner, Package::Winfo) })
        .collect();
    bench.prepare("subscribing to watcherinfo", subscriptions)?;
    let mut traffic = Traffic::new(owners, users);
    let arrivals: Vec<Deed> =
        (0..owners * WATCHERS).map(|_| traffic.arrival(&mut bench.client)).collect();
    traffic.watchers.extend(arrivals.iter().filter_map(|deed| super::ring::subject(*deed)));
    bench.prepare("subscribing", arrivals)?;
    let mut report = bench.measure(&mut traffic)?;
    report.winfo = Some(Winfo { owners, documents: traffic.documents, gaps: traffic.gaps });
    Ok(report)
}

/// One comes, one goes.
struct Traffic {
    owners: u32,
    users: u32,
    arrived: u32,
    /// Subscriptions that are there, the oldest first.
    watchers: VecDeque<u32>,
    comes_next: bool,
    /// The last version of each owner.
    versions: Vec<Option<u32>>,
    documents: u64,
    gaps: u64,
}

impl Traffic {
    fn new(owners: u32, users: u32) -> Self {
        Self {
            owners,
            users,
            arrived: 0,
            watchers: VecDeque::new(),
            comes_next: true,
            versions: vec![None; owners as usize],
            documents: 0,
            gaps: 0,
        }
    }

    /// Somebody who is no owner comes to see one of them.
    fn arrival(&mut self, client: &mut Client) -> Deed {
        let (visitor, _) = subscribe::pair(self.arrived, self.users - self.owners);
        let owner = self.arrived % self.owners;
        self.arrived += 1;
        Deed::Subscribe { dialog: client.dialog(self.owners + visitor, owner, Package::Presence) }
    }
}

impl Source for Traffic {
    fn next(&mut self, client: &mut Client, _now: Nanos) -> Next {
        self.comes_next = !self.comes_next;
        if !self.comes_next {
            return Next::Begin(self.arrival(client));
        }
        let oldest = self.watchers.pop_front();
        oldest.map_or(Next::Wait, |dialog| Next::Begin(Deed::End { dialog }))
    }

    fn ended(&mut self, client: &mut Client, outcome: &Outcome) {
        if let Deed::Subscribe { dialog } = outcome.deed
            && client.dialogs[dialog as usize].remote.is_some()
        {
            self.watchers.push_back(dialog);
        }
    }

    fn told(&mut self, _client: &mut Client, notice: &Notice) {
        // The owners' subscriptions are the first.
        let Some(last) = self.versions.get_mut(notice.dialog as usize) else { return };
        let Some(version) = notice.number else { return };
        self.documents += 1;
        if let Some(before) = last.replace(version) {
            self.gaps += u64::from(version.saturating_sub(before).saturating_sub(1));
        }
    }
}
