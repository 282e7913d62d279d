//! What a datagram at a media port costs the agent that listens there, among many watchers
//! who may speak: R89 wants strangers to be cheap. At the end stands a table beside the goals.

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use presently_benches::DAWN;
use presently_engine::agent::wire::{Check, Info};
use presently_engine::agent::{Agent, Command, Config, Event, Record};
use presently_engine::body::pidf::{Access, Mode, Pidf};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::{Aor, Message, Method, Name, Reply};
use presently_engine::mint::Secret;
use presently_engine::{Input, Machine, Output, Peer};
use std::net::SocketAddr;
use std::time::{Duration, Instant as Clock};

/// As many as fit into one PUBLISH of rules.
const WATCHERS: usize = 250;
const PORT: u16 = 50_000;

/// One kind of datagram, and what it may cost in microseconds.
struct Case {
    name: &'static str,
    goal: f64,
    datagram: fn(&Listener) -> Bytes,
}

const CASES: [Case; 4] = [
    Case { name: "noise", goal: 2.0, datagram: |_| Bytes::from_static(&[1; 120]) },
    Case { name: "check_unknown_key", goal: 2.0, datagram: |it| it.check("unknown", "guessed", 1) },
    Case {
        name: "check_bad_integrity",
        goal: 10.0,
        datagram: |it| it.check(&it.access.key_id, "guessed", 1),
    },
    // 50 000 a second.
    Case {
        name: "check_answered",
        goal: 20.0,
        datagram: |it| it.check(&it.access.key_id, &it.access.token, 1),
    },
];

/// An agent that offers to hear, and the access of one of its watchers.
struct Listener {
    config: Config,
    agent: Agent,
    access: Access,
}

impl Listener {
    fn new() -> Self {
        let config = Config::new(
            Aor::new("bob", "example.org"),
            "secret",
            Peer::new(([192, 0, 2, 1], 5060).into()),
            ([192, 0, 2, 20], 5060).into(),
            Secret::new([7; 16]),
            "desk",
        );
        let access = Access { token: "".into(), key_id: "".into(), epoch: 0, expires: 0 };
        let mut listener = Self { config, agent: Agent::default(), access };
        listener.say(Command::Login);
        for number in 0..WATCHERS {
            let watcher = Aor::new(&format!("w{number}"), "example.org");
            let verdict = Some(Verdict { handling: Handling::Allow, direct: true });
            listener.say(Command::Decide { watcher, verdict });
        }
        let codecs = vec![(0, "PCMU/8000").into()];
        let media = "audio".into();
        listener.say(Command::SetOffer { media, port: PORT, codecs, mode: Mode::Ready });
        listener
    }

    /// A command; whatever the agent asks of its server is answered.
    fn say(&mut self, command: Command) {
        let mut inputs = vec![Input::Command(command)];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::<Output<Record, Event>>::new();
            self.agent.handle(&self.config, DAWN, input, &mut out);
            for output in out {
                let Output::Transmit { bytes, .. } = output else { continue };
                let Ok(Message::Request(request)) = Message::parse(bytes) else { continue };
                if request.method() == Method::Publish {
                    self.learn(&request.body());
                }
                let here: SocketAddr = ([192, 0, 2, 20], 5060).into();
                let mut reply = Reply::new(&request, here, 200, "srv");
                let said =
                    [(Name::Expires, "3600"), (Name::SipEtag, "e"), (Name::Supported, "dm1")];
                for (name, value) in said {
                    reply.header(name, value);
                }
                let bytes = reply.into_writer().finish();
                inputs.push(Input::Packet { from: self.config.server, bytes });
            }
        }
    }

    /// What a watcher gets of what was published.
    fn learn(&mut self, body: &[u8]) {
        let Ok(document) = Pidf::parse(body) else { return };
        let watcher = Aor::new("w7", "example.org");
        let mut access = document
            .tuples
            .iter()
            .filter_map(|tuple| tuple.offer.as_ref()?.access_for(&watcher, &tuple.id, 0));
        self.access = access.next_back().unwrap_or_else(|| self.access.clone());
    }

    fn check(&self, key_id: &str, token: &str, transaction: u128) -> Bytes {
        let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
        Check { transaction, key_id: key_id.into(), sid: 1, info }.write(token)
    }
}

/// Hands in so many copies, and says how long that took.
fn flood(case: &Case, listener: &Listener, count: usize) -> Duration {
    let bytes = (case.datagram)(listener);
    let mut agent = listener.agent.clone();
    let from = ([192, 0, 2, 10], 40_000).into();
    let mut out = Vec::with_capacity(64);
    let mut answers = 0;
    let clock = Clock::now();
    for _ in 0..count {
        let input = Input::Command(Command::MediaPacket { port: PORT, from, bytes: bytes.clone() });
        agent.handle(&listener.config, DAWN, input, &mut out);
        answers += out.len();
        out.clear();
    }
    let spent = clock.elapsed();
    match case.name {
        "check_answered" => assert!(answers >= count, "every one is answered"),
        "noise" => assert_eq!(answers, 0),
        _ => assert_eq!(answers, 5.min(count), "strangers hear five refusals a second"),
    }
    spent
}

fn timing(criterion: &mut Criterion) {
    let listener = Listener::new();
    for case in &CASES {
        criterion.bench_function(case.name, |bencher| {
            bencher.iter_custom(|count| flood(case, &listener, count as usize));
        });
    }
}

/// The quickest of some rounds beside the goals.
fn table(_: &mut Criterion) {
    println!("\n| datagram | µs | goal | ratio |\n|---|---|---|---|");
    let listener = Listener::new();
    for case in &CASES {
        let count = 20_000;
        let quickest = (0..10).map(|_| flood(case, &listener, count)).min().unwrap_or_default();
        let figure = quickest.as_secs_f64() * 1e6 / count as f64;
        println!("| {} | {figure:.2} | {} | {:.2} |", case.name, case.goal, figure / case.goal);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(1));
    targets = timing, table
}
criterion_main!(benches);
