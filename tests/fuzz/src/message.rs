//! Messages and addresses: nothing panics, what is read can be written and means the same.

use bytes::Bytes;
use presently_engine::message::{
    Aor, Message, Name, NameAddr, Params, Reply, Request, Response, Uri, Via, Writer,
};
use std::net::SocketAddr;

/// One datagram.
pub fn datagram(data: &[u8]) {
    match Message::parse(Bytes::copy_from_slice(data)) {
        Ok(message) => {
            look(&message);
            let once = write(&message);
            let again = Message::parse(once.clone()).expect("our own writing is read");
            same(&message, &again);
            assert_eq!(write(&again), once, "writing is canonical");
            match &message {
                Message::Request(request) => handle(request),
                Message::Response(response) => pop(response),
            }
        }
        Err(malformed) => {
            if let Some(request) = &malformed.request {
                answer(request, malformed.status);
            }
        }
    }
}

/// Decodes every header that we know how to decode.
fn look(message: &Message) {
    let headers = message.headers();
    let _ = (headers.vias().count(), headers.from(), headers.to(), headers.call_id());
    let _ = (headers.cseq(), headers.contacts(), headers.event(), headers.subscription_state());
    let _ = (headers.content_type(), headers.body());
    for (name, spelled, value) in headers.iter() {
        let _ = (headers.seconds(name), headers.list(name).count(), headers.other(spelled));
        addresses(value);
    }
}

fn write(message: &Message) -> Bytes {
    let mut writer = match message {
        Message::Request(request) => Writer::request_text(request.method_text(), request.uri()),
        Message::Response(answer) => Writer::response_with(answer.status(), answer.reason()),
    };
    let headers = message.headers();
    let framing = [Name::ContentType, Name::ContentLength];
    for (_, name, value) in headers.iter().filter(|(name, ..)| !framing.contains(name)) {
        writer.other(name, value);
    }
    match headers.first(Name::ContentType) {
        Some(kind) => writer.finish_with(kind, &headers.body()),
        None if headers.body().is_empty() => writer.finish(),
        None => writer.finish_with("application/octet-stream", &headers.body()),
    }
}

fn same(one: &Message, other: &Message) {
    let (a, b) = (one.headers(), other.headers());
    assert_eq!(a.call_id(), b.call_id());
    assert_eq!(a.cseq(), b.cseq());
    assert_eq!(a.body(), b.body());
    let tag = |message: &Message| -> Option<String> {
        message.headers().from().ok()?.tag().map(str::to_owned)
    };
    assert_eq!(tag(one), tag(other));
    let branch = |message: &Message| -> Option<String> {
        message.headers().via().ok()?.branch.map(str::to_owned)
    };
    assert_eq!(branch(one), branch(other));
}

/// What a server does with a request: answer it, or pass it on.
fn handle(request: &Request) {
    answer(request, 200);
    let source = SocketAddr::from(([203, 0, 113, 9], 5060));
    let passed = request
        .edit()
        .uri("sip:bob@198.51.100.7:5080")
        .push_via("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKfuzz")
        .received_from(source)
        .max_forwards(69)
        .drop_first_route()
        .finish();
    let passed = Message::parse(passed).expect("a passed request is read");
    assert_eq!(passed.headers().body(), request.body());
    assert_eq!(passed.headers().call_id(), request.call_id());
}

fn answer(request: &Request, status: u16) {
    let source = SocketAddr::from(([203, 0, 113, 9], 5060));
    let reply = Reply::new(request, source, status, "fuzz");
    let _ = Reply::destination(request, source);
    let answer = Message::parse(reply.into_writer().finish());
    // A request that was refused as malformed may have nothing to answer with.
    let complete = request.via().is_ok() && request.cseq().is_ok() && status == 200;
    assert!(answer.is_ok() || !complete, "{answer:?}");
}

fn pop(response: &Response) {
    // Without a second Via nothing is left to route by, and only the top one has been judged.
    let popped = response.pop_via();
    if response.vias().nth(1).is_some_and(|next| next.is_ok()) {
        assert!(Message::parse(popped).is_ok());
    }
}

/// Text where an address is expected.
pub fn addresses(text: &str) {
    if let Some(via) = Via::parse(text) {
        let _ = (via.branch, via.host);
    }
    if let Some(address) = NameAddr::parse(text) {
        let _ = (address.tag(), Aor::parse(address.uri));
    }
    for (name, _) in Params(text).iter() {
        let _ = (Params(text).raw(name), Params(text).get(name));
    }
    if let Ok(aor) = Aor::parse(text) {
        let again = Aor::parse(aor.as_str()).expect("an AOR is a URI");
        assert_eq!(again, aor, "the canonical form is canonical");
        assert_eq!(Aor::new(aor.user(), aor.domain()), aor);
    }
    let (one, other) = text.split_once('\n').unwrap_or((text, text));
    if let (Ok(one), Ok(other)) = (Uri::parse(one), Uri::parse(other)) {
        assert!(one.equivalent(&one), "a URI is equivalent to itself");
        assert_eq!(one.equivalent(&other), other.equivalent(&one), "equivalence is symmetric");
    }
}
