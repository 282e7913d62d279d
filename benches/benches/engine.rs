//! What one operation costs inside the engine: bytes in, bytes out, no sockets.
//!
//! Requests and the peers' answers are written before the clock starts; only `handle` is timed.
//! At the end stands a table of the quickest rounds beside the goals.

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
/// How many watchers a publication is told to.
const WATCHERS: usize = 1000;
type Out = Vec<Output<Record, Event>>;

/// One operation.
struct Case {
    name: &'static str,
    /// What it may cost, in microseconds.
    goal: f64,
    /// Most operations in one round, so that tables have a realistic size.
    most: usize,
    /// Does so many operations, and says how long that took.
    run: fn(usize) -> Duration,
}

const CASES: [Case; 5] = [
    Case { name: "subscribe_notify", goal: 6.0, most: 5000, run: subscribe },
    Case { name: "register_refresh", goal: 2.0, most: 5000, run: register },
    Case { name: "register_refresh_digest", goal: 4.0, most: 5000, run: register_with_digest },
    Case { name: "message_relayed", goal: 4.0, most: 5000, run: message },
    Case { name: "publish_to_1000_watchers", goal: 1500.0, most: 100, run: fan_out },
];

/// How many packets are handed in before their outputs are taken away, as the driver does it.
const BATCH: usize = 64;

/// Hands packets in, batch by batch, and returns the time that took. `take` looks at the outputs of
/// each batch while the clock stands still.
fn timed(
    server: &mut Server,
    config: &Config,
    now: Instant,
    packets: impl IntoIterator<Item = (SocketAddr, Bytes)>,
    mut take: impl FnMut(&Out),
) -> Duration {
    let mut packets = packets.into_iter();
    let (mut spent, mut out) = (Duration::ZERO, Out::with_capacity(4 * WATCHERS));
    loop {
        let batch: Vec<_> = packets.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return spent;
        }
        let clock = Clock::now();
        for (from, bytes) in batch {
            packet(server, config, now, from, bytes, &mut out);
        }
        spent += clock.elapsed();
        take(&out);
        out.clear();
    }
}

/// SUBSCRIBE → 200 → NOTIFY → 200, each a new subscription of a new watcher.
fn subscribe(count: usize) -> Duration {
    let (config, mut server) = (config(), Server::default());
    let head = format!("Event: presence\r\nExpires: 3600\r\n{END}");
    let asks = (0..count).map(|n| {
        let target = format!("sip:p{}@example.org", n % 1000);
        (phone(n), request("SUBSCRIBE", &target, &format!("w{n}"), n, 1, &head))
    });
    let mut replies = Vec::new();
    let asking = timed(&mut server, &config, DAWN, asks, |out: &Out| replies.extend(answers(out)));
    assert_eq!(replies.len(), count);
    asking + timed(&mut server, &config, DAWN, replies, |_| {})
}

/// REGISTERs of the phones 0 to `count`, the `round`th of each.
fn registers(count: usize, round: u32) -> Vec<(SocketAddr, Bytes)> {
    let head = format!("Expires: 3600\r\n{END}");
    let ask = |n| {
        let user = format!("u{n}");
        let aor = format!("sip:{user}@example.org");
        (phone(n), request("REGISTER", &aor, &user, n, round, &head))
    };
    (0..count).map(ask).collect()
}

/// A REGISTER refresh of many phones, without digest.
fn register(count: usize) -> Duration {
    let (config, mut server) = (config(), Server::default());
    timed(&mut server, &config, DAWN, registers(count, 1), |_| {});
    timed(&mut server, &config, DAWN, registers(count, 2), |_| {})
}

/// A REGISTER refresh with digest SHA-256 on a known nonce.
fn register_with_digest(count: usize) -> Duration {
    let (config, mut server) = (config_with_digest(), Server::default());
    let uses = u32::try_from(count).unwrap_or(u32::MAX) + 1;
    let mut first = proven_registers(&mut server, &config, uses);
    let rest = first.split_off(1);
    let from_phone = |asks: Vec<Bytes>| asks.into_iter().map(|ask| (phone(1), ask));
    timed(&mut server, &config, DAWN, from_phone(first), |_| {});
    timed(&mut server, &config, DAWN, from_phone(rest), |_| {})
}

/// A MESSAGE to a registered phone, and the phone's 200 back to the sender.
fn message(count: usize) -> Duration {
    let (config, mut server) = (config(), Server::default());
    timed(&mut server, &config, DAWN, registers(1000, 1), |_| {});
    let body = "Content-Type: text/plain\r\nContent-Length: 18\r\n\r\nWatson, come here.";
    let asks = (0..count).map(|n| {
        let target = format!("sip:u{}@example.org", n % 1000);
        (phone(n + 10_000), request("MESSAGE", &target, "bell", n + 10_000, 1, body))
    });
    let mut replies = Vec::new();
    let asking = timed(&mut server, &config, DAWN, asks, |out: &Out| replies.extend(answers(out)));
    assert_eq!(replies.len(), count);
    asking + timed(&mut server, &config, DAWN, replies, |_| {})
}

/// Publications to 1000 active watchers, each NOTIFY answered.
fn fan_out(count: usize) -> Duration {
    let (config, mut server) = (config(), Server::default());
    let head = format!("Event: presence\r\nExpires: 3600\r\n{END}");
    let asks = (0..WATCHERS).map(|n| {
        let user = format!("w{n}");
        (phone(n), request("SUBSCRIBE", "sip:bob@example.org", &user, n, 1, &head))
    });
    let mut replies = Vec::new();
    timed(&mut server, &config, DAWN, asks, |out: &Out| replies.extend(answers(out)));
    timed(&mut server, &config, DAWN, replies, |_| {});
    let (mut now, mut etag, mut spent) = (DAWN, None, Duration::ZERO);
    for round in 0..count {
        // Time goes on, so that finished transactions do not pile up for ever.
        now = now + Duration::from_millis(500);
        let cseq = u32::try_from(round).unwrap_or(u32::MAX);
        let publish = publish(cseq, &format!("round {round}"), etag.as_deref());
        let mut replies = Vec::new();
        spent += timed(&mut server, &config, now, [(phone(9999), publish)], |out: &Out| {
            etag = entity_tag(out);
            replies = answers(out);
        });
        assert_eq!(replies.len(), WATCHERS);
        spent += timed(&mut server, &config, now, replies, |_| {});
    }
    spent
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

fn timing(criterion: &mut Criterion) {
    for Case { name, most, run, .. } in CASES {
        criterion.bench_function(name, |bench| {
            bench.iter_custom(|count| {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                let rounds = (0..count).step_by(most);
                rounds.map(|done| run(most.min(count - done))).sum()
            });
        });
    }
}

/// The quickest of many short rounds: what is left when nobody else is at the machine.
fn table(_: &mut Criterion) {
    println!("\n| inside the engine | µs | goal | figure : goal |");
    println!("| --- | --- | --- | --- |");
    for Case { name, goal, most, run } in CASES {
        let count = most / 5;
        let quickest = (0..60).map(|_| run(count)).min().unwrap_or_default();
        let figure = quickest.as_secs_f64() * 1e6 / count as f64;
        println!("| {name} | {figure:.2} | {goal} | {:.2} |", figure / goal);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = timing, table
}
criterion_main!(benches);
