//! A message passes through and keeps every byte that is not the proxy's business.

use crate::message::{Message, Name, Request, Response};

const INVITE: &str = "INVITE sip:bob@x.org;transport=udp SIP/2.0\r\n\
    v:SIP/2.0/UDP a.org;branch=z9hG4bK1\r\n\
    Via : SIP/2.0/UDP b.org\r\n\
    rOUTE: <sip:p1.org;lr> ,  <sip:p2.org;lr>\r\n\
    X-Unknown:   spaced, \"value\"\t\r\n\
    Authorization: Digest realm=\"elsewhere\"\r\n\
    Max-Forwards: 0070\r\n\
    f: <sip:a@x.org>;tag=1\r\n\
    To: <sip:bob@x.org>\r\n\
    Call-ID: c\r\n\
    CSeq: 1 INVITE\r\n\
    Route: <sip:p3.org;lr>\r\n\
    Record-Route: <sip:p0.org;lr>\r\n\
    \r\nbody\r\n\0";

fn request(text: &str) -> Request {
    match Message::parse(text.to_owned().into()) {
        Ok(Message::Request(request)) => request,
        other => panic!("a request, not {other:?}"),
    }
}

#[test]
fn nothing_changed_is_the_same_bytes() {
    assert_eq!(request(INVITE).edit().finish(), INVITE);
}

#[test]
fn a_hop_changes_its_four_things_and_nothing_else() {
    let edited = request(INVITE)
        .edit()
        .uri("sip:bob@192.0.2.9")
        .push_via("SIP/2.0/UDP me.org;branch=z9hG4bK2")
        .max_forwards(69)
        .push_header(Name::RecordRoute, "<sip:me.org;lr>")
        .drop_first_route()
        .finish();
    let expected = INVITE
        .replace("sip:bob@x.org;transport=udp SIP", "sip:bob@192.0.2.9 SIP")
        .replace("v:SIP", "Via: SIP/2.0/UDP me.org;branch=z9hG4bK2\r\nv:SIP")
        .replace("rOUTE: <sip:p1.org;lr> ,  ", "Record-Route: <sip:me.org;lr>\r\nrOUTE: ")
        .replace("Max-Forwards: 0070", "Max-Forwards: 69");
    assert_eq!(edited, expected);
}

#[test]
fn removed_lines_go_and_pushed_ones_stay() {
    let received = request(INVITE);
    let edited = received.edit().remove(Name::Route).remove(Name::Authorization);
    let edited = edited.push_header(Name::Route, "<sip:new.org;lr>").finish();
    let read = request(std::str::from_utf8(&edited).unwrap());
    assert_eq!(read.list(Name::Route).collect::<Vec<_>>(), ["<sip:new.org;lr>"]);
    assert_eq!(read.first(Name::Authorization), None);
    assert_eq!(read.body(), "body\r\n\0");
}

#[test]
fn the_only_route_goes_with_its_line() {
    let once = request(INVITE).edit().remove(Name::Via).drop_first_route().finish();
    let once = String::from_utf8(once.to_vec()).unwrap();
    assert!(once.contains("rOUTE: <sip:p2.org;lr>\r\n"));
    let one = INVITE.replace("<sip:p1.org;lr> ,  ", "");
    let none = request(&one).edit().drop_first_route().finish();
    assert_eq!(none, one.replace("rOUTE: <sip:p2.org;lr>\r\n", ""));
    let without = INVITE.replace("rOUTE", "X").replace("Route: <sip:p3", "X: <sip:p3");
    assert_eq!(request(&without).edit().drop_first_route().finish(), without);
}

#[test]
fn missing_max_forwards_is_added_after_the_vias() {
    let without = INVITE.replace("Max-Forwards: 0070\r\n", "");
    let edited = request(&without).edit().max_forwards(70).finish();
    let expected = without.replace("b.org\r\n", "b.org\r\nMax-Forwards: 70\r\n");
    assert_eq!(edited, expected);
}

#[test]
fn pushed_lines_come_before_their_like_even_if_vias_come_last() {
    let odd = "OPTIONS sip:x.org SIP/2.0\r\nRecord-Route: <sip:old>\r\n\
        From: <sip:a@x.org>;tag=1\r\n\
        To: <sip:x.org>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nVia: SIP/2.0/UDP a.org\r\n\r\n";
    let received = request(odd);
    let edited = received.edit().push_via("SIP/2.0/UDP me.org");
    let edited = edited.push_header(Name::RecordRoute, "<sip:new>").finish();
    let expected = odd.replace(
        "Record-Route",
        "Via: SIP/2.0/UDP me.org\r\nRecord-Route: <sip:new>\r\nRecord-Route",
    );
    assert_eq!(edited, expected);
}

#[test]
fn the_source_is_noted_in_the_via_below_ours() {
    let source = "192.0.2.7:5070".parse().unwrap();
    let edited =
        request(INVITE).edit().push_via("SIP/2.0/UDP me.org").received_from(source).finish();
    let noted =
        "Via: SIP/2.0/UDP me.org\r\nVia: SIP/2.0/UDP a.org;branch=z9hG4bK1;received=192.0.2.7\r\n";
    assert_eq!(edited, INVITE.replace("v:SIP/2.0/UDP a.org;branch=z9hG4bK1\r\n", noted));
}

#[test]
fn no_edit_smuggles_a_line() {
    let edited = request(INVITE).edit().uri("sip:x\r\nEvil: 1").push_via("a\nEvil: 1").finish();
    assert!(!edited.windows(6).any(|window| window == b"\nEvil:"));
}

fn response(vias: &str) -> Response {
    let text = format!(
        "SIP/2.0 200 OK\r\nX:  1\r\n{vias}From: <sip:a@x.org>;tag=1\r\nTo: <sip:x.org>;tag=2\r\n\
         Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\nbody"
    );
    match Message::parse(text.into()) {
        Ok(Message::Response(response)) => response,
        other => panic!("a response, not {other:?}"),
    }
}

#[test]
fn the_topmost_via_is_popped_and_nothing_else() {
    let pop = |vias: &str, left: &str| {
        let response = response(vias);
        let text = String::from_utf8(response.bytes().to_vec()).unwrap();
        assert_eq!(response.pop_via(), text.replace(vias, left));
    };
    pop("Via: SIP/2.0/UDP a.org\r\n", "");
    pop("Via: SIP/2.0/UDP a.org\r\nVia:SIP/2.0/UDP b.org\r\n", "Via:SIP/2.0/UDP b.org\r\n");
    pop("v :SIP/2.0/UDP a;b=\",\" ,  SIP/2.0/UDP b \r\n", "v :SIP/2.0/UDP b \r\n");
}
