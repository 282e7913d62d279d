//! Properties of behaviour §5.2, held over random courses of events in virtual time.
//!
//! `script` says what can happen, `play` lets it happen and checks after every single input what
//! has to hold always; the tests below add what has to hold at rest, and compare pairs of runs.

#[path = "properties/agents.rs"]
mod agents;
#[path = "properties/play.rs"]
mod play;
#[path = "properties/script.rs"]
mod script;

use play::Play;
use presently_engine::body::presrules::Handling;
use presently_engine::server::{Record, Server, Tables};
use presently_tests::{Phone, Stage, stage};
use proptest::prelude::*;
use script::{Act, Who, course};
use std::collections::BTreeMap;

/// As many cases as a test run has time for; `PROPTEST_CASES` asks for more.
fn cases(count: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let cases = asked.unwrap_or(count);
    ProptestConfig { failure_persistence: None, cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(128))]

    /// P2, P4–P8, P10–P12, P15, P39 after every input; P46 and P48 at rest.
    #[test]
    fn documents_chain_and_converge(course in course(30), paced in any::<bool>()) {
        let mut play = Play::new(paced);
        for act in &course {
            play.act(act);
        }
        play.rest();
        play.check_winfo_equals_truth();
        play.check_watchers_saw_the_newest();
    }

    /// P9: what others do leaves no trace in the dialogs of somebody who sees only its own rows.
    #[test]
    fn self_view_is_isolated(course in course(30), paced in any::<bool>()) {
        let run = |others: bool| {
            let mut play = Play::new(paced);
            play.act(&Act::Winfo { who: Who::Carol, asked: 80_000 });
            for act in &course {
                let idle = Act::Pass { seconds: 0 };
                let theirs = act.is_of(Who::Alice) || act.is_of(Who::Dave);
                play.act(if theirs && !others { &idle } else { act });
            }
            play.rest();
            play.received(Who::Carol)
        };
        prop_assert_eq!(run(true), run(false));
    }

    /// P41: a politely blocked watcher is told what an allowed watcher of somebody who is never
    /// there is told, byte for byte.
    #[test]
    fn polite_block_cannot_be_told_from_absence(course in course(30), paced in any::<bool>()) {
        let run = |handling: Handling, there: bool| {
            let mut play = Play::new(paced);
            play.act(&Act::Decide { about: Who::Carol, handling: Some(handling) });
            for act in &course {
                let idle = Act::Pass { seconds: 0 };
                let kept = match act {
                    Act::Decide { about: Who::Carol, .. } => false,
                    Act::Publish { .. } | Act::Register { .. } => there,
                    act => there || act.is_of(Who::Carol) || act.is_time(),
                };
                play.act(if kept { act } else { &idle });
            }
            play.rest();
            play.received(Who::Carol)
        };
        prop_assert_eq!(run(Handling::PoliteBlock, true), run(Handling::Allow, false));
    }

    /// What was durable when the power went is what lives on: recovery is the durable part of
    /// the running server (R47).
    #[test]
    fn recovery_restores_what_was_alive(course in course(30)) {
        let mut play = Play::new(false);
        for act in &course {
            play.act(act);
        }
        let alive = durable(&play.stage.server, &play.stage);
        let rows = play.stage.rows.values().map(|row| Record::decode(row).expect("rows read back"));
        let recovered = Server::recover(&play.stage.config, play.stage.now, rows.collect());
        prop_assert_eq!(durable(&recovered, &play.stage), alive);
        play.crash();
        play.rest();
        play.check_winfo_equals_truth();
        play.check_watchers_saw_the_newest();
    }

    /// P59: the same course gives the same bytes and the same state.
    #[test]
    fn equal_courses_give_equal_bytes(course in course(40), paced in any::<bool>()) {
        let run = || {
            let mut play = Play::new(paced);
            for act in &course {
                play.act(act);
            }
            let heard = Who::ALL.map(|who| play.received(who));
            (heard, play.stage.rows.clone(), play.stage.server.clone())
        };
        prop_assert_eq!(run(), run());
    }

    /// P35: a REGISTER that fails changes nothing, and an older CSeq of the same Call-ID never
    /// overwrites what a newer one said.
    #[test]
    fn register_is_all_or_nothing(asks in prop::collection::vec(registration(), 1..12)) {
        let mut stage = Stage::new(stage::config());
        let mut phone = Phone::new("bob", 5070);
        let mut said: BTreeMap<u8, (usize, u32)> = BTreeMap::new();
        for (call, cseq, contacts) in asks {
            let before = stage.rows.clone();
            let status = register(&mut stage, &mut phone, call, cseq, &contacts);
            if status >= 300 {
                prop_assert_eq!(&stage.rows, &before, "a failed REGISTER changed something");
                continue;
            }
            for (port, seconds) in contacts {
                let late = said.get(&port).is_some_and(|(by, last)| *by == call && cseq < *last);
                prop_assert!(!late, "an older CSeq overwrote a binding");
                match seconds {
                    0 => drop(said.remove(&port)),
                    _ => drop(said.insert(port, (call, cseq))),
                }
            }
        }
    }
}

/// The durable part of what the tables show: ids, states, documents and ends of granted times,
/// without the rows that only wait for an answer to their last NOTIFY.
fn durable(server: &Server, stage: &Stage) -> (Tables, Vec<(&'static str, usize)>) {
    let mut tables = server.tables(stage.now);
    tables.wt.retain(|row| row.status != "terminated");
    for table in [&mut tables.pst, &mut tables.wst] {
        table.retain(|row| !row.state.starts_with("terminated"));
        for row in table.iter_mut() {
            // Numbers are stored in strides and what was acknowledged is not stored at all.
            (row.version, row.cseq) = (0, 0);
        }
    }
    for row in &mut tables.pit {
        // A document is stamped anew, never with an older time.
        row.timestamp.clear();
    }
    let kept = ["bindings", "publications", "stored_messages"];
    let sizes = server.sizes().into_iter().filter(|(name, _)| kept.contains(name));
    (tables, sizes.collect())
}

type Registration = (usize, u32, Vec<(u8, u32)>);

/// Which Call-ID, which CSeq, which contacts for how long (beyond 5: no contact at all).
fn registration() -> impl Strategy<Value = Registration> {
    let seconds = prop_oneof![Just(0), Just(5), 60..4000u32];
    (0..3usize, 1..6u32, prop::collection::vec((0..7u8, seconds), 1..4))
}

fn register(
    stage: &mut Stage,
    phone: &mut Phone,
    call: usize,
    cseq: u32,
    contacts: &[(u8, u32)],
) -> u16 {
    let list: Vec<String> = contacts
        .iter()
        .map(|(port, seconds)| match port {
            6 => "<sip:>".to_owned(),
            port => format!("<sip:bob@198.51.100.7:508{port}>;expires={seconds}"),
        })
        .collect();
    let branch = stage.now.as_millis();
    let text = format!(
        "REGISTER sip:example.org SIP/2.0\r\n\
         Via: SIP/2.0/UDP {};branch=z9hG4bK{branch};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:bob@example.org>;tag=a{call}\r\nTo: <sip:bob@example.org>\r\n\
         Call-ID: call-{call}\r\nCSeq: {cseq} REGISTER\r\nContact: {}\r\n\
         Content-Length: 0\r\n\r\n",
        phone.addr,
        list.join(", "),
    );
    stage.packet(phone.addr, text);
    let status = stage.response(phone.addr).status();
    stage.pass(std::time::Duration::from_secs(1));
    status
}
