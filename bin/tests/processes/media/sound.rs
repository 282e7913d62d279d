//! A call from sound card to sound card. The cards are ALSA's file plug-in before a card that is
//! none, with pipes for files: somebody puts sound in by the clock, somebody takes it out.

use super::{enough, heard, likeness_of, record, samples};
use crate::rig::{Agent, House};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(20);
/// Samples of a card in one of the 8000 a second that the recording has.
const FINER: usize = 6;
/// Samples of a card in a tick.
const SAMPLES: usize = 960;

/// A card as ALSA's configuration names it.
struct Card {
    config: PathBuf,
    microphone: File,
    loudspeaker: File,
}

impl Card {
    fn new(folder: &Path, name: &str) -> Self {
        let [config, microphone, loudspeaker] =
            ["conf", "in", "out"].map(|end| folder.join(format!("{name}.{end}")));
        let made = Command::new("mkfifo").args([&microphone, &loudspeaker]).status();
        assert!(made.expect("mkfifo is there").success());
        let none = "slave.pcm { type null } format raw";
        let (input, output) = (microphone.display(), loudspeaker.display());
        let text = format!(
            "pcm.!default {{ type asym\n\
             capture.pcm {{ type file file /dev/null infile \"{input}\" {none} }}\n\
             playback.pcm {{ type file file \"{output}\" {none} }} }}\n"
        );
        std::fs::write(&config, text).expect("written");
        // Open both ways, so that nobody waits for the other end.
        let open = |path| OpenOptions::new().read(true).write(true).open(path).expect("a pipe");
        Self { config, microphone: open(&microphone), loudspeaker: open(&loudspeaker) }
    }

    fn login(&self, name: &str, house: std::net::SocketAddr, more: &[&str]) -> Agent {
        Agent::login_where(name, house, more, &[("ALSA_CONFIG_PATH", &self.config)])
    }

    /// Says this by the clock, and goes on in silence.
    fn say(mut self, samples: Vec<i16>) {
        std::thread::spawn(move || {
            let began = Instant::now();
            let mut samples = samples.into_iter().chain(std::iter::repeat(0));
            for tick in 0.. {
                let octets: Vec<u8> =
                    samples.by_ref().take(SAMPLES).flat_map(i16::to_le_bytes).collect();
                if self.microphone.write_all(&octets).is_err() {
                    return;
                }
                wait(began, tick);
            }
        });
    }

    /// Takes by the clock what comes: one of two channels, one sample in [`FINER`].
    fn listen(mut self) -> Receiver<Vec<f64>> {
        let (told, heard) = channel();
        std::thread::spawn(move || {
            let began = Instant::now();
            let mut octets = [0; SAMPLES * 4];
            for tick in 0.. {
                let read = self.loudspeaker.read_exact(&mut octets);
                let frames = octets.chunks_exact(4 * FINER);
                let left = frames.map(|frame| f64::from(i16::from_le_bytes([frame[0], frame[1]])));
                if read.is_err() || told.send(left.collect()).is_err() {
                    return;
                }
                wait(began, tick);
            }
        });
        heard
    }
}

/// Until the clock of a card says that this tick is over.
#[expect(clippy::disallowed_methods, reason = "this is a clock, and nothing is waited for")]
fn wait(began: Instant, tick: u32) {
    let over = began + TICK * (tick + 1);
    std::thread::sleep(over.saturating_duration_since(Instant::now()));
}

#[test]
fn what_one_card_hears_another_one_says() {
    let mut house = House::new("");
    let file = house.path().join("said.wav");
    record(&file);
    let said = samples(&file);
    let server = house.open();
    let cards = ["alice", "bob"].map(|name| Card::new(house.path(), name));
    let codecs = ["--codecs", "PCMU"];
    let alices = [&codecs[..], &["--audio-in", "sound"]].concat();
    let bobs = [&codecs[..], &["--audio-out", "sound"]].concat();
    let mut alice = cards[0].login("alice", server.address, &alices);
    let mut bob = cards[1].login("bob", server.address, &bobs);
    let [hers, his] = cards;
    // As a card would have it: straight lines between the samples of the recording.
    let steps = (0..FINER).map(|step| step as f64 / FINER as f64);
    let pairs = said.windows(2);
    let finer = pairs.flat_map(|pair| steps.clone().map(|at| pair[0] + (pair[1] - pair[0]) * at));
    hers.say(finer.map(|sample| sample as i16).collect());
    let played = his.listen();
    alice.order("call bob audio");
    bob.until("call", &[("state", "incoming")]);
    bob.order("answer");
    heard(&mut bob, enough);
    alice.order("hangup");
    bob.until("call", &[("state", "ended")]);
    let heard: Vec<f64> = played.try_iter().flatten().collect();
    let alike = likeness_of(&said, &heard);
    assert!(alike > 0.99, "{alike}");
    for agent in [alice, bob] {
        assert!(agent.logout().success());
    }
}

/// Nobody hears or says anything, and it is said why.
#[test]
fn a_card_that_is_not_there_is_named_with_what_to_do() {
    let mut house = House::new("");
    let server = house.open();
    let config = house.path().join("none.conf");
    std::fs::write(&config, "").expect("written");
    let mut bob = Agent::login("bob", server.address);
    let flags = ["--audio-in", "sound:studio"];
    let there = [("ALSA_CONFIG_PATH", &*config)];
    let mut alice = Agent::login_where("alice", server.address, &flags, &there);
    alice.order("call bob audio");
    bob.until("call", &[("state", "incoming")]);
    bob.order("answer");
    let trouble = alice.until("error", &[("what", "media")]);
    let why = trouble["why"].as_str().expect("a reason");
    assert!(why.starts_with("no device sound:studio: "), "{why}");
    assert!(why.contains("wav:FILE"), "{why}");
}
