use super::*;

fn bob() -> Aor {
    Aor::parse("sip:bob@example.org").expect("an address")
}

fn status(phase: MessagePhase) -> Event {
    Event::MessageStatus { ticket: 1, target: bob(), phase, status: None }
}

#[test]
fn a_message_is_owed_until_its_fate_is_known() {
    let mut debts = Debts::default();
    debts.ordered(&Command::SendMessage { target: bob(), text: "x".into(), ticket: 1 });
    debts.heard(&status(MessagePhase::Sending));
    assert!(!debts.is_settled());
    debts.heard(&status(MessagePhase::Stored));
    assert!(debts.is_settled());
}

#[test]
fn every_decision_about_a_watcher_is_answered_for_itself() {
    let mut debts = Debts::default();
    for _ in 0..2 {
        debts.ordered(&Command::Decide { watcher: bob(), verdict: None });
    }
    debts.heard(&Event::Decided { watcher: bob(), status: 200 });
    assert!(!debts.is_settled());
    debts.heard(&Event::Decided { watcher: bob(), status: 0 });
    assert!(debts.is_settled());
}

#[test]
fn a_look_ends_with_its_subscription_and_a_lasting_one_is_never_owed() {
    let ended = |phase| Event::Subscription {
        target: bob(),
        package: Package::Presence,
        phase,
        reason: None,
        expires: None,
    };
    let mut debts = Debts::default();
    let package = Package::Presence;
    debts.ordered(&Command::Subscribe { target: bob(), package, expires: None });
    assert!(debts.is_settled());
    debts.ordered(&Command::Fetch { target: bob() });
    debts.heard(&ended(SubscriptionPhase::Pending));
    assert!(!debts.is_settled());
    debts.heard(&ended(SubscriptionPhase::Terminated));
    assert!(debts.is_settled());
}
