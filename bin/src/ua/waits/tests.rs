use super::*;

fn report(name: &'static str) -> Report {
    Report { name, fields: vec![("state", "active".into())] }
}

fn wanted(event: &str) -> Wanted {
    Wanted { event: event.into(), fields: vec![], patience: Duration::from_secs(1) }
}

#[tokio::test]
async fn an_event_after_the_last_command_counts_although_it_was_faster() {
    let mut waits = Waits::default();
    waits.commanded();
    waits.saw(&report("presence"));
    waits.begin(wanted("presence"), Instant::now());
    assert!(!waits.is_waiting());
}

#[tokio::test]
async fn an_event_before_the_last_command_does_not_count() {
    let mut waits = Waits::default();
    waits.saw(&report("presence"));
    waits.commanded();
    waits.begin(wanted("presence"), Instant::now());
    assert!(waits.is_waiting());
    waits.saw(&report("message"));
    assert!(waits.is_waiting());
    waits.saw(&report("presence"));
    assert!(!waits.is_waiting());
}

#[tokio::test]
async fn two_waits_need_two_events_and_keep_what_lies_between() {
    let mut waits = Waits::default();
    for name in ["message", "presence", "message"] {
        waits.saw(&report(name));
    }
    waits.begin(wanted("message"), Instant::now());
    waits.begin(wanted("message"), Instant::now());
    assert!(!waits.is_waiting());
    waits.begin(wanted("message"), Instant::now());
    assert!(waits.is_waiting());
}

#[tokio::test]
async fn a_field_narrows_a_wait() {
    let mut waits = Waits::default();
    let mut active = wanted("subscription");
    active.fields.push(("state".into(), "pending".into()));
    waits.saw(&report("subscription"));
    waits.begin(active, Instant::now());
    assert!(waits.is_waiting());
}

#[tokio::test]
async fn a_wait_in_vain_is_named_and_remembered() {
    let mut waits = Waits::default();
    waits.begin(wanted("presence"), Instant::now());
    assert!(waits.deadline().is_some());
    let report = waits.give_up().expect("something was waited for");
    assert_eq!(report.to_text(), "error what=\"wait presence\" why=\"did not happen within 1 s\"");
    assert!(waits.failed() && !waits.is_waiting());
    assert_eq!(waits.give_up(), None);
}
