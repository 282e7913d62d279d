use super::*;
use crate::audio::rig::{correlation, melody};
use crate::media::rig::{Memory, direct, ear, mouth};
use presently_engine::agent::FlowId;
use std::time::Duration;
use tokio::time::{Instant as Moment, timeout};

const TALK: Id = Id::Direct(FlowId(1));
const LOOPBACK: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn media(seed: u64) -> Begun {
    let mut dice = crate::rtp::rig::Dice::new(seed);
    let clock = Clock::starting_at(Instant::from_millis(1_800_000_000_000));
    let chance = Box::new(move || dice.throw());
    Media::begin(Setup { clock, address: LOOPBACK, chance, gate: None })
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::new(LOOPBACK, port)
}

/// The next thing of this kind that is told about a flow.
async fn until(begun: &mut Begun, wanted: impl Fn(&Told) -> bool) -> Happening {
    let told = async {
        loop {
            let happening = begun.happenings.recv().await.expect("media lives");
            if wanted(&happening.told) {
                return happening;
            }
        }
    };
    timeout(Duration::from_secs(60), told).await.expect("it is told within a minute")
}

/// Alice's and Bob's media, with a port each.
fn pair() -> (Begun, u16, Begun, u16) {
    let (mut alice, mut bob) = (media(1), media(2));
    let from = alice.media.open(None).expect("a free pair of ports");
    let to = bob.media.open(None).expect("a free pair of ports");
    assert!(from % 2 == 0 && to % 2 == 0);
    (alice, from, bob, to)
}

#[tokio::test(start_paused = true)]
async fn a_wav_that_is_sent_is_the_wav_that_was_received() {
    let (mut alice, from, mut bob, to) = pair();
    let folder = tempfile::tempdir().expect("a folder");
    let name = |file: &str| format!("wav:{}", folder.path().join(file).display());
    let said = melody(8000, 3);
    let mut file = crate::audio::device::sink(&name("said.wav"), 8000).expect("created");
    said.chunks(160).for_each(|tick| file.push(tick));
    drop(file);

    let keys = Some(([1; 30], [2; 30]));
    let (out, into) = direct(at(from), at(to), (11, 22), keys);
    let hears = Ends::audio("PCMU/8000", None, Some(&name("heard.wav"))).expect("a file");
    let speaks = Ends::audio("PCMU/8000", Some(&name("said.wav")), None).expect("a file");
    bob.media.start(TALK, into, hears).expect("the port is open");
    alice.media.start(TALK, out, speaks).expect("the port is open");

    let sent = until(&mut alice, |told| *told == Told::FirstSent).await;
    let played = until(&mut bob, |told| *told == Told::FirstPlayed).await;
    let between = played.at.since(sent.at);
    assert!((20..=40).contains(&between.as_millis()), "{between:?}");
    until(&mut alice, |told| *told == Told::SourceOver).await;
    alice.media.stop(TALK, true);
    until(&mut bob, |told| *told == Told::Bye).await;
    bob.media.stop(TALK, false);
    let Told::Stopped(figures) =
        until(&mut bob, |told| matches!(told, Told::Stopped(_))).await.told
    else {
        panic!("it was asked for")
    };
    assert_eq!((figures.packets.received, figures.packets.lost), (150, 0));
    assert_eq!(figures.rendered.concealed + figures.rendered.late, 0, "{figures:?}");

    let mut file = crate::audio::device::source(&name("heard.wav")).expect("it is there");
    let mut heard = Vec::new();
    while file.pull(&mut heard) {}
    let (alike, delay) = correlation(&said, &heard, 320);
    assert!(alike > 0.999, "{alike} at {delay}");
}

#[tokio::test(start_paused = true)]
async fn packets_leave_by_the_clock() {
    let (mut alice, from, mut bob, to) = pair();
    let (out, into) = direct(at(from), at(to), (11, 22), None);
    bob.media.start(TALK, into, ear(&Memory::default())).expect("the port is open");
    alice.media.start(TALK, out, mouth(&melody(8000, 60))).expect("the port is open");
    let begin = Moment::now();
    for second in 1..=10 {
        until(&mut alice, |told| matches!(told, Told::Statistics(_))).await;
        assert_eq!(begin.elapsed().as_millis(), second * 1000);
    }
    alice.media.stop(TALK, true);
    let stopped = until(&mut alice, |told| matches!(told, Told::Stopped(_))).await;
    let Told::Stopped(figures) = stopped.told else { panic!("it was asked for") };
    assert_eq!(figures.packets.sent, 501);
}

