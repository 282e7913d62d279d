use super::*;
use crate::audio::rig::{Said, correlation, longest_gap, loudness, melody};
use crate::audio::{Recorder, codec};
use crate::rtp::rig::Link;
use crate::rtp::{Session, Start, Statistics};
use bytes::Bytes;

const MS: Duration = Duration::from_millis(1);

/// What was heard at the far end of a link.
struct Heard {
    samples: Vec<i16>,
    played: Vec<Played>,
    counts: Counts,
    statistics: Statistics,
}

fn session(ssrc: u32, remote: u32, clock_rate: u32) -> Session {
    let start = Start {
        ssrc,
        remote_ssrc: Some(remote),
        sequence: 65_500,
        timestamp: u32::MAX - 20_000,
        clock_rate,
        bandwidth: 80,
        ntp: 1 << 40,
        cname: "rig".into(),
        dice: ssrc.into(),
    };
    Session::new(start, Duration::ZERO)
}

/// Sends a sound over a link, tick by tick, and plays it at the other end as its own clock says.
fn over(link: &mut Link<Bytes>, rtpmap: &str, said: &[i16], rate: u32) -> Heard {
    let codec = || codec(rtpmap).expect("a codec");
    let ticks = said.len() / tick_samples(rate) + 20;
    let mut recorder = Recorder::new(Box::new(Said::new(rate, said)), codec());
    let mut player = Player::new(codec(), rate);
    let mut alice = session(1, 2, codec().clock_rate());
    let mut bob = session(2, 1, codec().clock_rate());
    let (mut samples, mut played) = (Vec::new(), Vec::new());
    for tick in 0..ticks as u32 {
        let now = tick * TICK;
        if let Some(one) = recorder.record() {
            let packet = alice.send(now, 0, one.marker, one.media_time, one.payload);
            let mut datagram = Vec::new();
            packet.write(&mut datagram);
            link.put(now, datagram.into());
        }
        // The clock of the far end has another phase.
        let now = now + 7 * MS;
        for (at, datagram) in link.take(now) {
            let packet = Packet::parse(&datagram).expect("RTP");
            if bob.receive(at, &packet).is_ok() {
                player.insert(at, &packet);
            }
        }
        played.push(player.play(now, &mut samples));
    }
    Heard { samples, played, counts: player.counts(), statistics: bob.statistics() }
}

#[test]
fn a_sound_arrives_whole_without_loss() {
    for (rtpmap, rate, least) in
        [("PCMU/8000", 8000, 0.999), ("pcma/8000/1", 8000, 0.999), ("G722/8000", 16_000, 0.99)]
    {
        let said = melody(rate, 5);
        let heard = over(&mut Link::new(1), rtpmap, &said, rate);
        let (alike, delay) = correlation(&said, &heard.samples, 200);
        assert!(alike > least, "{rtpmap}: {alike} at {delay}");
        assert_eq!(heard.counts.late + heard.counts.skipped, 0);
        let seen = heard.statistics;
        assert_eq!((seen.received, seen.lost, seen.jitter), (250, 0, Duration::ZERO));
        let begin = heard.played.iter().position(|one| *one == Played::Sound);
        assert_eq!(begin, Some(2), "20 ms of way, 20 ms of delay, and the next tick");
    }
}

#[test]
fn a_sink_with_another_rate_hears_the_same() {
    let said = melody(8000, 3);
    let mut resampler = Resampler::new(8000, 48_000);
    let mut wide = Vec::new();
    resampler.push(&said, &mut wide);
    let heard = over(&mut Link::new(1), "PCMU/8000", &wide, 48_000);
    let (alike, delay) = correlation(&wide, &heard.samples, 300);
    assert!(alike > 0.99, "{alike} at {delay}");
}

#[test]
fn five_percent_of_loss_and_sixty_milliseconds_of_jitter_leave_no_long_gap() {
    for seed in 0..20 {
        let said = melody(8000, 10);
        let mut link = Link::new(seed);
        (link.loss, link.jitter) = (5, 60 * MS);
        let heard = over(&mut link, "PCMU/8000", &said, 8000);
        let begin = heard.played.iter().position(|one| *one == Played::Sound).expect("sound");
        let spoken = &heard.samples[..(500 - begin) * 160];
        let gap = longest_gap(spoken, 8000);
        assert!(gap <= 60, "seed {seed}: {gap} ms");
        let made_up = heard.played[begin..500].iter().filter(|one| **one == Played::Concealed);
        let counts = heard.counts;
        assert!(made_up.count() as u64 <= counts.concealed, "seed {seed}: {counts:?}");
        assert!((10..75).contains(&counts.concealed), "seed {seed}: {counts:?}");
        let lost = heard.statistics.lost;
        assert!((10..45).contains(&lost), "seed {seed}: {lost}");
        // What is heard is as loud as what was said.
        let loud = loudness(spoken) / loudness(&said);
        assert!((0.85..1.1).contains(&loud), "seed {seed}: {loud}");
    }
}

#[test]
fn doubled_packets_are_heard_once() {
    let said = melody(8000, 3);
    let mut link = Link::new(7);
    link.twice = 30;
    let heard = over(&mut link, "PCMU/8000", &said, 8000);
    assert!(heard.statistics.duplicates > 20, "{:?}", heard.statistics);
    let (alike, _) = correlation(&said, &heard.samples, 200);
    assert!(alike > 0.999, "{alike}");
}

#[test]
fn a_payload_that_lasts_for_seconds_is_refused() {
    let mut player = Player::new(codec("PCMU/8000").expect("PCMU"), 8000);
    let mut alice = session(1, 2, 8000);
    let long = alice.send(Duration::ZERO, 0, true, 0, vec![0; 1601].into());
    assert_eq!(player.insert(Duration::ZERO, &long), Placed::Strange);
}
