//! Doctored messages.

use crate::oracle::rig::*;
use crate::record::What;
use presently_engine::agent::Event;

#[test]
fn a_message_shown_twice_is_found() {
    let (plan, mut record) = played();
    let shown = record
        .entries
        .iter()
        .position(|entry| matches!(&entry.what, What::Told { event: Event::Message { .. }, .. }));
    again(&mut record, shown.expect("shown"), 4000);
    assert_eq!(broken(&plan, &record), ["P36"]);
}

#[test]
fn a_message_that_nobody_wrote_is_found() {
    let (mut plan, record) = played();
    for step in &mut plan.steps {
        if let crate::plan::Act::Order(_, line) = &mut step.act {
            *line = line.replace("message bob t1", "message bob t2");
        }
    }
    assert!(broken(&plan, &record).contains(&"P36"));
}

#[test]
fn a_message_that_was_promised_and_not_shown_is_found() {
    let (plan, mut record) = played();
    untell(&mut record, "bob", |event| matches!(event, Event::Message { .. }));
    assert_eq!(broken(&plan, &record), ["P37"]);
}
