//! P27, R89: what anybody can throw at a media port, a million times: noise, packets of strangers,
//! forged ones that name the right address and SSRC, copies of what alice really sent, checks with
//! guessed tokens, and her own checks sent again by somebody else.
//!
//! Alice speaks to bob for twenty seconds, once in peace and once while all this comes in between.
//! Bob hears the same, sample for sample, and sends her the same, octet for octet.

use bytes::Bytes;
use presently_engine::agent::wire::{Check, Info};
use presently_engine::agent::{
    Agent, Command, Config, DirectStream, Event, FlowPhase, Record, Way,
};
use presently_engine::body::pidf::{Access, Codec, Mode, Pidf};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::{Aor, Message, Method, Name, Reply};
use presently_engine::mint::Secret;
use presently_engine::{Input, Instant, Machine, Output, Peer};
use presently_net::audio::{Sink, TICK, codec, device};
use presently_net::media::ends::{Ear, Voice};
use presently_net::media::port::Taken;
use presently_net::media::{Chance, Ends, Id, Order, Out, Port, Stream, Told};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const DATAGRAMS: usize = 1_000_000;
const TICKS: u32 = 1000;
/// Datagrams in a tick, one of them a check: a proof costs what a hundred packets cost.
const BURST: usize = DATAGRAMS / TICKS as usize;
const PORT: u16 = 50_000;
const TALK: Id = Id::Direct(presently_engine::agent::FlowId(1));

fn alice() -> SocketAddr {
    ([192, 0, 2, 10], 40_000).into()
}

fn mallory() -> SocketAddr {
    ([192, 0, 2, 66], 666).into()
}

/// Bob's agent, and what it sent to media ports.
struct Bob {
    config: Config,
    agent: Agent,
    now: Instant,
    access: Option<Access>,
    /// Answers to checks: where to, how long.
    answers: Vec<(SocketAddr, usize)>,
    /// Every stream that was told, and how.
    flows: Vec<(FlowPhase, Option<DirectStream>)>,
}

impl Bob {
    /// He is there, knows alice, and would hear her.
    fn new() -> Self {
        let config = Config::new(
            Aor::new("bob", "example.org"),
            "secret",
            Peer::new(([192, 0, 2, 1], 5060).into()),
            ([192, 0, 2, 20], 5060).into(),
            Secret::new([7; 16]),
            "desk",
        );
        let now = Instant::default() + Duration::from_secs(86_400 * 365);
        let (agent, access) = (Agent::default(), None);
        let mut bob = Self { config, agent, now, access, answers: vec![], flows: vec![] };
        bob.say(Command::Login);
        let verdict = Some(Verdict { handling: Handling::Allow, direct: true });
        bob.say(Command::Decide { watcher: Aor::new("alice", "example.org"), verdict });
        let (media, codecs) = ("audio".into(), vec![Codec::from((0, "PCMU/8000"))]);
        bob.say(Command::SetOffer { media, port: PORT, codecs, mode: Mode::Ready });
        bob
    }

    /// A command; whatever the agent asks of its server is answered.
    fn say(&mut self, command: Command) {
        let mut inputs = vec![Input::Command(command)];
        while let Some(input) = inputs.pop() {
            let mut out = Vec::<Output<Record, Event>>::new();
            self.agent.handle(&self.config, self.now, input, &mut out);
            for output in out {
                match output {
                    Output::Transmit { bytes, .. } => inputs.extend(self.served(bytes)),
                    Output::Event(Event::MediaPacket { to, bytes, .. }) => {
                        self.answers.push((to, bytes.len()));
                    }
                    Output::Event(Event::Flow { phase, stream, .. }) => {
                        self.flows.push((phase, stream));
                    }
                    Output::Event(_) | Output::Record(_) => {}
                }
            }
        }
    }

    /// What a server that knows offers says, and alice's part of what it was told.
    fn served(&mut self, bytes: Bytes) -> Option<Input<Command>> {
        let Ok(Message::Request(request)) = Message::parse(bytes) else { return None };
        if request.method() == Method::Publish
            && let Ok(document) = Pidf::parse(&request.body())
        {
            let alice = Aor::new("alice", "example.org");
            let mut tuples = document.tuples.iter();
            let access = tuples.find_map(|it| it.offer.as_ref()?.access_for(&alice, &it.id, 0));
            self.access = access.or(self.access.take());
        }
        let mut reply = Reply::new(&request, self.config.server.addr, 200, "srv");
        for (name, value) in
            [(Name::Expires, "3600"), (Name::SipEtag, "e"), (Name::Supported, "dm1")]
        {
            reply.header(name, value);
        }
        let bytes = reply.into_writer().finish();
        Some(Input::Packet { from: self.config.server, bytes })
    }

