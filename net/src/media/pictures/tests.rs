use super::*;
use crate::video::device::{sink, source};
use crate::video::stream::codec;
use bytes::Bytes;

fn pair() -> Pair {
    codec("JPEG/90000", None).expect("it is built in")
}

fn camera() -> Camera {
    Camera::new(source("pattern:320x240@15").expect("a pattern"), pair())
}

/// Plays `span` of a camera to a screen, over a way that takes `way(number)`; none: it is lost.
fn play(
    screen: &mut Screen,
    span: Duration,
    way: impl Fn(u64) -> Option<Duration>,
) -> Vec<Duration> {
    let mut camera = camera();
    let mut under_way: Vec<(Duration, Packet)> = Vec::new();
    let (mut sent, mut shows) = (0, Vec::new());
    let mut now = Duration::ZERO;
    while now < span {
        while camera.due() <= now {
            let Captured::Pieces(pieces) = camera.capture(true) else { panic!("no end") };
            for piece in pieces {
                let packet = Packet {
                    marker: piece.marker,
                    payload_type: 26,
                    sequence: sent as u16,
                    timestamp: 7_000_u32.wrapping_add(piece.media_time),
                    ssrc: 1,
                    payload: piece.payload,
                };
                under_way.extend(way(sent).map(|takes| (now + takes, packet)));
                sent += 1;
            }
        }
        under_way.sort_by_key(|(at, packet)| (*at, packet.sequence));
        while under_way.first().is_some_and(|(at, _)| *at <= now) {
            let (_, packet) = under_way.remove(0);
            screen.insert(now, &packet);
        }
        if screen.due().is_some_and(|due| due <= now) {
            let before = screen.shown;
            screen.render(now);
            shows.extend((before..screen.shown).map(|_| now));
        }
        now += Duration::from_millis(1);
    }
    shows
}

fn screen() -> Screen {
    Screen::new(pair(), sink("null", Rate::default()).expect("nothing is shown"))
}

#[test]
fn pictures_are_shown_as_evenly_as_they_were_taken() {
    let mut screen = screen();
    // Every packet takes another time, up to 40 ms, and none overtakes far.
    let shows = play(&mut screen, Duration::from_secs(2), |number| {
        Some(Duration::from_millis(10 + number * 7 % 30))
    });
    assert!(shows.len() >= 26, "{}", shows.len());
    let gaps: Vec<u64> =
        shows.windows(2).map(|two| (two[1] - two[0]).as_millis() as u64).skip(1).collect();
    assert!(gaps.iter().all(|gap| (60..=73).contains(gap)), "{gaps:?}");
    assert_eq!(screen.rendered().concealed, 0);
}

#[test]
fn a_lost_packet_costs_one_picture() {
    let mut screen = screen();
    play(&mut screen, Duration::from_secs(2), |number| {
        (number != 40).then_some(Duration::from_millis(10))
    });
    let rendered = screen.rendered();
    assert_eq!(rendered.concealed, 1);
    assert!(rendered.played >= 26, "{rendered:?}");
}

#[test]
fn a_standstill_is_not_caught_up_with_for_ever() {
    let mut screen = screen();
    let stands = Duration::from_millis(400);
    let shows = play(&mut screen, Duration::from_secs(3), |number| {
        Some(if number > 60 { stands } else { Duration::from_millis(10) })
    });
    let last: Vec<u64> =
        shows.windows(2).rev().take(10).map(|two| (two[1] - two[0]).as_millis() as u64).collect();
    assert!(last.iter().all(|gap| (60..=73).contains(gap)), "even again: {last:?}");
    assert!(screen.waiting.len() < 4);
}

#[test]
fn on_hold_no_picture_is_taken_and_time_goes_on() {
    let mut camera = camera();
    for _ in 0..15 {
        assert_eq!(camera.capture(false), Captured::Pieces(Vec::new()));
    }
    assert_eq!(camera.due(), Duration::from_secs(1));
    let Captured::Pieces(pieces) = camera.capture(true) else { panic!("there is a picture") };
    assert_eq!(pieces[0].media_time, 90_000);
    assert_ne!(pieces[0].payload, Bytes::new());
}
