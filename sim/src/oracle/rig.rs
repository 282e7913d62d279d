//! A run in which all is well, and ways to doctor it: a property that cannot fail is worthless.

use super::{Violation, examine};
pub(super) use crate::judge::tests::order;
use crate::plan::{Act, DeviceName, Party, Plan, ServerPlan, Step, UserPlan, Weather};
use crate::record::{Entry, Record, What};
use crate::world;
use presently_engine::agent::Event;

/// A device by its user.
pub(super) fn device(user: &str) -> DeviceName {
    DeviceName { user: user.into(), device: String::new() }
}

/// bob is watched by alice, whom he allows, and by carol, whom he does not; he publishes, offers
/// and is written to.
pub(super) fn morning() -> Plan {
    let user = |name: &str| UserPlan {
        name: name.into(),
        devices: vec![],
        refresh: 60,
        nat: false,
        paper: false,
    };
    let order = |at_ms, user: &str, line: &str| {
        let act = Act::Order(device(user), line.into());
        Step { at_ms, act }
    };
    let login = |user: &str| Step { at_ms: 0, act: Act::Login(device(user)) };
    Plan {
        title: "a morning".into(),
        story: String::new(),
        seed: 7,
        duration_ms: 100_000,
        server: ServerPlan { notify_gap_ms: 5000, ..ServerPlan::default() },
        users: vec![user("alice"), user("bob"), user("carol")],
        network: Weather::default(),
        steps: vec![
            login("alice"),
            login("bob"),
            login("carol"),
            order(1000, "bob", "winfo"),
            order(1000, "bob", "presence open n1"),
            order(2000, "alice", "watch bob"),
            order(2000, "carol", "watch bob"),
            order(5000, "bob", "allow alice"),
            order(9000, "bob", "offer audio ready"),
            order(16_000, "bob", "presence closed n2"),
            order(17_000, "alice", "message bob t1"),
            order(24_000, "carol", "unwatch bob"),
        ],
        expectations: vec![],
    }
}

/// The morning as it was played, without a violation.
pub(super) fn played() -> (Plan, Record) {
    let plan = morning();
    let record = world::play(&plan).expect("a run");
    assert_eq!(examine(&plan, &record), [], "the morning itself is well");
    (plan, record)
}

/// alice speaks to bob, who speaks back; she calls him; she speaks again and he blocks her.
pub(super) fn evening() -> Plan {
    let spoken = [
        (7000, "bob", "offer audio ready"),
        (12_000, "alice", "direct bob audio"),
        (14_000, "bob", "direct alice audio"),
        (18_000, "alice", "stop"),
        (20_000, "alice", "call bob audio"),
        (22_000, "bob", "answer"),
        (26_000, "bob", "hangup"),
        (40_000, "alice", "direct bob audio"),
        (45_000, "bob", "block alice"),
    ];
    let mut plan = morning();
    plan.steps.retain(|step| step.at_ms < 7000);
    plan.steps.extend(spoken.map(|(at_ms, user, line)| order(at_ms, user, line)));
    plan.duration_ms = 110_000;
    plan
}

/// The evening as it was played, without a violation.
pub(super) fn spoken() -> (Plan, Record) {
    let plan = evening();
    let record = world::play(&plan).expect("a run");
    assert_eq!(examine(&plan, &record), [], "the evening itself is well");
    (plan, record)
}

/// Puts an event into what a user was told.
pub(super) fn tell(record: &mut Record, at_ms: u64, user: &str, event: Event) {
    let place = record.entries.partition_point(|entry| entry.at_ms <= at_ms);
    let what = What::Told { device: device(user), event };
    record.entries.insert(place, Entry { at_ms, what });
}

/// Moves an entry to another time.
pub(super) fn postpone(record: &mut Record, at: usize, at_ms: u64) {
    let mut entry = record.entries.remove(at);
    entry.at_ms = at_ms;
    let place = record.entries.partition_point(|entry| entry.at_ms <= at_ms);
    record.entries.insert(place, entry);
}

