//! What a call costs: the messages of the signalling from the press until all is quiet, with so
//! many approved watchers of the callee.

use super::laboratory::{Laboratory, Setting, is_rtp, is_sip};
use crate::record::{Entry, What};
use crate::world::runtime;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long they talk.
const TALK: Duration = Duration::from_secs(30);
/// Until nothing is under way any more: longer than a transaction, and than K4.
const QUIET: Duration = Duration::from_secs(40);

/// A way to talk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// By INVITE; the callee offers nothing else.
    Invite,
    /// By INVITE, while the callee also offers to be spoken to directly: that offer is busy as
    /// long as the call lasts (X2).
    InviteBesideOffer,
    /// Directly. The caller is one of the watchers, or it would not know where.
    Direct,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Invite, Self::InviteBesideOffer, Self::Direct];

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::InviteBesideOffer => "INVITE, beside an offer",
            Self::Direct => "direct, checked",
        }
    }
}

/// Datagrams of one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Price {
    /// Which way.
    pub way: Way,
    /// Approved watchers of the callee.
    pub watchers: usize,
    /// All of SIP.
    pub sip: usize,
    /// INVITE, ACK and BYE with their answers, on both sides of the proxy.
    pub session: usize,
    /// PUBLISH and its answers, challenges included.
    pub publish: usize,
    /// NOTIFY and its answers.
    pub notify: usize,
    /// Checks and their answers (STUN): the first, and consent every 5 s.
    pub checks: usize,
    /// RTCP.
    pub rtcp: usize,
}

/// Makes one call without loss and counts. `None`: nobody can speak directly to somebody whom
/// nobody watches.
///
/// # Errors
/// It could not even begin.
pub(super) fn count(way: Way, watchers: usize, seed: u64) -> Result<Option<Price>, String> {
    let direct = way == Way::Direct;
    let Some(others) = watchers.checked_sub(usize::from(direct)) else { return Ok(None) };
    runtime(seed)?.block_on(async {
        let setting = Setting { watchers: others, ..Setting::default() };
        let mut laboratory = Laboratory::open(&setting, seed).await?;
        match way {
            Way::Invite => {}
            Way::InviteBesideOffer => laboratory.callee.order("offer audio ready").await?,
            Way::Direct => laboratory.offer().await?,
        }
        laboratory.watch().await?;
        laboratory.acquaint().await?;
        let first = laboratory.recorder.mark();
        laboratory.caller.order(if direct { "direct bob audio" } else { "call bob audio" }).await?;
        laboratory.heard().await?;
        tokio::time::sleep(TALK).await;
        laboratory.caller.order(if direct { "stop" } else { "hangup" }).await?;
        tokio::time::sleep(QUIET).await;
        Ok(Some(tally(way, watchers, &laboratory.recorder.since(first))))
    })
}

fn tally(way: Way, watchers: usize, entries: &[Entry]) -> Price {
    let (sip, session, publish, notify, checks, rtcp) = (0, 0, 0, 0, 0, 0);
    let mut price = Price { way, watchers, sip, session, publish, notify, checks, rtcp };
    for entry in entries {
        let What::Datagram { from, to, bytes, .. } = &entry.what else { continue };
        if !is_sip(*from, *to) {
            price.checks += usize::from(bytes.first().is_some_and(|first| *first < 4));
            let above = bytes.first().is_some_and(|first| *first >= 128);
            price.rtcp += usize::from(above && !is_rtp(bytes));
            continue;
        }
        price.sip += 1;
        match method(bytes) {
            Some("INVITE" | "ACK" | "BYE") => price.session += 1,
            Some("PUBLISH") => price.publish += 1,
            Some("NOTIFY") => price.notify += 1,
            Some(_) | None => {}
        }
    }
    price
}

/// The method in CSeq, which answers have too.
fn method(bytes: &[u8]) -> Option<&str> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(bytes.len());
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("CSeq:"))?;
    line.split_whitespace().nth(1)
}
