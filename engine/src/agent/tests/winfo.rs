//! Watcher information: versions, gaps, rows (M17, P60, R37, R38).

use super::rig::*;
use crate::agent::winfo::{State, View};
use crate::agent::{Event, Package};
use crate::body::winfo::{Cause, Status};
use crate::message::{Method, Name};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PENDING: (Status, Cause) = (Status::Pending, Cause::Subscribe);
const ACTIVE: (Status, Cause) = (Status::Active, Cause::Approved);
const GONE: (Status, Cause) = (Status::Terminated, Cause::Timeout);

fn row(id: &str, (status, cause): (Status, Cause)) -> (&str, Status, Cause) {
    (id, status, cause)
}

fn synced() -> (Scene, Notifier) {
    let mut scene = Scene::online();
    let mut dialog = scene.watch(alice(), Package::Winfo);
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    let full = Body::Winfo(0, true, &[row("w1", PENDING)]);
    scene.notify(&mut dialog, "active;expires=3600", full);
    (scene, dialog)
}

fn ids(scene: &Scene) -> Vec<(String, Status)> {
    let watchers = scene.agent.tables(scene.now).watchers;
    watchers.iter().map(|row| (row.id.to_string(), row.status)).collect()
}

#[test]
fn rows_are_merged_by_id_and_terminated_ones_leave() {
    let (mut scene, mut dialog) = synced();
    scene.events();
    let partial = Body::Winfo(1, false, &[row("w1", ACTIVE), row("w2", PENDING)]);
    assert_eq!(scene.notify(&mut dialog, "active", partial), 200);
    let told = [("w1".to_owned(), Status::Active), ("w2".to_owned(), Status::Pending)];
    assert_eq!(ids(&scene), told);
    let partial = Body::Winfo(2, false, &[row("w2", GONE)]);
    scene.notify(&mut dialog, "active", partial);
    assert_eq!(ids(&scene), [("w1".to_owned(), Status::Active)]);
    let events = scene.events();
    let statuses: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::Watcher { status, uri, .. } => {
                assert!(uri.starts_with("sip:w"));
                *status
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(statuses, [Status::Active, Status::Pending, Status::Terminated]);
    scene.expect_silence();
}

/// The restart of a server replaces the dialog without a word to the user, who has to hear what
/// ended in between.
#[test]
fn rows_that_ended_between_two_dialogs_are_told_as_ended() {
    let (mut scene, mut dialog) = synced();
    scene.notify(&mut dialog, "active", Body::Winfo(1, false, &[row("w2", ACTIVE)]));
    scene.events();
    scene.open();
    let publish = scene.expect(Method::Publish);
    scene.challenge(&publish, "n1", "boot1", false);
    let publish = scene.expect(Method::Publish);
    scene.challenge(&publish, "n2", "boot2", true);
    scene.forget();
    scene.pass(secs(1));
    let subscribe = scene.find(Method::Subscribe);
    let mut dialog = Notifier { subscribe, tag: "pc", cseq: 0 };
    scene.answer(&dialog.subscribe, 200, &[(Name::Expires, "3600")]);
    let full = Body::Winfo(0, true, &[row("w2", ACTIVE), row("w3", PENDING)]);
    scene.notify(&mut dialog, "active;expires=3600", full);
    let told = scene.events().into_iter().filter_map(|event| match event {
        Event::Watcher { id, status, .. } => Some((id.to_string(), status)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert_eq!(told, [("w3".to_owned(), Status::Pending), ("w1".to_owned(), Status::Terminated)]);
    let left = [("w2".to_owned(), Status::Active), ("w3".to_owned(), Status::Pending)];
    assert_eq!(ids(&scene), left);
}

/// R37: apply, ask once, take the full document.
#[test]
fn a_gap_asks_for_a_full_document_once() {
    let (mut scene, mut dialog) = synced();
    let partial = Body::Winfo(4, false, &[row("w4", PENDING)]);
    assert_eq!(scene.notify(&mut dialog, "active", partial), 200);
    assert_eq!(ids(&scene).len(), 2, "applied all the same");
    let refresh = scene.expect(Method::Subscribe);
    assert_eq!(refresh.to().unwrap().tag(), Some("pa"));
    let partial = Body::Winfo(7, false, &[row("w5", PENDING)]);
    scene.notify(&mut dialog, "active", partial);
    scene.expect_silence();
    scene.answer(&refresh, 200, &[(Name::Expires, "3600")]);
    let full = Body::Winfo(8, true, &[row("w4", ACTIVE)]);
    scene.notify(&mut dialog, "active", full);
    assert_eq!(ids(&scene), [("w4".to_owned(), Status::Active)]);
    scene.pass(secs(120));
    scene.expect_silence();
}

/// R38.
#[test]
fn an_older_or_equal_version_is_acknowledged_and_discarded() {
    let (mut scene, mut dialog) = synced();
    let full = Body::Winfo(5, true, &[row("w1", ACTIVE)]);
    scene.notify(&mut dialog, "active", full);
    for version in [5, 4, 0] {
        let old = Body::Winfo(version, true, &[row("w9", PENDING)]);
        assert_eq!(scene.notify(&mut dialog, "active", old), 200);
    }
    assert_eq!(ids(&scene), [("w1".to_owned(), Status::Active)]);
    scene.expect_silence();
}

#[test]
fn unreadable_documents_cause_one_refresh_a_minute() {
    let (mut scene, mut dialog) = synced();
    let mut refreshes = 0;
    for _ in 0..180 {
        let bad = Body::Raw("application/watcherinfo+xml", "<watcherinfo");
        assert_eq!(scene.notify(&mut dialog, "active", bad), 200);
        for refresh in scene.requests() {
            refreshes += 1;
            scene.answer(&refresh, 200, &[(Name::Expires, "3600")]);
        }
        scene.pass(secs(1));
    }
    assert_eq!(refreshes, 3);
}

/// R22: every notifier of a fork has its own scope of versions.
#[test]
fn forked_dialogs_have_tables_of_their_own() {
    let (mut scene, mut dialog) = synced();
    let mut other = Notifier { tag: "pb", cseq: 0, ..dialog.clone() };
    let full = Body::Winfo(0, true, &[row("x1", ACTIVE)]);
    assert_eq!(scene.notify(&mut other, "active;expires=3600", full), 200);
    assert_eq!(ids(&scene).len(), 2);
    let partial = Body::Winfo(1, false, &[row("x2", PENDING)]);
    assert_eq!(scene.notify(&mut other, "active", partial), 200);
    scene.notify(&mut dialog, "active", Body::Winfo(1, false, &[row("w2", PENDING)]));
    assert_eq!(ids(&scene).len(), 4);
    scene.notify(&mut other, "terminated;reason=deactivated", Body::None);
    assert_eq!(ids(&scene).len(), 2);
    scene.pass(secs(10));
    scene.expect_silence();
}

#[test]
fn a_new_dialog_starts_with_an_empty_table() {
    let (mut scene, mut dialog) = synced();
    scene.notify(&mut dialog, "terminated;reason=deactivated", Body::None);
    assert_eq!(ids(&scene), []);
    scene.pass(secs(2));
    let subscribe = scene.expect(Method::Subscribe);
    let mut dialog = Notifier { subscribe, tag: "pc", cseq: 0 };
    let full = Body::Winfo(0, true, &[row("w9", PENDING)]);
    scene.notify(&mut dialog, "active;expires=3600", full);
    assert_eq!(ids(&scene), [("w9".to_owned(), Status::Pending)]);
}

/// What a notifier under test does next: change a row, and tell it or lose it.
fn changes() -> impl Strategy<Value = Vec<(u8, u8, bool)>> {
    prop::collection::vec((0_u8..6, 0_u8..3, any::<bool>()), 1..40)
}

proptest! {
    /// P60: a notifier that skips versions; the consumer asks, and ends with its truth.
    #[test]
    fn the_table_ends_as_the_truth_whatever_versions_were_skipped(changes in changes()) {
        let (mut scene, mut dialog) = synced();
        let mut truth = BTreeMap::from([("w1".to_owned(), PENDING)]);
        let mut version = 0;
        for (id, kind, told) in changes {
            let id = format!("w{id}");
            let now = [PENDING, ACTIVE, GONE][usize::from(kind)];
            let known = truth.contains_key(&id);
            if now == GONE { truth.remove(&id); } else { truth.insert(id.clone(), now); }
            version += 1;
            if told && (known || now != GONE) {
                let rows = [row(&id, now)];
                scene.notify(&mut dialog, "active", Body::Winfo(version, false, &rows));
            }
            serve_refreshes(&mut scene, &mut dialog, &truth, &mut version);
            scene.pass(secs(7));
        }
        // One more document shows a gap at the end, if there is one.
        version += 1;
        scene.notify(&mut dialog, "active", Body::Winfo(version, false, &[]));
        for _ in 0..70 {
            serve_refreshes(&mut scene, &mut dialog, &truth, &mut version);
            scene.pass(secs(1));
        }
        let seen: Vec<_> = ids(&scene);
        let truth: Vec<_> = truth.into_iter().map(|(id, (status, _))| (id, status)).collect();
        prop_assert_eq!(seen, truth);
    }
}

fn serve_refreshes(
    scene: &mut Scene,
    dialog: &mut Notifier,
    truth: &BTreeMap<String, (Status, Cause)>,
    version: &mut u32,
) {
    for refresh in scene.requests() {
        assert_eq!(refresh.method(), Method::Subscribe);
        scene.answer(&refresh, 200, &[(Name::Expires, "3600")]);
        *version += 1;
        let rows: Vec<_> = truth.iter().map(|(id, now)| row(id, *now)).collect();
        scene.notify(dialog, "active;expires=3600", Body::Winfo(*version, true, &rows));
    }
}

/// M17 as a table.
#[test]
fn table_of_the_winfo_consumer() {
    let states = [State::NoDoc, State::Synced(3), State::Gap(Some(3)), State::Gap(None)];
    let documents = [(3, true), (3, false), (4, true), (4, false), (6, true), (6, false)];
    let mut text = String::new();
    for state in states {
        text += &format!("{state:?}\n");
        for (version, full) in documents {
            let mut view = View { state, ..View::default() };
            let old = winfo(0, true, &[row("old", ACTIVE)]);
            for list in old.lists {
                let watcher = &list.watchers[0];
                let key = (list.resource.clone(), watcher.id.clone());
                view.rows.insert(key, crate::agent::winfo::Row::of(watcher));
            }
            let changes = view.take(&winfo(version, full, &[row("new", PENDING)]));
            let kind = if full { "full" } else { "partial" };
            let rows: Vec<_> = view.rows.keys().map(|(_, id)| &**id).collect();
            let (next, changes) = (view.state, changes.len());
            text += &format!("  v{version} {kind:<8} {next:?} rows {rows:?} told {changes}\n");
        }
        let mut view = View { state, ..View::default() };
        view.spoil();
        text += &format!("  unreadable  {:?}\n", view.state);
    }
    insta::assert_snapshot!(text);
}
