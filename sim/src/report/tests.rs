//! What a run leaves behind, read as its readers read it.

mod capture;

use super::*;
use crate::judge::judge;
use crate::judge::tests::user;
use crate::plan::{DeviceName, Expectation, ServerPlan, Step, Weather};
use crate::record::Progress;
use crate::world::{play, play_watched};
use presently_engine::agent::Event;

const HOSTILE: &str = "<script>alert('&')</script>";

fn device(user: &str) -> DeviceName {
    DeviceName { user: user.into(), device: String::new() }
}

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn sees(text: &str, when: When, basic: &str) -> Expectation {
    let (watcher, whom) = (device("alice"), "bob".to_owned());
    let claim = Claim::Sees { watcher, whom, basic: basic.into(), note: None };
    Expectation { text: text.into(), when, claim }
}

fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        title: "lunch & <rain>".into(),
        story: "Alice watches Bob.".into(),
        seed: 7,
        duration_ms: 20_000,
        server: ServerPlan { default_policy: "allow".into(), ..ServerPlan::default() },
        users: vec![user("alice"), user("bob")],
        network: Weather::default(),
        steps,
        expectations: vec![
            sees(
                "alice sees bob open within 5s",
                When::Within { from_ms: 0, until_ms: 5000 },
                "open",
            ),
            sees("never alice sees bob \"open\"", When::Never { from_ms: 0 }, "open"),
            sees("eventually alice sees bob closed", When::Eventually, "closed"),
        ],
    }
}

/// Alice watches Bob, whose note is hostile, through every kind of weather.
fn rainy() -> Plan {
    let step = |at_ms, act| Step { at_ms, act };
    let order = |at_ms, user, line: &str| step(at_ms, Act::Order(device(user), line.into()));
    let rain = Weather {
        jitter_ms: 30,
        loss: 0.2,
        duplicate: 0.2,
        reorder: 0.2,
        corrupt: 0.2,
        ..Weather::default()
    };
    plan(vec![
        step(0, Act::Login(device("alice"))),
        step(0, Act::Login(device("bob"))),
        step(500, Act::Weather(rain)),
        order(1000, "bob", &format!("presence open {HOSTILE}")),
        order(2000, "alice", "watch bob"),
        step(6000, Act::Weather(Weather::default())),
        step(
            7000,
            Act::Cut { from: Party::Server, to: Party::Device(device("alice")), both: true },
        ),
        order(8000, "alice", &format!("message bob {HOSTILE}")),
        step(9000, Act::Mend),
        step(10_000, Act::Crash(Party::Server)),
        order(10_500, "bob", "presence closed"),
        step(11_000, Act::Start(Party::Server)),
    ])
}

/// A record small enough to be read whole.
fn small() -> (Plan, Record) {
    let (alice, server) = (at("198.51.100.1:5060"), at("192.0.2.1:5060"));
    let arrives = |corrupted, copy| Fate::Arrives { after_ms: 10, corrupted, copy };
    let login = Step { at_ms: 0, act: Act::Login(device("alice")) };
    let order = Step { at_ms: 1000, act: Act::Order(device("alice"), "watch bob".into()) };
    let register = "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1\
        \r\nFrom: <sip:alice@example.org>;tag=1\r\nTo: <sip:alice@example.org>\r\nCall-ID: 1\r\n\
        CSeq: 1 REGISTER\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n";
    let datagram = |from, to, bytes: &'static [u8], fate| What::Datagram {
        from,
        to,
        bytes: Bytes::from_static(bytes),
        fate,
    };
    let entry = |at_ms, what| Entry { at_ms, what };
    let record = Record {
        entries: vec![
            entry(0, What::Step(login)),
            entry(0, datagram(alice, server, register.as_bytes(), arrives(false, false))),
            entry(0, datagram(alice, server, register.as_bytes(), Fate::Lost)),
            entry(20, datagram(server, at("203.0.113.66:1024"), b"\xff\x00", arrives(false, true))),
            entry(30, datagram(server, alice, b"\r\n\r\n", arrives(true, false))),
            entry(
                40,
                What::Told { device: device("alice"), event: Event::Registered { expires: 60 } },
            ),
            entry(1000, What::Step(order)),
            entry(1000, What::Trouble { party: Party::Server, why: "the disk is \"full\"".into() }),
        ],
        addresses: vec![(Party::Server, server), (Party::Device(device("alice")), alice)],
        ended_ms: 2000,
        ..Record::default()
    };
    (plan(Vec::new()), record)
}

#[test]
fn every_entry_is_one_line_of_json() {
    let (plan, record) = small();
    let lines = jsonl::write(&record, plan.seed).expect("JSON");
    assert_eq!(lines.lines().count(), record.entries.len());
    for line in lines.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("an object");
        assert!(value["at_ms"].is_u64() && value["kind"].is_string(), "{line}");
    }
    insta::assert_snapshot!(lines);
}

#[test]
fn junit_has_a_case_for_each_expectation_and_says_what_was_seen_instead() {
    let (plan, record) = small();
    let verdicts = judge(&plan, &record);
    insta::assert_snapshot!(junit::write(&plan, &record, &verdicts));
}

