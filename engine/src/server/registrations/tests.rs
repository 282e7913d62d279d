use super::*;
use crate::digest::fixture::BOOT;
use crate::machine::Output;
use crate::message::{Message, Request};
use crate::server::Config;
use crate::server::gate::fixture::{config, peer};
use crate::transaction::{Arrival, Transactions};
use proptest::prelude::*;
use std::fmt::Write;

const PHONE: &str = "192.0.2.7:5062";
const DESK: &str = "<sip:alice@192.0.2.7:5062>";
const SOFT: &str = "<sip:alice@192.0.2.8:5070;transport=udp>";

/// The registrar's room of alice, alone.
#[derive(Clone)]
struct Scene {
    config: Config,
    room: Registrations,
    timers: Timers<Timer>,
    transactions: Transactions<crate::server::Owner>,
    now: Instant,
    out: Vec<Output<Record, Event>>,
    /// Everything that was ever made durable.
    records: Vec<Record>,
    requests: u32,
}

impl Scene {
    fn new() -> Self {
        Self {
            config: config(),
            room: Registrations::default(),
            timers: Timers::default(),
            transactions: Transactions::default(),
            now: BOOT,
            out: Vec::new(),
            records: Vec::new(),
            requests: 0,
        }
    }

    /// A REGISTER of alice with these header lines; the answer and what changed.
    fn register(&mut self, call_id: &str, cseq: u32, headers: &[String]) -> (String, Change) {
        self.register_as("alice", "alice", call_id, cseq, headers)
    }

    fn register_as(
        &mut self,
        user: &str,
        account: &str,
        call_id: &str,
        cseq: u32,
        headers: &[String],
    ) -> (String, Change) {
        self.requests += 1;
        let request = request(self.requests, call_id, cseq, headers);
        let Self { config, room, timers, transactions, now, out, .. } = self;
        let (timing, from) = (&config.timing, peer(PHONE));
        let arrival = transactions.absorb(&config.secret, timing, *now, &request, out);
        let Arrival::New(key) = arrival else { panic!("{arrival:?}") };
        transactions.open(&config.secret, timing, *now, key, from, &request);
        let user = Aor::new(user, &config.domain);
        let ask = Ask { request: &request, from, key, user, info: None };
        let account = Aor::new(account, &config.domain);
        let mut cx = Cx { now: *now, config, timers, transactions, out };
        let change = room.on_register(&mut cx, &account, &ask);
        (self.drain(), change)
    }

    /// Lets every deadline up to now fire.
    fn tick(&mut self) -> Change {
        let mut change = Change::default();
        while let Some(timer) = self.timers.pop_due(self.now) {
            let Timer::Binding(aor, id) = timer else { panic!("{timer:?}") };
            let Self { config, room, timers, transactions, now, out, .. } = self;
            let mut cx = Cx { now: *now, config, timers, transactions, out };
            change.gone.extend(room.on_timer(&mut cx, &aor, id).gone);
        }
        self.drain();
        change
    }

    /// Takes the records; the text of the answer.
    fn drain(&mut self) -> String {
        let mut answer = String::new();
        for output in self.out.drain(..) {
            match output {
                Output::Record(record) => {
                    assert!(answer.is_empty(), "a record after the answer that promises it");
                    self.records.push(record);
                }
                Output::Transmit { bytes, .. } => {
                    answer = String::from_utf8(bytes.to_vec()).expect("text");
                }
                Output::Event(_) => {}
            }
        }
        answer
    }

    /// What is bound, and until when.
    fn describe(&self) -> String {
        let mut bindings: Vec<_> = self.room.live().collect();
        bindings.sort_by_key(|binding| &binding.contact);
        let show = |binding: &Binding| {
            let Binding { contact, call_id, cseq, params, q, .. } = binding;
            let left = binding.expires.seconds_since(BOOT);
            let params = if params.is_empty() { "" } else { &format!(" {params}") };
            let q = if *q == TOP { "" } else { &format!(" q {q}") };
            format!("[{contact} {call_id} {cseq} until {left}{params}{q}]")
        };
        bindings.into_iter().map(show).collect::<Vec<_>>().join(" ")
    }

    /// Recovery from the records gives the same room and the same deadlines.
    fn assert_durable(&self) {
        let mut recovered = Registrations::default();
        for record in &self.records {
            recovered.apply(record);
        }
        assert_eq!(recovered, self.room);
        let mut timers = Timers::default();
        let alice = Aor::new("alice", &self.config.domain);
        recovered.rearm(&mut timers, self.config.limits.expiry_grace, &alice);
        assert_eq!(timers, self.timers);
    }
}