/// Where the events are that a user was told and that pass.
pub(super) fn events(record: &Record, user: &str, which: impl Fn(&Event) -> bool) -> Vec<usize> {
    let passes = |entry: &Entry| match &entry.what {
        What::Told { device, event } => device.user == user && which(event),
        What::Datagram { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => false,
    };
    (0..record.entries.len()).filter(|at| passes(&record.entries[*at])).collect()
}

/// Where the datagrams are that a user's device sends from its media port in a time and that begin
/// with such an octet.
pub(super) fn packets(
    record: &Record,
    user: &str,
    octet: u8,
    time: std::ops::Range<u64>,
) -> Vec<usize> {
    let of_user = |party: &Party| matches!(party, Party::Device(name) if name.user == user);
    let own = record.addresses.iter().find(|(party, _)| of_user(party)).expect("a device").1;
    let passes = |entry: &Entry| match &entry.what {
        What::Datagram { from, bytes, .. } => {
            from.ip() == own.ip() && bytes.first() == Some(&octet) && time.contains(&entry.at_ms)
        }
        What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => false,
    };
    (0..record.entries.len()).filter(|at| passes(&record.entries[*at])).collect()
}

/// The properties that do not hold, each once.
pub(super) fn broken(plan: &Plan, record: &Record) -> Vec<&'static str> {
    let violations: Vec<Violation> = examine(plan, record);
    let mut ids: Vec<&str> = violations.iter().map(|violation| violation.property).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The text of a datagram.
pub(super) fn text(entry: &Entry) -> Option<String> {
    match &entry.what {
        What::Datagram { bytes, .. } => Some(String::from_utf8_lossy(bytes).into_owned()),
        What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => None,
    }
}

fn write(entry: &mut Entry, text: &str) {
    // A changed body has another length.
    let (head, body) = text.split_once("\r\n\r\n").expect("a message");
    let lines = head.split("\r\n").map(|line| match line.starts_with("Content-Length:") {
        true => format!("Content-Length: {}", body.len()),
        false => line.to_owned(),
    });
    let head = lines.collect::<Vec<_>>().join("\r\n");
    if let What::Datagram { bytes, .. } = &mut entry.what {
        *bytes = format!("{head}\r\n\r\n{body}").into();
    }
}

/// Where the datagrams are that have all these parts.
pub(super) fn datagrams(record: &Record, parts: &[&str]) -> Vec<usize> {
    let has = |entry: &Entry| {
        text(entry).is_some_and(|text| parts.iter().all(|part| text.contains(part)))
    };
    (0..record.entries.len()).filter(|at| has(&record.entries[*at])).collect()
}

/// Replaces a part of a datagram.
pub(super) fn edit(record: &mut Record, at: usize, from: &str, to: &str) {
    let before = text(&record.entries[at]).expect("a datagram");
    let after = before.replace(from, to);
    assert_ne!(before, after, "{from} is not in {before}");
    write(&mut record.entries[at], &after);
}

/// Puts a copy of an entry behind it, so much later.
pub(super) fn again(record: &mut Record, at: usize, later_ms: u64) -> usize {
    let mut copy = record.entries[at].clone();
    copy.at_ms += later_ms;
    let place = record.entries.partition_point(|entry| entry.at_ms <= copy.at_ms);
    record.entries.insert(place, copy);
    place
}

/// Takes everything out that a user was told and that passes.
pub(super) fn untell(record: &mut Record, user: &str, which: impl Fn(&Event) -> bool) {
    let before = record.entries.len();
    record.entries.retain(|entry| match &entry.what {
        What::Told { device, event } => device.user != user || !which(event),
        What::Stream { .. } => true,
        What::Datagram { .. } | What::Step(_) | What::Trouble { .. } => true,
    });
    assert_ne!(before, record.entries.len(), "nothing was taken out");
}
