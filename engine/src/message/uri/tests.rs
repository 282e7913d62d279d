//! RFC 3261 §19.1.3 and §19.1.4, example by example.

use super::{Host, Uri, UriError};

fn uri(text: &str) -> Uri<'_> {
    Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn equivalent(a: &str, b: &str) {
    assert!(uri(a).equivalent(&uri(b)), "{a} = {b}");
    assert!(uri(b).equivalent(&uri(a)), "{b} = {a}");
}

#[track_caller]
fn different(a: &str, b: &str) {
    assert!(!uri(a).equivalent(&uri(b)), "{a} ≠ {b}");
    assert!(!uri(b).equivalent(&uri(a)), "{b} ≠ {a}");
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    for text in [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
    ] {
        uri(text);
    }
    let all = uri("sip:alice:secret@[2001:db8::1]:5070;transport=udp;lr?subject=x&b=");
    assert_eq!((all.user, all.password), (Some("alice"), Some("secret")));
    assert_eq!(all.host, Host::Ip("2001:db8::1".parse().unwrap()));
    assert_eq!((all.port, all.params), (Some(5070), "transport=udp;lr"));
    assert_eq!(all.headers, "subject=x&b=");
    assert_eq!(
        (all.param("TRANSPORT"), all.param("lr"), all.param("l")),
        (Some("udp"), Some(""), None)
    );
}

#[test]
fn equivalent_uris_of_the_rfc() {
    equivalent("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp");
    equivalent("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5");
    equivalent("sip:carol@chicago.com", "sip:carol@chicago.com;security=on");
    equivalent("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on");
    equivalent(
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    );
    equivalent(
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    );
}

#[test]
fn different_uris_of_the_rfc() {
    different("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP");
    different("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060");
    different("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp");
    different("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp");
    different("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting");
    different("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4");
}

/// RFC 3261 §19.1.4 says so itself: equality is not transitive.
#[test]
fn a_parameter_of_both_must_agree() {
    different("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off");
    equivalent("sip:carol@chicago.com;security=on", "sip:carol@chicago.com");
}

#[test]
fn these_parameters_must_not_be_in_one_only() {
    for param in ["user=phone", "ttl=1", "method=INVITE", "maddr=192.0.2.1", "transport=udp"] {
        different("sip:bob@biloxi.com", &format!("sip:bob@biloxi.com;{param}"));
    }
}

#[test]
fn scheme_case_user_and_escapes() {
    different("sip:bob@biloxi.com", "sips:bob@biloxi.com");
    different("sip:Bob@biloxi.com", "sip:bob@biloxi.com");
    different("sip:biloxi.com", "sip:bob@biloxi.com");
    different("sip:bob:x@biloxi.com", "sip:bob@biloxi.com");
    equivalent("sip:b%6Fb@biloxi.com", "sip:b%6fb@biloxi.com");
    // A reserved character and its escape are two things.
    different("sip:a%3Bb@biloxi.com", "sip:a;b@biloxi.com");
    different("sip:null-%00-a@x.org", "sip:null-%00-b@x.org");
    different("sip:x.org?a=1", "sip:x.org?a=2");
    different("sip:x.org?a=1&a=1&a=2", "sip:x.org?a=1&a=2&a=2");
}

#[test]
fn what_breaks_the_grammar_is_refused() {
    for text in [
        "",
        "sip",
        "sip:",
        "sip:@example.org",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@example.org",
        "sip:a@exa mple.org",
        " sip:a@example.org",
        "<sip:a@example.org>",
        "sip:a%4@example.org",
        "sip:a%@example.org",
        "sip:a%zz@example.org",
        "sip:a\"@example.org",
        "sip:müller@example.org",
        "sip:a@example.org:",
        "sip:a@example.org:65536",
        "sip:a@example.org:99999999999",
        "sip:a@example.org:-1",
        "sip:a@example.org:+5",
        "sip:a@256.1.1.1",
        "sip:a@1.2.3",
        "sip:a@[::1",
        "sip:a@[1.2.3.4]",
        "sip:a@[::g]",
        "sip:2001:db8::10",
        "sip:a@example.org;",
        "sip:a@example.org;;lr",
        "sip:a@example.org;a=b=c",
        "sip:a@example.org?",
        "sip:a@example.org;x=\"y\"",
        "no scheme:a",
        "1sip:a@b",
    ] {
        assert_eq!(Uri::parse(text).err(), Some(UriError::Syntax), "{text}");
    }
}

#[test]
fn other_schemes_are_known_as_such() {
    for text in ["tel:+1-201-555-0123", "http://example.org/", "soap.beep://192.0.2.103:3002"] {
        assert_eq!(Uri::parse(text).err(), Some(UriError::Scheme), "{text}");
    }
    assert!(uri("SIPS:bob@biloxi.com").secure);
}

#[test]
fn a_parameter_may_be_named_in_escapes() {
    assert_eq!(uri("sip:x.org;%6C%72").param("lr"), Some(""));
    assert_eq!(uri("sip:x.org;%6C%72x").param("lr"), None);
}

#[test]
fn a_parameter_that_comes_twice_counts_once() {
    let twice = uri("sip:x.org;branch=a;branch=b");
    assert!(twice.equivalent(&twice));
    assert!(twice.equivalent(&uri("sip:x.org;branch=a")));
    assert!(!twice.equivalent(&uri("sip:x.org;branch=b")));
}

#[test]
fn a_request_line_has_neither_method_nor_headers() {
    for (contact, line) in [
        ("sip:bob@192.0.2.4", "sip:bob@192.0.2.4"),
        ("sip:b?b@192.0.2.4;ob;transport=udp", "sip:b?b@192.0.2.4;ob;transport=udp"),
        ("sip:bob@192.0.2.4;method=INVITE;ob", "sip:bob@192.0.2.4;ob"),
        ("sip:bob@192.0.2.4;ob;%4dethod=BYE", "sip:bob@192.0.2.4;ob"),
        ("sip:b?b@192.0.2.4:5070;line=1?subject=x&to=y", "sip:b?b@192.0.2.4:5070;line=1"),
        ("sips:192.0.2.4;method=BYE?subject=x", "sips:192.0.2.4"),
        ("tel:+4930", "tel:+4930"),
    ] {
        assert_eq!(Uri::for_request_line(contact), line);
    }
}
