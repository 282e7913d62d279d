use super::*;
use crate::body::pidf::Format;
use crate::dialog::Dialog;
use crate::machine::Peer;
use crate::message::Message;
use crate::server::Package;
use crate::time::Instant;

const NOON: Instant = Instant::from_millis(1_777_896_000_000);
const OURS: Id = Id(0x00c0_ffee);

fn alice() -> Aor {
    Aor::new("alice", "example.org")
}

/// Alice's SUBSCRIBE with these identifiers; inside of a dialog if there is a To tag.
fn subscribe(call_id: &str, tag: &str, to_tag: Option<Id>, event: &str) -> Request {
    let to_tag = to_tag.map_or_else(String::new, |tag| format!(";tag={tag}"));
    let text = format!(
        "SUBSCRIBE sip:bob@example.org SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKnashds8\r\n\
         From: <sip:alice@example.org>;tag={tag}\r\nTo: <sip:bob@example.org>{to_tag}\r\n\
         Call-ID: {call_id}\r\nCSeq: 7 SUBSCRIBE\r\nContact: <sip:alice@192.0.2.7:5062>\r\n\
         Event: {event}\r\nContent-Length: 0\r\n\r\n"
    );
    match Message::parse(text.into()) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

fn subscription(package: Package, event_id: Option<&str>) -> Subscription {
    let peer = Peer::new("192.0.2.7:5062".parse().expect("an address"));
    let request = subscribe("call", "a1", None, "presence");
    let row = SubscriptionRow {
        package,
        watcher: alice(),
        dialog: Dialog::accept(&request, peer, OURS).expect("a dialog"),
        event_id: event_id.map(Into::into),
        format: Format::Pidf,
        active: true,
        cause: Cause::Subscribe,
        watcher_id: Id(1),
        display_name: None,
        since: NOON,
        expires: NOON,
        next_version: 0,
    };
    Subscription::new(row, View::Neutral)
}

fn table(event_id: Option<&str>) -> Subscriptions {
    let mut table = Subscriptions::default();
    table.insert(OURS, subscription(Package::Presence, event_id));
    table
}

#[test]
fn a_row_is_stored_again_once_in_a_stride_of_notifies() {
    let mut presence = subscription(Package::Presence, None);
    assert!(presence.reserve(), "the first numbers");
    assert_eq!(presence.stored().dialog.local_cseq, STRIDE);
    assert_eq!(presence.stored().next_version, 0, "presence documents have no version");
    for cseq in [0, 1, STRIDE - 1] {
        presence.row.dialog.local_cseq = cseq;
        assert!(!presence.reserve(), "{cseq} is covered");
    }
    presence.row.dialog.local_cseq = STRIDE;
    assert!(presence.reserve());
    assert_eq!(presence.stored().dialog.local_cseq, 2 * STRIDE);
}

#[test]
fn versions_of_winfo_documents_are_reserved_for_themselves() {
    let mut winfo = subscription(Package::Winfo, None);
    assert!(winfo.reserve());
    assert!(!winfo.reserve());
    assert_eq!(winfo.stored().next_version, STRIDE);
    winfo.row.next_version = STRIDE;
    assert!(winfo.reserve());
    assert_eq!(winfo.stored().next_version, 2 * STRIDE);
    assert_eq!(winfo.stored().dialog.local_cseq, STRIDE);
    winfo.row.dialog.local_cseq = STRIDE;
    assert!(winfo.reserve());
    assert_eq!(winfo.stored().next_version, 2 * STRIDE);
}

/// R20: frozen identifiers are those of the same watcher, call, tag and event, and nobody else's.
#[test]
fn a_twin_agrees_in_everything() {
    let twin = |table: &Subscriptions, call_id, tag, event| {
        table.twin(&alice(), &subscribe(call_id, tag, None, event))
    };
    let mut known = table(Some("7"));
    assert_eq!(twin(&known, "call", "a1", "presence;id=7"), Some(OURS));
    assert_eq!(twin(&known, "other", "a1", "presence;id=7"), None);
    assert_eq!(twin(&known, "call", "a2", "presence;id=7"), None);
    assert_eq!(twin(&known, "call", "a1", "presence;id=8"), None);
    assert_eq!(twin(&known, "call", "a1", "presence"), None);
    let carol = Aor::new("carol", "example.org");
    let request = subscribe("call", "a1", None, "presence;id=7");
    assert_eq!(known.twin(&carol, &request), None);
    known.get_mut(OURS).expect("the row").ending = Some(Cause::Timeout);
    assert_eq!(twin(&known, "call", "a1", "presence;id=7"), None, "what ends has no twin");
}

#[test]
fn a_request_finds_the_subscription_of_its_dialog_while_that_lives() {
    let mut known = table(None);
    let found = |table: &Subscriptions, request: &Request| {
        let id = |found: Option<(Id, &Subscription)>| found.map(|(id, _)| id);
        (id(table.owner_of(request)), id(table.dialog_of(request)))
    };
    let inside = |call_id, tag, event| subscribe(call_id, tag, Some(OURS), event);
    assert_eq!(found(&known, &inside("call", "a1", "presence")), (Some(OURS), Some(OURS)));
    for event in ["presence;id=7", "presence.winfo"] {
        assert_eq!(found(&known, &inside("call", "a1", event)), (Some(OURS), None), "{event}");
    }
    assert_eq!(found(&known, &inside("other", "a1", "presence")), (None, None));
    assert_eq!(found(&known, &inside("call", "a2", "presence")), (None, None));
    let elsewhere = subscribe("call", "a1", Some(Id(9)), "presence");
    assert_eq!(found(&known, &elsewhere), (None, None));
    known.get_mut(OURS).expect("the row").ending = Some(Cause::Timeout);
    assert_eq!(found(&known, &inside("call", "a1", "presence")), (None, None));
}

#[test]
fn what_is_removed_leaves_nothing() {
    let mut known = table(None);
    assert_eq!(known.of(&alice()).collect::<Vec<_>>(), [OURS]);
    assert!(known.remove(Id(9)).is_none());
    assert!(known.remove(OURS).is_some());
    assert_eq!(known, Subscriptions::default());
}
