//! The paper's form between processes (`paper` profile): voice without a check and without a key,
//! for those who marked each other and for nobody else.

use crate::rig::{Agent, House, Server};
use std::net::{SocketAddr, UdpSocket};

const ALICE: [&str; 4] = ["--bind", "127.0.0.2:0", "--paper", "sip:bob@example.org"];
const BOB: [&str; 3] = ["--paper", "sip:alice@example.org", "--paper-offers"];

/// Alice and bob watch each other, and both may.
fn friends(house: &mut House, alice: &[&str], bob: &[&str]) -> (Server, Agent, Agent) {
    let server = house.open();
    let mut alice = Agent::login_with("alice", server.address, alice);
    let mut bob = Agent::login_with("bob", server.address, bob);
    for (one, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        one.order("presence open");
        one.order(&format!("allow {other}"));
        one.until("decided", &[("status", "200")]);
    }
    alice.order("watch bob");
    alice.until("subscription", &[("state", "active")]);
    bob.order("watch alice");
    bob.until("presence", &[("aor", "sip:alice@example.org"), ("basic", "open")]);
    bob.order("offer audio ready");
    (server, alice, bob)
}

fn speaking(alice: &mut Agent, bob: &mut Agent) {
    alice.order("direct bob audio");
    alice.until("flow", &[("way", "out"), ("state", "streaming"), ("srtp", "false")]);
    let heard = [("way", "in"), ("state", "streaming"), ("peer", "sip:alice@example.org")];
    bob.until("flow", &heard);
    bob.until("media", &[("of", "flow"), ("state", "first-played")]);
}

#[test]
fn who_marked_each_other_speak_without_a_check() {
    let mut house = House::new("");
    let (_server, mut alice, mut bob) = friends(&mut house, &ALICE, &BOB);
    alice.until("offer", &[("mode", "ready")]);
    speaking(&mut alice, &mut bob);
    alice.until("offer", &[("mode", "busy")]);
    let told = bob.until("media", &[("of", "flow"), ("state", "statistics")]);
    assert!(told["received"].as_u64() > Some(0) && told["lost"] == 0, "{told}");
    assert_eq!(alice.count("flow", &[("state", "checking")]), 0, "nobody was asked");
    alice.order("stop");
    bob.until("flow", &[("state", "stopped"), ("reason", "peer")]);
    alice.until("offer", &[("mode", "ready")]);

    speaking(&mut alice, &mut bob);
    bob.order("block alice");
    bob.until("flow", &[("way", "in"), ("state", "stopped"), ("reason", "refused")]);
    alice.until("flow", &[("way", "out"), ("state", "stopped")]);
    assert_eq!(alice.count("call", &[]) + bob.count("call", &[]), 0, "nobody was called");
}

/// Bob takes the mark back while she speaks, and she is told by RTCP; he may set it again.
#[test]
fn the_mark_can_be_taken_back_while_somebody_speaks() {
    let mut house = House::new("");
    let (_server, mut alice, mut bob) = friends(&mut house, &ALICE, &["--paper-offers"]);
    bob.order("paper alice");
    alice.until("offer", &[("mode", "ready")]);
    speaking(&mut alice, &mut bob);
    bob.order("paper alice off");
    bob.until("flow", &[("way", "in"), ("state", "stopped"), ("reason", "refused")]);
    alice.until("flow", &[("way", "out"), ("state", "stopped"), ("reason", "peer")]);
    bob.order("paper alice on");
    alice.until("offer", &[("mode", "ready")]);
    speaking(&mut alice, &mut bob);
}

/// Whoever has not marked bob sees no offer to use, and a stranger's voice is not heard however
/// right its packets are.
#[test]
fn nobody_else_speaks_or_is_heard() {
    let mut house = House::new("");
    let (server, mut alice, mut bob) = friends(&mut house, &ALICE, &BOB);
    let offer = alice.until("offer", &[("mode", "ready")]);
    let door: SocketAddr =
        offer["address"].as_str().and_then(|text| text.parse().ok()).expect("an address");
    let mut carol = Agent::login("carol", server.address);
    bob.order("allow carol");
    carol.order("watch bob");
    carol.until("offer", &[("mode", "off")]);
    carol.order("direct bob audio");
    carol.until("error", &[("what", "direct")]);

    let stranger = UdpSocket::bind("127.0.0.3:0").expect("another host");
    for sequence in 0..50_u16 {
        let mut packet = [0xff; 172];
        packet[..2].copy_from_slice(&[0x80, 0]);
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
        packet[8..12].copy_from_slice(&[0, 0, 0, 9]);
        stranger.send_to(&packet, door).expect("sent");
    }
    speaking(&mut alice, &mut bob);
    assert_eq!(bob.count("flow", &[("state", "streaming")]), 1, "and that is alice's");
}
