mod paper;
mod pictures;

use super::*;
use crate::audio::rig::{correlation, melody};
use crate::media::rig::{Memory, direct, ear, mouth, pcmu};
use crate::rtp::rig::{Dice, Link};
use crate::rtp::{Packet, Part};
use presently_engine::agent::CallId;
use presently_engine::body::sdp::Direction;

const MS: Duration = Duration::from_millis(1);
const TALK: Id = Id::Direct(FlowId(1));
const REPLY: Id = Id::Direct(FlowId(2));
const KEYS: (MasterKey, MasterKey) = ([1; 30], [2; 30]);

fn alice() -> SocketAddr {
    "192.0.2.1:40000".parse().expect("an address")
}

fn bob() -> SocketAddr {
    "192.0.2.2:50000".parse().expect("an address")
}

fn mallory() -> SocketAddr {
    "192.0.2.66:666".parse().expect("an address")
}

fn chance(ssrc: u32) -> Chance {
    Chance { ssrc, sequence: 65_000, timestamp: u32::MAX - 500, dice: 7 }
}

/// Two ports, a network between them, and what was told.
struct World {
    now: Duration,
    ports: BTreeMap<SocketAddr, Port>,
    link: Link<(SocketAddr, SocketAddr, Bytes)>,
    told: Vec<(SocketAddr, u128, Id, Told)>,
    /// Every datagram sent: when, by whom, what.
    sent: Vec<(u128, SocketAddr, Bytes)>,
    /// Who knocked: at whose port, from where, SSRC and payload type.
    knocks: Vec<(SocketAddr, SocketAddr, u32, u8)>,
}

impl World {
    fn new() -> Self {
        let ports = [(alice(), Port::new(1 << 33, "alice")), (bob(), Port::new(1 << 33, "bob"))];
        Self {
            now: Duration::ZERO,
            ports: ports.into(),
            link: Link::new(1),
            told: Vec::new(),
            sent: Vec::new(),
            knocks: Vec::new(),
        }
    }

    fn order(&mut self, at: SocketAddr, order: Order) {
        let mut out = Vec::new();
        let port = self.ports.get_mut(&at).expect("a port");
        port.order(self.now, order, &mut out);
        self.carry_out(at, out);
    }

    fn start(&mut self, at: SocketAddr, id: Id, stream: &Stream, ends: Ends) {
        self.order(at, Order::Start(id, Box::new(stream.clone()), ends, chance(at.port().into())));
    }

    fn carry_out(&mut self, at: SocketAddr, out: Vec<Out>) {
        for one in out {
            match one {
                Out::Send { to, bytes, .. } => {
                    self.sent.push((self.now.as_millis(), at, bytes.clone()));
                    self.link.put(self.now, (at, to, bytes));
                }
                Out::Tell(id, told) => self.told.push((at, self.now.as_millis(), id, told)),
            }
        }
    }

    fn receive(&mut self, from: SocketAddr, at: SocketAddr, bytes: &[u8]) -> Taken {
        let mut out = Vec::new();
        let port = self.ports.get_mut(&at).expect("a port");
        let taken = port.receive(self.now, from, bytes, &mut out);
        self.carry_out(at, out);
        if let Taken::Knock { ssrc, pt } = taken {
            self.knocks.push((at, from, ssrc, pt));
        }
        taken
    }

    /// Lets milliseconds pass.
    fn pass(&mut self, ms: u32) {
        for _ in 0..ms {
            self.now += MS;
            for (_, (from, to, bytes)) in self.link.take(self.now) {
                if self.ports.contains_key(&to) {
                    self.receive(from, to, &bytes);
                }
            }
            for at in [alice(), bob()] {
                let port = self.ports.get_mut(&at).expect("a port");
                let mut out = Vec::new();
                if port.due().is_some_and(|due| due <= self.now) {
                    port.run(self.now, &mut out);
                }
                self.carry_out(at, out);
            }
        }
    }

