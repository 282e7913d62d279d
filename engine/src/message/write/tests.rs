//! What is written is read back (property P57).

use super::Writer;
use crate::message::{Contacts, Message, Method, Name, NameAddr, Via, quote};
use bytes::Bytes;
use proptest::prelude::*;

#[test]
fn a_request_is_written_line_by_line() {
    let mut writer = Writer::request(Method::Subscribe, "sip:alice@x.org");
    writer
        .header(Name::Via, "SIP/2.0/UDP a.org;branch=z9hG4bK1")
        .pieces(Name::To, &["<", "sip:alice@x.org", ">"])
        .number(Name::MaxForwards, 70)
        .number(Name::Expires, 0)
        .number(Name::MinExpires, u32::MAX)
        .format(Name::CSeq, format_args!("{} {}", 7, "SUBSCRIBE"))
        .other("X-Mine", "1");
    let expected = "SUBSCRIBE sip:alice@x.org SIP/2.0\r\n\
        Via: SIP/2.0/UDP a.org;branch=z9hG4bK1\r\n\
        To: <sip:alice@x.org>\r\n\
        Max-Forwards: 70\r\n\
        Expires: 0\r\n\
        Min-Expires: 4294967295\r\n\
        CSeq: 7 SUBSCRIBE\r\n\
        X-Mine: 1\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(writer.finish(), expected);
}

#[test]
fn a_response_has_its_standard_reason() {
    assert_eq!(
        Writer::response(489).finish(),
        "SIP/2.0 489 Bad Event\r\nContent-Length: 0\r\n\r\n"
    );
    let own = Writer::response_with(200, "Fine\r\nEvil: 1").finish_with("text/plain", b"hi");
    let expected = "SIP/2.0 200 Fine  Evil: 1\r\n\
        Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
    assert_eq!(own, expected);
}

#[test]
fn no_value_starts_a_line_of_its_own() {
    let evil = "a\r\nEvil: 1\n\r";
    let mut writer = Writer::request_text(evil, evil);
    writer.header(Name::To, evil).other(evil, evil).pieces(Name::From, &[evil, evil]);
    writer.format(Name::CallId, format_args!("{evil}"));
    let text = writer.finish();
    let lines = text.split(|byte| *byte == b'\n').count();
    assert_eq!(lines, 8, "{text:?}");
    assert!(!text.windows(6).any(|window| window == b"\nEvil:"));
}

#[test]
fn finished_messages_keep_no_spare_capacity() {
    let text = Writer::response(200).finish();
    let owned: Vec<u8> = text.try_into_mut().expect("sole owner").into();
    assert_eq!(owned.capacity(), owned.len());
}

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!%*_+`'~-]{1,12}"
}

fn uri() -> impl Strategy<Value = String> {
    let host = prop_oneof!["[a-z][a-z0-9]{0,8}\\.[a-z]{2}", Just("[2001:db8::1]".to_owned())];
    ("[a-zA-Z0-9_.!~*'()&=+$,;?/-]{1,12}", host, proptest::option::of(any::<u16>()), "(;lr)?")
        .prop_map(|(user, host, port, tail)| match port {
            Some(port) => format!("sip:{user}@{host}:{port}{tail}"),
            None => format!("sip:{user}@{host}{tail}"),
        })
}

fn text() -> impl Strategy<Value = String> {
    "[^\r\n\\p{Cc}]{0,30}"
}

prop_compose! {
    fn name_addr()(display in text(), uri in uri(), tag in token(), value in text()) -> String {
        format!("{} <{uri}>;tag={tag};x={}", quote(&display), quote(&value))
    }
}

prop_compose! {
    fn via()(
        transport in token(),
        host in "[a-z]{1,9}\\.org|\\[::1\\]|192\\.0\\.2\\.[1-9]",
        port in proptest::option::of(any::<u16>()),
        branch in token(),
    ) -> String {
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        format!("SIP/2.0/{transport} {host}{port};branch=z9hG4bK{branch};rport")
    }
}

fn same_address(a: &NameAddr<'_>, b: &NameAddr<'_>) -> bool {
    (a.display, a.uri, a.params) == (b.display, b.uri, b.params)
}

proptest! {
    #[test]
    fn parsing_undoes_writing(
        method in token(),
        target in uri(),
        vias in proptest::collection::vec(via(), 1..4),
        addresses in proptest::array::uniform4(name_addr()),
        call_id in "[a-zA-Z0-9@.<>:/\"?{}()-]{1,20}",
        number in any::<u32>(),
        expires in any::<u32>(),
        extra in (token(), "[!-~][^\r\n\\p{Cc}]{0,30}[!-~]"),
        body in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let [from, to, one, two] = &addresses;
        let mut writer = Writer::request_text(&method, &target);
        for via in &vias {
            writer.header(Name::Via, via);
        }
        writer.header(Name::From, from).header(Name::To, to).header(Name::CallId, &call_id);
        writer.format(Name::CSeq, format_args!("{number} {method}"));
        writer.pieces(Name::Contact, &[one, ", ", two]).number(Name::Expires, expires);
        writer.other(&format!("X-{}", extra.0), &extra.1);
        let wire = writer.finish_with("application/pidf+xml", &body);

        let read = Message::parse(wire.clone());
        let Ok(Message::Request(read)) = read else { panic!("{read:?}") };
        prop_assert_eq!(read.bytes(), &wire);
        prop_assert_eq!((read.method_text(), read.uri()), (&method[..], &target[..]));
        for (written, read) in vias.iter().zip(read.vias()) {
            let (written, read) = (Via::parse(written).unwrap(), read.unwrap());
            prop_assert_eq!((written.transport, written.host), (read.transport, read.host));
            prop_assert_eq!((written.port, written.branch), (read.port, read.branch));
        }
        prop_assert_eq!(read.vias().count(), vias.len());
        prop_assert!(same_address(&read.from().unwrap(), &NameAddr::parse(from).unwrap()));
        prop_assert!(same_address(&read.to().unwrap(), &NameAddr::parse(to).unwrap()));
        prop_assert_eq!(read.call_id().unwrap(), &call_id);
        let cseq = read.cseq().unwrap();
        prop_assert_eq!((cseq.number, cseq.method), (number, &method[..]));
        let Ok(Contacts::List(contacts)) = read.contacts() else { panic!("contacts") };
        prop_assert!(same_address(&contacts[1], &NameAddr::parse(two).unwrap()));
        prop_assert_eq!(read.seconds(Name::Expires), Some(expires));
        prop_assert_eq!(read.other(&format!("x-{}", extra.0)), Some(&extra.1[..]));
        prop_assert_eq!(read.body(), Bytes::from(body));

        let mut again = Writer::request_text(read.method_text(), read.uri());
        for (_, name, value) in read.iter().filter(|(name, ..)| *name != Name::ContentLength) {
            if !name.eq_ignore_ascii_case("Content-Type") {
                again.other(name, value);
            }
        }
        let again = again.finish_with("application/pidf+xml", &read.body());
        prop_assert_eq!(again, wire, "canonical text is written back as it was");
    }
}
