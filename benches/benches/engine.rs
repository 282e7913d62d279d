//! What one operation costs inside the engine: bytes in, bytes out, no sockets.
//!
//! Requests and the peers' answers are written before the clock starts; only `handle` is timed.

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use presently_benches::{
    DAWN, answers, config, config_with_digest, packet, phone, proven_registers, request,
};
use presently_engine::message::{Message, Name};
use presently_engine::server::{Config, Event, Record, Server};
use presently_engine::{Instant, Output};
use std::net::SocketAddr;
use std::time::{Duration, Instant as Clock};

const END: &str = "Content-Length: 0\r\n\r\n";
type Out = Vec<Output<Record, Event>>;

/// Hands packets in and returns the time that took.
fn timed(
    server: &mut Server,
    config: &Config,
    now: Instant,
    packets: Vec<(SocketAddr, Bytes)>,
    out: &mut Out,
) -> Duration {
    let clock = Clock::now();
    for (from, bytes) in packets {
        packet(server, config, now, from, bytes, out);
    }
    clock.elapsed()
}

/// SUBSCRIBE → 200 → NOTIFY → 200, each a new subscription of a new watcher.
fn subscribe(criterion: &mut Criterion) {
    let config = config();
    criterion.bench_function("subscribe_notify", |bench| {
        bench.iter_custom(|count| {
            let mut spent = Duration::ZERO;
            for chunk in chunks(count) {
                let mut server = Server::default();
                let mut out = Out::with_capacity(8 * chunk);
                let head = format!("Event: presence\r\nExpires: 3600\r\n{END}");
                let asks = (0..chunk).map(|n| {
                    let target = format!("sip:p{}@example.org", n % 1000);
                    (phone(n), request("SUBSCRIBE", &target, &format!("w{n}"), n, 1, &head))
                });
                let asks = asks.collect();
                spent += timed(&mut server, &config, DAWN, asks, &mut out);
                let replies = answers(&out);
                assert_eq!(replies.len(), chunk);
                out.clear();
                spent += timed(&mut server, &config, DAWN, replies, &mut out);
            }
            spent
        });
    });
}

/// Batches of at most 5000, so that tables have a realistic size.
fn chunks(count: u64) -> impl Iterator<Item = usize> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    (0..count.div_ceil(5000)).map(move |index| (count - index * 5000).min(5000))
}

/// A REGISTER refresh of 5000 phones, without digest.
fn register(criterion: &mut Criterion) {
    let config = config();
    criterion.bench_function("register_refresh", |bench| {
        bench.iter_custom(|count| {
            let mut spent = Duration::ZERO;
            for chunk in chunks(count) {
                let mut server = Server::default();
                let mut out = Out::with_capacity(8 * chunk);
                for round in 1..=2 {
                    let head = format!("Expires: 3600\r\n{END}");
                    let asks = (0..chunk).map(|n| {
                        let user = format!("u{n}");
                        let aor = format!("sip:{user}@example.org");
                        (phone(n), request("REGISTER", &aor, &user, n, round, &head))
                    });
                    let asks = asks.collect();
                    let time = timed(&mut server, &config, DAWN, asks, &mut out);
                    out.clear();
                    spent += if round == 2 { time } else { Duration::ZERO };
                }
            }
            spent
        });
    });
}

/// A REGISTER refresh with digest SHA-256 on a known nonce.
fn register_with_digest(criterion: &mut Criterion) {
    let config = config_with_digest();
    criterion.bench_function("register_refresh_digest", |bench| {
        bench.iter_custom(|count| {
            let mut spent = Duration::ZERO;
            for chunk in chunks(count) {
                let mut server = Server::default();
                let mut out = Out::with_capacity(8 * chunk);
                let count = u32::try_from(chunk).unwrap_or(u32::MAX) + 1;
                let mut asks = proven_registers(&mut server, &config, count);
                let rest = asks.split_off(1);
                let first = asks.into_iter().map(|bytes| (phone(1), bytes)).collect();
                timed(&mut server, &config, DAWN, first, &mut out);
                let rest = rest.into_iter().map(|bytes| (phone(1), bytes)).collect();
                spent += timed(&mut server, &config, DAWN, rest, &mut out);
            }
            spent
        });
    });
}

