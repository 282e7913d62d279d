use super::*;
use crate::video::device::Rate;
use crate::video::pattern::{Pattern, number};
use proptest::prelude::*;

/// Draws of a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// True with this many chances in a thousand.
    fn falls(&mut self, permille: u64) -> bool {
        self.roll() % 1000 < permille
    }
}

/// The pattern goes from a sender over a path with loss, copies and reordering to a receiver.
struct Scene {
    sender: VideoSender,
    receiver: VideoReceiver,
    dice: Dice,
    pattern: Pattern,
    rate: Rate,
    /// Chances in a thousand: a packet is lost, comes twice, is overtaken by the next.
    path: (u64, u64, u64),
    sequence: u16,
    now: Duration,
    /// When each picture was shown, and its number.
    shown: Vec<(Duration, u32)>,
    /// The least likeness of those that were compared, in decibels.
    worst_psnr: f64,
    /// When a packet was lost, the first after the last shown picture.
    waiting: Option<Duration>,
    /// The longest time from a loss to the next picture shown.
    recovery: Duration,
}

/// The codec, as we offer it.
fn pair(rtpmap: &str) -> Pair {
    codec(rtpmap, Some("profile-level-id=42e01f;packetization-mode=1")).unwrap()
}

/// Travel time of a packet, and of a request on its way back.
const TRAVEL: Duration = Duration::from_millis(20);

impl Scene {
    fn new(rtpmap: &str, size: (u16, u16), path: (u64, u64, u64), seed: u64) -> Self {
        Self {
            sender: VideoSender::new(pair(rtpmap)),
            receiver: VideoReceiver::new(pair(rtpmap)),
            dice: Dice(seed),
            pattern: Pattern::new(size.0, size.1),
            rate: Rate::new(30, 1).unwrap(),
            path,
            sequence: 65_500,
            now: Duration::ZERO,
            shown: Vec::new(),
            worst_psnr: f64::INFINITY,
            waiting: None,
            recovery: Duration::ZERO,
        }
    }

    /// Sends so many pictures, and asks for key frames when the receiver does.
    fn play(mut self, pictures: u32) -> Self {
        let mut asked = None;
        for wanted in 0..pictures {
            self.now = self.rate.due(wanted.into());
            if asked.is_some_and(|at: Duration| at + TRAVEL <= self.now) {
                self.sender.want_key();
                asked = None;
            }
            let picture = self.pattern.picture(wanted);
            let payloads = self.sender.encode(&picture, self.now).unwrap();
            for (sequence, payload) in self.carry(payloads) {
                self.arrive(sequence, &payload, timestamp(self.now), &mut asked);
            }
        }
        self
    }

    /// What comes out at the other end.
    fn carry(&mut self, payloads: Vec<Payload>) -> Vec<(u16, Payload)> {
        let mut out: Vec<(u16, Payload)> = Vec::new();
        for payload in payloads {
            assert!(payload.octets.len() <= PAYLOAD_LIMIT);
            let sequence = self.sequence;
            self.sequence = sequence.wrapping_add(1);
            if self.dice.falls(self.path.0) {
                self.waiting = self.waiting.or(Some(self.now + TRAVEL));
                continue;
            }
            if self.dice.falls(self.path.1) {
                out.push((sequence, payload.clone()));
            }
            out.push((sequence, payload));
            if self.dice.falls(self.path.2) && out.len() > 1 {
                let last = out.len() - 1;
                out.swap(last, last - 1);
            }
        }
        out
    }

    fn arrive(
        &mut self,
        sequence: u16,
        payload: &Payload,
        timestamp: u32,
        asked: &mut Option<Duration>,
    ) {
        let now = self.now + TRAVEL;
        let (payload, marker) = (&payload.octets[..], payload.marker);
        let frames = self.receiver.receive(Packet { payload, timestamp, sequence, marker }, now);
        if self.receiver.request_key(now) {
            *asked = asked.or(Some(now));
        }
        for frame in frames {
            let number = number(&frame.picture).expect("what is shown is whole");
            assert_eq!(frame.timestamp, super::timestamp(self.rate.due(number.into())));
            self.shown.push((now, number));
            // Unoptimised code takes long to compare every sample of every picture.
            if self.shown.len() % 8 == 1 {
                let psnr = self.pattern.picture(number).psnr(&frame.picture).unwrap();
                self.worst_psnr = self.worst_psnr.min(psnr);
            }
            // A picture sent before the loss is no recovery from it.
            if let Some(since) = self.waiting
                && self.rate.due(number.into()) + TRAVEL > since
            {
                self.recovery = self.recovery.max(now - since);
                self.waiting = None;
            }
        }
    }

    /// What every scene ends with: order, quality, and nothing that was not sent.
    fn is_sound(&self) -> &Self {
        assert!(self.shown.is_sorted_by(|one, two| one.1 < two.1), "pictures are in order, once");
        assert!(self.worst_psnr > 30.0, "{} dB", self.worst_psnr);
        assert_eq!(self.receiver.received().refused, 0, "{:?}", self.receiver.received());
        self
    }
}

#[cfg(feature = "h264")]
const CODECS: [&str; 2] = ["JPEG/90000", "H264/90000"];
#[cfg(not(feature = "h264"))]
const CODECS: [&str; 1] = ["JPEG/90000"];
const SIZES: [(u16, u16); 2] = [(320, 240), (640, 480)];

