//! Owners who thought otherwise than the server.

use crate::oracle::examine;
use crate::oracle::rig::*;
use crate::plan::{Act, Party, Step};
use crate::world;

#[test]
fn a_document_an_offer_and_a_state_without_approval_are_found() {
    let (mut plan, record) = played();
    plan.steps.retain(|step| !matches!(&step.act, Act::Order(_, line) if line == "allow alice"));
    let broken = broken(&plan, &record);
    assert!(["P2", "P3", "P13"].iter().all(|id| broken.contains(id)), "{broken:?}");
}

#[test]
fn a_note_for_somebody_politely_blocked_is_found() {
    let (mut plan, record) = played();
    for step in &mut plan.steps {
        if let Act::Order(_, line) = &mut step.act {
            *line = line.replace("allow alice", "polite alice");
        }
    }
    assert!(broken(&plan, &record).contains(&"P2"));
}

#[test]
fn a_refusal_of_somebody_not_blocked_is_found() {
    let (plan, mut record) = played();
    let answers = datagrams(&record, &["SIP/2.0 200 OK", "SUBSCRIBE", "sip:carol@example.org"]);
    edit(&mut record, answers[0], "200 OK", "403 Forbidden");
    assert!(broken(&plan, &record).contains(&"P13"));
}

#[test]
fn the_secret_of_an_offer_is_found_on_its_way_to_a_watcher() {
    let (plan, mut record) = played();
    let published = datagrams(&record, &["PUBLISH sip:bob", "secret"]);
    let shown = datagrams(&record, &["NOTIFY sip:alice", "<note>n1</note>", "audio"]);
    assert!(!published.is_empty(), "the offer was published with its secret");
    let body = |record: &crate::record::Record, at: usize| match &record.entries[at].what {
        crate::record::What::Datagram { bytes, .. } => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            text.split_once("\r\n\r\n").expect("a message").1.to_owned()
        }
        other => panic!("{other:?}"),
    };
    let (leak, said) = (body(&record, published[0]), body(&record, shown[0]));
    edit(&mut record, shown[0], &said, &leak);
    assert!(broken(&plan, &record).contains(&"P3"));
}

/// alice is cut off while a NOTIFY is on its way to her; meanwhile bob blocks her and thinks again.
#[test]
fn a_rejection_may_come_late_but_not_without_a_block() {
    let mut plan = morning();
    let cut = Act::Cut { from: Party::Device(device("alice")), to: Party::Server, both: false };
    let order = |line: &str| Act::Order(device("bob"), line.into());
    let acts = [
        (40_000, cut),
        (41_000, order("presence open n3")),
        (42_000, order("block alice")),
        (43_000, order("ask alice")),
        (44_000, Act::Mend),
    ];
    plan.steps.extend(acts.map(|(at_ms, act)| Step { at_ms, act }));
    let record = world::play(&plan).expect("a run");
    let rejected = datagrams(&record, &["NOTIFY sip:alice", "terminated;reason=rejected"]);
    assert!(rejected.iter().all(|at| record.entries[*at].at_ms > 44_000));
    assert!(!rejected.is_empty());
    assert_eq!(examine(&plan, &record), []);
    plan.steps.retain(|step| !matches!(&step.act, Act::Order(_, line) if line == "block alice"));
    assert!(broken(&plan, &record).contains(&"P13"));
}