fn request(number: u32, call_id: &str, cseq: u32, headers: &[String]) -> Request {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let text = format!(
        "REGISTER sip:example.org SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK{number};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:alice@example.org>;tag=1\r\n\
         To: <sip:alice@example.org>\r\nCall-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\n\
         {lines}Content-Length: 0\r\n\r\n"
    );
    match Message::parse(text.into()) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

fn lines<const N: usize>(lines: [&str; N]) -> Vec<String> {
    lines.map(str::to_owned).to_vec()
}

fn contact(text: &str) -> Vec<String> {
    vec![format!("Contact: {text}")]
}

fn status(answer: &str) -> u16 {
    answer.get(8..11).and_then(|digits| digits.parse().ok()).expect("an answer")
}

/// The lines of an answer that tell about bindings.
fn telling(answer: &str) -> Vec<&str> {
    let tells = |line: &&str| line.starts_with("Contact") || line.starts_with("Min-Expires");
    answer.lines().filter(tells).collect()
}

/// A room in every state of M9. Bindings were made by Call-ID `one`, CSeq 10.
fn states() -> Vec<(&'static str, Scene)> {
    let none = Scene::new();
    let mut bound = none.clone();
    bound.register("one", 10, &contact(DESK));
    let mut two = none.clone();
    two.register("one", 10, &contact(&format!("{DESK}, {SOFT};q=0.5;+sip.instance=\"<urn:x>\"")));
    let mut over = bound.clone();
    over.now = over.now + Duration::from_secs(3602);
    over.tick();
    assert!(!over.room.is_empty(), "kept for K3 after its time");
    for scene in [&mut bound, &mut two] {
        scene.now = scene.now + Duration::from_secs(100);
    }
    vec![("None", none), ("Bound", bound), ("Bound twice", two), ("Bound, in grace", over)]
}

/// Every event of M9: what, Call-ID, CSeq, headers.
fn events() -> Vec<(&'static str, &'static str, u32, Vec<String>)> {
    let desk = |rest: &str| contact(&format!("{DESK}{rest}"));
    let star = "Contact: *";
    vec![
        ("contact, CSeq higher", "one", 11, desk("")),
        ("contact, CSeq equal", "one", 10, desk("")),
        ("contact, CSeq lower", "one", 9, desk("")),
        ("contact, other Call-ID", "two", 1, desk(";expires=60")),
        ("contact, equivalent URI", "one", 11, contact("sip:%61lice@192.0.2.7:5062")),
        ("another contact", "one", 11, contact(SOFT)),
        ("another contact, CSeq lower", "one", 9, contact(SOFT)),
        ("removal, CSeq higher", "one", 11, desk(";expires=0")),
        ("removal, CSeq equal", "one", 10, desk(";expires=0")),
        ("removal, other Call-ID", "two", 1, desk(";expires=0")),
        ("one renewed, one removed", "one", 11, desk(&format!(", {SOFT};expires=0"))),
        ("the same contact twice", "one", 11, desk(&format!(";expires=60, {DESK};expires=90"))),
        ("bound and removed at once", "one", 11, desk(&format!(", {DESK};expires=0"))),
        ("star", "one", 11, lines([star, "Expires: 0"])),
        ("star, CSeq equal", "one", 10, lines([star, "Expires: 0"])),
        ("star, other Call-ID", "two", 1, lines([star, "Expires: 0"])),
        ("star, expires not 0", "one", 11, lines([star, "Expires: 60"])),
        ("star without Expires", "one", 11, lines([star])),
        ("too brief", "one", 11, desk(";expires=59")),
        ("one too brief, one fine", "one", 11, desk(&format!(", {SOFT};expires=1"))),
        ("too long", "one", 11, desk(";expires=4294967296")),
        ("Expires header", "one", 11, lines([&format!("Contact: {DESK}"), "Expires: 120"])),
        ("malformed expires", "one", 11, desk(";expires=soon")),
        ("parameters", "one", 11, desk(";q=0.25;methods=\"A,B\";ob;expires=60;reg-id=1")),
        ("malformed q", "one", 11, desk(";q=9.60000")),
        ("unusable contact", "one", 11, contact("<tel:+1234>")),
        ("no contact", "one", 11, vec![]),
    ]
}

#[test]
fn every_state_of_the_bindings_answers_every_event() {
    let mut table = String::new();
    for (state, scene) in states() {
        writeln!(table, "{state}: {}", scene.describe()).expect("a string takes text");
        for (event, call_id, cseq, headers) in events() {
            let mut after = scene.clone();
            let (answer, change) = after.register(call_id, cseq, &headers);
            after.assert_durable();
            let first = answer.lines().next().expect("a status line");
            writeln!(table, "  {event}: {}", &first[8..]).expect("text");
            for line in telling(&answer) {
                writeln!(table, "      {line}").expect("text");
            }
            if after.room != scene.room {
                let (bound, gone) = (change.bound, change.gone.len());
                let now = after.describe();
                writeln!(table, "    → {now} (bound {bound}, gone {gone})").expect("text");
            }
        }
        let mut after = scene.clone();
        after.now = after.now + Duration::from_secs(7200);
        let gone = after.tick().gone.len();
        after.assert_durable();
        writeln!(table, "  deadline: gone {gone}, left {}", after.room.len()).expect("text");
    }
    insta::assert_snapshot!("binding_states", table);
}

#[test]
fn the_answer_lists_what_is_bound_with_the_time_left() {
    let mut scene = Scene::new();
    let instance = "+sip.instance=\"<urn:uuid:9a9f8e3c>\"";
    scene.register("one", 1, &contact(&format!("{DESK};q=0.7;{instance};expires=600")));
    scene.now = scene.now + Duration::from_millis(60_001);
    let (answer, _) = scene.register("one", 2, &[]);
    let listed = format!("Contact: {DESK};expires=540;q=0.700;{instance}");
    assert_eq!(telling(&answer), [listed]);
    for line in ["Date: Tue, 14 Nov 2023 22:14:20 GMT", "Supported: dm1", "Content-Length: 0"] {
        assert!(answer.lines().any(|one| one == line), "{line} in {answer}");
    }
    assert!(!answer.contains("gruu"));
}

#[test]
fn a_binding_outlives_its_time_by_the_grace_and_then_goes() {
    let mut scene = Scene::new();
    scene.register("one", 1, &contact(&format!("{DESK};expires=60")));
    scene.now = scene.now + Duration::from_millis(64_999);
    assert_eq!(scene.tick(), Change::default());
    assert!(telling(&scene.register("one", 2, &[]).0).is_empty(), "no longer listed");
    scene.now = scene.now + Duration::from_millis(1);
    let gone = scene.tick().gone;
    assert_eq!(gone.len(), 1);
    assert_eq!(*gone[0].contact, DESK[1..DESK.len() - 1]);
    assert!(scene.room.is_empty() && scene.timers.is_empty());
    scene.assert_durable();
}

#[test]
fn a_contact_is_reached_where_its_register_came_from() {
    let mut scene = Scene::new();
    scene.register("one", 1, &contact("<sip:alice@phone.invalid:5062>"));
    assert_eq!(scene.room.live().map(|one| one.peer).collect::<Vec<_>>(), [peer(PHONE)]);
    scene.register("one", 2, &lines(["Contact: *", "Expires: 0"]));
    scene.register("one", 3, &contact(SOFT));
    let other = peer("192.0.2.8:5070");
    assert_eq!(scene.room.live().map(|one| one.peer).collect::<Vec<_>>(), [other]);
}

#[test]
fn the_number_and_the_size_of_bindings_are_limited() {
    let mut scene = Scene::new();
    scene.config.limits.bindings = 2;
    let numbered = |number| format!("<sip:alice@192.0.2.{number}>");
    let three = [1, 2, 3].map(numbered).join(", ");
    assert_eq!(status(&scene.register("one", 1, &contact(&three)).0), 403);
    assert!(scene.room.is_empty());
    for number in [1, 2] {
        assert_eq!(status(&scene.register("one", 1, &contact(&numbered(number))).0), 200);
    }
    assert_eq!(status(&scene.register("one", 2, &contact(&numbered(3))).0), 403);
    let swap = format!("{};expires=0, {}", numbered(1), numbered(3));
    assert_eq!(status(&scene.register("one", 2, &contact(&swap)).0), 200);
    assert_eq!(scene.room.len(), 2);
    let long = format!("<sip:alice@192.0.2.2>;x={}", "y".repeat(BINDING_SIZE));
    assert_eq!(status(&scene.register("one", 3, &contact(&long)).0), 400);
    scene.assert_durable();
}

#[test]
fn nobody_registers_for_somebody_else() {
    let mut scene = Scene::new();
    for (account, expected) in [("bob", 403), ("mallory", 404)] {
        let (answer, change) = scene.register_as("alice", account, "one", 1, &contact(DESK));
        assert_eq!((status(&answer), change), (expected, Change::default()));
    }
    assert!(scene.records.is_empty());
}

#[test]
fn a_removed_account_loses_every_binding() {
    let mut scene = Scene::new();
    scene.register("one", 1, &contact(&format!("{DESK}, {SOFT}")));
    let alice = Aor::new("alice", &scene.config.domain);
    let Scene { config, room, timers, transactions, now, out, .. } = &mut scene;
    let mut cx = Cx { now: *now, config, timers, transactions, out };
    assert_eq!(room.remove_all(&mut cx, &alice).gone.len(), 2);
    scene.drain();
    assert!(scene.room.is_empty() && scene.timers.is_empty());
    scene.assert_durable();
}

#[test]
fn preferences_are_read_by_the_grammar() {
    for (text, expected) in [
        ("1", Some(1000)),
        ("0", Some(0)),
        ("0.5", Some(500)),
        ("0.123", Some(123)),
        ("1.000", Some(1000)),
        ("0.", Some(0)),
        ("1.1", None),
        ("2", None),
        ("0.1234", None),
        ("9.60000", None),
        (".5", None),
        ("", None),
        ("-1", None),
        ("+", None),
        ("0.+1", None),
    ] {
        assert_eq!(thousandths(text), expected, "{text}");
    }
}

#[test]
fn a_contact_does_not_overwrite_one_it_merely_once_was_equal_to() {
    // Equality of URIs is not transitive: a parameter that only one of them has is ignored.
    let mut scene = Scene::new();
    for (cseq, rest) in [(1, ";x=1"), (2, ""), (3, ";x=2")] {
        let contact = contact(&format!("<sip:alice@192.0.2.7{rest}>"));
        assert_eq!(status(&scene.register("one", cseq, &contact).0), 200);
    }
    assert_eq!(scene.room.len(), 1);
    scene.register("one", 4, &contact("<sip:alice@192.0.2.7;x=1>"));
    assert_eq!(scene.room.len(), 2);
    scene.assert_durable();
}

#[derive(Clone, Debug)]
struct Step {
    call_id: &'static str,
    cseq: u32,
    headers: Vec<String>,
    wait: u64,
}

fn any_step() -> impl Strategy<Value = Step> {
    let hosts = prop::sample::select(vec!["192.0.2.1", "192.0.2.2", "EXAMPLE.net", "example.net"]);
    let expires = prop::sample::select(vec!["0", "1", "60", "600", "x"]);
    let one = (hosts, expires).prop_map(|(host, e)| format!("<sip:alice@{host}>;expires={e}"));
    let listed = prop::collection::vec(one, 1..4).prop_map(|all| contact(&all.join(", ")));
    let star = Just(lines(["Contact: *", "Expires: 0"]));
    let headers = prop_oneof![6 => listed, 1 => star, 1 => Just(vec![])];
    let call_id = prop::sample::select(vec!["one", "two"]);
    (call_id, 0_u32..20, headers, 0_u64..100).prop_map(|(call_id, cseq, headers, wait)| Step {
        call_id,
        cseq,
        headers,
        wait,
    })
}

proptest! {
    /// P35: a failed REGISTER leaves all bindings unchanged; an older CSeq never overwrites. And
    /// at any time the records alone give the room back.
    #[test]
    fn a_register_is_carried_out_whole_or_not_at_all(
        steps in prop::collection::vec(any_step(), 1..30),
    ) {
        let mut scene = Scene::new();
        for step in steps {
            scene.now = scene.now + Duration::from_secs(step.wait);
            scene.tick();
            let (before, records) = (scene.room.clone(), scene.records.len());
            let (answer, change) = scene.register(step.call_id, step.cseq, &step.headers);
            if status(&answer) != 200 {
                prop_assert_eq!(&scene.room, &before);
                prop_assert_eq!(scene.records.len(), records);
                prop_assert_eq!(change, Change::default());
            }
            for old in before.live().filter(|old| *old.call_id == *step.call_id) {
                let kept = scene.room.live().any(|new| new == old);
                prop_assert!(kept || old.cseq < step.cseq, "overwritten: {:?}", old);
            }
            let texts = scene.room.live().map(|one| one.contact.to_lowercase());
            let distinct: std::collections::BTreeSet<_> = texts.collect();
            prop_assert_eq!(distinct.len(), scene.room.len(), "equal contacts bound twice");
            scene.assert_durable();
        }
    }
}
