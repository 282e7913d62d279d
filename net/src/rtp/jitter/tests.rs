use super::*;
use crate::rtp::rig::Link;

const MS: Duration = Duration::from_millis(1);
const FRAME: u32 = 160;

fn buffer() -> JitterBuffer {
    JitterBuffer::new(8000, 20 * MS, 20 * MS)
}

fn put(buffer: &mut JitterBuffer, ms: u32, index: u32) -> Placed {
    let payload = Bytes::copy_from_slice(&index.to_be_bytes());
    buffer.insert(ms * MS, 5000u32.wrapping_add(index.wrapping_mul(FRAME)), FRAME, payload)
}

fn index(playout: &Playout) -> Option<u32> {
    let Playout::Frame(payload) = playout else { return None };
    Some(u32::from_be_bytes(payload[..].try_into().expect("four octets")))
}

/// What is played, one letter or number a tick: `.` waits, `c` conceals, `s` is silent.
fn ladder(buffer: &mut JitterBuffer, ticks: std::ops::Range<u32>) -> String {
    let played = ticks.map(|tick| match buffer.pull(tick * 20 * MS) {
        Playout::Wait => ".".into(),
        Playout::Conceal => "c".into(),
        Playout::Silence => "s".into(),
        frame @ Playout::Frame(_) => index(&frame).expect("a frame").to_string(),
    });
    played.collect::<Vec<_>>().join(" ")
}

#[test]
fn an_even_stream_comes_out_whole_after_the_least_delay() {
    let mut buffer = buffer();
    let mut played = Vec::new();
    for tick in 0..500 {
        put(&mut buffer, tick * 20, tick);
        played.extend(index(&buffer.pull(tick * 20 * MS)));
    }
    assert_eq!(played, (0..499).collect::<Vec<_>>());
    assert_eq!(buffer.counts(), Counts { played: 499, ..Counts::default() });
    assert_eq!(buffer.delay(), 20 * MS);
}

#[test]
fn reordered_packets_are_played_in_order() {
    let mut buffer = buffer();
    for index in [0, 2, 1, 4, 3] {
        put(&mut buffer, 0, index);
    }
    assert_eq!(ladder(&mut buffer, 1..6), "0 1 2 3 4");
}

#[test]
fn a_lost_packet_is_concealed_and_a_late_one_is_dropped() {
    let mut buffer = buffer();
    for index in [0, 1, 3, 4] {
        put(&mut buffer, index * 20, index);
    }
    assert_eq!(ladder(&mut buffer, 1..5), "0 1 c 3");
    assert_eq!(put(&mut buffer, 90, 2), Placed::Late);
    // The next one is held back longer: others may be as late.
    assert_eq!(ladder(&mut buffer, 5..7), "c 4");
    assert_eq!(buffer.counts().late, 1);
}

#[test]
fn what_waits_already_is_not_taken_again() {
    let mut buffer = buffer();
    assert_eq!(put(&mut buffer, 0, 0), Placed::Kept);
    assert_eq!(put(&mut buffer, 1, 0), Placed::Duplicate);
}

#[test]
fn a_packet_that_is_only_late_is_waited_for() {
    let mut buffer = buffer();
    put(&mut buffer, 0, 0);
    assert_eq!(ladder(&mut buffer, 1..3), "0 c");
    assert_eq!(put(&mut buffer, 50, 1), Placed::Kept);
    assert_eq!(ladder(&mut buffer, 3..4), "1");
}

#[test]
fn silence_follows_when_nothing_comes_and_the_delay_is_given_back_after_it() {
    let mut buffer = buffer();
    put(&mut buffer, 0, 0);
    assert_eq!(ladder(&mut buffer, 1..9), "0 c c c c c s s");
    // The sender paused, its clock went on: packet 10 belongs to 200 ms.
    put(&mut buffer, 200, 10);
    put(&mut buffer, 220, 11);
    assert_eq!(ladder(&mut buffer, 11..13), "10 11");
}

#[test]
fn timestamps_wrap() {
    let mut buffer = buffer();
    let mut played = 0;
    for tick in 0..100u32 {
        let timestamp = (u32::MAX - 4000).wrapping_add(tick * FRAME);
        buffer.insert(tick * 20 * MS, timestamp, FRAME, Bytes::from_static(b"x"));
        played += u32::from(matches!(buffer.pull(tick * 20 * MS), Playout::Frame(_)));
    }
    assert_eq!(played, 99);
}

#[test]
fn another_timeline_is_taken_when_it_stays() {
    let mut buffer = buffer();
    for index in 0..5 {
        put(&mut buffer, index * 20, index);
    }
    assert_eq!(put(&mut buffer, 100, 1_000_000), Placed::Strange);
    // One stray packet has moved nothing.
    assert_eq!(put(&mut buffer, 100, 5), Placed::Kept);
    for (ms, index, placed) in [
        (120, 2_000_000, Placed::Strange),
        (140, 2_000_001, Placed::Strange),
        (160, 2_000_002, Placed::Kept),
    ] {
        assert_eq!(put(&mut buffer, ms, index), placed);
    }
    assert_eq!(ladder(&mut buffer, 8..10), ". 2000002");
}

#[test]
fn the_delay_follows_the_jitter_up_and_down() {
    let mut buffer = buffer();
    let mut link = Link::new(4);
    let mut delays = Vec::new();
    let mut played = Vec::new();
    for tick in 0..3000u32 {
        let now = tick * 20 * MS;
        link.jitter = if (500..1500).contains(&tick) { 80 * MS } else { MS };
        link.put(now, tick);
        for (at, index) in link.take(now) {
            buffer.insert(at, index * FRAME, FRAME, index.to_be_bytes().to_vec().into());
        }
        played.extend(index(&buffer.pull(now)));
        delays.push(buffer.delay());
    }
    assert_eq!(delays[499], 20 * MS);
    assert!((70 * MS..85 * MS).contains(&delays[1400]), "{:?}", delays[1400]);
    assert_eq!(delays[2999], 20 * MS);
    assert!(played.is_sorted_by(|a, b| a < b), "a frame was played twice or out of order");
    assert!(played.len() > 2930, "{} of 3000: {:?}", played.len(), buffer.counts());
    // The delay itself went back as well, not just what it should be.
    let last = *played.last().expect("something was played");
    assert!(last >= 2999 - 5, "{last}");
}

#[test]
fn packets_of_other_lengths_fit_into_each_other() {
    let mut buffer = buffer();
    // Three packets of 30 ms and one of 10 ms.
    for (timestamp, duration) in [(0, 240), (240, 240), (480, 240), (720, 80)] {
        let payload = Bytes::from(vec![0; duration as usize]);
        assert_eq!(buffer.insert(Duration::ZERO, timestamp, duration, payload), Placed::Kept);
    }
    let mut units = 0;
    for tick in [1, 2, 4, 5] {
        let Playout::Frame(payload) = buffer.pull(tick * 20 * MS) else { panic!("no frame") };
        units += payload.len();
    }
    assert_eq!(units, 800);
}
