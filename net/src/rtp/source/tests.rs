use super::*;

const MS: Duration = Duration::from_millis(1);

#[test]
fn lost_packets_are_counted_as_appendix_a3_counts_them() {
    let mut source = Source::announced(100);
    // 100 to 109 without 103 and 107.
    for seq in [100, 101, 102, 104, 105, 106, 108, 109] {
        assert_eq!(source.update_seq(seq), Some(seq.into()));
    }
    let report = source.report(7, 0, 0);
    // Two of ten: floor(2 · 256 / 10).
    assert_eq!((report.fraction_lost, report.lost, report.highest), (51, 2, 109));
    // The next ten all come, and 103 after all.
    for seq in (110..120).chain([103]) {
        source.update_seq(seq).expect("in sequence or late");
    }
    let report = source.report(7, 0, 0);
    // Eleven came where ten were expected: nothing lost in this interval.
    assert_eq!((report.fraction_lost, report.lost, report.highest), (0, 1, 119));
}

#[test]
fn packets_that_come_twice_make_the_loss_negative() {
    let mut source = Source::announced(0);
    for seq in [0, 1, 1, 1, 2] {
        source.update_seq(seq);
    }
    assert_eq!(source.lost(), -2);
    assert_eq!(source.report(7, 0, 0).fraction_lost, 0);
}

#[test]
fn jitter_follows_appendix_a8_step_by_step() {
    let mut source = Source::announced(0);
    // Packets of 160 units at 8000/s, 20 ms apart; arrivals are late by 0, 5, 0, 10 ms.
    let late = [0u32, 5, 0, 10];
    let mut expected = 0u64;
    let mut before = 0i64;
    for (index, late) in (0u32..).zip(late) {
        source.arrived((index * 20 + late) * MS, index * 160, 8000);
        let d = (i64::from(late) * 8 - before).unsigned_abs();
        before = i64::from(late) * 8;
        if index > 0 {
            expected = expected + d - ((expected + 8) >> 4);
        }
        assert_eq!(source.jitter, expected);
    }
    // By hand: 40, 40 + 40 − 3 = 77, 77 + 80 − 5 = 152; 152 / 16 = 9.
    assert_eq!((source.jitter, source.jitter()), (152, 9));
}

#[test]
fn jitter_does_not_see_the_wrap_of_the_timestamp() {
    let mut source = Source::announced(0);
    for index in 0..100u32 {
        source.arrived(index * 20 * MS, (u32::MAX - 500).wrapping_add(index * 160), 8000);
    }
    assert_eq!(source.jitter(), 0);
}

#[test]
fn the_sequence_number_wraps_and_late_packets_belong_before_the_wrap() {
    let mut source = Source::announced(65_533);
    let seqs = [65_533, 65_534, 0, 65_535, 1];
    let extended: Vec<_> = seqs.map(|seq| source.update_seq(seq)).into();
    assert_eq!(extended, [Some(65_533), Some(65_534), Some(65_536), Some(65_535), Some(65_537)]);
    assert_eq!((source.lost(), source.highest()), (0, 65_537));
}

#[test]
fn a_number_from_nowhere_counts_only_when_its_successor_follows() {
    let mut source = Source::announced(100);
    assert_eq!(source.update_seq(40_000), None);
    assert_eq!(source.update_seq(101), Some(101));
    assert_eq!(source.update_seq(40_000), None);
    assert_eq!(source.update_seq(40_001), Some(40_001));
    // It started anew: nothing of before is missing.
    assert_eq!(source.lost(), 0);
}

#[test]
fn an_unknown_sender_is_believed_after_two_packets_in_sequence() {
    let mut source = Source::unknown(10);
    assert_eq!((source.update_seq(10), source.is_valid()), (None, false));
    assert_eq!((source.update_seq(12), source.is_valid()), (None, false));
    assert_eq!((source.update_seq(13), source.is_valid()), (Some(13), true));
    assert_eq!((source.received(), source.lost()), (1, 0));
}
