//! Parties, steps, fates and events in words, the same in every part of the report.

use crate::plan::{Act, DeviceName, Party, Weather};
use crate::record::{Fate, Record};
use presently::facts::user_of;
use presently_engine::agent::{
    CallPhase, Event, FlowPhase, MessagePhase, Package, SubscriptionPhase, Way,
};
use presently_engine::body::pidf::{Basic, Mode, Pidf};
use presently_net::media::Id;
use std::net::SocketAddr;

/// Whoever is not in the plan.
pub(super) const STRANGER: &str = "stranger";

/// Seconds with the milliseconds behind the point.
pub(super) fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Whose address it is. The translator's outside addresses are their users'.
pub(super) fn party(address: SocketAddr, record: &Record) -> Option<&Party> {
    record.addresses.iter().find(|(_, theirs)| *theirs == address).map(|(party, _)| party)
}

/// The name of whoever has an address.
pub(super) fn who(address: SocketAddr, record: &Record) -> String {
    party(address, record).map_or_else(|| STRANGER.to_owned(), Party::to_string)
}

/// What is unusual about a fate.
pub(super) fn fate(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Arrives { corrupted: true, copy: true, .. } => Some("second copy, corrupted"),
        Fate::Arrives { corrupted: true, .. } => Some("corrupted"),
        Fate::Arrives { copy: true, .. } => Some("second copy"),
        Fate::Arrives { .. } => None,
        Fate::Lost => Some("lost"),
        Fate::Cut => Some("the way is cut"),
        Fate::TooLarge => Some("too large to pass"),
        Fate::NobodyThere => Some("nobody there"),
    }
}

/// What happens, and to whom; nobody is the network.
pub(super) fn act(act: &Act) -> (Option<Party>, String) {
    let device = |name: &DeviceName| Some(Party::Device(name.clone()));
    match act {
        Act::Login(name) => (device(name), "logs in".to_owned()),
        Act::Order(name, line) => (device(name), line.clone()),
        Act::Crash(party) => (Some(party.clone()), "crashes".to_owned()),
        Act::Start(party) => (Some(party.clone()), "starts again".to_owned()),
        Act::Stop => (Some(Party::Server), "stops in order".to_owned()),
        Act::Stall(party, ms) => {
            (Some(party.clone()), format!("stands still for {} s", seconds(*ms)))
        }
        Act::ClockStep(party, by_ms) => {
            let way = if *by_ms < 0 { "back" } else { "forward" };
            let by = seconds(by_ms.unsigned_abs());
            (Some(party.clone()), format!("the wall clock jumps {by} s {way}"))
        }
        Act::Cut { from, to, both: true } => (None, format!("{from} and {to} are cut apart")),
        Act::Cut { from, to, both: false } => (None, format!("{from} no longer reaches {to}")),
        Act::Mend => (None, "every cut is mended".to_owned()),
        Act::Weather(weather) => (None, format!("the network: {}", sky(weather))),
        Act::Rebind(user) => (None, format!("the translator before {user} takes another port")),
        Act::HoldDisk(true) => (Some(Party::Server), "the disk stops to sync".to_owned()),
        Act::HoldDisk(false) => (Some(Party::Server), "the disk syncs again".to_owned()),
        Act::FailDisk(true) => (Some(Party::Server), "the disk is full".to_owned()),
        Act::FailDisk(false) => (Some(Party::Server), "the disk works again".to_owned()),
        Act::Replay(party) => {
            (None, format!("a stranger sends everything again that {party} has sent"))
        }
        Act::Flood(requests) => (None, format!("a stranger sends {requests} requests")),
    }
}

/// Whether an act does harm.
pub(super) fn is_fault(act: &Act) -> bool {
    match act {
        Act::Crash(_)
        | Act::Stall(..)
        | Act::ClockStep(..)
        | Act::Cut { .. }
        | Act::Rebind(_)
        | Act::HoldDisk(true)
        | Act::FailDisk(true)
        | Act::Replay(_)
        | Act::Flood(_) => true,
        Act::Weather(weather) => is_rough(weather),
        Act::Login(_)
        | Act::Order(..)
        | Act::Start(_)
        | Act::Stop
        | Act::Mend
        | Act::HoldDisk(false)
        | Act::FailDisk(false) => false,
    }
}

/// Whether the network does anything but carry.
pub(super) fn is_rough(weather: &Weather) -> bool {
    let Weather { loss, duplicate, reorder, corrupt, mtu, .. } = weather;
    [loss, duplicate, reorder, corrupt].into_iter().any(|share| *share > 0.0)
        || *mtu < Weather::default().mtu
}

/// What the network is like.
pub(super) fn sky(weather: &Weather) -> String {
    let Weather { latency_ms, jitter_ms, loss, duplicate, reorder, corrupt, mtu } = weather;
    let mut parts = vec![match jitter_ms {
        0 => format!("{latency_ms} ms"),
        jitter => format!("{latency_ms}–{} ms", latency_ms + jitter),
    }];
    let shares =
        [(loss, "lost"), (duplicate, "doubled"), (reorder, "held back"), (corrupt, "corrupted")];
    let some = shares.into_iter().filter(|(share, _)| **share > 0.0);
    parts.extend(some.map(|(share, what)| format!("{}\u{a0}% {what}", percent(*share))));
    if *mtu < Weather::default().mtu {
        parts.push(format!("at most {mtu} bytes"));
    }
    parts.join(", ")
}

