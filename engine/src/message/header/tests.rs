//! Values of headers, the odd ones first.

use super::{CSeq, Event, MediaType, NameAddr, Params, SubscriptionState, Via, quote, unquote};
use crate::message::Host;
use proptest::prelude::*;

#[test]
fn a_name_and_address_comes_in_many_coats() {
    let read = |text| {
        let read = NameAddr::parse(text).unwrap_or_else(|| panic!("{text}"));
        (read.display, read.uri, read.params.0)
    };
    let bob = "sip:bob@x.org";
    assert_eq!(read("sip:bob@x.org"), ("", bob, ""));
    assert_eq!(read("<sip:bob@x.org>"), ("", bob, ""));
    assert_eq!(read(" <sip:bob@x.org> ; tag = 1 "), ("", bob, " tag = 1"));
    assert_eq!(read("sip:bob@x.org;tag=1"), ("", bob, "tag=1"));
    assert_eq!(read("Bob<sip:bob@x.org>"), ("Bob", bob, ""));
    assert_eq!(read("The  Bob\t<sip:bob@x.org>;a"), ("The  Bob", bob, "a"));
    assert_eq!(read("\"B, <x>;\\\"b\\\"\"<sip:bob@x.org>"), (r#""B, <x>;\"b\"""#, bob, ""));
    assert_eq!(read("\"\" <sip:bob@x.org;a=b?c=d>;e=f"), ("\"\"", "sip:bob@x.org;a=b?c=d", "e=f"));
    assert_eq!(read("sip:bob@x.org;x=\"<;>\";y"), ("", bob, "x=\"<;>\";y"));
    assert_eq!(
        read("<tel:+1-201-555-0123;phone-context=x>").1,
        "tel:+1-201-555-0123;phone-context=x"
    );
    assert_eq!(read("<urn:service:sos>").1, "urn:service:sos");
    let instance = read("<sip:b@x.org>;+sip.instance=\"<urn:uuid:1>\";expires=60");
    assert_eq!(Params(instance.2).get("+SIP.instance").as_deref(), Some("<urn:uuid:1>"));
}

#[test]
fn broken_addresses_are_none() {
    for text in [
        "",
        "bob",
        "bob@x.org",
        "<>",
        "<bob@x.org>",
        "<sip:bob@x.org",
        "sip:bob@x.org>",
        "< sip:bob@x.org >",
        "\"Bob <sip:bob@x.org>",
        "\"Bob\" sip:bob@x.org",
        "Bob, Alice <sip:bob@x.org>",
        "Bob: <sip:bob@x.org>",
        "<sip:bob@x.org> tag=1",
        "<sip:bob@x.org>, <sip:alice@x.org>",
        "<sip:bob@x.org>;;",
        "<sip:bob@x.org>;",
        "<sip:bob@x.org>;=1",
        "<sip:bob@x.org>;a=\"b",
        "<sip:bob@x.org>;a=\"b\"c",
        "<sip:bob@x.org>;a=b c",
        "sip:bob@x.org?a=b",
        "sip:bo,b@x.org",
        "sip:bob @x.org",
    ] {
        assert!(NameAddr::parse(text).is_none(), "{text}");
    }
}

#[test]
fn vias_may_be_spread_out() {
    let via =
        Via::parse("SIP / 2.0\t/ UDP  first.example.com : 4000 ; ttl=16 ;branch = z9.1 ").unwrap();
    assert_eq!((via.transport, via.host), ("UDP", Host::Name("first.example.com")));
    assert_eq!((via.port, via.branch), (Some(4000), Some("z9.1")));
    let via = Via::parse("SIP/2.0/UDP [::1]:5062;rport;received=::1;branch=x").unwrap();
    assert_eq!((via.sent_by, via.port), ("[::1]:5062", Some(5062)));
    assert_eq!((via.params.raw("rport"), via.params.raw("received")), (Some(""), Some("::1")));
    assert_eq!(Via::parse("SIP/2.0/UDP a").unwrap().branch, None);
    let printed = "SIP/2.0/TCP user1pc.domain.com;;branch=z9hG4bK776sgdkse;";
    assert_eq!(Via::parse(printed).unwrap().branch, Some("z9hG4bK776sgdkse"));
}

#[test]
fn broken_vias_are_none() {
    for text in [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/2.0 a.org",
        "HTTP/2.0/UDP a.org",
        "SIP/2.0/ a.org",
        "SIP/2.0/UDP a.org:",
        "SIP/2.0/UDP a.org:port",
        "SIP/2.0/UDP a.org:65536",
        "SIP/2.0/UDP a.org b.org",
        "SIP/2.0/UDP ;branch=1",
        "SIP/2.0/UDP a.org;branch=1 2",
        "SIP/2.0/UDP ::1;branch=1",
        "SIP/2.0/UDP 192.0.2.15;;,;,,",
        "SIP/2.0/UDP a.org;=1",
    ] {
        assert!(Via::parse(text).is_none(), "{text}");
    }
}

#[test]
fn parameters_are_found_by_name_in_any_case() {
    let params = Params("a=1; B = \"x;\\\"y\" ;c");
    assert_eq!(params.iter().collect::<Vec<_>>(), [("a", "1"), ("B", "\"x;\\\"y\""), ("c", "")]);
    assert_eq!(params.raw("b"), Some("\"x;\\\"y\""));
    assert_eq!(params.get("b").as_deref(), Some("x;\"y"));
    assert_eq!((params.raw("C"), params.raw("d")), (Some(""), None));
    assert_eq!(Params("").iter().count(), 0);
}

#[test]
fn a_cseq_is_a_number_and_a_token() {
    assert_eq!(CSeq::parse("0009 \t INVITE"), Some(CSeq { number: 9, method: "INVITE" }));
    assert_eq!(CSeq::parse("4294967295 X").map(|cseq| cseq.number), Some(u32::MAX));
    for text in ["", "1", "1 ", "INVITE 1", "4294967296 X", "-1 X", "+1 X", "1 A B", "1INVITE"] {
        assert_eq!(CSeq::parse(text), None, "{text}");
    }
}

#[test]
fn events_states_and_media_types() {
    let event = Event::parse("presence.winfo ; id = a1").unwrap();
    assert_eq!((event.package, event.id), ("presence.winfo", Some("a1")));
    assert_eq!(Event::parse("presence winfo"), None);
    let state = SubscriptionState::parse("terminated;reason=\"timeout\";retry-after=5").unwrap();
    assert_eq!((state.state, state.reason), ("terminated", Some("timeout")));
    assert_eq!((state.retry_after, state.expires), (Some(5), None));
    assert_eq!(
        SubscriptionState::parse("active;expires=99999999999").unwrap().expires,
        Some(u32::MAX)
    );
    let media = MediaType::parse("Application / PIDF+xml ; charset=\"UTF-8\"").unwrap();
    assert!(media.is("application/pidf+xml") && !media.is("application/pidf"));
    assert_eq!(media.params.get("charset").as_deref(), Some("UTF-8"));
    assert!(MediaType::parse("text").is_none());
}

#[test]
fn quotes_come_off_once() {
    assert_eq!(unquote("token"), "token");
    assert_eq!(unquote(r#""a \"b\" \\ c""#), r#"a "b" \ c"#);
    assert_eq!(unquote("\""), "");
    assert_eq!(unquote("\"open"), "open");
}

proptest! {
    #[test]
    fn quoting_is_undone_by_unquoting(text in "[^\r\n]*") {
        let quoted = quote(&text);
        prop_assert_eq!(unquote(&quoted), &text[..]);
        let value = format!("{quoted} <sip:a@b.org>;x={quoted};tag=1");
        let read = NameAddr::parse(&value).unwrap();
        prop_assert_eq!(read.tag(), Some("1"));
        prop_assert_eq!(read.params.get("x").unwrap(), &text[..]);
    }

    #[test]
    fn views_are_total(text in "\\PC*") {
        let _ = (NameAddr::parse(&text), Via::parse(&text), CSeq::parse(&text));
        let _ = (Event::parse(&text), SubscriptionState::parse(&text), MediaType::parse(&text));
        let _ = (unquote(&text), Params(&text).iter().count());
        if let Ok(uri) = crate::message::Uri::parse(&text) {
            prop_assert!(uri.equivalent(&uri));
        }
    }

    #[test]
    fn views_of_separators_are_total(text in "[;,=\"\\\\<>:/@?%\\[\\]&a1 \t]*") {
        let _ = (NameAddr::parse(&text), Via::parse(&format!("SIP/2.0/UDP {text}")));
        let _ = (unquote(&text), Params(&text).iter().count());
        if let Ok(uri) = crate::message::Uri::parse(&format!("sip:{text}")) {
            prop_assert!(uri.equivalent(&uri));
        }
    }
}