    /// When something was told, by whom it was asked for.
    fn times(&self, at: SocketAddr, what: &Told) -> Vec<u128> {
        let said = self.told.iter().filter(|(by, _, _, told)| *by == at && told == what);
        said.map(|(_, ms, _, _)| *ms).collect()
    }

    fn sent_by(&self, at: SocketAddr, kind: Kind) -> Vec<(u128, Bytes)> {
        let sent = self.sent.iter().filter(|(_, by, one)| *by == at && Kind::of(one) == kind);
        sent.map(|(ms, _, bytes)| (*ms, bytes.clone())).collect()
    }

    fn figures(&self, at: SocketAddr) -> Figures {
        let last = self.told.iter().rev().find_map(|(by, _, _, told)| match told {
            Told::Statistics(figures) | Told::Stopped(figures) if *by == at => Some(**figures),
            _ => None,
        });
        last.expect("figures were told")
    }
}

/// Alice talks to Bob.
fn talk(seconds: u32, keys: Keys) -> (World, Vec<i16>, Memory) {
    let mut world = World::new();
    let said = melody(8000, seconds);
    let memory = Memory::default();
    let (out, into) = direct(alice(), bob(), (11, 22), keys);
    world.start(bob(), TALK, &into, ear(&memory));
    world.pass(5);
    world.start(alice(), TALK, &out, mouth(&said));
    (world, said, memory)
}

#[test]
fn a_sound_goes_from_one_port_to_the_other_with_srtp_or_without() {
    for keys in [None, Some(KEYS)] {
        let (mut world, said, memory) = talk(3, keys);
        world.pass(4300);
        let (alike, delay) = correlation(&said, &memory.samples(), 320);
        assert!(alike > 0.999, "{alike} at {delay}");
        // 20 ms of way and a frame of delay.
        assert_eq!(world.times(alice(), &Told::FirstSent), [5]);
        assert_eq!(world.times(bob(), &Told::FirstPlayed), [45]);
        assert_eq!(world.times(alice(), &Told::SourceOver), [3005]);
        let figures = world.figures(bob());
        assert_eq!((figures.packets.received, figures.packets.lost), (150, 0));
        assert_eq!((figures.rendered.played, figures.unproved), (150, 0));
        let heard = world.times(bob(), &Told::Heard);
        assert!((3..=5).contains(&heard.len()), "{heard:?}");
        let clear = world.sent_by(alice(), Kind::Rtp);
        let plain = clear.iter().all(|(_, one)| one.len() == 172);
        assert_eq!(plain, keys.is_none());
    }
}

#[test]
fn packets_leave_every_twenty_milliseconds_and_reports_come_back_from_the_beginning() {
    let (mut world, ..) = talk(2, None);
    world.pass(2000);
    let packets = world.sent_by(alice(), Kind::Rtp);
    let times: Vec<u128> = packets.iter().map(|(ms, _)| *ms).collect();
    assert_eq!(times, (0..100).map(|tick| 5 + 20 * tick).collect::<Vec<_>>());
    let reports = world.sent_by(bob(), Kind::Rtcp);
    assert_eq!(reports[0].0, 0);
    let parts = crate::rtp::rtcp::parse(&reports[0].1).expect("RTCP");
    assert!(matches!(&parts[0], Part::ReceiverReport { ssrc: 22, .. }), "{parts:?}");
}

#[test]
fn nobody_else_is_heard_or_answered() {
    let (mut world, _, memory) = talk(2, None);
    world.pass(1000);
    let packets = world.sent_by(alice(), Kind::Rtp);
    let (sent, played) = (world.sent.len(), memory.samples().len());
    let before = world.ports[&bob()].flows[&TALK].figures();
    // Right in every octet, from elsewhere.
    for (_, packet) in &packets {
        assert_eq!(world.receive(mallory(), bob(), packet), Taken::Done);
    }
    let bye = crate::rtp::rtcp::write(&[Part::Bye { sources: vec![11] }]);
    world.receive(mallory(), bob(), &bye);
    // From the right address, of another sender.
    let mut other = packets[9].1.to_vec();
    other[8..12].copy_from_slice(&33u32.to_be_bytes());
    world.receive(alice(), bob(), &other);
    let port = &world.ports[&bob()];
    assert_eq!(port.dropped(), Dropped { unbound: packets.len() as u64 + 2, unknown: 0 });
    assert_eq!((world.sent.len(), memory.samples().len()), (sent, played));
    assert_eq!(world.times(bob(), &Told::Bye), []);
    assert_eq!(port.flows[&TALK].figures().packets.received, before.packets.received);
}

