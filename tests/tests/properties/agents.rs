//! Real agents over a network that loses and copies: when it behaves again, everybody converges.

use super::cases;
use presently_engine::agent::{Command, Event, Package};
use presently_engine::body::pidf::{Basic, Pidf};
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::Status;
use presently_tests::stage::DOMAIN;
use presently_tests::{Carried, Phone, World};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Wish {
    Watch { who: usize },
    Leave { who: usize },
    Decide { about: usize, handling: Option<Handling> },
    Open { note: u8 },
    Weather { pattern: u32 },
    Pass { seconds: u64 },
}

const WATCHERS: [&str; 2] = ["alice", "carol"];

fn wish() -> impl Strategy<Value = Wish> {
    let handling = prop::sample::select(vec![Some(Handling::Allow), Some(Handling::Block), None]);
    prop_oneof![
        (0..2usize).prop_map(|who| Wish::Watch { who }),
        (0..2usize).prop_map(|who| Wish::Leave { who }),
        (0..2usize, handling).prop_map(|(about, handling)| Wish::Decide { about, handling }),
        any::<u8>().prop_map(|note| Wish::Open { note }),
        any::<u32>().prop_map(|pattern| Wish::Weather { pattern }),
        (0..20u64).prop_map(|seconds| Wish::Pass { seconds }),
    ]
}

fn happen(world: &mut World, wish: &Wish) {
    let target = presently_engine::message::Aor::new("bob", DOMAIN);
    match wish {
        Wish::Watch { who } => world.watch(WATCHERS[*who], "bob", Package::Presence, 3600),
        Wish::Leave { who } => {
            let package = Package::Presence;
            world.command(WATCHERS[*who], Command::Unsubscribe { target, package });
        }
        Wish::Decide { about, handling } => world.decide("bob", WATCHERS[*about], *handling),
        Wish::Open { note } => {
            let note = Some(format!("note {note}").into());
            world.command("bob", Command::SetPresence { basic: Basic::Open, note });
        }
        Wish::Weather { pattern } => {
            let (pattern, mut turn) = (*pattern, 0u32);
            world.network(move |_, _, _| {
                turn = turn.wrapping_add(1);
                match pattern.rotate_left(turn.wrapping_mul(2)) & 7 {
                    7 => Carried::Lost,
                    6 => Carried::Twice,
                    _ => Carried::Once,
                }
            });
        }
        Wish::Pass { seconds } => world.pass(Duration::from_secs(*seconds)),
    }
    world.pass(Duration::from_millis(150));
}

/// What bob's agent shows of his watchers, by row.
fn shown_watchers(world: &World) -> BTreeMap<String, String> {
    let mut rows = BTreeMap::new();
    for event in world.seen("bob") {
        let Event::Watcher { id, uri, status, .. } = event else { continue };
        match status {
            Status::Terminated => drop(rows.remove(&**id)),
            status => drop(rows.insert(id.to_string(), format!("{uri} {}", status.as_str()))),
        }
    }
    rows
}

fn last_document<'w>(world: &'w World, name: &str) -> Option<&'w Pidf> {
    world.seen(name).iter().rev().find_map(|event| match event {
        Event::Presence { document, .. } => Some(document),
        _ => None,
    })
}

proptest! {
    #![proptest_config(cases(48))]

    /// P46 and P48 with the real consumer of M17 and the real subscriber of M15.
    #[test]
    fn agents_converge_after_bad_weather(wishes in prop::collection::vec(wish(), 1..16)) {
        let mut world = World::new(&["alice", "bob", "carol"]);
        world.login(&["bob", "alice", "carol"]);
        world.command("bob", Command::SetPresence { basic: Basic::Open, note: None });
        world.watch("bob", "bob", Package::Winfo, 7200);
        world.pass(Duration::from_secs(1));
        for wish in &wishes {
            happen(&mut world, wish);
        }
        world.calm();
        world.pass(Duration::from_secs(150));
        let tables = world.server.tables(world.now);
        let truth: BTreeMap<String, String> = tables
            .wt
            .iter()
            .filter(|row| row.status != "terminated")
            .map(|row| (row.id.clone(), format!("{} {}", row.watcher, row.status)))
            .collect();
        prop_assert_eq!(shown_watchers(&world), truth, "{}", world.drawing());
        for row in tables.pst.iter().filter(|row| row.state == "active") {
            let name = WATCHERS.into_iter().find(|name| row.from == Phone::aor(name));
            let shown = name.and_then(|name| last_document(&world, name));
            let notes: Vec<String> = tables.pit.iter().map(|tuple| tuple.note.clone()).collect();
            let seen = shown.map(|document| {
                let first = |tuple: &presently_engine::body::pidf::Tuple| {
                    tuple.notes.first().map_or(String::new(), |note| note.text.to_string())
                };
                document.tuples.iter().map(first).collect::<Vec<_>>()
            });
            prop_assert_eq!(seen, Some(notes), "{}", world.drawing());
        }
    }
}
