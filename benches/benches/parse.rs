//! How fast a PUBLISH becomes a message: every header indexed, Via, From, To, Call-ID and CSeq
//! decoded. Beside ours the other Rust parsers, each asked for the same five headers as far as it
//! decodes them.
//!
//! `cargo bench -p presently-benches --bench parse`

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use presently_engine::message::{Aor, Message, Name, Reply, Uri, Writer};
use std::hint::black_box;
use std::time::Instant;

const HEAD: &str = "PUBLISH sip:alice@example.org SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.17:5062;branch=z9hG4bK-524287-1---a8ac4f7b6e3d9c21;rport\r\n\
    Max-Forwards: 70\r\n\
    From: \"Alice Example\" <sip:alice@example.org>;tag=3f2a9b17\r\n\
    To: <sip:alice@example.org>\r\n\
    Call-ID: 8f14e45fceea167a5a36dedd4bea2543@192.0.2.17\r\n\
    CSeq: 17 PUBLISH\r\n\
    Contact: <sip:alice@192.0.2.17:5062>\r\n\
    Event: presence\r\n\
    Expires: 3600\r\n\
    SIP-If-Match: 0123456789abcdef\r\n\
    Supported: path, outbound\r\n\
    User-Agent: presently/0.1\r\n\
    Content-Type: application/pidf+xml\r\n";

const DOCUMENT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:alice@example.org\">\n\
    <tuple id=\"t3f2a9b17\"><status><basic>open</basic></status>\
    <contact>sip:alice@192.0.2.17:5062</contact></tuple>\n</presence>\n";

/// The PUBLISH of the paper's size: 768 bytes, the rest of them in its User-Agent.
fn publish() -> Bytes {
    let whole = |agent: &str| {
        let head = HEAD.replace("presently/0.1", agent);
        format!("{head}Content-Length: {}\r\n\r\n{DOCUMENT}", DOCUMENT.len())
    };
    let missing = 768 - whole("").len();
    let agent = "presently/0.1 (a user agent with a name as long as it takes to fill the space)";
    let text = whole(&agent[..missing]);
    assert_eq!(text.len(), 768);
    text.into()
}

/// Ours. The checks of M1 step 1 are part of it.
fn ours(datagram: &Bytes) {
    let message = Message::parse(datagram.clone()).expect("well-formed");
    let headers = message.headers();
    black_box(headers.via().expect("Via"));
    black_box(headers.from().expect("From"));
    black_box(headers.to().expect("To"));
    black_box(headers.call_id().expect("Call-ID"));
    black_box(headers.cseq().expect("CSeq"));
}

fn ezk(datagram: &Bytes) {
    use ezk_sip_types::Headers;
    use ezk_sip_types::header::typed::{CSeq, CallID, FromTo, Via};
    use ezk_sip_types::msg::{Line, MessageLine, PullParser};
    use ezk_sip_types::{Name, parse::Parse};

    let mut headers = Headers::new();
    let mut start = None;
    for item in PullParser::new(datagram, 0) {
        let line = std::str::from_utf8(item.expect("complete")).expect("text");
        if start.is_none() {
            start = Some(MessageLine::parse(datagram)(line).expect("start line").1);
        } else {
            let (_, line) = Line::parse(datagram, line).expect("header line");
            headers.insert(line.name, line.value);
        }
    }
    black_box(&start);
    black_box(headers.get_named::<Via>().expect("Via"));
    black_box(headers.get::<FromTo>(Name::FROM).expect("From"));
    black_box(headers.get::<FromTo>(Name::TO).expect("To"));
    black_box(headers.get_named::<CallID>().expect("Call-ID"));
    black_box(headers.get_named::<CSeq>().expect("CSeq"));
}

fn rsip(datagram: &Bytes) {
    use rsip::prelude::{HeadersExt, ToTypedHeader};

    let message = rsip::SipMessage::try_from(&datagram[..]).expect("well-formed");
    black_box(message.via_header().expect("Via").typed().expect("Via"));
    black_box(message.from_header().expect("From").typed().expect("From"));
    black_box(message.to_header().expect("To").typed().expect("To"));
    black_box(message.call_id_header().expect("Call-ID"));
    black_box(message.cseq_header().expect("CSeq").typed().expect("CSeq"));
}