#[test]
fn a_line_says_who_whom_what_and_what_became_of_it() {
    let (_, record) = small();
    let lines: Vec<String> =
        record.entries.iter().filter_map(|entry| line::line(entry, &record)).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn no_text_of_a_user_becomes_markup() {
    let plan = rainy();
    let record = play(&plan).expect("a run");
    let told = record.told().filter(|(_, _, event)| format!("{event:?}").contains(HOSTILE));
    assert!(told.count() > 1, "the note and the message arrived");
    let verdicts = judge(&plan, &record);
    let page = html::page(&plan, &record, &verdicts).expect("a page");
    // The page's own script is the only one, and no attribute is left early.
    assert_eq!(page.matches("<script").count(), page.matches("\n<script>\n").count());
    assert!(!page.contains("alert('"), "a quote of a note stands in the page");
    assert!(page.contains("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"));
    assert!(page.contains("<h1>lunch &amp; &lt;rain&gt;</h1>"));
    for elsewhere in ["src=", "<link", "@import", "url("] {
        assert!(!page.contains(elsewhere), "the page asks for something from elsewhere");
    }
}

#[test]
fn the_ladder_draws_every_datagram_with_its_fate() {
    let plan = rainy();
    let record = play(&plan).expect("a run");
    let page = html::page(&plan, &record, &[]).expect("a page");
    let fates: Vec<Fate> = record
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Datagram { fate, .. } => Some(*fate),
            What::Told { .. } | What::Stream { .. } | What::Step(_) | What::Trouble { .. } => None,
        })
        .collect();
    let count = |which: fn(&Fate) -> bool| fates.iter().filter(|fate| which(fate)).count();
    let arrows = |class: &str| page.matches(&format!("<path class=\"{class}\"")).count();
    let arrived = count(|fate| matches!(fate, Fate::Arrives { .. }));
    let corrupted = count(|fate| matches!(fate, Fate::Arrives { corrupted: true, .. }));
    let copies = count(|fate| matches!(fate, Fate::Arrives { copy: true, .. }));
    assert!(corrupted > 0 && copies > 0 && arrived < fates.len(), "the weather did nothing");
    assert_eq!(arrows("way"), fates.len());
    assert_eq!(arrows("tip"), arrived);
    assert_eq!(arrows("cross"), fates.len() - arrived);
    assert_eq!(arrows("zigzag"), corrupted);
    assert_eq!(page.matches("<pre id=\"m").count(), fates.len(), "each can be opened");
    assert_eq!(page.matches("<mark title=\"0x").count(), corrupted, "the changed byte is marked");
}

#[test]
fn equal_records_give_equal_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let plan = rainy();
    let files = ["report.html", "trace.pcap", "trace.jsonl", "junit.xml", "capsule.json"];
    let written = ["first/run", "second/run"].map(|name| {
        let record = play(&plan).expect("a run");
        let dir = folder.path().join(name);
        write(&dir, &plan, &record, &judge(&plan, &record)).expect("written");
        files.map(|file| std::fs::read(dir.join(file)).expect("a file"))
    });
    assert_eq!(written[0], written[1]);
    assert!(written[0].iter().all(|bytes| !bytes.is_empty()));
}

#[test]
fn looking_at_the_tables_changes_nothing_and_shows_them_grow() {
    for seed in 0..20 {
        let mut plan = rainy();
        plan.seed = seed;
        let (record, watched) =
            (play(&plan).expect("a run"), play_watched(&plan, Progress::default()).expect("a run"));
        assert_eq!(record.hash(), watched.hash());
        assert!(record.tables.is_empty());
        assert!(!watched.tables.is_empty(), "looking changed the run of seed {seed}");
        let tables = |at_ms: u64| {
            let seen = watched.tables.iter().rev().find(|snapshot| snapshot.at_ms <= at_ms);
            seen.map(|snapshot| snapshot.tables.clone())
        };
        let rows = |at_ms| tables(at_ms).expect("a look").map(|tables| tables.wt.len());
        assert_eq!(rows(990), Some(0), "nobody watches yet");
        assert_eq!(rows(10_990), None, "the server is down");
        assert!(rows(60_000) >= Some(1), "alice watches bob");
        let page = html::page(&plan, &watched, &[]).expect("a page");
        assert!(page.contains("max=\"") && page.contains("id=\"reel\""));
        assert_eq!(page.matches("<script").count(), page.matches("\n<script>\n").count());
    }
}

#[test]
fn a_stall_is_drawn_from_its_beginning_to_its_end_or_to_the_crash() {
    let alice = Party::Device(device("alice"));
    let mut plan = rainy();
    let stall = |at_ms, party: &Party, ms| Step { at_ms, act: Act::Stall(party.clone(), ms) };
    plan.steps.extend([stall(11_500, &alice, 1500), stall(12_000, &Party::Server, 90_000)]);
    plan.steps.push(Step { at_ms: 15_000, act: Act::Crash(Party::Server) });
    plan.steps.push(Step { at_ms: 15_500, act: Act::ClockStep(alice.clone(), -90_000) });
    let record = play(&plan).expect("a run");
    let spans = spans::of(&plan, &record);
    let stalls: Vec<_> = spans
        .iter()
        .filter(|span| span.matter == spans::Matter::Stalled)
        .map(|span| (span.party.clone(), span.from_ms, span.until_ms))
        .collect();
    assert_eq!(stalls, [(Some(alice), 11_500, 13_000), (Some(Party::Server), 12_000, 15_000)]);
    assert!(spans.iter().all(|span| span.from_mark <= span.until_mark), "{spans:#?}");
    let page = html::page(&plan, &record, &[]).expect("a page");
    for words in ["span stalled", "stands still for 1.500 s", "the wall clock jumps 90.000 s back"]
    {
        assert!(page.contains(words), "{words}");
    }
}