#[test]
fn forged_datagrams_play_nothing_and_draw_no_answer() {
    let memory = Memory::default();
    let mut world = World::new();
    let (_, into) = direct(alice(), bob(), (11, 22), Some(KEYS));
    world.start(bob(), TALK, &into, ear(&memory));
    let sent = world.sent.len();
    let mut dice = Dice::new(2);
    let mut stun = 0;
    for _ in 0..20_000 {
        let length = dice.below(60) as usize;
        let mut datagram: Vec<u8> = (0..length).map(|_| dice.below(256) as u8).collect();
        if let Some(first) = datagram.first_mut().filter(|_| dice.chance(80)) {
            *first = 0x80;
        }
        if length > 12 && dice.chance(50) {
            datagram[8..12].copy_from_slice(&11u32.to_be_bytes());
        }
        let from = if dice.chance(50) { alice() } else { mallory() };
        stun += u32::from(world.receive(from, bob(), &datagram) == Taken::Stun);
    }
    assert!(stun > 0);
    assert_eq!(world.sent.len(), sent);
    assert_eq!(world.told, []);
    assert_eq!(memory.samples(), []);
    assert!(world.ports[&bob()].flows[&TALK].figures().unproved > 2000);
}

#[test]
fn who_receives_never_sends_even_if_there_is_a_microphone() {
    let mut world = World::new();
    let (_, into) = direct(alice(), bob(), (11, 22), None);
    let both = Ends { render: ear(&Memory::default()).render, ..mouth(&melody(8000, 1)) };
    world.start(bob(), TALK, &into, both);
    world.pass(500);
    assert_eq!(world.sent_by(bob(), Kind::Rtp), []);
    assert_eq!(world.sent_by(bob(), Kind::Rtcp).len(), 1);
}

#[test]
fn stun_is_somebody_elses_and_what_is_unknown_is_counted() {
    let mut world = World::new();
    assert_eq!(world.receive(mallory(), bob(), &[0, 1, 0, 0]), Taken::Stun);
    assert_eq!(world.receive(mallory(), bob(), &[22, 254]), Taken::Done);
    assert_eq!(world.receive(mallory(), bob(), &[]), Taken::Done);
    assert_eq!(world.ports[&bob()].dropped(), Dropped { unbound: 0, unknown: 2 });
}

#[test]
fn a_flow_ends_with_three_byes_and_nothing_after_them() {
    for keys in [None, Some(KEYS)] {
        let (mut world, ..) = talk(2, keys);
        world.pass(500);
        let before = world.sent.len();
        world.order(alice(), Order::Stop(TALK, true));
        world.pass(3000);
        let after = world.sent[before..].iter().filter(|(_, by, _)| *by == alice());
        let times: Vec<u128> = after.map(|(ms, _, _)| *ms).collect();
        assert_eq!(times, [505, 605, 705]);
        assert_eq!(world.times(bob(), &Told::Bye), [525, 625, 725]);
        assert!(world.ports[&alice()].is_idle());
        assert_eq!(world.ports[&alice()].due(), None);
    }
}

#[test]
fn a_receiver_that_ends_is_heard_by_the_sender_even_if_two_byes_are_lost() {
    let (mut world, ..) = talk(2, Some(KEYS));
    world.pass(500);
    world.link.loss = 100;
    world.order(bob(), Order::Stop(TALK, true));
    world.pass(150);
    world.link.loss = 0;
    world.pass(500);
    assert_eq!(world.times(alice(), &Told::Bye), [725]);
}

