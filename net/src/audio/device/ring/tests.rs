use super::*;

/// 20 ms at 8000 samples a second.
const TICK: usize = 160;

/// A ring, and whoever puts in numbers and takes them out.
struct Talk {
    inlet: Inlet,
    outlet: Outlet,
    next: i16,
    heard: Vec<i16>,
}

impl Talk {
    fn new() -> Self {
        let (inlet, outlet) = ring(8000);
        Self { inlet, outlet, next: 1, heard: Vec::new() }
    }

    fn say(&mut self, samples: usize) {
        let end = self.next + samples as i16;
        self.inlet.push(self.next..end);
        self.next = end;
    }

    fn hear(&mut self, samples: usize) {
        let heard = &mut self.heard;
        self.outlet.take(samples, |sample| heard.push(sample));
    }

    /// What was heard of what was said: that it is in order is seen on the way.
    fn sounds(&self) -> Vec<i16> {
        let sounds: Vec<i16> = self.heard.iter().copied().filter(|one| *one != 0).collect();
        assert!(sounds.is_sorted_by(|a, b| a < b));
        sounds
    }

    fn slips(&self) -> (u64, u64) {
        let slips = self.outlet.slips();
        assert_eq!(slips, self.inlet.slips());
        (slips.inserted, slips.dropped)
    }
}

#[test]
fn what_goes_in_comes_out_once_a_little_is_there() {
    let mut talk = Talk::new();
    talk.say(TICK);
    talk.hear(TICK);
    assert_eq!(talk.sounds(), []);
    for _ in 0..20 {
        talk.say(TICK);
        talk.hear(TICK);
    }
    assert_eq!(talk.sounds(), (1..=20 * TICK as i16).collect::<Vec<_>>());
    assert_eq!(talk.slips(), (TICK as u64, 0));
}

#[test]
fn whoever_takes_faster_hears_silence_now_and_then_and_everything_else() {
    let mut talk = Talk::new();
    for _ in 0..100 {
        talk.say(TICK);
        talk.hear(TICK + 8);
    }
    let (inserted, dropped) = talk.slips();
    let taken = 100 * (TICK as u64 + 8);
    assert_eq!((inserted + talk.sounds().len() as u64, dropped), (taken, 0));
    // What is left waits for more.
    assert!(100 * TICK - talk.sounds().len() < 3 * TICK);
}

#[test]
fn whoever_takes_slower_misses_a_piece_now_and_then_and_is_never_far_behind() {
    let mut talk = Talk::new();
    let mut behind = 0;
    for _ in 0..100 {
        talk.say(TICK + 40);
        talk.hear(TICK);
        behind = behind.max(talk.next - talk.heard.last().copied().unwrap_or_default());
    }
    let (_, dropped) = talk.slips();
    assert!(dropped > 0);
    // 200 ms, and what was just said.
    assert!(behind <= 1600 + TICK as i16 + 40, "{behind}");
    talk.sounds();
}

#[test]
fn nobody_waits_for_who_does_not_come() {
    let mut talk = Talk::new();
    talk.say(20_000);
    assert_eq!(talk.slips(), (0, 20_000 - 3200));
    talk.hear(10 * TICK);
    // The oldest 10 ticks that fit in were there, the newest of those that found room.
    assert_eq!(talk.sounds().last(), Some(&3200));
    talk.hear(TICK);
    assert_eq!(talk.heard.last(), Some(&0));
}
