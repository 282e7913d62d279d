//! Voice between processes: by INVITE, and directly from what presence says (T6, T7, T8).

#[cfg(all(feature = "sound", target_os = "linux"))]
mod sound;

use crate::rig::{Agent, House, Server};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Samples a second of what is said and heard.
const RATE: u32 = 8000;

/// A server, and alice who watches bob with his permission.
fn friends(house: &mut House, alice: &[&str], bob: &[&str]) -> (Server, Agent, Agent) {
    let server = house.open();
    let mut bob = Agent::login_with("bob", server.address, bob);
    let mut alice = Agent::login_with("alice", server.address, alice);
    bob.order("presence open");
    bob.order("winfo");
    bob.order("allow alice");
    bob.until("decided", &[("status", "200")]);
    alice.order("watch bob");
    alice.until("subscription", &[("state", "active")]);
    bob.until("watcher", &[("uri", "sip:alice@example.org"), ("status", "active")]);
    (server, alice, bob)
}

/// Bob is ready to be spoken to, and alice knows.
fn ready(alice: &mut Agent, bob: &mut Agent) {
    bob.order("offer audio ready");
    alice.until("offer", &[("media", "audio"), ("mode", "ready")]);
}

/// Alice speaks to bob, who hears her.
fn speaking(alice: &mut Agent, bob: &mut Agent) {
    alice.order("direct bob audio");
    alice.until("flow", &[("way", "out"), ("state", "streaming")]);
    bob.until("flow", &[("way", "in"), ("state", "streaming"), ("peer", "sip:alice@example.org")]);
    bob.until("media", &[("of", "flow"), ("state", "first-played")]);
}

/// T6: no INVITE, no dialog; bob is busy while he is spoken to, and ready again afterwards.
#[test]
fn t6_direct_call() {
    let mut house = House::new("");
    let (_server, mut alice, mut bob) = friends(&mut house, &[], &[]);
    ready(&mut alice, &mut bob);
    speaking(&mut alice, &mut bob);
    alice.until("offer", &[("mode", "busy")]);
    let told = bob.until("media", &[("of", "flow"), ("state", "statistics")]);
    assert!(told["received"].as_u64() > Some(0), "{told}");
    alice.order("stop");
    alice.until("flow", &[("state", "stopped"), ("reason", "user")]);
    bob.until("flow", &[("state", "stopped"), ("reason", "peer")]);
    alice.until("offer", &[("mode", "ready")]);
    assert_eq!(alice.count("call", &[]) + bob.count("call", &[]), 0, "nobody was called");
}

/// Pictures, too, and by the best codec that is built in; its parameters are in the offer.
#[test]
fn a_picture_arrives_without_a_call() {
    let mut house = House::new("");
    let (_server, mut alice, mut bob) = friends(&mut house, &[], &[]);
    bob.order("offer video ready");
    let offer = alice.until("offer", &[("media", "video"), ("mode", "ready")]);
    let best = if cfg!(feature = "h264") { "H264/90000" } else { "JPEG/90000" };
    assert!(offer["codecs"].to_string().contains(best), "{offer}");
    alice.order("direct bob video");
    let flow = alice.until("flow", &[("way", "out"), ("state", "streaming")]);
    assert_eq!(flow["codec"], best, "{flow}");
    bob.until("media", &[("of", "flow"), ("state", "first-played")]);
}

/// T7: bob blocks alice while she speaks. He is deaf to her at once; she is told, and stops.
#[test]
fn t7_revocation_during_a_call() {
    let mut house = House::new("");
    let (_server, mut alice, mut bob) = friends(&mut house, &[], &[]);
    ready(&mut alice, &mut bob);
    speaking(&mut alice, &mut bob);
    let blocked = Instant::now();
    bob.order("block alice");
    bob.until("flow", &[("way", "in"), ("state", "stopped"), ("reason", "refused")]);
    alice.until("flow", &[("way", "out"), ("state", "stopped")]);
    assert!(blocked.elapsed() < Duration::from_secs(6), "{:?}", blocked.elapsed());
    alice.order("direct bob audio");
    alice.until("error", &[("what", "direct")]);
}

/// T8: bob is killed and comes back on another port, and alice has not heard of it yet. Her check
/// finds nobody, so she calls; once his new offer is there, the direct way works again.
#[test]
fn t8_stale_port() {
    let mut house = House::new("");
    let (server, mut alice, mut bob) = friends(&mut house, &[], &[]);
    ready(&mut alice, &mut bob);
    bob.kill();
    let mut bob = Agent::login("bob", server.address);
    alice.order("direct bob audio");
    alice.until("flow", &[("way", "out"), ("state", "stopped"), ("reason", "unreachable")]);
    bob.until("call", &[("state", "incoming")]);
    bob.order("hangup");
    alice.until("call", &[("state", "ended"), ("status", "486")]);
    bob.order("presence open");
    bob.order("winfo");
    bob.order("offer audio ready");
    alice.until("offer", &[("mode", "ready")]);
    speaking(&mut alice, &mut bob);
}

