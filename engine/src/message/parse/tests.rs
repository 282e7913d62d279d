//! Datagrams in, messages or refusals out.

use super::{MAX_OCTETS, Malformed, Message};
use crate::message::{Contacts, HeaderError, Method, Name, Request, Response, Uri};
use bytes::Bytes;
use proptest::prelude::*;

const HEAD: &str = "MESSAGE sip:bob@x.org SIP/2.0\r\n\
    Via: SIP/2.0/UDP a.org;branch=z9hG4bK1\r\n\
    From: <sip:alice@x.org>;tag=1\r\n\
    To: <sip:bob@x.org>\r\n\
    Call-ID: c\r\n\
    CSeq: 1 MESSAGE\r\n";

/// A MESSAGE with `lines` after the mandatory headers and `body`.
fn message(lines: &str, body: &str) -> Result<Message, Malformed> {
    parse(&format!("{HEAD}{lines}\r\n{body}"))
}

fn parse(text: &str) -> Result<Message, Malformed> {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

#[track_caller]
fn request(result: Result<Message, Malformed>) -> Request {
    match result {
        Ok(Message::Request(request)) => request,
        other => panic!("a request, not {other:?}"),
    }
}

#[track_caller]
fn response(text: &str) -> Response {
    match parse(text) {
        Ok(Message::Response(response)) => response,
        other => panic!("a response, not {other:?}"),
    }
}

#[track_caller]
fn refused(result: Result<Message, Malformed>, why: &str, line: Option<u32>, status: u16) {
    let malformed = result.expect_err("refused");
    assert_eq!((malformed.why, malformed.line, malformed.status), (why, line, status));
    assert!(malformed.request.is_some(), "{why}: can be answered");
}

#[track_caller]
fn dropped(result: Result<Message, Malformed>, why: &str) {
    let malformed = result.expect_err("dropped");
    assert_eq!((malformed.why, malformed.request), (why, None));
}

#[test]
fn a_parsed_message_is_the_datagram_it_came_in() {
    let datagram = Bytes::from(format!("{HEAD}\r\n"));
    let message = Message::parse(datagram.clone()).unwrap();
    assert_eq!(message.headers().bytes().as_ptr(), datagram.as_ptr());
    assert_eq!(request(Ok(message)).bytes(), &datagram);
}

#[test]
fn keep_alives_are_no_messages() {
    for text in ["", "\r\n", "\r\n\r\n", "\n"] {
        dropped(parse(text), "keep-alive");
    }
    let woken = request(parse(&format!("\r\n\r\n{HEAD}\r\n")));
    assert_eq!(woken.method(), Method::Message);
    assert!(woken.bytes().starts_with(b"MESSAGE"));
}

#[test]
fn garbage_is_dropped() {
    dropped(parse("hello"), "start line");
    dropped(parse("hello world\r\n\r\n"), "start line");
    dropped(parse("\0\0\0\u{1}\0\0"), "start line");
    dropped(parse(&"x".repeat(MAX_OCTETS + 1)), "larger than a datagram");
    let mut foreign = HEAD.replace("alice", "al\u{1}ce").into_bytes();
    foreign.iter_mut().filter(|byte| **byte == 1).for_each(|byte| *byte = 0xff);
    dropped(Message::parse(foreign.into()), "head is not UTF-8");
}

#[test]
fn the_body_is_what_content_length_says() {
    let body = |lines, body| request(message(lines, body)).body();
    assert_eq!(body("Content-Length: 2\r\n", "hello"), "he");
    assert_eq!(body("l:0005\r\n", "hello"), "hello");
    assert_eq!(body("", "hello"), "hello");
    assert_eq!(body("Content-Length: 0\r\n", "hello"), "");
    assert_eq!(body("Content-Length: 5\r\nl: 5\r\n", "hello"), "hello");
    let cut = request(message("Content-Length: 2\r\n", "hello"));
    assert!(cut.bytes().ends_with(b"\r\n\r\nhe"));
}

#[test]
fn a_content_length_that_cannot_be_is_refused() {
    let refused_length = |lines, why, line| refused(message(lines, "hello"), why, line, 400);
    refused_length("Content-Length: 6\r\n", "Content-Length: larger than the datagram", Some(7));
    refused_length("Content-Length: -1\r\n", "Content-Length: bad number", Some(7));
    refused_length("Content-Length: 5x\r\n", "Content-Length: bad number", Some(7));
    refused_length("Content-Length:\r\n", "Content-Length: bad number", Some(7));
    refused_length("l: 5\r\nl: 4\r\n", "Content-Length: conflicting values", Some(7));
    let huge = "l: 99999999999999999999999999\r\n";
    refused_length(huge, "Content-Length: larger than the datagram", Some(7));
}

#[test]
fn a_head_without_its_empty_line_is_complete_if_nothing_is_announced() {
    let read = request(parse(HEAD));
    assert_eq!(read.body(), "");
    assert_eq!(read.bytes(), &format!("{HEAD}\r\n"), "completed, for it may be forwarded");
    let announced = format!("{HEAD}Content-Length: 5\r\n");
    refused(parse(&announced), "Content-Length: larger than the datagram", Some(7), 400);
    dropped(parse(HEAD.trim_end()), "head does not end");
    refused(parse(&format!("{HEAD}Content-Le")), "head does not end", Some(7), 400);
}

#[test]
fn folds_are_spaces() {
    let folded =
        request(message("Subject: a\r\n b\r\n\t c \r\nEvent:\r\n  presence\r\n", "\r\n x"));
    assert_eq!(folded.other("Subject"), Some("a   b  \t c"));
    assert_eq!(folded.event().unwrap().package, "presence");
    assert_eq!(folded.body(), "\r\n x", "a body is never unfolded");
    let blank = request(message("Subject: a\r\n \r\n", ""));
    assert_eq!(blank.other("subject"), Some("a"));
    assert_eq!(blank.bytes(), &format!("{HEAD}Subject: a   \r\n\r\n"));
    dropped(parse("MESSAGE sip:a SIP/2.0\r\n folded\r\n\r\n"), "start line");
}

#[test]
fn what_others_may_read_otherwise_is_refused() {
    refused(message("A: b\nRoute: <sip:evil>\r\n", ""), "bare CR or LF", Some(7), 400);
    refused(message("A: b\rRoute: <sip:evil>\r\n", ""), "bare CR or LF", Some(7), 400);
    refused(message("no colon\r\n", ""), "header line without name and colon", Some(7), 400);
    refused(message("a b: c\r\n", ""), "header line without name and colon", Some(7), 400);
    refused(message(": c\r\n", ""), "header line without name and colon", Some(7), 400);
}

#[test]
fn identity_comes_once() {
    for (line, why) in [
        ("t: <sip:x@x.org>", "To: twice"),
        ("From: <sip:x@x.org>", "From: twice"),
        ("Call-ID: d", "Call-ID: twice"),
        ("CSeq: 1 MESSAGE", "CSeq: twice"),
    ] {
        refused(message(&format!("{line}\r\n"), ""), why, Some(7), 400);
    }
    let twice = "Max-Forwards: 1\r\nMax-Forwards: 1\r\n";
    refused(message(twice, ""), "Max-Forwards: twice", Some(8), 400);
}

#[test]
fn identity_must_be_there() {
    let without = |start: &str| {
        let kept = HEAD.split_inclusive("\r\n").filter(|line| !line.starts_with(start));
        parse(&format!("{}\r\n", kept.collect::<String>()))
    };
    refused(without("From"), "From: missing", None, 400);
    refused(without("To"), "To: missing", None, 400);
    refused(without("Call-ID"), "Call-ID: missing", None, 400);
    dropped(without("Via"), "Via: missing");
    dropped(without("CSeq"), "CSeq: missing");
}

#[test]
fn an_ack_is_never_answered() {
    let ack = HEAD.replace("MESSAGE", "ACK");
    request(parse(&format!("{ack}\r\n")));
    dropped(parse(&format!("{ack}Max-Forwards: x\r\n\r\n")), "Max-Forwards: bad number");
}

#[test]
fn the_start_line_has_three_words() {
    let start = |line: &str| parse(&format!("{line}{}\r\n", &HEAD[29..]));
    refused(start("MESSAGE sip:bob@x.org SIP/2.1"), "SIP version is not 2.0", Some(1), 505);
    refused(start("MESSAGE sip:bob@x.org SIP/2"), "SIP version is not 2.0", Some(1), 505);
    refused(start("MESSAGE sip:bob@x.org HTTP/1.1"), "start line", Some(1), 400);
    refused(start("MESSAGE  sip:bob@x.org SIP/2.0"), "Request-URI: bad syntax", Some(1), 400);
    refused(start("MESSAGE sip:b ob@x.org SIP/2.0"), "Request-URI: bad syntax", Some(1), 400);
    refused(start("MESSAGE bob SIP/2.0"), "Request-URI: bad syntax", Some(1), 400);
    refused(start("MESSAGE sip:b@x.org?a=b SIP/2.0"), "Request-URI: bad syntax", Some(1), 400);
    refused(start("MES(SAGE sip:bob@x.org SIP/2.0"), "method is no token", Some(1), 400);
    refused(start("NOTIFY sip:bob@x.org SIP/2.0"), "CSeq: another method", Some(6), 400);
    refused(start("message sip:bob@x.org SIP/2.0"), "CSeq: another method", Some(6), 501);
    assert_eq!(request(start("MESSAGE tel:+49301234 sip/2.0")).uri(), "tel:+49301234");
}

#[test]
fn values_that_everybody_relies_on_are_checked() {
    let broken = |from: &str, to: &str| parse(&format!("{}\r\n", HEAD.replace(from, to)));
    refused(broken("SIP/2.0/UDP a.org", "SIP/2.0/UDP"), "Via: bad syntax", Some(2), 400);
    refused(broken("z9hG4bK1", "z9hG4bK"), "Via: empty branch", Some(2), 400);
    refused(broken("<sip:alice@x.org>", "\"<sip:alice@x.org>"), "From: bad syntax", Some(3), 400);
    refused(broken("Call-ID: c", "Call-ID: c d"), "Call-ID: bad syntax", Some(5), 400);
    refused(broken("CSeq: 1", "CSeq: 4294967296"), "CSeq: bad syntax", Some(6), 400);
    refused(message("Contact: *, <sip:a@b>\r\n", ""), "Contact: bad syntax", Some(7), 400);
    refused(message("Max-Forwards: -1\r\n", ""), "Max-Forwards: bad number", Some(7), 400);
}

#[test]
fn responses_are_read() {
    let headers = &HEAD[31..];
    let ok = response(&format!("SIP/2.0 200 All is well\r\n{headers}\r\n"));
    assert_eq!((ok.status(), ok.reason()), (200, "All is well"));
    for start in ["SIP/2.0 299 ", "sip/2.0 299"] {
        let bare = response(&format!("{start}\r\n{headers}\r\n"));
        assert_eq!((bare.status(), bare.reason()), (299, ""));
    }
    for start in ["SIP/2.0 99 Low", "SIP/2.0 700 High", "SIP/2.0 2000 X", "SIP/3.0 200 OK"] {
        dropped(parse(&format!("{start}\r\n{headers}\r\n")), "start line");
    }
    dropped(parse(&format!("SIP/2.0 200 OK\r\n{headers}CSeq: 1 X\r\n\r\n")), "CSeq: twice");
    dropped(parse("SIP/2.0 200 OK\r\n\r\n"), "Via: missing");
}

#[test]
fn headers_are_found_by_name_in_any_form() {
    let lines = "k: a , b\r\nSUPPORTED:c,,\"d,e\" ,<f,g>\r\nX-Mine : 1\r\ns: hello\r\n\
        Expires: 10\r\nRetry-After: 5 (later)\r\nMin-Expires: soon\r\n\
        v: SIP/2.0/TCP b.org , SIP/2.0/UDP c.org\r\n";
    let read = request(message(lines, ""));
    let supported: Vec<_> = read.list(Name::Supported).collect();
    assert_eq!(supported, ["a", "b", "c", "\"d,e\"", "<f,g>"]);
    assert_eq!(read.lines(Name::Supported).count(), 2);
    assert_eq!((read.other("x-mine"), read.other("Subject")), (Some("1"), Some("hello")));
    assert_eq!((read.other("s"), read.other("Nothing")), (Some("hello"), None));
    assert_eq!(read.seconds(Name::Expires), Some(10));
    assert_eq!(read.seconds(Name::RetryAfter), Some(5));
    assert_eq!((read.seconds(Name::MinExpires), read.seconds(Name::MaxForwards)), (None, None));
    let hosts: Vec<_> = read.vias().map(|via| via.unwrap().sent_by).collect();
    assert_eq!(hosts, ["a.org", "b.org", "c.org"]);
    let names: Vec<_> = read.iter().map(|(name, token, _)| (name, token)).collect();
    assert_eq!(
        names[5..8],
        [(Name::Supported, "k"), (Name::Supported, "SUPPORTED"), (Name::Other, "X-Mine")]
    );
}

#[test]
fn contacts_are_a_list_or_a_star_or_nothing() {
    let contacts = |lines| request(message(lines, ""));
    assert!(matches!(contacts("").contacts(), Ok(Contacts::None)));
    assert!(matches!(contacts("m: *\r\n").contacts(), Ok(Contacts::Star)));
    let two = contacts("Contact: \"a,b\" <sip:a@x>\r\nm: sip:b@x;q=0.5\r\n");
    match two.contacts() {
        Ok(Contacts::List(list)) => {
            let uris: Vec<_> = list.iter().map(|contact| contact.uri).collect();
            assert_eq!(uris, ["sip:a@x", "sip:b@x"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refused_request_says_which_header_fails() {
    let malformed = message("From: twice\r\n", "").unwrap_err();
    let broken = parse(&format!("{}\r\n", HEAD.replace("To: <sip:bob@x.org>", "To: bob")));
    let to = broken.unwrap_err().request.unwrap().to().map(|to| to.uri.to_owned());
    assert_eq!(to, Err(HeaderError { name: Name::To, what: "bad syntax" }));
    assert_eq!(malformed.request.unwrap().from().unwrap().tag(), Some("1"));
}

#[test]
fn messages_are_equal_when_their_texts_are() {
    let one = message("", "");
    assert_eq!(one, message("", ""));
    assert_ne!(one, message("A: b\r\n", ""));
}

/// Everything that can be asked of a message.
fn read_all(message: &Message) {
    let headers = message.headers();
    let _ = (headers.via().is_ok(), headers.vias().count(), headers.from().is_ok());
    let _ = (headers.to().is_ok(), headers.call_id().is_ok(), headers.cseq().is_ok());
    let _ = (headers.contacts().is_ok(), headers.event(), headers.subscription_state());
    let _ = (headers.content_type(), headers.body(), headers.other("x"));
    let _ = Name::ALL.iter().map(|name| headers.list(*name).count()).sum::<usize>();
    let _ = Name::ALL.iter().filter_map(|name| headers.seconds(*name)).count();
    assert!(headers.iter().all(|(name, token, _)| Name::of(token) == name));
    match message {
        Message::Request(request) => {
            let source = "192.0.2.1:5060".parse().expect("an address");
            let _ = (request.method(), request.method_text(), Uri::parse(request.uri()));
            let _ = request.edit().push_via("SIP/2.0/UDP x").drop_first_route().finish();
            let _ = crate::message::Reply::new(request, source, 400, "tag").into_writer().finish();
        }
        Message::Response(response) => {
            let _ = (response.status(), response.reason(), response.pop_via());
        }
    }
}

fn read_whatever(bytes: Vec<u8>) {
    match Message::parse(bytes.into()) {
        Ok(message) => {
            let again = Message::parse(message.headers().bytes().clone());
            assert_eq!(again.as_ref(), Ok(&message), "what was accepted is accepted again");
            let mut values = message.headers().iter().map(|(_, _, value)| value);
            assert!(values.all(|value| !value.contains(['\r', '\n'])));
            read_all(&message);
        }
        Err(Malformed { request: Some(request), .. }) => read_all(&Message::Request(request)),
        Err(Malformed { request: None, .. }) => {}
    }
}

/// A header line, more or less.
const LINE: &str = "(Via|v|To|From|CSeq|l|m|Route|X)?[ :;,=<>\"\\\\\r\n\ta-z0-9@/.]{0,40}";

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        read_whatever(bytes);
    }

    #[test]
    fn any_text_like_a_message_is_read_or_refused(
        lines in proptest::collection::vec(LINE, 0..12),
    ) {
        read_whatever(format!("{HEAD}{}\r\n\r\nbody", lines.join("\r\n")).into_bytes());
    }

    #[test]
    fn a_garbled_message_is_read_or_refused(
        at in 0..HEAD.len(),
        with in proptest::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut bytes = format!("{HEAD}\r\nbody").into_bytes();
        bytes.splice(at..at + 1, with);
        read_whatever(bytes);
    }
}

/// Found by fuzzing: with the top Via gone, an empty one would be the top of what is passed on.
#[test]
fn no_via_may_be_empty() {
    for rest in ["Via:\r\n", "Via: ,\r\n", "Via: SIP/2.0/UDP b;branch=z9hG4bKb,,SIP/2.0/UDP c\r\n"]
    {
        let text = format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n{rest}\
             Via: SIP/2.0/UDP d;branch=z9hG4bKd\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\n\
             Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let refused = Message::parse(Bytes::from(text)).unwrap_err();
        assert_eq!((refused.why, refused.request), ("Via: bad syntax", None), "{rest}");
    }
}