#[test]
fn a_bye_that_is_asked_for_after_the_end_has_the_right_key_and_index() {
    // The agent says that a flow is over and that BYE is to be said, in either order.
    for bye_first in [true, false] {
        let (mut world, ..) = talk(2, Some(KEYS));
        world.pass(500);
        let bye = Order::Bye { to: alice(), ssrc: 22, keys: Some((KEYS.1, KEYS.0)) };
        let stop = Order::Stop(TALK, false);
        let orders = if bye_first { [bye, stop] } else { [stop, bye] };
        for order in orders {
            world.order(bob(), order);
        }
        world.pass(500);
        assert_eq!(world.times(alice(), &Told::Bye), [525, 625, 725]);
        let stopped = world.told.iter().filter(|(_, _, _, told)| matches!(told, Told::Stopped(_)));
        assert_eq!(stopped.count(), 1);
    }
}

#[test]
fn a_session_that_never_was_is_ended_all_the_same() {
    let mut world = World::new();
    world.order(alice(), Order::Bye { to: bob(), ssrc: 77, keys: None });
    world.pass(1000);
    let byes = world.sent_by(alice(), Kind::Rtcp);
    assert_eq!(byes.iter().map(|(ms, _)| *ms).collect::<Vec<_>>(), [0, 100, 200]);
    let parts = crate::rtp::rtcp::parse(&byes[0].1).expect("RTCP");
    assert!(parts.contains(&Part::Bye { sources: vec![77] }), "{parts:?}");
}

/// X9: so many packets before somebody has consented, and no report.
#[test]
fn before_consent_no_more_leaves_than_was_granted() {
    let mut world = World::new();
    let (out, into) = direct(alice(), bob(), (11, 22), None);
    let early = Stream { budget: Some(3), ..out.clone() };
    world.start(alice(), TALK, &early, mouth(&melody(8000, 4)));
    world.pass(1000);
    assert_eq!(world.sent.len(), 3, "three packets and nothing else");
    world.start(bob(), TALK, &into, ear(&Memory::default()));
    world.order(alice(), Order::Change(TALK, Box::new(out)));
    world.pass(1000);
    assert!(world.sent.len() > 50, "{}", world.sent.len());
}

#[test]
fn on_hold_nothing_leaves_and_the_first_packet_after_it_is_marked() {
    let (mut world, ..) = talk(2, None);
    world.pass(500);
    world.order(alice(), Order::Hold(TALK, true));
    world.pass(500);
    world.order(alice(), Order::Hold(TALK, false));
    world.pass(500);
    let packets = world.sent_by(alice(), Kind::Rtp);
    let during = packets.iter().filter(|(ms, _)| (506..=1005).contains(ms)).count();
    assert_eq!(during, 0);
    let (_, next) = packets.iter().find(|(ms, _)| *ms > 1005).expect("it goes on");
    let (_, last) = packets.iter().rfind(|(ms, _)| *ms <= 505).expect("it began");
    let [last, next] = [last, next].map(|one| Packet::parse(one).expect("RTP"));
    assert!(next.marker);
    // No number is missing, but the time of the pause is in the timestamp.
    assert_eq!(next.sequence, last.sequence.wrapping_add(1));
    assert_eq!(next.timestamp.wrapping_sub(last.timestamp), 26 * 160);
}

#[test]
fn who_moved_is_heard_from_the_new_address_only() {
    let (mut world, _, memory) = talk(3, None);
    world.pass(500);
    let (_, mut into) = direct(alice(), bob(), (11, 22), None);
    (into.remote, into.control) = (Some(mallory()), Some(mallory()));
    world.order(bob(), Order::Change(TALK, Box::new(into)));
    let played = world.ports[&bob()].flows[&TALK].figures().rendered.played;
    world.pass(500);
    let port = &world.ports[&bob()];
    assert!(port.dropped().unbound >= 24, "{:?}", port.dropped());
    // What was here already is played.
    assert!(port.flows[&TALK].figures().rendered.played <= played + 2);
    let packet = world.sent_by(alice(), Kind::Rtp).pop().expect("a packet").1;
    let heard = memory.samples().len();
    world.receive(mallory(), bob(), &packet);
    world.pass(60);
    assert!(memory.samples().len() > heard);
}

