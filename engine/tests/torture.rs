//! The torture messages of RFC 4475 and RFC 5118: what the parser does with each.
//!
//! `tests/torture/INDEX.md` says why. What only the hall can decide (416, 420, 415, 483…) is
//! "accepted" here.

use bytes::Bytes;
use presently_engine::message::{Malformed, Message, Request};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Accepted,
    /// Refused, with an answer of this status.
    Answered(u16),
    /// Refused without an answer.
    Dropped,
}
use Verdict::{Accepted, Answered, Dropped};

const RFC_4475: &[(&str, Verdict)] = &[
    ("wsinv", Accepted),
    ("intmeth", Accepted),
    ("esc01", Accepted),
    ("escnull", Accepted),
    ("esc02", Accepted),
    ("lwsdisp", Accepted),
    ("longreq", Accepted),
    ("dblreq", Accepted),
    ("semiuri", Accepted),
    ("transports", Accepted),
    ("mpart01", Accepted),
    ("unreason", Accepted),
    ("noreason", Accepted),
    ("badinv01", Answered(400)),
    ("clerr", Answered(400)),
    ("ncl", Answered(400)),
    ("scalar02", Answered(400)),
    ("scalarlg", Dropped),
    ("quotbal", Answered(400)),
    ("ltgtruri", Answered(400)),
    ("lwsruri", Answered(400)),
    ("lwsstart", Answered(400)),
    ("trws", Answered(400)),
    ("escruri", Answered(400)),
    ("baddate", Accepted),
    ("regbadct", Answered(400)),
    ("badaspec", Answered(400)),
    ("baddn", Answered(400)),
    ("badvers", Answered(505)),
    ("mismatch01", Answered(400)),
    ("mismatch02", Answered(501)),
    ("bigcode", Dropped),
    ("badbranch", Answered(400)),
    ("insuf", Answered(400)),
    ("unkscm", Accepted),
    ("novelsc", Accepted),
    ("unksm2", Accepted),
    ("bext01", Accepted),
    ("invut", Accepted),
    ("regaut01", Accepted),
    ("multi01", Answered(400)),
    ("mcl01", Answered(400)),
    ("bcast", Accepted),
    ("zeromf", Accepted),
    ("cparam01", Accepted),
    ("cparam02", Accepted),
    ("regescrt", Accepted),
    ("sdp01", Accepted),
    ("inv2543", Accepted),
    ("test", Dropped),
];

const RFC_5118: &[(&str, Verdict)] = &[
    ("ipv6-good", Accepted),
    ("ipv6-bad", Answered(400)),
    ("port-ambiguous", Accepted),
    ("port-unambiguous", Accepted),
    ("via-received-param-with-delim", Accepted),
    ("via-received-param-no-delim", Accepted),
    ("ipv6-in-sdp", Answered(400)),
    ("mult-ip-in-header", Accepted),
    ("mult-ip-in-sdp", Accepted),
    ("ipv4-mapped-ipv6", Accepted),
    ("ipv6-bug-abnf-3-colons", Accepted),
    ("ipv6-correct-abnf-2-colons", Accepted),
];

fn folder(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/torture").join(name)
}

