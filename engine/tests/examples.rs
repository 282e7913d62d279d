//! The example messages of the RFCs are read, and written again as they were.

use bytes::Bytes;
use presently_engine::message::{Aor, Contacts, Message, Name, Uri, UriError, Writer};

/// A page break of the RFC left an empty line inside the head of this one.
const TORN: &str = "rfc3665-s3.10-04-invite.sip";

fn examples() -> Vec<(String, Bytes)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/examples/sip");
    let entries = std::fs::read_dir(folder).expect("the examples are there");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let sip = paths.filter(|path| path.extension().is_some_and(|extension| extension == "sip"));
    let whole = sip.filter(|path| !path.ends_with(TORN));
    whole
        .map(|path| (path.display().to_string(), std::fs::read(path).expect("readable").into()))
        .collect()
}

#[test]
fn every_example_is_accepted_and_its_headers_are_read() {
    let examples = examples();
    assert_eq!(examples.len(), 124);
    for (name, bytes) in examples {
        let message = Message::parse(bytes).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let headers = message.headers();
        assert!(headers.vias().all(|via| via.is_ok()), "{name}");
        for side in [headers.from(), headers.to()] {
            let uri = side.unwrap_or_else(|error| panic!("{name}: {error:?}")).uri;
            assert!(Uri::parse(uri).is_ok(), "{name}: {uri}");
            let aor = Aor::parse(uri);
            assert!(aor.is_ok() || !uri.contains('@'), "{name}: {uri}");
        }
        if let Ok(Contacts::List(contacts)) = headers.contacts() {
            // mailto: is as good a contact as any (RFC 3665 §2.3).
            let good = |uri| Uri::parse(uri).err() != Some(UriError::Syntax);
            assert!(contacts.iter().all(|contact| good(contact.uri)), "{name}");
        }
        if let Some(length) = headers.seconds(Name::ContentLength) {
            assert_eq!(headers.body().len(), length as usize, "{name}");
        }
    }
}

#[test]
fn every_example_survives_being_written_again() {
    for (name, bytes) in examples() {
        let message = Message::parse(bytes).expect("accepted above");
        let mut writer = match &message {
            Message::Request(request) => Writer::request_text(request.method_text(), request.uri()),
            Message::Response(answer) => Writer::response_with(answer.status(), answer.reason()),
        };
        let headers = message.headers();
        let framing = [Name::ContentType, Name::ContentLength];
        for (_, name, value) in headers.iter().filter(|(name, ..)| !framing.contains(name)) {
            writer.other(name, value);
        }
        let content_type = headers.first(Name::ContentType).unwrap_or("none/none");
        let again = Message::parse(writer.finish_with(content_type, &headers.body()));
        let again = again.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let pairs = |message: &Message| -> Vec<(String, String)> {
            let kept = message.headers().iter().filter(|(name, ..)| !framing.contains(name));
            kept.map(|(_, name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        assert_eq!(pairs(&again), pairs(&message), "{name}");
        assert_eq!(again.headers().body(), headers.body(), "{name}");
    }
}