    /// A check with alice's key, or one that is close.
    fn check(&self, key_id: Option<&str>, token: Option<&str>, transaction: u128) -> Bytes {
        let access = self.access.as_ref().expect("bob has published his secret");
        let info = Info { receives: false, srtp: true, pt: 0, kind: 1, ssrc: 9, nonce: [9; 8] };
        let key_id = key_id.unwrap_or(&access.key_id).into();
        Check { transaction, key_id, sid: 1, info }.write(token.unwrap_or(&access.token))
    }

    fn hear_stun(&mut self, from: SocketAddr, bytes: Bytes) {
        self.say(Command::MediaPacket { port: PORT, from, bytes });
    }
}

/// What bob's loudspeaker was given.
#[derive(Clone, Default)]
struct Loudspeaker(Arc<Mutex<Vec<i16>>>);

impl Sink for Loudspeaker {
    fn rate(&self) -> u32 {
        8000
    }

    fn push(&mut self, samples: &[i16]) {
        self.0.lock().expect("nobody panics with it").extend_from_slice(samples);
    }
}

/// A port with this flow.
fn port(stream: Stream, ends: Ends) -> Port {
    let mut port = Port::new(1 << 33, "somebody");
    let chance = Chance { ssrc: 0, sequence: 65_000, timestamp: 5, dice: 7 };
    let order = Order::Start(TALK, Box::new(stream), ends, chance);
    port.order(Duration::ZERO, order, &mut Vec::new());
    port
}

/// The enemy: what it saw, and what it makes of it.
struct Enemy {
    dice: u64,
    seen: Vec<Bytes>,
    check: Bytes,
    strange: Bytes,
    guessed: Bytes,
    ssrc: [u8; 4],
    buffer: [u8; 192],
}

impl Enemy {
    fn throw(&mut self) -> u64 {
        // xorshift64, a number in a few steps.
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }

    /// Datagrams of chance, of which the first octets say what they want to be.
    fn noise(&mut self, head: [u8; 2], ssrc_at: usize) -> &[u8] {
        let dice = self.throw();
        for (place, octets) in self.buffer.chunks_exact_mut(8).enumerate() {
            octets.copy_from_slice(&dice.rotate_left(place as u32).to_be_bytes());
        }
        self.buffer[..2].copy_from_slice(&head);
        self.buffer[ssrc_at..ssrc_at + 4].copy_from_slice(&self.ssrc);
        &self.buffer[..16 + (dice % 176) as usize]
    }
}

/// How it went: what bob heard, every datagram of media that he sent, what his port told.
#[derive(PartialEq, Eq, Default)]
struct Evening {
    heard: Vec<i16>,
    sent: Vec<(u32, SocketAddr, Bytes)>,
    told: Vec<(u32, Told)>,
}

impl Evening {
    /// Keeps what came out of bob's port; of figures all but how much was not believed.
    fn note(&mut self, tick: u32, out: &mut Vec<Out>) {
        for one in out.drain(..) {
            match one {
                Out::Send { to, bytes, .. } => self.sent.push((tick, to, bytes)),
                Out::Tell(_, Told::Statistics(mut figures)) => {
                    figures.unproved = 0;
                    self.told.push((tick, Told::Statistics(figures)));
                }
                Out::Tell(_, told) => self.told.push((tick, told)),
            }
        }
    }
}

/// The flow that bob was told of, from both sides.
fn begin(bob: &mut Bob) -> (Bytes, Port, Port, Loudspeaker) {
    let check = bob.check(None, None, 1);
    bob.hear_stun(alice(), check.clone());
    let Some((FlowPhase::Streaming, Some(here))) = bob.flows.pop() else { panic!("no flow") };
    let there = DirectStream {
        port: alice().port(),
        remote: ([192, 0, 2, 20], PORT).into(),
        codec: here.codec.clone(),
        ssrc: here.remote_ssrc,
        remote_ssrc: here.ssrc,
        keys: here.keys.map(|(send, receive)| (receive, send)),
        budget: None,
    };
    assert!(there.keys.is_some());
    let pcmu = || codec("PCMU/8000").expect("it is built in");
    let loudspeaker = Loudspeaker::default();
    let ear = Ear::new(pcmu(), Box::new(loudspeaker.clone()));
    let tone = device::source("tone").expect("it is always there");
    let mouth = Ends { capture: Some(Box::new(Voice::new(tone, pcmu()))), render: None };
    let ear = Ends { capture: None, render: Some(Box::new(ear)) };
    let hers = port(Stream::direct(&there, Way::Out), mouth);
    (check, hers, port(Stream::direct(&here, Way::In), ear), loudspeaker)
}

