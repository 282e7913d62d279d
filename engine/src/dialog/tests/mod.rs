//! Scenes of dialogs: how they are made, what they write, what they take.

mod flows;

use super::*;
use crate::message::{Message, Reply};
use crate::slot::Slot;
use bytes::Bytes;
use std::fmt::Write;

const TAG: Id = Id(0x1111_2222_3333_4444);
const BRANCH: Branch = Branch { slot: Slot(0x0a1), id: Id(0x5555_6666_7777_8888) };

fn source() -> Peer {
    Peer { addr: "198.51.100.7:40123".parse().unwrap(), listener: 2 }
}

fn parse(text: &str) -> Request {
    match Message::parse(Bytes::from(text.replace('\n', "\r\n"))) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// A request of Bob's phone, with these header lines beside the mandatory ones.
fn request(method: &str, cseq: u32, to_tag: &str, lines: &str) -> Request {
    parse(&format!(
        "{method} sip:alice@example.org SIP/2.0\n\
         Via: SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bK1;rport\nMax-Forwards: 70\n\
         From: \"Bob\" <sip:bob@example.com>;tag=b1\nTo: <sip:alice@example.org>{to_tag}\n\
         Call-ID: c1\nCSeq: {cseq} {method}\n{lines}Content-Length: 0\n\n"
    ))
}

fn subscribe(lines: &str) -> Request {
    request("SUBSCRIBE", 20, "", lines)
}

fn accepted(lines: &str) -> Dialog {
    Dialog::accept(&subscribe(lines), source(), TAG).unwrap()
}

fn written(dialog: &mut Dialog, method: Method) -> String {
    let bytes = dialog.request(method, BRANCH, "server.example:5060").finish();
    String::from_utf8(bytes.to_vec()).unwrap()
}

const CONTACT: &str = "Contact: <sip:bob@192.168.1.5>\n";

#[test]
fn a_notify_in_an_accepted_dialog() {
    let mut dialog = accepted(CONTACT);
    assert_eq!((dialog.local_cseq, dialog.remote_cseq), (0, Some(20)));
    insta::assert_snapshot!(written(&mut dialog, Method::Notify));
}

#[test]
fn a_notify_through_loose_routers_names_them_in_the_order_of_record_route() {
    let lines = "Record-Route: <sip:edge.example;lr>, <sip:core.example;lr>\n\
                 Record-Route: <sip:home.example;lr;x=1>\nContact: <sip:bob@192.168.1.5>\n";
    insta::assert_snapshot!(written(&mut accepted(lines), Method::Notify));
}

#[test]
fn a_notify_through_a_strict_router_is_addressed_to_the_router() {
    let lines = "Record-Route: <sip:old.example;method=INVITE;x=1?Subject=hi>\n\
                 Record-Route: <sip:new.example;lr>\nContact: <sip:bob@192.168.1.5>\n";
    insta::assert_snapshot!(written(&mut accepted(lines), Method::Notify));
}

#[test]
fn a_peer_without_tag_is_written_without_tag() {
    let text = String::from_utf8(subscribe(CONTACT).bytes().to_vec()).unwrap();
    let old = parse(&text.replace(";tag=b1", "").replace("\r\n", "\n"));
    let mut dialog = Dialog::accept(&old, source(), TAG).unwrap();
    let notify = written(&mut dialog, Method::Notify);
    assert!(notify.contains("\r\nTo: <sip:bob@example.com>\r\n"), "{notify}");
}

#[test]
fn a_dialog_needs_exactly_one_contact_with_a_sip_uri() {
    let useless = [
        "",
        "Contact: *\n",
        "Contact: <tel:+1234>\n",
        "Contact: <sip:bob@192.168.1.5>, <sip:bob@192.168.1.6>\n",
        "Contact: <sip:>\n",
    ];
    for lines in useless {
        // The parser may refuse some of these before a dialog sees them.
        if let Ok(Message::Request(request)) = Message::parse(raw(lines)) {
            assert_eq!(Dialog::accept(&request, source(), TAG), None, "{lines}");
        }
    }
}

fn raw(lines: &str) -> Bytes {
    Bytes::from(
        format!(
            "SUBSCRIBE sip:alice@example.org SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\n\
             From: <sip:bob@example.com>;tag=b1\nTo: <sip:alice@example.org>\nCall-ID: c1\n\
             CSeq: 20 SUBSCRIBE\n{lines}Content-Length: 0\n\n"
        )
        .replace('\n', "\r\n"),
    )
}

#[test]
fn a_contact_is_stripped_of_what_a_request_uri_must_not_have() {
    let cases = [
        ("sip:bob@192.0.2.1;transport=udp", "sip:bob@192.0.2.1;transport=udp"),
        ("sip:bob@192.0.2.1?Subject=hi", "sip:bob@192.0.2.1"),
        ("sip:bob@192.0.2.1;method=INVITE", "sip:bob@192.0.2.1"),
        ("sip:bob@192.0.2.1;a;Method=BYE;b=2?x=y", "sip:bob@192.0.2.1;a;b=2"),
        ("sip:b;method=x?y@192.0.2.1;b=2", "sip:b;method=x?y@192.0.2.1;b=2"),
    ];
    for (contact, target) in cases {
        let dialog = accepted(&format!("Contact: <{contact}>\n"));
        assert_eq!(&*dialog.remote_target, target);
    }
}

/// P31: whether the NOTIFY comes before or after the 200, it alone makes the dialog, and that is
/// the mirror image of the notifier's.
#[test]
fn the_subscribers_dialog_mirrors_the_notifiers() {
    let notifier_at = Peer::new("192.0.2.80:5060".parse().unwrap());
    let mut notifier = accepted(CONTACT);
    let mut writer = notifier.request(Method::Notify, BRANCH, "192.0.2.80:5060");
    writer.header(Name::Contact, "<sip:alice@192.0.2.80>");
    let Ok(Message::Request(notify)) = Message::parse(writer.finish()) else { panic!() };
    // Bob's phone would have minted an Id as its tag; here it says b1.
    let dialog = Dialog::from_notify(&notify, notifier_at, Id(0xb1), 20).unwrap();
    assert_eq!(dialog.call_id, notifier.call_id);
    assert_eq!(*dialog.remote_tag, *notifier.local_tag.to_string());
    assert_eq!(dialog.local_uri, notifier.remote_uri);
    assert_eq!(dialog.remote_uri, notifier.local_uri);
    assert_eq!(&*dialog.remote_target, "sip:alice@192.0.2.80");
    assert_eq!((dialog.local_cseq, dialog.remote_cseq), (20, Some(1)));
    assert_eq!(dialog.peer, notifier_at);
}

#[test]
fn a_subscribers_route_set_is_the_record_route_of_the_notify_in_order() {
    let lines = "Record-Route: <sip:near.example;lr>, <sip:far.example;lr>\n\
                 Contact: <sip:alice@192.0.2.80>\n";
    let notify = request("NOTIFY", 1, ";tag=1111222233334444", lines);
    let dialog = Dialog::from_notify(&notify, source(), TAG, 20).unwrap();
    assert_eq!(
        dialog.routes,
        ["<sip:near.example;lr>", "<sip:far.example;lr>"].map(std::sync::Arc::from)
    );
    assert_eq!(dialog.peer, source());
}

#[test]
fn a_callers_route_set_is_the_record_route_of_the_answer_reversed() {
    let invite = request("INVITE", 5, "", CONTACT);
    let mut reply = Reply::new(&invite, source().addr, 200, "x9");
    reply.header(Name::RecordRoute, "<sip:far.example;lr>, <sip:near.example;lr>");
    reply.header(Name::Contact, "<sip:alice@192.0.2.80>");
    let bytes = reply.into_writer().finish();
    let Ok(Message::Response(response)) = Message::parse(bytes) else { panic!() };
    let mut dialog = Dialog::from_response(&response, source(), TAG).unwrap();
    assert_eq!(
        dialog.routes,
        ["<sip:near.example;lr>", "<sip:far.example;lr>"].map(std::sync::Arc::from)
    );
    assert_eq!((&*dialog.remote_tag, dialog.local_cseq), ("x9", 5));
    assert_eq!((dialog.remote_cseq, dialog.peer), (None, source()));
    let ack = written(&mut dialog, Method::Ack);
    assert!(ack.contains("\r\nCSeq: 5 ACK\r\n"), "{ack}");
    let bye = written(&mut dialog, Method::Bye);
    assert!(bye.contains("\r\nCSeq: 6 BYE\r\n"), "{bye}");
}

#[test]
fn a_dialog_owns_what_has_its_call_id_and_both_tags() {
    let dialog = accepted(CONTACT);
    let inside = |to_tag: &str| request("SUBSCRIBE", 21, to_tag, CONTACT);
    assert!(dialog.owns(&inside(";tag=1111222233334444")));
    assert!(!dialog.owns(&inside(";tag=1111222233334445")));
    assert!(!dialog.owns(&inside("")));
    let text = String::from_utf8(inside(";tag=1111222233334444").bytes().to_vec()).unwrap();
    let text = text.replace("\r\n", "\n");
    assert!(!dialog.owns(&parse(&text.replace("tag=b1", "tag=b2"))));
    assert!(!dialog.owns(&parse(&text.replace("Call-ID: c1", "Call-ID: c2"))));
}

/// The whole table: last accepted CSeq × CSeq of the next request, and what is noted after it.
#[test]
fn cseq_rules_of_the_peers_requests() {
    let mut text = String::new();
    for last in [None, Some(0), Some(20), Some(u32::MAX)] {
        writeln!(text, "last accepted: {last:?}").unwrap();
        let next = [("INFO", 0), ("INFO", 19), ("INFO", 20), ("INFO", 21), ("INFO", 900)];
        let rest = [("INFO", u32::MAX), ("ACK", 19), ("ACK", 20), ("CANCEL", 20)];
        for (method, cseq) in next.into_iter().chain(rest) {
            let mut dialog = Dialog { remote_cseq: last, ..accepted(CONTACT) };
            let request = request(method, cseq, ";tag=1111222233334444", "");
            let verdict = if dialog.is_in_order(&request) { "in order" } else { "500" };
            dialog.advance(&request);
            let noted = if dialog.remote_cseq == last { "—".into() } else { format!("{cseq}") };
            writeln!(text, "    {cseq:>10} {method:<8}{verdict:<10}{noted}").unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn our_requests_have_strictly_rising_cseqs_and_ack_repeats_the_last() {
    let mut dialog = Dialog { local_cseq: 41, ..accepted(CONTACT) };
    let methods = [Method::Notify, Method::Invite, Method::Ack, Method::Bye];
    let cseqs = methods.map(|method| {
        let Ok(Message::Request(request)) =
            Message::parse(Bytes::from(written(&mut dialog, method)))
        else {
            panic!("a request")
        };
        request.cseq().unwrap().number
    });
    assert_eq!(cseqs, [42, 43, 43, 44]);
}

#[test]
fn a_refresh_moves_target_and_flow_but_not_the_route_set() {
    let mut dialog = accepted(CONTACT);
    let moved = "Record-Route: <sip:new.example;lr>\nContact: <sip:bob@203.0.113.9:7000>\n";
    dialog.refresh_target(&request("SUBSCRIBE", 21, ";tag=1111222233334444", moved), source());
    assert_eq!(&*dialog.remote_target, "sip:bob@203.0.113.9:7000");
    assert_eq!(dialog.peer.addr, "203.0.113.9:7000".parse().unwrap());
    assert!(dialog.routes.is_empty());
    let before = dialog.clone();
    dialog.refresh_target(&request("SUBSCRIBE", 22, ";tag=1111222233334444", ""), source());
    assert_eq!(dialog, before);
}

#[test]
fn numbers_are_written_as_numbers_are() {
    for number in [0, 1, 9, 10, 99, 100, 4_294_967_295] {
        assert_eq!(Decimal::of(number).as_str(), number.to_string());
    }
}
