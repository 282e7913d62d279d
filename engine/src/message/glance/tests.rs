use super::*;

/// A request with a line among others.
fn with(method: &str, line: &str) -> Vec<u8> {
    format!(
        "{method} sip:bob@example.org SIP/2.0\r\n\
         Via: SIP/2.0/UDP host.example;branch=z9hG4bK1\r\n\
         From: <sip:alice@example.org>;tag=1\r\n{line}\r\nCall-ID: 1\r\nCSeq: 1 {method}\r\n\r\n\
         To: <sip:of.a.body@example.org>;tag=2\r\nSIP-If-Match: of-a-body\r\n\r\n"
    )
    .into_bytes()
}

#[test]
fn what_names_a_dialog_or_a_publication_goes_on_with_it() {
    for line in [
        "To: <sip:bob@example.org>;tag=2",
        "t:<sip:bob@example.org>;TAG=2",
        "TO : \"Bob\" <sip:bob@example.org> ; tag=2",
        "SIP-If-Match: dx200xyz",
        "sip-if-match:dx200xyz",
    ] {
        assert!(may_continue(&with("SUBSCRIBE", line)), "{line}");
    }
}

#[test]
fn what_names_neither_wants_something_new() {
    for line in ["To: <sip:bob@example.org>", "t: sip:bob@example.org", "Topic: a;tag=2", "S:"] {
        assert!(!may_continue(&with("SUBSCRIBE", line)), "{line}");
        assert!(!may_continue(&with("PUBLISH", line)), "{line}");
        assert!(!may_continue(&with("INVITE", line)), "{line}");
    }
}

#[test]
fn responses_and_what_belongs_to_an_invite_or_a_binding_go_on() {
    let to = "To: <sip:bob@example.org>";
    for method in ["ACK", "CANCEL", "REGISTER"] {
        assert!(may_continue(&with(method, to)), "{method}");
    }
    assert!(may_continue(b"SIP/2.0 200 OK\r\n\r\n"));
}

#[test]
fn what_is_no_message_does_not() {
    for datagram in [&b""[..], b"\r\n\r\n", b"\n", b":", b"To\r\n\r\n", b"\xff\x00\xfe", b"T:tag="]
    {
        assert!(!may_continue(datagram), "{datagram:?}");
    }
}