/// A share in per cent, without digits that say nothing.
fn percent(share: f64) -> f64 {
    (share * 1000.0).round() / 10.0
}

/// What the user of a device is told.
pub(super) fn told(event: &Event) -> String {
    match event {
        Event::Registered { expires } => format!("registered for {expires} s"),
        Event::RegisterFailed { status, reason, retry_ms } => {
            let next = retry_ms.map(|ms| format!(", tries again in {} s", seconds(ms)));
            format!("not registered: {status} {reason}{}", next.unwrap_or_default())
        }
        Event::ServerRestarted => "the server was restarted".to_owned(),
        Event::LoggedOut => "logged out".to_owned(),
        Event::Published { expires, .. } => format!("published for {expires} s"),
        Event::Presence { aor, document } => format!("{} is {}", aor.user(), presence(document)),
        Event::Offer { aor, media, mode, .. } => {
            let mode = match mode {
                None => "gone",
                Some(Mode::Ready) => "ready",
                Some(Mode::Busy) => "busy",
                Some(Mode::Off) => "off",
            };
            format!("{}’s offer of {media} is {mode}", aor.user())
        }
        Event::Subscription { target, package, phase, reason, .. } => {
            let what = match package {
                Package::Presence => format!("subscription to {}", target.user()),
                Package::Winfo => format!("watcher list of {}", target.user()),
            };
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{what}: {}{reason}", subscription(*phase))
        }
        Event::Watcher { uri, status, cause, .. } => {
            let cause = cause.as_str();
            format!("watcher {}: {} ({cause})", user_of(uri), status.as_str())
        }
        Event::Decided { watcher, status: 200 } => format!("decided about {}", watcher.user()),
        Event::Decided { watcher, status } => {
            format!("decision about {} failed: {status}", watcher.user())
        }
        Event::Message { from, text, stored, expired, .. } => {
            let stored = if *stored { ", stored" } else { "" };
            let expired = if *expired { ", late" } else { "" };
            format!("message from {}: “{text}”{stored}{expired}", from.user())
        }
        Event::MessageStatus { target, phase, status, .. } => {
            let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
            format!("message to {}: {}{status}", target.user(), message(*phase))
        }
        Event::Call { peer, phase, reason, .. } => {
            let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("call with {}: {}{reason}", user_of(peer), call(*phase))
        }
        Event::Flow { peer, media, way, phase, reason, .. } => {
            let way = match way {
                Way::Out => "to",
                Way::In => "from",
            };
            let reason = reason.map(|why| format!(" ({})", why.as_str())).unwrap_or_default();
            format!("direct {media} {way} {}: {}{reason}", peer.user(), flow(*phase))
        }
        Event::MediaPacket { to, bytes, .. } => format!("{} octets to {to}", bytes.len()),
        Event::MediaWelcome { port, from } => format!("{} hosts may knock at {port}", from.len()),
        Event::MediaBye { to, .. } => format!("RTCP BYE to {to}"),
        Event::Error { what, why } => format!("error: {what}: {why}"),
    }
}

/// The first packet of a stream.
pub(super) fn stream(name: Id, played: bool) -> String {
    let of = match name {
        Id::Call(call, _) => format!("call {}", call.0),
        Id::Direct(flow) => format!("direct flow {}", flow.0),
    };
    let what = if played { "the first packet is played" } else { "the first packet leaves" };
    format!("{of}: {what}")
}

fn call(phase: CallPhase) -> &'static str {
    match phase {
        CallPhase::Calling => "calling",
        CallPhase::Ringing => "ringing",
        CallPhase::Incoming => "somebody calls",
        CallPhase::Up => "up",
        CallPhase::Ended => "ended",
    }
}

fn flow(phase: FlowPhase) -> &'static str {
    match phase {
        FlowPhase::Checking => "checking",
        FlowPhase::Streaming => "streaming",
        FlowPhase::Stopped => "stopped",
    }
}

fn presence(document: &Pidf) -> String {
    let states = document.tuples.iter().filter_map(|tuple| tuple.basic);
    let basic = match states.max_by_key(|basic| *basic == Basic::Open) {
        None => "neither open nor closed",
        Some(Basic::Open) => "open",
        Some(Basic::Closed) => "closed",
    };
    let notes = document.tuples.iter().flat_map(|tuple| &tuple.notes).chain(&document.notes);
    notes.fold(basic.to_owned(), |said, note| format!("{said} “{}”", note.text))
}

fn subscription(phase: SubscriptionPhase) -> &'static str {
    match phase {
        SubscriptionPhase::Trying => "trying",
        SubscriptionPhase::Pending => "pending",
        SubscriptionPhase::Active => "active",
        SubscriptionPhase::Terminated => "ended",
    }
}

fn message(phase: MessagePhase) -> &'static str {
    match phase {
        MessagePhase::Queued => "queued",
        MessagePhase::Sending => "sending",
        MessagePhase::Delivered => "delivered",
        MessagePhase::Stored => "stored for later",
        MessagePhase::Failed => "failed",
    }
}