#[test]
fn both_directions_share_two_ports_and_are_told_apart() {
    let mut world = World::new();
    let (hello, answer) = (melody(8000, 2), melody(8000, 3)[8000..].to_vec());
    let (at_bob, at_alice) = (Memory::default(), Memory::default());
    let (out, into) = direct(alice(), bob(), (11, 22), None);
    world.start(bob(), TALK, &into, ear(&at_bob));
    world.start(alice(), TALK, &out, mouth(&hello));
    let (out, into) = direct(bob(), alice(), (33, 44), None);
    world.start(alice(), REPLY, &into, ear(&at_alice));
    world.start(bob(), REPLY, &out, mouth(&answer));
    world.pass(2300);
    assert!(correlation(&hello, &at_bob.samples(), 320).0 > 0.999);
    assert!(correlation(&answer, &at_alice.samples(), 320).0 > 0.999);
    for port in world.ports.values() {
        assert_eq!(port.dropped(), Dropped::default());
    }
}

#[test]
fn three_refusals_of_the_network_within_two_seconds_are_told_once() {
    let (mut world, ..) = talk(2, None);
    let refuse = |world: &mut World, to| {
        let mut out = Vec::new();
        let port = world.ports.get_mut(&alice()).expect("a port");
        port.refused(world.now, to, &mut out);
        world.carry_out(alice(), out);
    };
    for _ in 0..5 {
        refuse(&mut world, mallory());
        refuse(&mut world, bob());
        world.pass(1100);
    }
    assert_eq!(world.times(alice(), &Told::Unreachable), []);
    for _ in 0..5 {
        refuse(&mut world, bob());
        world.pass(20);
    }
    assert_eq!(world.times(alice(), &Told::Unreachable).len(), 1);
}

#[test]
fn a_clock_that_stood_still_is_not_made_up_for() {
    let (mut world, ..) = talk(30, None);
    world.pass(100);
    let before = world.sent_by(alice(), Kind::Rtp).len();
    world.now += 10_000 * MS;
    world.pass(1);
    let burst = world.sent_by(alice(), Kind::Rtp).len() - before;
    assert!(burst <= 25, "{burst} packets at once");
    world.pass(200);
    assert_eq!(world.sent_by(alice(), Kind::Rtp).len() - before - burst, 10);
}

/// A call both ways, with telephone events.
fn call(remote: SocketAddr, control: SocketAddr, port: u16) -> Stream {
    Stream {
        port,
        remote: Some(remote),
        control: Some(control),
        codec: pcmu(),
        heard: vec![0],
        events: Some((101, 101)),
        ptime: None,
        direction: Direction::SendRecv,
        ssrc: None,
        remote_ssrc: None,
        keys: None,
        budget: None,
    }
}

#[test]
fn keys_pressed_in_a_call_are_told_at_the_other_side() {
    let mut world = World::new();
    let id = Id::Call(CallId(1), 0);
    let both = |memory: &Memory| Ends { render: ear(memory).render, ..mouth(&melody(8000, 5)) };
    let memory = Memory::default();
    world.start(alice(), id, &call(bob(), bob(), 40_000), both(&memory));
    world.start(bob(), id, &call(alice(), alice(), 50_000), both(&memory));
    world.pass(500);
    world.order(alice(), Order::Dial(id, "42#".into()));
    world.pass(1500);
    let keys = world.told.iter().filter_map(|(at, _, _, told)| match told {
        Told::Key(key) if *at == bob() => Some(*key),
        _ => None,
    });
    assert_eq!(keys.collect::<String>(), "42#");
    let seen = world.figures(bob());
    assert_eq!((seen.packets.lost, seen.other_types), (0, 0));
}