/// One datagram of the enemy's: for STUN to bob's agent, for the rest to his port.
fn attack(enemy: &mut Enemy, number: usize, bob: &mut Bob, port: &mut Port, evening: &mut Evening) {
    let turn = number % BURST;
    let stun = [
        (mallory(), &enemy.strange),
        (mallory(), &enemy.guessed),
        (alice(), &enemy.guessed),
        (alice(), &enemy.check),
        (mallory(), &enemy.check),
    ];
    if turn.is_multiple_of(20) {
        let (from, check) = stun[turn / 20 % stun.len()];
        let (asked, before) = (check.len(), bob.answers.len());
        bob.hear_stun(from, check.clone());
        let answers = &bob.answers[before..];
        assert!(answers.iter().all(|(to, length)| *to == from && 2 * length <= 3 * asked));
        assert!(answers.len() <= 1);
        return;
    }
    let mut out = Vec::new();
    let now = TICK * (number / BURST) as u32;
    let taken = match turn % 6 {
        0 => port.receive(now, alice(), enemy.noise([0x80, 0], 8), &mut out),
        1 => port.receive(now, alice(), enemy.noise([0x81, 203], 4), &mut out),
        2 => port.receive(now, mallory(), enemy.noise([0x80, 0], 8), &mut out),
        3 => port.receive(now, mallory(), enemy.noise([0xff, 1], 8), &mut out),
        old => {
            let from = if old == 4 { alice() } else { mallory() };
            let copied = enemy.throw() as usize % enemy.seen.len();
            port.receive(now, from, &enemy.seen[copied], &mut out)
        }
    };
    assert_eq!((taken, out.len()), (Taken::Done, 0));
    evening.note(0, &mut out);
}

/// Twenty seconds of talk, with an enemy or without.
fn evening(hostile: bool) -> (Evening, Bob) {
    let mut bob = Bob::new();
    let (check, mut hers, mut his, loudspeaker) = begin(&mut bob);
    let mut evening = Evening::default();
    let mut enemy = Enemy {
        dice: 7,
        seen: Vec::new(),
        strange: bob.check(Some("unknown"), Some("guessed"), 2),
        guessed: bob.check(None, Some("guessed"), 3),
        check,
        ssrc: 9u32.to_be_bytes(),
        buffer: [0; 192],
    };
    let began = bob.now;
    for tick in 1..=TICKS {
        let now = TICK * tick;
        bob.now = began + now;
        let mut out = Vec::new();
        hers.run(now, &mut out);
        let sent = out.drain(..).filter_map(|one| match one {
            Out::Send { bytes, .. } => Some(bytes),
            Out::Tell(..) => None,
        });
        for bytes in sent {
            let mut out = Vec::new();
            his.receive(now, alice(), &bytes, &mut out);
            evening.note(tick, &mut out);
            enemy.seen.push(bytes);
        }
        for number in 0..if hostile { BURST } else { 0 } {
            let number = tick as usize * BURST + number;
            attack(&mut enemy, number, &mut bob, &mut his, &mut evening);
        }
        let mut out = Vec::new();
        his.run(now, &mut out);
        evening.note(tick, &mut out);
    }
    evening.heard = loudspeaker.0.lock().expect("nobody panics with it").clone();
    (evening, bob)
}

#[test]
fn a_million_forged_and_copied_datagrams_change_nothing_that_bob_hears_or_sends() {
    let (quiet, _) = evening(false);
    assert!(quiet.heard.len() > 155_000, "{} samples", quiet.heard.len());
    let (attacked, bob) = evening(true);
    assert!(attacked == quiet);
    // Nobody was told of another flow or another place.
    assert!(bob.flows.is_empty());
    // To an address five refusals a second; each of alice's checks was answered again.
    let refusals = bob.answers.iter().filter(|(to, _)| *to == mallory()).count();
    assert!((100..=105).contains(&refusals), "{refusals}");
}
