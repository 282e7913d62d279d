//! Two agents and their server in a bad network, with strangers shouting at all of them.
//!
//! Oracles: no panic; everything that anybody sends is valid SIP (the world sees to it); the same
//! course of events gives the same ladder (P59); afterwards the chatter dies down (P55).

use crate::{Bend, bent};
use bytes::Bytes;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use presently_engine::agent::{Command, Package};
use presently_engine::body::pidf::{Basic, Mode};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::{Aor, Message, Reply};
use presently_engine::{Input, Peer};
use presently_tests::stage::DOMAIN;
use presently_tests::world::SERVER;
use presently_tests::{Carried, World};
use std::net::SocketAddr;
use std::time::Duration;

const NAMES: [&str; 2] = ["alice", "bob"];
const STEPS: usize = 60;
/// In two quiet minutes agents refresh and repeat what is still owed, and that is all.
const CHATTER: usize = 400;

/// One thing that happens.
#[derive(Arbitrary, Clone, Debug)]
#[allow(missing_docs)]
pub enum Step {
    /// A user wants something.
    Want { name: u8, wish: Wish },
    /// A datagram from anywhere (the server's address included) to anybody.
    Noise { to: u8, from: u8, bytes: Vec<u8> },
    /// Something that was sent before comes again, perhaps changed, to whom it was for or not.
    Replay { nth: u16, to: Option<u8>, bend: Option<Bend> },
    /// From now on the network loses and copies by this pattern.
    Weather { pattern: u32 },
    /// Time passes.
    Pass { quarters: u8 },
    /// Much time passes.
    Sleep { minutes: u8 },
    /// The server is killed and comes back.
    Crash { seconds: u8 },
    /// An agent hears that the server cannot be reached.
    Lost { name: u8 },
}

/// What a user wants.
#[derive(Arbitrary, Clone, Debug)]
#[allow(missing_docs)]
pub enum Wish {
    Login,
    Logout,
    Presence { open: bool, note: Option<String> },
    Offer { ready: u8 },
    Subscribe { target: u8, winfo: bool, expires: Option<u16> },
    Unsubscribe { target: u8, winfo: bool },
    Fetch { target: u8 },
    Decide { watcher: u8, handling: u8 },
    Message { target: u8, text: String },
}

/// Plays the steps.
pub fn perform(steps: &[Step]) {
    let drawing = play(steps);
    if steps.len() % 8 == 0 {
        assert!(play(steps) == drawing, "equal courses gave unequal ladders (P59)");
    }
}

fn play(steps: &[Step]) -> String {
    let mut world = World::new(&NAMES);
    for name in NAMES {
        world.command(name, Command::Login);
    }
    world.pass(Duration::from_secs(1));
    for step in steps.iter().take(STEPS) {
        happen(&mut world, step);
    }
    world.calm();
    world.pass(Duration::from_secs(100));
    let before = world.ladder.len();
    world.pass(Duration::from_secs(120));
    let chatter = world.ladder.len() - before;
    let drawing = world.drawing();
    assert!(
        chatter <= CHATTER,
        "{chatter} messages in two quiet minutes (P55):\n{}",
        tail(&drawing)
    );
    drawing
}

