use super::*;
use crate::judge::tests::{morning, order};
use crate::plan::{Act, Party, Step, Weather};
use crate::world::play;

fn covered(plan: &crate::plan::Plan) -> Coverage {
    Coverage::of(plan, &play(plan).expect("a plan that can be played"))
}

#[test]
fn a_quiet_morning_comes_to_what_it_does_and_to_nothing_else() {
    let coverage = covered(&morning());
    for row in [Row::Challenged, Row::Proven, Row::Bound, Row::SubscribedPending, Row::Approved] {
        assert!(coverage.count(row) > 0, "{row:?}");
    }
    for row in
        [Row::NonceTooOld, Row::Damaged, Row::RequestDoubled, Row::Restarted, Row::BoundElsewhere]
    {
        assert_eq!(coverage.count(row), 0, "{row:?}");
    }
    assert_eq!(coverage.count(Row::Approved), 1);
}

#[test]
fn a_stormy_one_comes_to_the_races() {
    let mut plan = morning();
    plan.duration_ms = 120_000;
    plan.network =
        Weather { jitter_ms: 80, loss: 0.2, duplicate: 0.2, reorder: 0.2, ..Weather::default() };
    plan.steps.extend([
        order(6000, "alice", "message bob lunch?"),
        Step { at_ms: 20_000, act: Act::Crash(Party::Server) },
        Step { at_ms: 21_000, act: Act::Start(Party::Server) },
        order(22_000, "bob", "presence open back"),
        order(23_000, "alice", "message bob still there?"),
        Step {
            at_ms: 60_000,
            act: Act::Replay(Party::Device(plan.users[0].device_names()[0].clone())),
        },
    ]);
    let coverage = covered(&plan);
    for row in [
        Row::RequestDoubled,
        Row::ResponseDoubled,
        Row::Restarted,
        Row::NoticedRestart,
        Row::Replayed,
        Row::Delivered,
        Row::Modified,
    ] {
        assert!(coverage.count(row) > 0, "{row:?}: {coverage:?}");
    }
}

/// bob answers in the moment in which alice does not want any more; every datagram is doubled.
#[test]
fn a_call_that_is_answered_too_late_comes_to_the_races_of_invite() {
    let mut plan = morning();
    plan.network.duplicate = 1.0;
    plan.duration_ms = 60_000;
    plan.steps.extend([
        order(20_000, "alice", "call bob audio"),
        order(25_000, "bob", "answer"),
        order(25_000, "alice", "hangup"),
        order(40_000, "alice", "call bob audio"),
        order(42_000, "bob", "answer"),
        order(44_000, "alice", "hangup"),
    ]);
    let coverage = covered(&plan);
    let rows =
        [Row::SuccessOnceMore, Row::CancelCrossed, Row::AckRepeats, Row::CallUp, Row::CallEnded];
    for row in rows {
        assert!(coverage.count(row) > 0, "{row:?}: {coverage:?}");
    }
    let coverage = covered(&morning());
    for row in rows {
        assert_eq!(coverage.count(row), 0, "{row:?}");
    }
}

/// bob blocks alice while she speaks to him and he to her.
#[test]
fn who_speaks_comes_to_the_rows_of_direct_media() {
    let mut plan = morning();
    plan.duration_ms = 60_000;
    plan.steps.extend([
        order(20_000, "bob", "offer audio ready"),
        order(25_000, "alice", "direct bob audio"),
        order(27_000, "bob", "direct alice audio"),
        order(30_000, "bob", "block alice"),
    ]);
    let coverage = covered(&plan);
    let rows = [Row::Spoken, Row::SpokenBack, Row::SpeakerRefused];
    assert_eq!(rows.map(|row| coverage.count(row)), [2, 1, 1]);
    assert_eq!(coverage.count(Row::CallUp), 0);
}

#[test]
fn every_row_and_every_race_is_counted_or_has_a_reason() {
    let mut counted: Vec<&str> = Row::ALL.iter().flat_map(|row| row.id().split(", ")).collect();
    counted.sort_unstable();
    counted.dedup();
    for id in every_id() {
        let beyond = BEYOND.iter().filter(|(beyond, why)| *beyond == id && !why.is_empty()).count();
        let counts = usize::from(counted.contains(&&*id));
        assert_eq!(counts + beyond, 1, "{id} is to be in one of the two lists");
    }
    let known: Vec<String> = every_id().collect();
    assert!(BEYOND.iter().all(|(id, _)| known.iter().any(|known| known == id)));
}

#[test]
fn a_row_that_is_no_longer_come_to_is_lost() {
    let coverage = covered(&morning());
    let file = baseline::write(&coverage);
    assert_eq!(baseline::lost(&file, &coverage), Ok(Vec::new()));
    let lost = baseline::lost(&file, &Coverage::default()).expect("rows");
    assert!(lost.contains(&Row::Approved) && !lost.contains(&Row::Damaged));
    assert_eq!(
        baseline::lost("# rows\nAproved\n", &coverage),
        Err("line 2: `Aproved` is no row; see --help".to_owned())
    );
}