fn read(suite: &str, name: &str) -> Bytes {
    let path = folder(suite).join(format!("{name}.dat"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
}

fn parse(suite: &str, name: &str) -> Result<Message, Malformed> {
    Message::parse(read(suite, name))
}

fn request(name: &str) -> Request {
    match parse("rfc4475", name) {
        Ok(Message::Request(request)) => request,
        other => panic!("{name} is a request, not {other:?}"),
    }
}

fn verdict(result: &Result<Message, Malformed>) -> Verdict {
    match result {
        Ok(_) => Accepted,
        Err(Malformed { request: Some(_), status, .. }) => Answered(*status),
        Err(Malformed { request: None, .. }) => Dropped,
    }
}

fn check(suite: &str, table: &[(&str, Verdict)]) {
    let differing: Vec<_> = table
        .iter()
        .map(|(name, expected)| (name, expected, parse(suite, name)))
        .filter(|(_, expected, result)| verdict(result) != **expected)
        .collect();
    assert!(differing.is_empty(), "{differing:#?}");
    let files = std::fs::read_dir(folder(suite)).expect("the suite is there");
    let named = files.filter(|entry| {
        let path = entry.as_ref().expect("readable").path();
        path.extension().is_some_and(|extension| extension == "dat")
    });
    assert_eq!(named.count(), table.len(), "every file of {suite} is in the table");
}

#[test]
fn every_message_of_rfc_4475_meets_its_verdict() {
    check("rfc4475", RFC_4475);
}

#[test]
fn every_message_of_rfc_5118_meets_its_verdict() {
    check("rfc5118", RFC_5118);
}

#[test]
fn bare_line_feeds_are_no_line_ends() {
    for (name, _) in RFC_5118 {
        let result = Message::parse(read("rfc5118/raw-lf", name));
        assert_eq!(verdict(&result), Dropped, "{name}");
    }
}

mod details {
    use super::{folder, parse, read, request};
    use bytes::Bytes;
    use presently_engine::message::{
        Aor, Contacts, Host, Message, Method, Name, NameAddr, Uri, unquote,
    };

    fn contacts(request: &super::Request) -> Vec<NameAddr<'_>> {
        match request.contacts() {
            Ok(Contacts::List(list)) => list.to_vec(),
            other => panic!("a list of contacts, not {other:?}"),
        }
    }

    #[test]
    fn wsinv_is_read_through_its_folds_and_blanks() {
        let request = request("wsinv");
        assert_eq!(request.to().unwrap().tag(), Some("1918181833n"));
        let from = request.from().unwrap();
        assert_eq!(unquote(from.display), r#"J Rosenberg \""#);
        assert_eq!((from.uri, from.tag()), ("sip:jdrosen@example.com", Some("98asjd8")));
        assert_eq!(request.seconds(Name::MaxForwards), Some(68));
        let cseq = request.cseq().unwrap();
        assert_eq!((cseq.number, cseq.method), (9, "INVITE"));
        let vias: Vec<_> = request.vias().map(Result::unwrap).collect();
        assert_eq!(vias.len(), 3);
        assert_eq!((vias[0].transport, vias[0].branch), ("UDP", Some("390skdjuw")));
        assert_eq!(vias[1].sent_by, "spindle.example.com");
        assert_eq!(vias[1].branch, Some("z9hG4bK9ikj8"));
        assert_eq!(vias[2].host, Host::Ip("192.168.255.111".parse().unwrap()));
        assert_eq!(vias[2].branch, Some("z9hG4bK30239"));
        assert_eq!(request.other("subject"), Some(""));
        assert_eq!(
            request.other("NewFangledHeader"),
            Some("newfangled value   continued newfangled value")
        );
        assert_eq!(request.other("unknownheaderwithunusualvalue"), Some(";;,,;;,;"));
        let contact = &contacts(&request)[0];
        assert_eq!(unquote(contact.display), r#"Quoted string """#);
        assert_eq!(contact.params.raw("q"), Some("0.33"));
        assert_eq!(contact.params.raw("secondparam"), Some(""));
        assert_eq!(request.body().len(), 150);
    }

    #[test]
    fn intmeth_has_an_unknown_method_and_a_strange_but_legal_uri() {
        let request = request("intmeth");
        assert_eq!(request.method(), Method::Other);
        assert_eq!(request.method_text(), "!interesting-Method0123456789_*+`.%indeed'~");
        let uri = Uri::parse(request.uri()).unwrap();
        assert_eq!(uri.user, Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
        assert_eq!(uri.password, Some("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"));
        assert_eq!(unquote(request.to().unwrap().display), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
        assert_eq!(request.from().unwrap().tag(), Some("_token~1'+`*%!-."));
        assert_eq!(request.other("extensionHeader-!.%*+_`'~"), Some("\u{feff}大停電"));
    }

    #[test]
    fn esc01_unescapes_once() {
        let request = request("esc01");
        let aor = Aor::parse(request.to().unwrap().uri).unwrap();
        assert_eq!(aor.as_str(), "sip:user@example.com");
        let service = Aor::parse(request.uri()).unwrap();
        assert_eq!(service.user(), "sips%3Auser%40example.com");
        let contact = Uri::parse(contacts(&request)[0].uri).unwrap();
        assert_eq!(contact.param("lr"), Some(""));
        let plain = Uri::parse("sip:caller@host5.example.net;lr;name=value%2541").unwrap();
        assert!(contact.equivalent(&plain));
        let never = Uri::parse("sip:caller@host5.example.net;lr;name=valueA").unwrap();
        assert!(!contact.equivalent(&never));
    }

    #[test]
    fn escnull_keeps_what_follows_the_nul() {
        let request = request("escnull");
        let aor = Aor::parse(request.to().unwrap().uri).unwrap();
        assert_eq!(aor.as_str(), "sip:null-%00-null@example.com");
        let contacts = contacts(&request);
        let (one, two) = (Uri::parse(contacts[0].uri), Uri::parse(contacts[1].uri));
        assert!(!one.unwrap().equivalent(&two.unwrap()));
    }

    #[test]
    fn esc02_has_no_escapes_outside_uris() {
        let request = request("esc02");
        assert_eq!(request.method(), Method::Other);
        assert_eq!(contacts(&request).len(), 2);
        assert_eq!(unquote(request.to().unwrap().display), "%Z%45");
    }

    #[test]
    fn dblreq_ends_at_its_content_length() {
        let request = request("dblreq");
        assert_eq!(request.method(), Method::Register);
        assert!(request.bytes().ends_with(b"\r\n\r\n"));
        assert!(!request.bytes().windows(6).any(|window| window == b"INVITE"));
    }

    #[test]
    fn semiuri_has_a_semicolon_in_its_user() {
        let request = request("semiuri");
        let uri = Uri::parse(request.uri()).unwrap();
        assert_eq!((uri.user, uri.params), (Some("user;par=u%40example.net"), ""));
        assert_eq!(request.list(Name::Accept).count(), 6);
    }

    #[test]
    fn mpart01_frames_its_binary_body_by_content_length() {
        let request = request("mpart01");
        assert_eq!(request.body().len(), 553);
        assert!(request.body().contains(&0));
        assert!(request.content_type().unwrap().is("multipart/mixed"));
        assert_eq!(
            request.content_type().unwrap().params.raw("boundary"),
            Some("7a9cbec02ceef655")
        );
    }

    #[test]
    fn reasons_may_be_foreign_or_missing() {
        let reason = |name| match parse("rfc4475", name) {
            Ok(Message::Response(response)) => (response.status(), response.reason().to_owned()),
            other => panic!("{name} is a response, not {other:?}"),
        };
        let (status, text) = reason("unreason");
        assert_eq!(status, 200);
        assert!(text.starts_with("= 2**3 * 5**2 но сто девяносто девять"), "{text}");
        assert_eq!(reason("noreason"), (100, String::new()));
    }

    #[test]
    fn parameters_belong_to_the_uri_only_inside_the_brackets() {
        let outside = request("cparam01");
        assert_eq!(contacts(&outside)[0].uri, "sip:+19725552222@gw1.example.net");
        assert_eq!(contacts(&outside)[0].params.raw("unknownparam"), Some(""));
        let inside = request("cparam02");
        assert_eq!(contacts(&inside)[0].uri, "sip:+19725552222@gw1.example.net;unknownparam");
        let route = request("regescrt");
        let uri = Uri::parse(contacts(&route)[0].uri).unwrap();
        assert_eq!(uri.headers, "Route=%3Csip:sip.example.com%3E");
    }

    #[test]
    fn ipv6_references_are_addresses() {
        let uri = |name| match parse("rfc5118", name) {
            Ok(Message::Request(request)) => {
                let uri = Uri::parse(request.uri()).unwrap();
                (uri.host.to_string(), uri.port)
            }
            other => panic!("{name} is a request, not {other:?}"),
        };
        assert_eq!(uri("port-ambiguous"), ("[2001:db8::10:5070]".into(), None));
        assert_eq!(uri("port-unambiguous"), ("[2001:db8::10]".into(), Some(5070)));
        let one = ("[2001:db8::c000:201]".into(), None);
        assert_eq!(uri("ipv6-bug-abnf-3-colons"), one);
        assert_eq!(uri("ipv6-correct-abnf-2-colons"), one);
    }

    /// With its Content-Length put right the message is fine: the SDP is no business of ours.
    #[test]
    fn ipv6_in_sdp_is_accepted_once_its_length_is_true() {
        let text = String::from_utf8(read("rfc5118", "ipv6-in-sdp").to_vec()).unwrap();
        let fixed = text.replace("Content-Length: 268", "Content-Length: 251");
        let message = Message::parse(Bytes::from(fixed)).unwrap();
        assert_eq!(message.headers().body().len(), 251);
    }

    #[test]
    fn truncated_and_garbled_torture_panics_nowhere() {
        for suite in ["rfc4475", "rfc5118"] {
            for entry in std::fs::read_dir(folder(suite)).unwrap() {
                let path = entry.unwrap().path();
                let Ok(whole) = std::fs::read(&path) else { continue };
                for end in 0..whole.len() {
                    let _ = Message::parse(Bytes::copy_from_slice(&whole[..end]));
                    let mut garbled = whole.clone();
                    garbled[end] ^= 0x10;
                    let _ = Message::parse(garbled.into());
                }
            }
        }
    }
}