#[test]
fn without_rtcp_mux_control_packets_have_the_port_above() {
    let mut world = World::new();
    let id = Id::Call(CallId(1), 0);
    let mut above = bob();
    above.set_port(50_001);
    let stream = call(bob(), above, 40_000);
    assert!(stream.is_split());
    let mut out = Vec::new();
    let port = world.ports.get_mut(&alice()).expect("a port");
    let order = Order::Start(id, Box::new(stream), mouth(&melody(8000, 1)), chance(5));
    port.order(Duration::ZERO, order, &mut out);
    let mut ways = Vec::new();
    for one in &out {
        if let Out::Send { control, to, bytes } = one {
            ways.push((*control, *to, Kind::of(bytes)));
        }
    }
    assert_eq!(ways, [(false, bob(), Kind::Rtp), (true, above, Kind::Rtcp)]);
}

#[test]
fn a_codec_that_was_not_agreed_on_is_not_played() {
    let (mut world, _, memory) = talk(1, None);
    world.pass(500);
    let mut packet = world.sent_by(alice(), Kind::Rtp).pop().expect("a packet").1.to_vec();
    packet[1] = 8;
    let played = memory.samples().len();
    world.receive(alice(), bob(), &packet);
    let figures = world.ports[&bob()].flows[&TALK].figures();
    assert_eq!((figures.other_types, memory.samples().len()), (1, played));
}

/// RFC 8866 §6.4: packets of the length that the other side would like; it is heard in any.
#[test]
fn packets_are_as_long_as_the_other_side_would_like_them() {
    for (ptime, length) in [(10, 10), (30, 30), (40, 40), (60, 60), (0, 20), (1000, 60)] {
        let mut world = World::new();
        let (said, memory) = (melody(8000, 3), Memory::default());
        let (mut out, into) = direct(alice(), bob(), (11, 22), None);
        out.ptime = Some(ptime);
        world.start(bob(), TALK, &into, ear(&memory));
        world.start(alice(), TALK, &out, mouth(&said));
        world.pass(3300);
        let sent = world.sent_by(alice(), Kind::Rtp);
        let every = u128::from(length as u8);
        assert!(sent.windows(2).all(|two| two[1].0 - two[0].0 == every), "{ptime}");
        assert!(sent.iter().all(|(_, packet)| packet.len() == 12 + 8 * length));
        let (alike, delay) = correlation(&said, &memory.samples(), 1600);
        assert!(alike > 0.999, "{alike} at {delay} with {ptime}");
        assert_eq!(world.figures(bob()).packets.lost, 0);
    }
}

#[test]
fn a_wish_that_changes_during_a_call_is_followed_from_the_next_packet_on() {
    let (mut world, said, memory) = talk(3, None);
    world.pass(995);
    let (mut out, _) = direct(alice(), bob(), (11, 22), None);
    out.ptime = Some(40);
    world.order(alice(), Order::Change(TALK, Box::new(out)));
    world.pass(2300);
    let sent = world.sent_by(alice(), Kind::Rtp);
    let lengths: Vec<usize> = sent.iter().map(|(_, packet)| packet.len() - 12).collect();
    assert_eq!(lengths, [[160; 50].as_slice(), &[320; 50]].concat());
    assert!(correlation(&said, &memory.samples(), 800).0 > 0.999);
}

#[test]
fn what_an_offer_wishes_for_is_a_wish_of_its_stream() {
    let flow = presently_engine::agent::negotiation::Flow {
        line: 0,
        media: "audio".into(),
        to: Some(bob()),
        codec: pcmu(),
        heard: vec![0],
        events: None,
        direction: Direction::SendRecv,
        rtcp_mux: true,
        keys: None,
        ptime: Some(30),
    };
    assert_eq!(Stream::call(&flow, 40_000).ptime, Some(30));
}
