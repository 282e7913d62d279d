//! The paper's form at a port: who is welcome knocks, and is heard from its first packet on.

use super::*;
use presently_engine::agent::{DirectStream, Way};

const PATIENCE: Duration = Duration::from_millis(200);

/// A stream of the paper's form: who sends knows no SSRC of the other side.
fn stream(from: SocketAddr, to: SocketAddr, way: Way, ssrc: u32, remote_ssrc: u32) -> Stream {
    let (port, remote, codec) = (from.port(), to, pcmu());
    let stream = DirectStream { port, remote, codec, ssrc, remote_ssrc, keys: None, budget: None };
    Stream::direct(&stream, way)
}

fn speaks(from: SocketAddr, to: SocketAddr, ssrc: u32) -> Stream {
    stream(from, to, Way::Out, ssrc, 0)
}

fn welcome(world: &mut World, at: SocketAddr, host: SocketAddr) {
    world.order(at, Order::Welcome([host.ip()].into()));
}

/// An RTP packet of somebody.
fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
    let payload = Bytes::from_static(&[0xff; 160]);
    let timestamp = u32::from(sequence) * 160;
    let packet = Packet { marker: false, payload_type: 0, sequence, timestamp, ssrc, payload };
    let mut bytes = Vec::new();
    packet.write(&mut bytes);
    bytes
}

#[test]
fn who_is_welcome_knocks_once_and_nothing_it_said_is_lost() {
    let mut world = World::new();
    let said = melody(8000, 2);
    let memory = Memory::default();
    welcome(&mut world, bob(), alice());
    world.start(alice(), TALK, &speaks(alice(), bob(), 11), mouth(&said));
    world.pass(25);
    assert_eq!(world.knocks, [(bob(), alice(), 11, 0)]);
    let into = stream(bob(), alice(), Way::In, 22, 11);
    world.start(bob(), REPLY, &into, ear(&memory));
    world.pass(2500);
    let figures = world.figures(bob());
    assert_eq!((figures.packets.received, figures.packets.lost), (100, 0));
    let report = Dropped { unbound: 1, unknown: 0 };
    assert_eq!(world.ports[&bob()].dropped(), report, "that went with the first packet");
    let (alike, delay) = correlation(&said, &memory.samples(), 320);
    assert!(alike > 0.99, "{alike} at {delay}");
    assert_eq!(world.knocks.len(), 1);
}

#[test]
fn who_is_not_welcome_is_thrown_away_as_ever() {
    let mut world = World::new();
    assert_eq!(world.receive(alice(), bob(), &packet(11, 0)), Taken::Done, "nobody is");
    welcome(&mut world, bob(), alice());
    assert_eq!(world.receive(mallory(), bob(), &packet(11, 0)), Taken::Done);
    let report = crate::rtp::rtcp::write(&[Part::Bye { sources: vec![11] }]);
    assert_eq!(world.receive(alice(), bob(), &report), Taken::Done, "media alone knocks");
    assert_eq!(world.ports[&bob()].dropped(), Dropped { unbound: 3, unknown: 0 });
    let knock = Taken::Knock { ssrc: 11, pt: 0 };
    assert_eq!(world.receive(alice(), bob(), &packet(11, 0)), knock);
    // Whoever is not welcome any more is forgotten with what it said.
    world.order(bob(), Order::Welcome([mallory().ip()].into()));
    let memory = Memory::default();
    world.start(bob(), REPLY, &stream(bob(), alice(), Way::In, 22, 11), ear(&memory));
    world.pass(100);
    assert!(memory.samples().iter().all(|sample| *sample == 0));
    assert_eq!(world.ports[&bob()].flows[&REPLY].figures().packets.received, 0);
    assert!(
        world.sent_by(bob(), Kind::Stun).is_empty() && world.sent_by(bob(), Kind::Rtp).is_empty()
    );
}