#[tokio::test(start_paused = true)]
async fn stun_goes_to_the_owner_and_its_answer_back() {
    let (mut alice, from, mut bob, to) = pair();
    alice.media.send(from, at(to), Bytes::from_static(&[0, 1, 2, 3]));
    let asked = bob.stun.recv().await.expect("media lives");
    let bytes = Bytes::from_static(&[0, 1, 2, 3]);
    assert_eq!(asked, Stun { port: to, from: at(from), bytes });
    bob.media.send(to, asked.from, Bytes::from_static(&[1, 1]));
    assert_eq!(alice.stun.recv().await.expect("media lives").bytes[..], [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_port_where_nobody_listens_is_unreachable() {
    let (mut alice, from, bob, to) = pair();
    drop(bob);
    // The task of the port ends when it is next polled.
    tokio::task::yield_now().await;
    let (out, _) = direct(at(from), at(to), (11, 22), None);
    alice.media.start(TALK, out, mouth(&melody(8000, 5))).expect("the port is open");
    let begin = Moment::now();
    until(&mut alice, |told| *told == Told::Unreachable).await;
    assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn closing_a_port_says_bye_and_frees_it() {
    let (mut alice, from, mut bob, to) = pair();
    let (out, into) = direct(at(from), at(to), (11, 22), None);
    bob.media.start(TALK, into, ear(&Memory::default())).expect("the port is open");
    alice.media.start(TALK, out, mouth(&melody(8000, 5))).expect("the port is open");
    until(&mut bob, |told| *told == Told::FirstPlayed).await;
    alice.media.finish().await;
    until(&mut bob, |told| *told == Told::Bye).await;
    assert_eq!(alice.media.open(Some(from)).expect("it is free again"), from);
}

#[tokio::test]
async fn a_flow_needs_an_open_port() {
    let mut alice = media(1);
    let (out, _) = direct(at(40_000), at(50_000), (11, 22), None);
    let why = alice.media.start(TALK, out, Ends::default()).expect_err("nothing is open");
    assert_eq!(why.to_string(), "no media port 40000 is open");
    let port = alice.media.open(None).expect("a free pair of ports");
    let taken = media(2).media.open(Some(port)).expect_err("it is taken");
    assert_eq!(taken.to_string(), format!("cannot listen on udp:127.0.0.1:{port}: address in use"));
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_no_flow_is_counted() {
    let (alice, from, bob, to) = pair();
    alice.media.send(from, at(to), Bytes::from_static(&[0x80; 40]));
    alice.media.send(from, at(to), Bytes::from_static(&[0xff; 40]));
    let begin = Moment::now();
    while bob.media.dropped(to).unbound + bob.media.dropped(to).unknown < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", bob.media.dropped(to));
    }
    assert_eq!(bob.media.dropped(to), Dropped { unbound: 1, unknown: 1 });
}

#[tokio::test(start_paused = true)]
async fn five_hundred_flows_are_received_without_loss() {
    const FLOWS: u16 = 500;
    let (mut alice, mut bob) = (media(1), media(2));
    let from = alice.media.open(None).expect("a free pair of ports");
    let said = melody(8000, 1);
    for flow in 1..=FLOWS {
        let socket = crate::udp::bind(at(0)).expect("a free port");
        let to = bob.media.adopt(Sockets::shared(socket)).expect("it is bound");
        let ssrcs = (u32::from(flow), 0x8000_0000 + u32::from(flow));
        let (out, into) = direct(at(from), at(to), ssrcs, None);
        let id = Id::Direct(FlowId(flow.into()));
        bob.media.start(id, into, ear(&Memory::default())).expect("the port is open");
        alice.media.start(id, out, mouth(&said)).expect("the port is open");
    }
    let mut whole = std::collections::BTreeSet::new();
    while whole.len() < usize::from(FLOWS) {
        let happening = until(&mut bob, |told| matches!(told, Told::Statistics(_))).await;
        let Told::Statistics(figures) = happening.told else { panic!("it was asked for") };
        assert_eq!((figures.packets.lost, figures.rendered.late), (0, 0), "{figures:?}");
        if figures.packets.received == 50 && figures.rendered.played == 50 {
            whole.insert(happening.id);
        }
    }
}
