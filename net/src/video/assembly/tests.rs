use super::*;
use proptest::prelude::*;

/// A scene: packets are named by sequence number; three to a frame, `b` begins, the third ends.
struct Scene {
    assembly: Assembly,
    now: Duration,
    told: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        Self { assembly: Assembly::default(), now: Duration::ZERO, told: Vec::new() }
    }

    fn packet(&mut self, sequence: u16) -> &mut Self {
        let payload = if sequence.is_multiple_of(3) { b"b" } else { b"-" };
        let packet = Packet {
            payload,
            timestamp: u32::from(sequence / 3) * 3000,
            sequence,
            marker: sequence % 3 == 2,
        };
        match self.assembly.push(packet, self.now) {
            Taken::Held => {}
            other => self.told.push(format!("{sequence} {other:?}")),
        }
        self.take()
    }

    fn packets(&mut self, sequences: impl IntoIterator<Item = u16>) -> &mut Self {
        for sequence in sequences {
            self.packet(sequence);
        }
        self
    }

    fn later(&mut self, millis: u64) -> &mut Self {
        self.now += Duration::from_millis(millis);
        self.take()
    }

    fn take(&mut self) -> &mut Self {
        while let Some(outcome) = self.assembly.take(self.now, |payload| payload == b"b") {
            self.told.push(match outcome {
                Outcome::Whole { timestamp, payloads } => {
                    format!("frame {} of {}", timestamp / 3000, payloads.len())
                }
                Outcome::Broken { packets, frames } => format!("lost {packets} broken {frames}"),
            });
        }
        self
    }

    fn told(&mut self, wanted: &[&str]) -> &mut Self {
        assert_eq!(std::mem::take(&mut self.told), wanted);
        self
    }
}

#[test]
fn frames_come_out_when_their_last_packet_is_in() {
    Scene::new()
        .packets(0..2)
        .told(&[])
        .packets(2..6)
        .told(&["frame 0 of 3", "frame 1 of 3"])
        .later(1000)
        .told(&[]);
}

#[test]
fn order_is_restored_within_and_across_frames() {
    Scene::new()
        .packets([0, 2, 1])
        .told(&["frame 0 of 3"])
        .packets([3, 4, 6, 7, 8])
        .told(&[])
        .packet(5)
        .told(&["frame 1 of 3", "frame 2 of 3"]);
}

#[test]
fn copies_and_late_packets_are_told_apart() {
    Scene::new().packets([0, 1, 1, 2, 2]).told(&["1 Copy", "frame 0 of 3", "2 Late"]);
}

#[test]
fn a_hole_is_waited_for_and_then_costs_its_frame_only() {
    Scene::new()
        .packets([0, 2, 3, 4, 5])
        .later(59)
        .told(&[])
        .later(1)
        .told(&["lost 1 broken 1", "frame 1 of 3"])
        .packet(1)
        .told(&["1 Late"])
        .packets(6..9)
        .told(&["frame 2 of 3"]);
}

#[test]
fn where_the_end_of_a_frame_is_missing_the_next_shows_that_it_begins() {
    Scene::new().packets([0, 1, 3, 4, 5]).later(60).told(&["lost 1 broken 1", "frame 1 of 3"]);
}

#[test]
fn where_the_beginning_is_missing_the_frame_is_not_believed() {
    Scene::new().packets([0, 1, 2, 4, 5, 6, 7, 8]).later(60).told(&[
        "frame 0 of 3",
        "lost 1 broken 1",
        "frame 2 of 3",
    ]);
}

#[test]
fn a_hole_over_frames_counts_those_that_were_seen() {
    Scene::new().packets([0, 7, 8, 9, 10, 11]).later(60).told(&["lost 6 broken 2", "frame 3 of 3"]);
}

#[test]
fn joining_in_the_middle_waits_for_a_beginning() {
    Scene::new().packets(1..6).told(&["lost 0 broken 1", "frame 1 of 3"]);
}

#[test]
fn the_sequence_number_wraps() {
    let mut scene = Scene::new();
    scene.packets(65_529..65_535).told(&["frame 21843 of 3", "frame 21844 of 3"]);
    // 65535 is a frame by itself here: it begins one, and timestamp 0 ends it.
    scene.packets([65_535, 0, 1, 2]).told(&["frame 21845 of 1", "frame 0 of 3"]);
}

#[test]
fn a_jump_of_the_sequence_number_is_another_stream() {
    Scene::new().packets([0, 1, 2, 3]).told(&["frame 0 of 3"]).packets(20_001..20_007).told(&[
        "lost 0 broken 1",
        "frame 6667 of 3",
        "frame 6668 of 3",
    ]);
}

#[test]
fn a_frame_without_end_does_not_fill_the_memory() {
    let mut assembly = Assembly::default();
    let payload = [0; 1200];
    let mut most = 0;
    for sequence in 0..60_000 {
        let packet = Packet { payload: &payload, timestamp: 1, sequence, marker: false };
        assembly.push(packet, Duration::ZERO);
        while assembly.take(Duration::ZERO, |_| true).is_some() {}
        most = most.max(assembly.octets());
    }
    assert!(most <= MOST_OCTETS, "{most}");
    assert!(most > MOST_PACKETS * 1200 / 2, "the limit was never near");
}

fn noise() -> impl Strategy<Value = Vec<(u16, u32, bool, u16, u16)>> {
    let packet = (
        prop_oneof![3 => 0..40u16, 1 => any::<u16>()],
        0..6u32,
        any::<bool>(),
        0..200u16,
        0..100u16,
    );
    prop::collection::vec(packet, 0..300)
}

proptest! {
    /// Whatever comes: no panic, every packet comes out at most once, memory is what is held.
    #[test]
    fn any_packets_in_any_order(packets in noise()) {
        let (mut assembly, mut now) = (Assembly::default(), Duration::ZERO);
        let (mut held, mut out) = (0, 0);
        for (sequence, timestamp, marker, length, wait) in packets {
            now += Duration::from_millis(wait.into());
            let payload = vec![0; length.into()];
            let packet = Packet { payload: &payload, timestamp, sequence, marker };
            held += usize::from(assembly.push(packet, now) == Taken::Held);
            while let Some(outcome) = assembly.take(now, |payload| payload.len() > 100) {
                if let Outcome::Whole { payloads, .. } = outcome {
                    prop_assert!(!payloads.is_empty());
                    out += payloads.len();
                }
            }
            let really: usize =
                assembly.held.values().map(|held| held.payload.len() + OVERHEAD).sum();
            prop_assert_eq!(assembly.octets(), really);
            prop_assert!(out + assembly.held.len() <= held);
        }
    }
}