/// However many packets come, the agent is asked about one sender at a host, five times a second.
#[test]
fn a_flood_of_a_welcome_host_is_a_few_knocks_and_a_few_packets() {
    let mut world = World::new();
    welcome(&mut world, bob(), alice());
    for round in 0..5u32 {
        for ssrc in 0..200 {
            world.receive(alice(), bob(), &packet(round * 1000 + ssrc, 0));
        }
        for sequence in 1..200 {
            world.receive(alice(), bob(), &packet(round * 1000, sequence));
        }
        world.now += PATIENCE;
    }
    let knocked: Vec<u32> = world.knocks.iter().map(|(_, _, ssrc, _)| *ssrc).collect();
    assert_eq!(knocked, [0, 1000, 2000, 3000, 4000]);
    let memory = Memory::default();
    world.now -= PATIENCE;
    world.start(bob(), REPLY, &stream(bob(), alice(), Way::In, 22, 4000), ear(&memory));
    assert_eq!(world.ports[&bob()].flows[&REPLY].figures().packets.received, 32);
}

/// R81: the same two ports, each way without a check. Either side's BYE ends what it is about.
#[test]
fn two_speak_to_each_other_between_the_same_two_ports() {
    let mut world = World::new();
    let (alices, bobs) = (melody(8000, 3), melody(8000, 4));
    let (at_alice, at_bob) = (Memory::default(), Memory::default());
    welcome(&mut world, alice(), bob());
    welcome(&mut world, bob(), alice());
    world.start(alice(), TALK, &speaks(alice(), bob(), 11), mouth(&alices));
    world.pass(30);
    world.start(bob(), REPLY, &stream(bob(), alice(), Way::In, 22, 11), ear(&at_bob));
    world.pass(100);
    world.start(bob(), TALK, &speaks(bob(), alice(), 33), mouth(&bobs));
    world.pass(30);
    assert_eq!(world.knocks, [(bob(), alice(), 11, 0), (alice(), bob(), 33, 0)]);
    world.start(alice(), REPLY, &stream(alice(), bob(), Way::In, 44, 33), ear(&at_alice));
    world.pass(2000);
    for at in [alice(), bob()] {
        let heard = world.ports[&at].flows[&REPLY].figures().packets;
        assert!(heard.received > 90 && heard.lost == 0, "{heard:?}");
        assert_eq!(world.ports[&at].flows[&TALK].figures().packets.received, 0);
        assert!(world.ports[&at].dropped().unbound <= 1, "a report before the first packet");
    }
    let bye = |ssrc| Order::Bye { to: alice(), ssrc, keys: None };
    world.order(bob(), bye(22));
    world.pass(300);
    let byes = |world: &World| -> Vec<(SocketAddr, Id)> {
        let told = world.told.iter().filter(|(_, _, _, told)| *told == Told::Bye);
        told.map(|(at, _, id, _)| (*at, *id)).collect()
    };
    assert!(byes(&world).iter().all(|bye| *bye == (alice(), TALK)), "{:?}", byes(&world));
    assert!(!byes(&world).is_empty(), "who listens is believed that it does not any more");
    world.told.clear();
    world.order(bob(), bye(33));
    world.pass(300);
    assert!(!byes(&world).is_empty());
    assert!(byes(&world).iter().all(|bye| *bye == (alice(), REPLY)), "{:?}", byes(&world));
}

/// Early media (K16) becomes a flow of somebody who answered, and whose BYE counts.
#[test]
fn the_bye_of_who_answered_late_is_believed() {
    let (mut world, ..) = talk(2, None);
    let (_, into) = direct(alice(), bob(), (11, 22), None);
    let early = DirectStream {
        port: alice().port(),
        remote: bob(),
        codec: pcmu(),
        ssrc: 11,
        remote_ssrc: 0,
        keys: None,
        budget: Some(2),
    };
    let answered = DirectStream { remote_ssrc: 22, budget: None, ..early.clone() };
    world.start(bob(), TALK, &into, ear(&Memory::default()));
    world.start(alice(), TALK, &Stream::direct(&early, Way::Out), mouth(&melody(8000, 2)));
    world.pass(100);
    world.order(alice(), Order::Change(TALK, Box::new(Stream::direct(&answered, Way::Out))));
    world.pass(100);
    world.order(bob(), Order::Bye { to: alice(), ssrc: 22, keys: None });
    world.pass(100);
    assert!(!world.times(alice(), &Told::Bye).is_empty());
}