fn rsipstack(datagram: &Bytes) {
    use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};

    let message = rsipstack::sip::SipMessage::try_from(&datagram[..]).expect("well-formed");
    black_box(message.via_header().expect("Via").typed().expect("Via"));
    black_box(message.from_header().expect("From").typed().expect("From"));
    black_box(message.to_header().expect("To").typed().expect("To"));
    black_box(message.call_id_header().expect("Call-ID"));
    black_box(message.cseq_header().expect("CSeq").typed().expect("CSeq"));
}

fn parsing(criterion: &mut Criterion) {
    let datagram = publish();
    let mut group = criterion.benchmark_group("parse PUBLISH 768 B");
    group.throughput(Throughput::Elements(1));
    group.bench_function("presently", |bencher| bencher.iter(|| ours(black_box(&datagram))));
    group.bench_function("ezk-sip-types", |bencher| bencher.iter(|| ezk(black_box(&datagram))));
    group.bench_function("rsipstack", |bencher| bencher.iter(|| rsipstack(black_box(&datagram))));
    group.bench_function("rsip", |bencher| bencher.iter(|| rsip(black_box(&datagram))));
    group.finish();
}

/// The figure of the README: nanoseconds of the quickest of many short batches, which other work
/// on the machine disturbs least.
fn quickest(work: impl Fn()) -> f64 {
    const CALLS: u32 = 20;
    let batch = || {
        let start = Instant::now();
        (0..CALLS).for_each(|_| work());
        start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..20_000).map(|_| batch()).fold(f64::INFINITY, f64::min)
}

fn table(_: &mut Criterion) {
    let datagram = publish();
    let ours = quickest(|| ours(black_box(&datagram)));
    let others = [
        ("ezk-sip-types", quickest(|| ezk(black_box(&datagram)))),
        ("rsipstack", quickest(|| rsipstack(black_box(&datagram)))),
        ("rsip", quickest(|| rsip(black_box(&datagram)))),
    ];
    println!("\n| parse a 768-byte PUBLISH | ns | million/s | ours is faster by |");
    println!("| --- | --- | --- | --- |");
    println!("| presently | {ours:.0} | {:.2} | |", 1e3 / ours);
    for (name, theirs) in others {
        println!("| {name} | {theirs:.0} | {:.2} | {:.1} × |", 1e3 / theirs, theirs / ours);
    }
}

/// The other half of the message module's work.
fn writing(criterion: &mut Criterion) {
    let Ok(Message::Request(request)) = Message::parse(publish()) else {
        unreachable!("the PUBLISH is a request")
    };
    let source = "192.0.2.17:5062".parse().expect("an address");
    let mut group = criterion.benchmark_group("message");
    group.bench_function("parse only", |bencher| {
        let datagram = request.bytes();
        bencher.iter(|| Message::parse(black_box(datagram).clone()).is_ok());
    });
    group.bench_function("reply 200", |bencher| {
        bencher.iter(|| {
            let mut reply = Reply::new(black_box(&request), source, 200, "a8ac4f7b6e3d9c21");
            reply.number(Name::Expires, 3600).header(Name::SipEtag, "0123456789abcdef");
            reply.into_writer().finish()
        });
    });
    group.bench_function("edit for the next hop", |bencher| {
        let via = "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc0123456789abcdef";
        bencher.iter(|| {
            let edit = black_box(&request).edit().uri("sip:alice@192.0.2.17:5062");
            edit.push_via(via).max_forwards(69).finish()
        });
    });
    group.bench_function("write 200 without a body", |bencher| {
        bencher.iter(|| Writer::response(black_box(200)).finish());
    });
    group.bench_function("Request-URI to AOR", |bencher| {
        bencher.iter(|| {
            let uri = Uri::parse(black_box(request.uri())).expect("a SIP URI");
            Aor::from_uri(&uri).expect("an AOR")
        });
    });
    group.finish();
}

criterion_group!(benches, parsing, writing, table);
criterion_main!(benches);
