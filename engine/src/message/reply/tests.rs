//! Answers copy what they must and find their way back.

use super::Reply;
use crate::message::{Malformed, Message, Request, Response};
use std::net::SocketAddr;

fn request(via: &str) -> Request {
    let text = format!(
        "OPTIONS sip:x.org SIP/2.0\r\n{via}\r\nFrom: <sip:a@x.org>;tag=1\r\nTo: <sip:x.org>\r\n\
         Call-ID: c\r\nCSeq: 1 OPTIONS\r\nTimestamp: 54\r\n\r\n"
    );
    match Message::parse(text.into()) {
        Ok(Message::Request(request)) => request,
        other => panic!("{via}: {other:?}"),
    }
}

fn source(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn text(reply: Reply) -> String {
    String::from_utf8(reply.into_writer().finish().to_vec()).expect("text")
}

/// The Via lines of an answer to a request with these Via lines from `from`.
fn vias(via: &str, from: &str) -> String {
    let answer = text(Reply::new(&request(via), source(from), 200, "t"));
    let lines = answer.split("\r\n").skip(1).take_while(|line| line.starts_with("Via: "));
    lines.collect::<Vec<_>>().join("\r\n")
}

#[test]
fn an_answer_copies_the_identity_of_its_request() {
    let via = "v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nVia:SIP/2.0/UDP b.org,SIP/2.0/TCP c.org";
    let answer = text(Reply::new(&request(via), source("192.0.2.1:5060"), 200, "t1"));
    let expected = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n\
        Via: SIP/2.0/UDP b.org,SIP/2.0/TCP c.org\r\n\
        From: <sip:a@x.org>;tag=1\r\n\
        To: <sip:x.org>;tag=t1\r\n\
        Call-ID: c\r\n\
        CSeq: 1 OPTIONS\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(answer, expected);
}

#[test]
fn trying_has_no_tag_but_a_timestamp() {
    let request = request("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1");
    let trying = text(Reply::new(&request, source("192.0.2.1:5060"), 100, "t1"));
    assert!(trying.contains("To: <sip:x.org>\r\n") && trying.contains("Timestamp: 54\r\n"));
    let own = Reply::with_reason(&request, source("192.0.2.1:5060"), 499, "No\r\nway", "");
    assert_eq!(own.status(), 499);
    let own = text(own);
    assert!(own.starts_with("SIP/2.0 499 No  way\r\n") && own.contains("To: <sip:x.org>\r\n"));
}

#[test]
fn a_tag_that_is_there_stays() {
    let inside = "OPTIONS sip:x.org SIP/2.0\r\nVia: SIP/2.0/UDP a.org;branch=z9hG4bK1\r\n\
        f: <sip:a@x.org>;tag=1\r\nt: <sip:x.org>;tag=2\r\ni: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
    let Ok(Message::Request(request)) = Message::parse(inside.into()) else { panic!("a request") };
    let answer = text(Reply::new(&request, source("192.0.2.1:5060"), 481, "t1"));
    assert!(answer.contains("\r\nTo: <sip:x.org>;tag=2\r\n"), "{answer}");
}

#[test]
fn the_source_is_noted_where_it_differs() {
    let note = |via: &str, from| vias(&format!("Via: SIP/2.0/UDP {via}"), from);
    let same = note("192.0.2.1:5062;branch=1", "192.0.2.1:9999");
    assert_eq!(same, "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=1");
    let other = note("10.0.0.1;branch=1", "192.0.2.1:5060");
    assert_eq!(other, "Via: SIP/2.0/UDP 10.0.0.1;branch=1;received=192.0.2.1");
    let name = note("a.org", "192.0.2.1:5060");
    assert_eq!(name, "Via: SIP/2.0/UDP a.org;received=192.0.2.1");
    let rport = note("192.0.2.1:5062;rport;branch=1", "192.0.2.1:9999");
    assert_eq!(rport, "Via: SIP/2.0/UDP 192.0.2.1:5062;rport=9999;branch=1;received=192.0.2.1");
    let six = note("[2001:db8::2];branch=1", "[2001:db8::1]:5060");
    assert_eq!(six, "Via: SIP/2.0/UDP [2001:db8::2];branch=1;received=2001:db8::1");
    let mapped = note("192.0.2.1;branch=1", "[::ffff:192.0.2.1]:5060");
    assert_eq!(mapped, "Via: SIP/2.0/UDP 192.0.2.1;branch=1");
}

#[test]
fn what_the_sender_says_of_its_source_is_not_believed() {
    let lie =
        "Via: SIP/2.0/UDP a.org;received=10.9.9.9;rport=1;branch=\"q;,\";flag, SIP/2.0/UDP b.org";
    let told =
        "Via: SIP/2.0/UDP a.org;rport=77;branch=\"q;,\";flag;received=192.0.2.1, SIP/2.0/UDP b.org";
    assert_eq!(vias(lie, "192.0.2.1:77"), told);
}

#[test]
fn answers_go_to_the_source_and_its_port_if_asked() {
    let to = |via: &str| {
        let request = request(&format!("Via: SIP/2.0/UDP {via}"));
        Reply::destination(&request, source("192.0.2.1:9999")).to_string()
    };
    assert_eq!(to("10.0.0.1:5080;branch=1"), "192.0.2.1:5080");
    assert_eq!(to("10.0.0.1;branch=1"), "192.0.2.1:5060");
    assert_eq!(to("10.0.0.1:5080;branch=1;rport"), "192.0.2.1:9999");
    assert_eq!(to("10.0.0.1;received=10.0.0.2;maddr=224.0.0.1"), "192.0.2.1:5060");
}

#[test]
fn a_broken_request_gets_an_answer_from_what_is_there() {
    let broken = "INVITE sip:x.org SIP/2.0\r\nVia: SIP/2.0/UDP ?;;,;,,\r\n\
        To: \"open <sip:x.org>\r\n\
        CSeq: 8 INVITE\r\n\r\n";
    let Err(Malformed { request: Some(request), .. }) = Message::parse(broken.into()) else {
        panic!("it can be answered")
    };
    let from = source("192.0.2.15:9999");
    assert_eq!(Reply::destination(&request, from), from);
    let expected = "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP ?;;,;,,\r\n\
        To: \"open <sip:x.org>\r\nCSeq: 8 INVITE\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(text(Reply::new(&request, from, 400, "t")), expected);
}

#[test]
fn an_answer_is_a_response() {
    let reply = Reply::new(&request("Via: SIP/2.0/UDP a.org"), source("192.0.2.1:1"), 202, "t");
    let read: Result<Message, _> = Message::parse(reply.into_writer().finish());
    let Ok(Message::Response(response)) = read else { panic!("{read:?}") };
    let _: &Response = &response;
    assert_eq!((response.status(), response.to().unwrap().tag()), (202, Some("t")));
}
