//! The museum is in order: every exhibit still fits the sources, and the README shows it. Whether
//! it is found is said by `presence-museum`, which takes minutes.

use presently_museum::{exhibit, plant, root, table};

#[test]
fn every_exhibit_fits_todays_sources() {
    let exhibits = exhibit::all(&root()).unwrap_or_else(|why| panic!("{why}"));
    assert!(exhibits.len() >= 40, "{} exhibits", exhibits.len());
    let planted = plant::planted(&root(), &exhibits).unwrap_or_else(|why| panic!("{why}"));
    let switches = &planted[plant::SWITCHES];
    for exhibit in &exhibits {
        let switch = format!("pub fn {}() -> bool", exhibit.name);
        assert_eq!(switches.matches(&switch).count(), 1, "{switch}");
    }
}

#[test]
fn the_readme_lists_every_exhibit_with_every_hunter() {
    let exhibits = exhibit::all(&root()).unwrap_or_else(|why| panic!("{why}"));
    let kept = table::kept(&root()).unwrap_or_else(|why| panic!("{why}"));
    for exhibit in &exhibits {
        let begin = format!("| `{}` {} | {} |", exhibit.name, exhibit.title, exhibit.story);
        let rows = kept.lines().filter(|row| row.starts_with(&begin)).count();
        let wanted = exhibit.hunters().len();
        assert_eq!(rows, wanted, "`presence-museum --write-table` has to run: {}", exhibit.name);
    }
    let rows = kept.lines().filter(|row| row.starts_with("| `")).count();
    let hunters: usize = exhibits.iter().map(|exhibit| exhibit.hunters().len()).sum();
    assert_eq!(rows, hunters, "`presence-museum --write-table` has to run");
}

/// Issue 4: one fault each in digest, notify, winfo, recovery and agent.
#[test]
fn five_rooms_have_a_fault_for_the_search() {
    let exhibits = exhibit::all(&root()).unwrap_or_else(|why| panic!("{why}"));
    let rooms: std::collections::BTreeSet<&str> =
        exhibits.iter().filter_map(|exhibit| exhibit.quarter.as_deref()).collect();
    for room in ["digest", "notify", "winfo", "recovery", "agent"] {
        assert!(rooms.contains(room), "{room}");
    }
}