/// A call, held and taken back, heard on both sides.
#[test]
fn a_call_by_invite_is_heard_on_both_sides() {
    let mut house = House::new("");
    let server = house.open();
    let mut alice = Agent::login("alice", server.address);
    let mut bob = Agent::login("bob", server.address);
    alice.order("call bob audio");
    alice.until("call", &[("state", "ringing"), ("status", "180")]);
    bob.until("call", &[("state", "incoming"), ("peer", "sip:alice@example.org")]);
    bob.order("answer");
    for one in [&mut alice, &mut bob] {
        one.until("call", &[("state", "up")]);
        one.until("media", &[("of", "call"), ("state", "first-played")]);
    }
    for change in ["hold", "resume"] {
        alice.order(change);
        for one in [&mut alice, &mut bob] {
            one.until("call", &[("state", "up")]);
        }
    }
    bob.order("hangup");
    alice.until("call", &[("state", "ended")]);
    bob.until("call", &[("state", "ended")]);
}

/// Nobody picks up, somebody refuses, somebody is busy, and nothing fits.
#[test]
fn calls_that_do_not_come_about_say_why() {
    let mut house = House::new("");
    let server = house.open();
    let mut alice = Agent::login("alice", server.address);
    let mut bob = Agent::login_with("bob", server.address, &["--codecs", "PCMU"]);
    alice.order("call bob");
    bob.until("call", &[("state", "incoming")]);
    alice.order("hangup");
    bob.until("call", &[("state", "ended"), ("reason", "the caller gave up")]);
    alice.until("call", &[("state", "ended")]);

    let mut carol = Agent::login_with("carol", server.address, &["--codecs", "PCMA"]);
    carol.order("call bob");
    carol.until("call", &[("state", "ended"), ("status", "488")]);
    alice.order("call bob");
    bob.until("call", &[("state", "incoming")]);
    bob.order("hangup");
    alice.until("call", &[("state", "ended"), ("status", "486")]);
    carol.order("answer");
    carol.until("error", &[("what", "answer"), ("why", "nobody calls")]);
}

/// A recording arrives as it was sent, by both ways.
#[test]
fn what_is_said_is_what_is_heard() {
    let mut house = House::new("");
    let [said, direct, called] =
        ["said.wav", "direct.wav", "called.wav"].map(|name| house.path().join(name));
    record(&said);
    let [said_by, heard_directly] = [&said, &direct].map(|file| format!("wav:{}", file.display()));
    let alices = ["--audio-in", &said_by, "--codecs", "PCMU"];
    let (server, mut alice, mut bob) =
        friends(&mut house, &alices, &["--audio-out", &heard_directly, "--codecs", "PCMU"]);
    ready(&mut alice, &mut bob);
    speaking(&mut alice, &mut bob);
    heard(&mut bob, enough);
    alice.order("stop");
    bob.until("flow", &[("state", "stopped")]);
    assert!(bob.logout().success());
    assert!(likeness(&said, &direct) > 0.99, "{}", likeness(&said, &direct));

    let heard_by_call = format!("wav:{}", called.display());
    let bobs = ["--audio-out", &heard_by_call, "--codecs", "PCMU"];
    let mut bob = Agent::login_with("bob", server.address, &bobs);
    alice.order("call bob");
    bob.until("call", &[("state", "incoming")]);
    bob.order("answer");
    heard(&mut bob, enough);
    alice.order("hangup");
    bob.until("call", &[("state", "ended")]);
    assert!(bob.logout().success());
    assert!(likeness(&said, &called) > 0.99, "{}", likeness(&said, &called));
}

/// A second and a half.
fn enough(told: &Value) -> bool {
    told["received"].as_u64() >= Some(75)
}

/// Waits until enough was heard.
fn heard(agent: &mut Agent, enough: impl Fn(&Value) -> bool) {
    while !enough(&agent.until("media", &[("state", "statistics")])) {}
}

/// Writes a sweep, in which every place sounds different from every other.
fn record(file: &Path) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).expect("a file");
    let mut phase = 0.0_f64;
    for index in 0..8 * RATE {
        let hertz = 300.0 + 100.0 * f64::from(index) / f64::from(RATE);
        phase += std::f64::consts::TAU * hertz / f64::from(RATE);
        writer.write_sample((phase.sin() * 8000.0) as i16).expect("written");
    }
    writer.finalize().expect("written");
}

fn samples(file: &PathBuf) -> Vec<f64> {
    let mut reader = hound::WavReader::open(file).expect("a recording");
    assert_eq!(reader.spec().sample_rate, RATE);
    reader.samples::<i16>().map(|sample| f64::from(sample.expect("a sample"))).collect()
}

fn likeness(said: &PathBuf, heard: &PathBuf) -> f64 {
    likeness_of(&samples(said), &samples(heard))
}

/// How like what was said the best tenth of a second is of what was heard: on a busy machine some
/// of it came too late.
fn likeness_of(said: &[f64], heard: &[f64]) -> f64 {
    let loud = heard.iter().position(|sample| sample.abs() > 1000.0).expect("something was heard");
    let parts = heard[loud..].chunks_exact(RATE as usize / 10).skip(2).take(8);
    let mut best = 0.0_f64;
    for part in parts {
        let places = said.windows(part.len());
        best = places.map(|place| correlation(place, part)).fold(best, f64::max);
        if best > 0.99 {
            break;
        }
    }
    best
}

fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
}
