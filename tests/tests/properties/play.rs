//! A course of events at a server: everybody answers what it is told, and after every input the
//! properties that hold always are checked.

use super::script::{Act, Who};
use presently_engine::body::pidf::{Pidf, Tuple};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::body::winfo::{Status, WatcherInfo};
use presently_engine::message::{Aor, Message, Name, Request};
use presently_engine::server::{Command, WatcherTableRow};
use presently_engine::{Input, Machine};
use presently_tests::stage::DOMAIN;
use presently_tests::{Phone, Stage, Watch, stage};
use std::collections::BTreeMap;
use std::time::Duration;

type Rows = BTreeMap<String, (String, String)>;

/// What one subscriber knows of one dialog.
#[derive(Default)]
struct Dialog {
    watch: Option<Watch>,
    cseq: u32,
    state: String,
    over: bool,
    /// The consumer of M17: next version expected, and the table.
    version: u32,
    table: Rows,
    /// Whether the next winfo document has to be full, by D6.
    owed_full: bool,
    shown: Option<Pidf>,
}

/// The server and everybody around it.
pub(crate) struct Play {
    pub(crate) stage: Stage,
    phones: BTreeMap<Who, Phone>,
    dialogs: BTreeMap<String, (Who, Dialog)>,
    verdicts: BTreeMap<Who, Handling>,
    failing: BTreeMap<Who, (u16, u8)>,
    heard: BTreeMap<Who, Vec<String>>,
    watchers: BTreeMap<String, WatcherTableRow>,
    gone: Vec<String>,
    /// After a crash numbers may skip what was reserved.
    crashed: bool,
}

impl Play {
    pub(crate) fn new(paced: bool) -> Self {
        let mut config = stage::config();
        if paced {
            config.notify_gap = Duration::from_secs(5);
        }
        config.limits.giveup_pending = Duration::from_secs(1200);
        config.limits.giveup_waiting = Duration::from_secs(900);
        let phones = Who::ALL.map(|who| (who, Phone::new(who.name(), who.port())));
        Self {
            stage: Stage::new(config),
            phones: phones.into(),
            dialogs: BTreeMap::new(),
            verdicts: BTreeMap::new(),
            failing: BTreeMap::new(),
            heard: BTreeMap::new(),
            watchers: BTreeMap::new(),
            gone: Vec::new(),
            crashed: false,
        }
    }

    /// Lets one thing happen, and everybody answer.
    pub(crate) fn act(&mut self, act: &Act) {
        match act {
            Act::Subscribe { who, asked } => self.subscribe(*who, "presence", *asked),
            Act::Winfo { who, asked } => self.subscribe(*who, "presence.winfo", *asked),
            Act::Renew { who, nth, asked } => self.renew(*who, *nth, *asked),
            Act::Decide { about, handling } => self.decide(*about, *handling),
            Act::Publish { note, seconds } => {
                let body = stage_document(*note);
                let expires = format!("Expires: {seconds}");
                self.ask(Who::Bob, "PUBLISH", &["Event: presence", &expires], &body);
            }
            Act::Register { seconds } => {
                let expires = format!("Expires: {seconds}");
                self.ask(Who::Bob, "REGISTER", &[&expires], "");
            }
            Act::Fail { who, status, times } => {
                self.failing.insert(*who, (*status, *times));
            }
            Act::Pass { seconds } => self.pass(Duration::from_secs(u64::from(*seconds))),
        }
        self.settle();
        // Nobody may ask more often than ten times a second (R27).
        self.pass(Duration::from_millis(200));
    }

    /// Power is cut; everybody remembers its dialogs.
    pub(crate) fn crash(&mut self) {
        self.crashed = true;
        for (_, dialog) in self.dialogs.values_mut() {
            dialog.owed_full = true;
        }
        self.stage.crash(Duration::from_secs(2));
        self.settle();
    }

    /// Nothing more happens until everything owed is paid.
    pub(crate) fn rest(&mut self) {
        self.failing.clear();
        self.pass(Duration::from_secs(45));
    }

    /// Everything the server sent to somebody.
    pub(crate) fn received(&mut self, who: Who) -> Vec<String> {
        self.heard.get(&who).cloned().unwrap_or_default()
    }