/// A MESSAGE to a registered phone, and the phone's 200 back to the sender.
fn message(criterion: &mut Criterion) {
    let config = config();
    criterion.bench_function("message_relayed", |bench| {
        bench.iter_custom(|count| {
            let mut spent = Duration::ZERO;
            for chunk in chunks(count) {
                let mut server = Server::default();
                let mut out = Out::with_capacity(8 * chunk);
                let head = format!("Expires: 3600\r\n{END}");
                let binds = (0..1000).map(|n| {
                    let user = format!("u{n}");
                    let aor = format!("sip:{user}@example.org");
                    (phone(n), request("REGISTER", &aor, &user, n, 1, &head))
                });
                timed(&mut server, &config, DAWN, binds.collect(), &mut out);
                out.clear();
                let body =
                    "Content-Type: text/plain\r\nContent-Length: 18\r\n\r\nWatson, come here.";
                let asks = (0..chunk).map(|n| {
                    let target = format!("sip:u{}@example.org", n % 1000);
                    (phone(n + 10_000), request("MESSAGE", &target, "bell", n + 10_000, 1, body))
                });
                let asks = asks.collect();
                spent += timed(&mut server, &config, DAWN, asks, &mut out);
                let replies = answers(&out);
                assert_eq!(replies.len(), chunk);
                out.clear();
                spent += timed(&mut server, &config, DAWN, replies, &mut out);
            }
            spent
        });
    });
}

/// One publication to 1000 active watchers, each NOTIFY answered. Time per publication.
fn fan_out(criterion: &mut Criterion) {
    let config = config();
    criterion.bench_function("publish_to_1000_watchers", |bench| {
        bench.iter_custom(|count| {
            let mut server = Server::default();
            let mut out = Out::new();
            let head = format!("Event: presence\r\nExpires: 3600\r\n{END}");
            let asks = (0..1000).map(|n| {
                let user = format!("w{n}");
                (phone(n), request("SUBSCRIBE", "sip:bob@example.org", &user, n, 1, &head))
            });
            timed(&mut server, &config, DAWN, asks.collect(), &mut out);
            let replies = answers(&out);
            timed(&mut server, &config, DAWN, replies, &mut out);
            let mut spent = Duration::ZERO;
            let mut now = DAWN;
            let mut etag = None;
            for round in 0..count {
                // Time goes on, so that finished transactions do not pile up for ever.
                now = now + Duration::from_millis(500);
                out.clear();
                let note = format!("round {round}");
                let cseq = u32::try_from(round).unwrap_or(u32::MAX);
                let publish = publish(cseq, &note, etag.as_deref());
                let asks = vec![(phone(9999), publish)];
                spent += timed(&mut server, &config, now, asks, &mut out);
                etag = entity_tag(&out);
                let replies = answers(&out);
                assert_eq!(replies.len(), 1000);
                out.clear();
                spent += timed(&mut server, &config, now, replies, &mut out);
            }
            spent
        });
    });
}

fn publish(cseq: u32, note: &str, etag: Option<&str>) -> Bytes {
    let body = format!(
        "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:bob@example.org\">\
         <tuple id=\"desk\"><status><basic>open</basic></status><note>{note}</note></tuple>\
         </presence>"
    );
    let condition = etag.map_or_else(String::new, |etag| format!("SIP-If-Match: {etag}\r\n"));
    let head = format!(
        "Event: presence\r\nExpires: 3600\r\n{condition}Content-Type: application/pidf+xml\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    request("PUBLISH", "sip:bob@example.org", "bob", 9999, cseq + 1, &head)
}

/// The entity-tag of the answer among these outputs.
fn entity_tag(out: &Out) -> Option<String> {
    out.iter().find_map(|output| match output {
        Output::Transmit { bytes, .. } => {
            let message = Message::parse(bytes.clone()).ok()?;
            message.headers().first(Name::SipEtag).map(str::to_owned)
        }
        Output::Record(_) | Output::Event(_) => None,
    })
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = subscribe, register, register_with_digest, message, fan_out
}
criterion_main!(benches);