#[test]
fn without_loss_every_picture_arrives_like_it_was() {
    for codec in CODECS {
        for size in SIZES {
            let scene = Scene::new(codec, size, (0, 0, 0), 1).play(30);
            scene.is_sound();
            assert_eq!(scene.shown.len(), 30);
            assert_eq!(scene.receiver.received().requests, 0);
            assert_eq!(scene.receiver.held(), 0);
            assert_eq!(scene.receiver.received().damaged, 0);
        }
    }
}

#[test]
fn copies_and_reordering_cost_nothing() {
    for codec in CODECS {
        let scene = Scene::new(codec, (320, 240), (0, 100, 100), 2).play(45);
        scene.is_sound();
        let received = scene.receiver.received();
        assert!(received.copies + received.late > 0, "{received:?}");
        // A last packet that was overtaken is there before the next frame; none is lost.
        assert_eq!(scene.shown.len(), 45);
        assert_eq!(received.damaged, 0);
    }
}

#[test]
fn after_a_loss_the_picture_is_back_within_a_second() {
    for codec in CODECS {
        for size in SIZES {
            for permille in [10, 50] {
                let mut scene = Scene::new(codec, size, (permille, 5, 5), 1);
                // The pattern is little work for H.264; this many packets has a real picture.
                if codec.starts_with("H264") {
                    scene.sender = scene.sender.with_limit(300);
                }
                let scene = scene.play(90);
                scene.is_sound();
                let told = format!("{codec} {size:?} {permille}‰: {:?}", scene.receiver.received());
                assert!(scene.recovery < Duration::from_secs(1), "{:?}, {told}", scene.recovery);
                assert!(scene.receiver.received().damaged > 0, "nothing was lost, {told}");
            }
        }
    }
}

#[test]
fn jpeg_is_back_with_the_next_frame_and_asks_for_nothing() {
    let mut sender = VideoSender::new(codec("jpeg/90000", None).unwrap());
    let mut receiver = VideoReceiver::new(codec("JPEG/90000", None).unwrap());
    let (pattern, mut sequence, mut numbers) = (Pattern::new(320, 240), 0, Vec::new());
    for wanted in 0..4 {
        let now = Duration::from_millis(100 * u64::from(wanted));
        let payloads = sender.encode(&pattern.picture(wanted), now).unwrap();
        for (place, Payload { octets, marker }) in payloads.iter().enumerate() {
            sequence += 1;
            if (wanted, place) == (1, 2) {
                continue;
            }
            let packet =
                Packet { payload: octets, timestamp: timestamp(now), sequence, marker: *marker };
            let frames = receiver.receive(packet, now);
            numbers.extend(frames.iter().map(|frame| number(&frame.picture)));
            assert!(!receiver.request_key(now));
        }
    }
    assert_eq!(numbers, [Some(0), Some(2), Some(3)]);
    assert_eq!((receiver.received().lost, receiver.received().damaged), (1, 1));
}

#[test]
fn what_cannot_be_sent_is_said_and_the_next_picture_goes_out() {
    let mut sender = VideoSender::new(codec("JPEG/90000", None).unwrap());
    let fault = sender.encode(&Picture::grey(321, 240), Duration::ZERO).unwrap_err();
    assert!(fault.to_string().ends_with("multiples of 8, found 321×240"), "{fault}");
    assert!(!sender.encode(&Picture::grey(320, 240), Duration::ZERO).unwrap().is_empty());
    let Err(fault) = codec("VP8/90000", None) else { panic!("there is no VP8") };
    assert!(fault.to_string().ends_with(r#"a codec that is built in, found "VP8/90000""#));
}

#[test]
fn the_clock_of_video_counts_ninety_thousand_a_second_and_wraps() {
    assert_eq!(timestamp(Duration::from_millis(1001)), 90_090);
    let wrap = Duration::from_micros((1u64 << 32) * 100 / 9 + 1);
    assert_eq!(timestamp(wrap), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever comes, in whatever order: no panic, and memory stays small.
    #[test]
    fn random_and_truncated_payloads_are_survived(
        packets in prop::collection::vec(
            (
                prop::collection::vec(any::<u8>(), 0..40),
                any::<u16>(),
                0..3u32,
                any::<bool>(),
                0..9usize,
            ),
            1..60,
        ),
        whole: bool,
    ) {
        for name in CODECS {
            let mut receiver = VideoReceiver::new(pair(name));
            let mut sender = VideoSender::new(pair(name));
            let picture = Pattern::new(128, 64).picture(9);
            let real = sender.encode(&picture, Duration::ZERO).unwrap();
            for (index, (noise, sequence, stamp, marker, cut)) in packets.iter().enumerate() {
                // Noise alone, or a real payload with its tail cut off and noise in its place.
                let mut payload = noise.clone();
                if *cut > 2 {
                    payload = real[index % real.len()].octets.clone();
                    payload.truncate(payload.len() * cut / 8);
                    payload.extend(noise);
                }
                let sequence = if whole { index as u16 } else { *sequence };
                let now = Duration::from_millis(10 * index as u64);
                let (timestamp, marker) = (*stamp, *marker);
                let packet = Packet { payload: &payload, timestamp, sequence, marker };
                receiver.receive(packet, now);
                prop_assert!(receiver.held() < 200_000);
            }
        }
    }
}