    fn phone(&mut self, who: Who) -> &mut Phone {
        self.phones.get_mut(&who).expect("everybody has a phone")
    }

    fn ask(&mut self, who: Who, method: &str, extra: &[&str], body: &str) {
        let kind = if body.is_empty() { "" } else { "application/pidf+xml" };
        let phone = self.phones.get_mut(&who).expect("everybody has a phone");
        let answer = phone.ask(&mut self.stage, method, "bob", extra, (kind, body));
        assert!(answer.status() < 300, "{method}: {}", answer.status());
    }

    fn subscribe(&mut self, who: Who, event: &str, asked: u32) {
        let phone = self.phones.get_mut(&who).expect("everybody has a phone");
        let (watch, answer) = phone.try_watch(&mut self.stage, "bob", event, asked);
        self.hear(who, &format!("{} {:?}", answer.status(), answer.bytes()));
        self.check_granted(asked, &answer);
        let blocked = self.verdicts.get(&who) == Some(&Handling::Block);
        match answer.status() {
            403 => assert!(blocked, "only the blocked are refused"),
            423 => assert_eq!(asked, 30),
            503 => {}
            200 => assert!(!blocked, "the blocked are refused (P13)"),
            other => panic!("{event}: {other}"),
        }
        if answer.status() == 200 {
            let call_id = watch.call_id.clone();
            let dialog = Dialog { watch: Some(watch), owed_full: true, ..Dialog::default() };
            self.dialogs.insert(call_id, (who, dialog));
        }
    }

    fn renew(&mut self, who: Who, nth: usize, asked: u32) {
        let of_who = |(_, (whose, dialog)): &(&String, &(Who, Dialog))| {
            *whose == who && !dialog.over && dialog.watch.is_some()
        };
        let live: Vec<String> =
            self.dialogs.iter().filter(of_who).map(|(call_id, _)| call_id.clone()).collect();
        let Some(call_id) = live.get(nth % live.len().max(1)).cloned() else { return };
        let watch = self.dialogs[&call_id].1.watch.clone().expect("filtered");
        let phone = self.phones.get_mut(&who).expect("everybody has a phone");
        let answer = phone.renew(&mut self.stage, &watch, asked);
        self.hear(who, &format!("{} {:?}", answer.status(), answer.bytes()));
        self.check_granted(asked, &answer);
        if let (200, Some((_, dialog))) = (answer.status(), self.dialogs.get_mut(&call_id)) {
            dialog.owed_full = true;
        }
    }

    /// P15.
    fn check_granted(&self, asked: u32, answer: &presently_engine::message::Response) {
        if let (200, Some(granted)) = (answer.status(), answer.seconds(Name::Expires)) {
            assert!(granted <= asked, "asked {asked}, granted {granted} (P15)");
        }
    }

    fn decide(&mut self, about: Who, handling: Option<Handling>) {
        match handling {
            Some(handling) => self.verdicts.insert(about, handling),
            None => self.verdicts.remove(&about),
        };
        let verdict = handling.map(|handling| Verdict { handling, direct: true });
        let presentity = Aor::new("bob", DOMAIN);
        let watcher = Aor::new(about.name(), DOMAIN);
        self.stage.input(Input::Command(Command::Decide { presentity, watcher, verdict }));
        if matches!(handling, Some(Handling::Allow | Handling::Block | Handling::PoliteBlock)) {
            let uri = Phone::aor(about.name());
            let tables = self.stage.server.tables(self.stage.now);
            let undecided = tables.wt.iter().filter(|row| {
                row.watcher == uri && (row.status == "pending" || row.status == "waiting")
            });
            assert_eq!(undecided.count(), 0, "a decision leaves nobody undecided (P12)");
        }
    }

    /// Time passes; whatever comes is answered when it comes.
    fn pass(&mut self, span: Duration) {
        let end = self.stage.now + span;
        self.settle();
        while let Some(at) = self.stage.server.deadline().filter(|at| *at <= end) {
            let step = at.since(self.stage.now);
            self.stage.pass(step);
            self.settle();
        }
        let rest = end.since(self.stage.now);
        self.stage.pass(rest);
    }

