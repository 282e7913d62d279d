//! Rows as they are written and compared.

use super::*;
use crate::show::Job;
use crate::trial::Outcome;

fn shown(hunter: Hunter, outcome: Outcome) -> Shown {
    let job = Job { exhibit: Some("leak".into()), hunter };
    Shown { job, outcome: Some(outcome), fault: None }
}

fn exhibits() -> [Exhibit; 1] {
    [Exhibit {
        name: "leak".into(),
        title: "it leaks".into(),
        story: "roof#1".into(),
        ..Exhibit::default()
    }]
}

#[test]
fn a_row_says_what_found_it_and_how_soon() {
    let law = "P21 BoundedState".to_owned();
    let killed_by = Some(law.clone());
    let found = Outcome { killed_by, count: 12_345, steps: 9, ..Outcome::default() };
    let model = shown(Hunter::Model { model: "C2a".into(), law }, found);
    assert_eq!(
        row(&exhibits(), &model).as_deref(),
        Some("| `leak` it leaks | roof#1 | P21 BoundedState | model C2a | 12,345 states | ≤ 9 |")
    );
    let killed_by = Some("P46".to_owned());
    let found = Outcome { killed_by, count: 1, steps: 4, whole: 40, ..Outcome::default() };
    let search = shown(Hunter::Search { property: "P46".into(), quarter: false }, found);
    assert_eq!(
        row(&exhibits(), &search).as_deref(),
        Some("| `leak` it leaks | roof#1 | P46 | search | 1 seed | 4 of 40 |")
    );
}

#[test]
fn what_differs_is_told_row_by_row() {
    let (kept, found) = ("| a | 1 |\n| b | 2 |\n", "| a | 1 |\n| b | 3 |\n");
    assert_eq!(differences(kept, found), ["- | b | 2 |", "+ | b | 3 |"]);
    assert_eq!(differences(kept, kept), Vec::<String>::new());
}
