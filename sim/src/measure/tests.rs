//! What the measurement says, on a small scale; and that what is kept of it in the repository is
//! what this program says.

use super::price::Way;
use super::*;
use std::path::{Path, PathBuf};

/// One call of each kind is enough where nothing is left to chance.
fn without_loss() -> Wish {
    Wish { losses: vec![0], watchers: Vec::new(), ..Wish::new(7, 1) }
}

fn made(wish: &Wish) -> Measurement {
    measure(wish, |_, _| ()).expect("every call can be made")
}

/// Whether a figure is within 10 % of what was predicted.
fn is_near(figure: u64, predicted: u64) -> bool {
    figure.abs_diff(predicted) * 10 <= predicted
}

#[test]
fn without_loss_the_first_packet_is_there_when_the_sum_of_the_delays_says() {
    for cell in made(&without_loss()).cells {
        let arrived = cell.arrived.p50.expect("it arrives");
        assert!(is_near(arrived, cell.predicted), "{cell:?}");
        let sent = cell.sent.p50.expect("it is sent");
        assert_eq!(arrived - sent, cell.kind.delays.d, "{cell:?}");
        let held_back = cell.played.p50.expect("it is played") - arrived;
        let expected = match cell.kind.case {
            // The first packet comes with the check, before the check has opened the door.
            Case::Early => 40,
            Case::Invite | Case::Challenged | Case::Mismatch | Case::Checked | Case::Paper => 20,
        };
        assert_eq!(held_back, expected, "{cell:?}");
    }
}

#[test]
fn wherever_the_direct_way_is_shorter_a_checked_flow_beats_an_invite_by_the_predicted_factor() {
    let cases = vec![Case::Invite, Case::Checked];
    // The last one is where the detour is the shorter way.
    let delays = [&Delays::SETS[..], &[Delays { a: 10, b: 10, d: 50 }]].concat();
    let measurement = made(&Wish { cases, delays: delays.clone(), ..without_loss() });
    for set in delays {
        let arrived = |case| {
            let cell = measurement.cell(Kind { case, delays: set, loss: 0 });
            cell.and_then(|cell| cell.arrived.p50).expect("it arrives") as f64
        };
        let predicted = |case| prediction::arrival(case, set) as f64;
        let factor = arrived(Case::Invite) / arrived(Case::Checked);
        let expected = predicted(Case::Invite) / predicted(Case::Checked);
        assert!((factor / expected - 1.0).abs() <= 0.1, "{set:?}: {factor} instead of {expected}");
        assert_eq!(factor > 1.0, set.d < set.a + set.b, "{set:?}");
    }
}

#[test]
fn a_direct_call_costs_four_messages_a_watcher_and_an_invite_none() {
    let watchers = vec![0, 1, 3];
    let measurement = made(&Wish { cases: Vec::new(), watchers, ..without_loss() });
    for price in &measurement.prices {
        let (w, shown) = (price.watchers, format!("{price:?}"));
        assert_eq!(price.sip, price.session + price.publish + price.notify, "{shown}");
        let (session, publish, notify) = match price.way {
            // INVITE, 180 and 200 on both sides of the proxy; ACK, BYE and its 200 without it.
            Way::Invite => (9, 0, 0),
            Way::InviteBesideOffer => (9, 4, 4 * w),
            Way::Direct => (0, 4, 4 * w),
        };
        assert_eq!((price.session, price.publish, price.notify), (session, publish, notify));
        if price.way == Way::Direct {
            assert_eq!(price.sip, prediction::messages(w), "{shown}");
        }
    }
    let direct = measurement.prices.iter().filter(|price| price.way == Way::Direct).count();
    assert_eq!(direct, 2, "nobody can speak directly to somebody whom nobody watches");
}

#[test]
fn equal_seeds_give_equal_figures_and_others_do_not() {
    let cases = vec![Case::Challenged, Case::Early, Case::Paper];
    let delays = vec![Delays::SETS[0]];
    let wish = Wish { cases, delays, losses: vec![30], watchers: vec![2], ..Wish::new(1, 3) };
    let one = made(&wish);
    assert_eq!(made(&wish), one);
    let other = made(&Wish { seed: 2, ..wish });
    assert_ne!(Measurement { seed: 1, ..other }, one);
}

#[test]
fn who_never_came_to_it_was_slower_than_all() {
    let all = |percent: u64| (1..=100).map(move |time| (time <= percent).then_some(time));
    let spread = |p50, p95, p99| Spread { p50, p95, p99 };
    assert_eq!(Spread::of(all(100)), spread(Some(50), Some(95), Some(99)));
    assert_eq!(Spread::of(all(95)), spread(Some(50), Some(95), None));
    assert_eq!(Spread::of([Some(7)].into_iter()), spread(Some(7), Some(7), Some(7)));
    assert_eq!(Spread::of(std::iter::empty()), spread(None, None, None));
}

/// What is kept in the repository.
fn kept(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("measurement");
    std::fs::read_to_string(folder.join(name)).expect("it is in the repository")
}

fn kept_figures() -> Measurement {
    serde_json::from_str(&kept("figures.json")).expect("figures")
}

#[test]
fn the_kept_tables_and_pictures_show_the_kept_figures() {
    let figures = kept_figures();
    assert_eq!(table::markdown(&figures), kept("table.md"));
    assert_eq!(plot::latency(&figures), kept("latency.svg"));
    assert_eq!(plot::messages(&figures), kept("messages.svg"));
}

#[test]
fn a_part_of_the_kept_figures_comes_out_again() {
    let kept = kept_figures();
    let delays = vec![Delays::SETS[2]];
    let wish = Wish { delays, losses: vec![0, 5], watchers: vec![0, 5], ..Wish::new(kept.seed, 5) };
    let now = made(&wish);
    assert_eq!(now.cells.len(), 12);
    for cell in &now.cells {
        let before = kept.cell(cell.kind).expect("it was measured");
        assert_eq!(cell.first, before.first, "{:?}", cell.kind);
        if cell.kind.loss == 0 {
            assert_eq!((cell.arrived, cell.played), (before.arrived, before.played));
        }
    }
    for price in &now.prices {
        assert!(kept.prices.contains(price), "{price:?}");
    }
}