    /// Everybody takes and answers its mail until there is none.
    fn settle(&mut self) {
        self.check_watcher_table();
        loop {
            let mut quiet = true;
            for who in Who::ALL {
                let addr = self.phone(who).addr;
                self.check_one_in_flight(who);
                while let Some(message) = self.stage.next(addr) {
                    quiet = false;
                    if let Message::Request(request) = message {
                        let status = self.take(who, &request);
                        self.phones[&who].answer(&mut self.stage, &request, status);
                        self.check_watcher_table();
                    }
                }
            }
            if quiet {
                return;
            }
        }
    }

    /// P7: of one dialog never two NOTIFYs wait at once. Whatever came is still in the mailbox
    /// here, because everything before was answered.
    fn check_one_in_flight(&mut self, who: Who) {
        let waiting = self.stage.waiting(self.phones[&who].addr);
        let dialogs = self.dialogs.values().filter(|(whose, _)| *whose == who).count();
        assert!(waiting <= dialogs, "{waiting} NOTIFYs wait in {dialogs} dialogs (P7)");
    }

    fn hear(&mut self, who: Who, line: &str) {
        self.heard.entry(who).or_default().push(line.to_owned());
    }

    /// Takes a NOTIFY in, checks it, and says how it is answered.
    fn take(&mut self, who: Who, request: &Request) -> u16 {
        self.hear(who, &String::from_utf8_lossy(request.bytes()));
        let status = self.status_for(who);
        let call_id = request.call_id().expect("a Call-ID").to_owned();
        let allowed = who == Who::Bob || self.verdicts.get(&who) == Some(&Handling::Allow);
        let crashed = self.crashed;
        let (_, dialog) = self.dialogs.get_mut(&call_id).expect("a NOTIFY of a known dialog");
        dialog.take_state(request, crashed);
        let winfo = request.event().is_some_and(|event| event.package == "presence.winfo");
        if winfo {
            dialog.take_winfo(request, who, status, crashed);
        } else {
            dialog.take_presence(request, allowed);
        }
        status
    }

    fn status_for(&mut self, who: Who) -> u16 {
        let Some((status, times)) = self.failing.get_mut(&who) else { return 200 };
        let status = *status;
        *times -= 1;
        if *times == 0 {
            self.failing.remove(&who);
        }
        status
    }

    /// P4 and P10: every change of a WT row is an arc of figure 1, and no id comes back.
    fn check_watcher_table(&mut self) {
        let rows = self.stage.server.tables(self.stage.now).wt;
        let now: BTreeMap<String, WatcherTableRow> =
            rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        for (id, row) in &now {
            assert!(!self.gone.contains(id), "the id {id} came back (P10)");
            let before = self.watchers.get(id);
            let from = before.map_or("init", |row| row.status.as_str());
            let same = before.is_some_and(|old| old.status == row.status && old.event == row.event);
            assert!(
                same || is_arc(from, &row.status, &row.event),
                "{from} to {} by {} is no arc (P4)",
                row.status,
                row.event
            );
        }
        let gone = self.watchers.keys().filter(|id| !now.contains_key(*id)).cloned();
        self.gone.extend(gone);
        self.watchers = now;
    }

    /// P46: every consumer's table is what the server holds and lets it see.
    pub(crate) fn check_winfo_equals_truth(&mut self) {
        let tables = self.stage.server.tables(self.stage.now);
        for row in tables.wst.iter().filter(|row| row.state == "active") {
            let (who, dialog) = &self.dialogs[&row.callid];
            let own = Phone::aor(who.name());
            let truth: Rows = tables
                .wt
                .iter()
                .filter(|seen| seen.status != "terminated")
                .filter(|seen| *who == Who::Bob || seen.watcher == own)
                .map(|seen| (seen.id.clone(), (seen.watcher.clone(), seen.status.clone())))
                .collect();
            assert_eq!(dialog.table, truth, "the table of {who:?} (P46)");
        }
    }

