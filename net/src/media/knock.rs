//! RTP of no flow from hosts that are welcome: the paper's form of direct media, in which nobody
//! asks before it speaks (behaviour §6.10). Who may be let in is the agent's to say.
//!
//! The first packets of one sender at each such host wait for the agent's word, so that nothing of
//! what is said is lost by it. What comes from anywhere else is no business of this file.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How long a word is waited for; then somebody else at that host may knock.
const PATIENCE: Duration = Duration::from_millis(200);
/// Most packets of one sender that wait.
const HELD: usize = 32;

/// Who knocks, and where they wait.
#[derive(Debug, Default)]
pub(super) struct Knocks {
    welcome: BTreeSet<IpAddr>,
    waiting: BTreeMap<IpAddr, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    from: SocketAddr,
    ssrc: u32,
    since: Duration,
    packets: Vec<Bytes>,
}

/// What is done with a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// The agent has to be told; the packet waits for its word.
    Knock,
    /// The packet waits, too.
    Waits,
    /// It is thrown away.
    Refused,
}

impl Knocks {
    /// From now on these hosts are welcome, and no others.
    pub(super) fn welcome(&mut self, hosts: BTreeSet<IpAddr>) {
        self.waiting.retain(|host, _| hosts.contains(host));
        self.welcome = hosts;
    }

    /// Takes an RTP packet of no flow.
    pub(super) fn take(
        &mut self,
        now: Duration,
        (from, ssrc): (SocketAddr, u32),
        packet: &[u8],
    ) -> Entry {
        let host = from.ip();
        if !self.welcome.contains(&host) {
            return Entry::Refused;
        }
        self.waiting.retain(|_, one| now.saturating_sub(one.since) < PATIENCE);
        match self.waiting.get_mut(&host) {
            Some(one) if (one.from, one.ssrc) == (from, ssrc) && one.packets.len() < HELD => {
                one.packets.push(Bytes::copy_from_slice(packet));
                Entry::Waits
            }
            Some(_) => Entry::Refused,
            None => {
                let packets = vec![Bytes::copy_from_slice(packet)];
                self.waiting.insert(host, Waiting { from, ssrc, since: now, packets });
                Entry::Knock
            }
        }
    }

    /// The packets of a sender that is let in.
    pub(super) fn let_in(&mut self, from: SocketAddr, ssrc: u32) -> Vec<Bytes> {
        let host = from.ip();
        let is_it = |one: &Waiting| (one.from, one.ssrc) == (from, ssrc);
        match self.waiting.get(&host).is_some_and(is_it) {
            true => self.waiting.remove(&host).map_or_else(Vec::new, |one| one.packets),
            false => Vec::new(),
        }
    }
}