/// The last forty lines.
fn tail(drawing: &str) -> String {
    let lines: Vec<&str> = drawing.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

fn happen(world: &mut World, step: &Step) {
    match step {
        Step::Want { name, wish } => world.command(one(*name), command(wish)),
        Step::Noise { to, from, bytes } => {
            deliver(world, socket(world, *from), socket(world, *to), bytes.clone());
        }
        Step::Replay { nth, to, bend } => {
            let count = world.ladder.len().max(1);
            let Some(rung) = world.ladder.get(usize::from(*nth) % count).cloned() else { return };
            let bytes = bent(whole(&rung.message), bend.as_ref());
            let to = to.map_or(rung.to, |to| socket(world, to));
            deliver(world, rung.from, to, bytes);
        }
        Step::Weather { pattern } => {
            let (pattern, mut turn) = (*pattern, 0u32);
            world.network(move |_, _, _| {
                turn = turn.wrapping_add(1);
                match pattern.rotate_left(turn * 2) & 3 {
                    3 => Carried::Lost,
                    2 => Carried::Twice,
                    _ => Carried::Once,
                }
            });
        }
        Step::Pass { quarters } => world.pass(Duration::from_millis(250) * u32::from(*quarters)),
        Step::Sleep { minutes } => world.pass(Duration::from_secs(60) * u32::from(*minutes)),
        Step::Crash { seconds } => world.crash_server(Duration::from_secs(u64::from(*seconds))),
        Step::Lost { name } => {
            let addr = world.addr(one(*name));
            world.input_user(addr, Input::Lost { peer: Peer::new(SERVER) });
        }
    }
}

fn whole(message: &Message) -> Vec<u8> {
    message.headers().bytes().to_vec()
}

fn deliver(world: &mut World, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
    let (from, bytes) = (Peer::new(from), Bytes::from(bytes));
    if !is_answerable(&bytes) {
        return;
    }
    if to == SERVER {
        world.input_server(Input::Packet { from, bytes });
    } else if NAMES.iter().any(|name| world.addr(name) == to) {
        world.input_user(to, Input::Packet { from, bytes });
    }
}

/// The world takes only valid SIP from anybody, and a 400 can be no better than what it answers;
/// such noise is for the server alone, in `yard`.
fn is_answerable(bytes: &Bytes) -> bool {
    let source = SocketAddr::from(([203, 0, 113, 9], 5060));
    let answer = match Message::parse(bytes.clone()) {
        Err(malformed) => malformed.request.map(|request| Reply::new(&request, source, 400, "tag")),
        Ok(_) => None,
    };
    answer.is_none_or(|answer| Message::parse(answer.into_writer().finish()).is_ok())
}

fn socket(world: &World, index: u8) -> SocketAddr {
    match index % 4 {
        0 => SERVER,
        1 => world.addr(NAMES[0]),
        2 => world.addr(NAMES[1]),
        _ => SocketAddr::from(([203, 0, 113, 9], 5060)),
    }
}

fn one(index: u8) -> &'static str {
    NAMES[usize::from(index) % NAMES.len()]
}

fn command(wish: &Wish) -> Command {
    let aor = |index: &u8| Aor::new(one(*index), DOMAIN);
    let package = |winfo: &bool| if *winfo { Package::Winfo } else { Package::Presence };
    match wish {
        Wish::Login => Command::Login,
        Wish::Logout => Command::Logout,
        Wish::Presence { open, note } => {
            let basic = if *open { Basic::Open } else { Basic::Closed };
            Command::SetPresence { basic, note: note.as_deref().map(Into::into) }
        }
        Wish::Offer { ready } => {
            let mode = [Mode::Ready, Mode::Busy, Mode::Off][usize::from(*ready) % 3];
            let codecs = vec![(0, "PCMU/8000").into()];
            Command::SetOffer { media: "audio".into(), port: 40_000, codecs, mode }
        }
        Wish::Subscribe { target, winfo, expires } => Command::Subscribe {
            target: aor(target),
            package: package(winfo),
            expires: expires.map(u32::from),
        },
        Wish::Unsubscribe { target, winfo } => {
            Command::Unsubscribe { target: aor(target), package: package(winfo) }
        }
        Wish::Fetch { target } => Command::Fetch { target: aor(target) },
        Wish::Decide { watcher, handling } => {
            let handlings =
                [None, Some(Handling::Allow), Some(Handling::Block), Some(Handling::PoliteBlock)];
            let handling = handlings[usize::from(*handling) % handlings.len()];
            let verdict = handling.map(|handling| Verdict { handling, direct: true });
            Command::Decide { watcher: aor(watcher), verdict }
        }
        Wish::Message { target, text } => {
            Command::SendMessage { target: aor(target), text: text.as_str().into(), ticket: 7 }
        }
    }
}