    /// P48: an approved watcher's last document is what a refresh would give it now.
    pub(crate) fn check_watchers_saw_the_newest(&mut self) {
        let tables = self.stage.server.tables(self.stage.now);
        for row in tables.pst.iter().filter(|row| row.state == "active") {
            let (who, dialog) = &self.dialogs[&row.callid];
            let (who, watch) = (*who, dialog.watch.clone().expect("a subscriber"));
            let shown = dialog.shown.clone().expect("an active watcher was told something");
            let phone = self.phones.get_mut(&who).expect("everybody has a phone");
            let answer = phone.renew(&mut self.stage, &watch, 600);
            assert_eq!(answer.status(), 200);
            self.settle();
            let fresh = self.dialogs[&row.callid].1.shown.clone();
            assert_eq!(Some(shown), fresh, "{who:?} was not told the newest (P48)");
        }
    }
}

impl Dialog {
    /// P5 and P6: CSeq rises by one, and the terminal NOTIFY is the last.
    fn take_state(&mut self, request: &Request, crashed: bool) {
        let cseq = request.cseq().expect("a CSeq").number;
        assert!(!self.over, "a NOTIFY after the terminal one (P5)");
        let next = self.cseq + 1;
        assert!(cseq == next || self.cseq == 0 || crashed && cseq > next, "CSeq {cseq} (P6)");
        self.cseq = cseq;
        let state = request.subscription_state().expect("a Subscription-State");
        self.state = state.state.to_owned();
        self.over = state.state == "terminated";
    }

    /// P8, P11: versions chain, full exactly when D6 says so, partials fold.
    fn take_winfo(&mut self, request: &Request, who: Who, status: u16, crashed: bool) {
        let body = request.body();
        if body.is_empty() {
            return;
        }
        let document = WatcherInfo::parse(&body).expect("a watcherinfo document");
        let chained = document.version == self.version;
        assert!(chained || crashed && document.version > self.version, "version (P8)");
        self.version = document.version + 1;
        assert!(document.full || !self.owed_full, "a full document is owed (D6)");
        assert!(!document.full || self.owed_full, "a full document that nobody asked for (D6)");
        self.owed_full = !(200..300).contains(&status);
        if document.full {
            self.table.clear();
        }
        let own = Phone::aor(who.name());
        for row in document.lists.iter().flat_map(|list| &list.watchers) {
            assert!(who == Who::Bob || *row.uri == *own, "{who:?} sees {} (P9)", row.uri);
            let id = row.id.to_string();
            if row.status == Status::Terminated {
                assert!(self.table.remove(&id).is_some() || self.owed_full, "unknown row (P11)");
            } else {
                let said = (row.uri.to_string(), row.status.as_str().to_owned());
                self.table.insert(id, said);
            }
        }
    }

    /// P2 and P39: what bob published is shown to whom he allowed, and to nobody else.
    fn take_presence(&mut self, request: &Request, allowed: bool) {
        let body = request.body();
        if body.is_empty() {
            return;
        }
        let document = Pidf::parse(&body).expect("a presence document");
        let real = |tuple: &Tuple| &*tuple.id == "desk" || !tuple.notes.is_empty();
        if document.tuples.iter().any(real) {
            assert!(allowed, "a document for somebody who is not allowed (P2)");
            assert_ne!(self.state, "pending", "a document before approval (P2)");
        }
        if self.state == "pending" {
            assert!(document.tuples.is_empty(), "the pending are blind (P39)");
        }
        self.shown = Some(document);
    }
}

fn stage_document(note: u8) -> String {
    presently_tests::phone::pidf("bob", &format!("note {note}"))
}

/// Figure 1 of RFC 3857, and the arc of RFC 5025 §3.2.1 (D8).
fn is_arc(from: &str, to: &str, event: &str) -> bool {
    match (from, to) {
        ("init", "pending" | "active") => event == "subscribe",
        ("init", "waiting") | ("pending", "waiting") => event == "timeout",
        ("pending", "active") => event == "approved",
        ("active", "pending") => event == "subscribe",
        ("pending", "terminated") => {
            ["rejected", "deactivated", "probation", "giveup", "noresource"].contains(&event)
        }
        ("active", "terminated") => {
            ["rejected", "deactivated", "probation", "timeout", "noresource"].contains(&event)
        }
        ("waiting", "terminated") => {
            ["rejected", "approved", "giveup", "noresource"].contains(&event)
        }
        _ => false,
    }
}
