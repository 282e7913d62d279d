//! An owner, a friend who may watch, a stranger about whom the owner changes its mind, and
//! somebody who is never there. One thread plays them all, so it knows exactly what was
//! acknowledged, in which order.

use super::Dice;
use super::ledger::Ledger;
use crate::rig::{Draft, PATIENCE, Phone, Told, Watch};
use bytes::Bytes;
use presently_engine::message::{Name, Response};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What the server surely has, surely has not, or may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    There,
    Gone,
    /// A request about it was cut off.
    Unsure,
}

/// Contacts the owner registers and unregisters.
const LINES: u64 = 6;

/// At most this many messages wait at the end.
const MESSAGES: u32 = 400;

type Cut<'a> = &'a dyn Fn() -> bool;

pub(super) struct Household {
    ledger: Ledger,
    dice: Dice,
    owner: Phone,
    friend: Phone,
    stranger: Phone,
    absent: Phone,
    bindings: BTreeMap<u64, Known>,
    /// Entity-tag of the publication, and whether a request that would change it was cut off.
    publication: Option<(String, Known)>,
    note: u32,
    rules: Option<String>,
    /// How the stranger is treated, if that is sure.
    verdict: Option<&'static str>,
    watch: Option<(Watch, Known)>,
    /// The owner's view of its watchers, never given up.
    view: Option<Watch>,
    sent: u32,
    kept: BTreeSet<String>,
    /// By dialog: CSeq and body of the last NOTIFY, and its winfo version.
    told: BTreeMap<String, (u32, Bytes, Option<u32>)>,
    /// The notes of the last NOTIFY to the friend.
    shown: Vec<String>,
}

impl Household {
    pub(super) fn new(number: u32, server: SocketAddr, dice: Dice) -> Self {
        let phone = |role: &str| Phone::new(&format!("{role}{number}"), server);
        Self {
            ledger: Ledger::default(),
            dice,
            owner: phone("owner"),
            friend: phone("friend"),
            stranger: phone("stranger"),
            absent: phone("absent"),
            bindings: BTreeMap::new(),
            publication: None,
            note: 0,
            rules: None,
            verdict: None,
            watch: None,
            view: None,
            sent: 0,
            kept: BTreeSet::new(),
            told: BTreeMap::new(),
            shown: Vec::new(),
        }
    }

    pub(super) fn into_ledger(self) -> Ledger {
        self.ledger
    }

    /// Before the first storm: one of each.
    pub(super) fn move_in(&mut self) {
        let calm: Cut<'_> = &|| false;
        self.decide("block", calm);
        self.view = Some(self.owner.watch(&self.owner.user.clone(), "presence.winfo", 3600));
        self.ledger.acknowledge("subscribe");
        self.publish(calm);
        self.subscribe(calm);
    }

    /// One thing that somebody does.
    pub(super) fn act(&mut self, cut: Cut<'_>) {
        match self.dice.below(9) {
            0 | 1 => self.bind(cut),
            2 | 3 => self.publish(cut),
            4 => self.refresh_or_end(cut),
            5 => self.refresh_view(cut),
            6 => {
                let handling = ["block", "allow", "polite-block"];
                let handling = handling[usize::try_from(self.dice.below(3)).expect("below 3")];
                self.decide(handling, cut);
            }
            _ => self.leave_a_message(cut),
        }
        self.listen();
    }

    /// The answer, counted; `None` if the server was killed first.
    fn ask(&mut self, who: Role, draft: &Draft, kind: &'static str, cut: Cut<'_>) -> Answer {
        let answer = who.of(self).try_ask(draft, cut);
        match &answer {
            Some(answer) if answer.status() < 300 => self.ledger.acknowledge(kind),
            Some(_) => {}
            None => self.ledger.unanswered(),
        }
        answer
    }
}

type Answer = Option<Response>;

/// Who does something.
#[derive(Clone, Copy)]
enum Role {
    Owner,
    Friend,
    Stranger,
    Absent,
}

impl Role {
    fn of(self, household: &mut Household) -> &mut Phone {
        match self {
            Self::Owner => &mut household.owner,
            Self::Friend => &mut household.friend,
            Self::Stranger => &mut household.stranger,
            Self::Absent => &mut household.absent,
        }
    }
}

/// The load.
impl Household {
    /// Registers or unregisters a contact.
    fn bind(&mut self, cut: Cut<'_>) {
        let line = self.dice.below(LINES);
        let there = self.bindings.get(&line) == Some(&Known::There);
        let expires = if there && self.dice.below(3) == 0 { 0 } else { 3600 };
        let contact = format!("Contact: <{}>;expires={expires}", self.contact(line));
        let draft = self.owner.registration(&[&contact]);
        let answer = self.ask(Role::Owner, &draft, "register", cut);
        let known = match answer {
            Some(answer) => {
                self.expect(&answer, 200, "REGISTER");
                if expires == 0 { Known::Gone } else { Known::There }
            }
            None => Known::Unsure,
        };
        self.bindings.insert(line, known);
    }

    fn contact(&self, line: u64) -> String {
        format!("sip:{}@{};line={line}", self.owner.user, self.owner.address)
    }

    /// Publishes a new note, over the last one if there is one.
    fn publish(&mut self, cut: Cut<'_>) {
        self.note += 1;
        let (note, etag) = (format!("note {}", self.note), self.etag());
        let draft = self.owner.publication(&note, etag.as_deref());
        let answer = self.ask(Role::Owner, &draft, "publish", cut);
        self.publication = match (answer, etag) {
            (Some(answer), _) => {
                self.expect(&answer, 200, "PUBLISH");
                Some((tag(&answer), Known::There))
            }
            (None, Some(etag)) => Some((etag, Known::Unsure)),
            (None, None) => None,
        };
    }

    fn etag(&self) -> Option<String> {
        self.publication.as_ref().map(|(etag, _)| etag.clone())
    }

    /// Decides about the stranger; the friend is always welcome.
    fn decide(&mut self, handling: &'static str, cut: Cut<'_>) {
        let (friend, stranger) = (self.friend.user.clone(), self.stranger.user.clone());
        let rules = [(friend.as_str(), "allow"), (stranger.as_str(), handling)];
        let draft = self.owner.decision(&rules, self.rules.as_deref());
        let answer = self.ask(Role::Owner, &draft, "decide", cut);
        self.verdict = answer.as_ref().map(|_| handling);
        if let Some(answer) = answer {
            self.expect(&answer, 200, "decision");
            self.rules = Some(tag(&answer));
        }
    }

    /// The friend watches the owner.
    fn subscribe(&mut self, cut: Cut<'_>) {
        let owner = self.owner.user.clone();
        let draft = self.friend.subscription(&owner, "presence", 3600);
        if let Some(answer) = self.ask(Role::Friend, &draft, "subscribe", cut) {
            self.expect(&answer, 200, "SUBSCRIBE");
            self.watch = Some((Watch::begun(draft, "presence", &answer), Known::There));
        }
    }

    fn refresh_or_end(&mut self, cut: Cut<'_>) {
        let Some((watch, _)) = self.watch.clone() else { return self.subscribe(cut) };
        let ends = self.dice.below(4) == 0;
        let draft = watch.refresh(if ends { 0 } else { 3600 });
        let kind = if ends { "unsubscribe" } else { "refresh" };
        match self.ask(Role::Friend, &draft, kind, cut) {
            Some(answer) => {
                self.expect(&answer, 200, "refresh");
                self.watch = (!ends).then_some((watch, Known::There));
            }
            None if ends => self.watch = Some((watch, Known::Unsure)),
            None => {}
        }
    }

    fn refresh_view(&mut self, cut: Cut<'_>) {
        let draft = self.view.as_ref().expect("moved in").refresh(3600);
        if let Some(answer) = self.ask(Role::Owner, &draft, "refresh", cut) {
            self.expect(&answer, 200, "refresh of winfo");
        }
    }

    /// The stranger writes to somebody who is not there.
    fn leave_a_message(&mut self, cut: Cut<'_>) {
        if self.sent >= MESSAGES {
            return self.publish(cut);
        }
        self.sent += 1;
        let text = format!("message {}", self.sent);
        let absent = self.absent.user.clone();
        let draft = self.stranger.message(&absent, &text);
        if let Some(answer) = self.ask(Role::Stranger, &draft, "store", cut) {
            self.expect(&answer, 202, "MESSAGE");
            self.kept.insert(text);
        }
    }

    fn expect(&mut self, answer: &Response, status: u16, what: &str) {
        let owner = &self.owner.user;
        self.ledger.look(answer.status() == status, || {
            format!("{owner}: {what} was answered {}", answer.status())
        });
    }
}

/// What NOTIFYs say.
impl Household {
    /// Takes and compares every NOTIFY that has come.
    fn listen(&mut self) {
        for role in [Role::Owner, Role::Friend, Role::Stranger, Role::Absent] {
            while let Some(request) = role.of(self).next(Duration::ZERO) {
                role.of(self).answer(&request, 200);
                if request.method_text() == "NOTIFY" {
                    self.compare(Told::of(request));
                }
            }
        }
    }

    /// In one dialog neither CSeq nor version ever go back or stand still.
    fn compare(&mut self, told: Told) {
        self.ledger.notified();
        let dialog = told.request.call_id().expect("a Call-ID").to_owned();
        let package = told.request.event().expect("an Event").package.to_owned();
        let version = (package == "presence.winfo").then(|| told.winfo().version);
        let body = told.request.body();
        if let Some((cseq, old, before)) = self.told.get(&dialog) {
            let same = told.cseq == *cseq && body == *old;
            let rises = told.cseq > *cseq && (version.is_none() || version > *before);
            self.ledger.look(same || rises, || {
                format!(
                    "{dialog}: after CSeq {cseq}, version {before:?} came {}, {version:?}",
                    told.cseq
                )
            });
        }
        if self.watch.as_ref().is_some_and(|(watch, _)| watch.call_id() == dialog) {
            self.shown = if body.is_empty() { Vec::new() } else { told.notes() };
        }
        self.told.insert(dialog, (told.cseq, body, version));
    }
}

/// After a restart.
impl Household {
    /// Looks for everything that was acknowledged.
    pub(super) fn look(&mut self) {
        self.look_for_bindings();
        self.look_for_the_publication();
        self.look_for_subscriptions();
        self.look_for_the_decision();
        self.listen();
    }

    fn look_for_bindings(&mut self) {
        let draft = self.owner.registration(&[]);
        let answer = self.owner.ask(&draft);
        for line in 0..LINES {
            let contact = self.contact(line);
            let found = answer.list(Name::Contact).any(|one| one.contains(&contact));
            let known = self.bindings.get(&line).copied().unwrap_or(Known::Gone);
            let right = known == Known::Unsure || found == (known == Known::There);
            self.ledger.look(right, || format!("{contact}: {known:?}, and found is {found}"));
            self.bindings.insert(line, if found { Known::There } else { Known::Gone });
        }
    }

    fn look_for_the_publication(&mut self) {
        let calm: Cut<'_> = &|| false;
        let Some((etag, known)) = self.publication.clone() else { return self.publish(calm) };
        let user = self.owner.user.clone();
        let lines = ["Event: presence", "Expires: 3600", &format!("SIP-If-Match: {etag}")];
        let draft = self.owner.draft("PUBLISH", &user, &lines);
        let answer = self.owner.ask(&draft);
        let status = answer.status();
        let right = status == 200 || (known == Known::Unsure && status == 412);
        self.ledger.look(right, || format!("{user}: publication {etag} {known:?}: {status}"));
        self.publication = (status == 200).then(|| (tag(&answer), Known::There));
        if self.publication.is_none() {
            self.publish(calm);
        }
    }

    fn look_for_subscriptions(&mut self) {
        let calm: Cut<'_> = &|| false;
        let view = self.view.clone().expect("moved in");
        let status = self.owner.renew(&view, 3600).status();
        let user = self.owner.user.clone();
        self.ledger.look(status == 200, || format!("{user}: winfo subscription: {status}"));
        let Some((watch, known)) = self.watch.clone() else { return self.subscribe(calm) };
        let status = self.friend.renew(&watch, 3600).status();
        let right = status == 200 || (known == Known::Unsure && status == 481);
        self.ledger.look(right, || format!("{user}: friend's subscription {known:?}: {status}"));
        if status == 200 {
            self.watch = Some((watch, Known::There));
        } else {
            self.subscribe(calm);
        }
    }

    /// The stranger fetches; what it gets shows the decision. One that is unsure is made again.
    fn look_for_the_decision(&mut self) {
        let Some(verdict) = self.verdict else { return self.decide_again() };
        let owner = self.owner.user.clone();
        let draft = self.stranger.subscription(&owner, "presence", 0);
        let status = self.stranger.ask(&draft).status();
        let seen = match status {
            200 => {
                let told = self.told_about(&draft.call_id);
                let open = told.notes().iter().any(|note| note.starts_with("note "));
                if open { "allow" } else { "polite-block" }
            }
            403 => "block",
            _ => "nothing known",
        };
        self.ledger.look(seen == verdict, || format!("{owner}: {verdict} became {seen} {status}"));
    }

    /// The NOTIFY in a dialog of the stranger.
    fn told_about(&mut self, call_id: &str) -> Told {
        loop {
            let told = self.stranger.told();
            self.compare(told.clone());
            if told.request.call_id() == Ok(call_id) {
                return told;
            }
        }
    }

    /// A decision that was cut off may have changed the entity-tag: the server's 412 tells it.
    fn decide_again(&mut self) {
        let user = self.owner.user.clone();
        let draft = self.owner.decision(&[], Some("0000000000000000"));
        let answer = self.owner.ask(&draft);
        let status = answer.status();
        self.ledger.look(status == 412, || format!("{user}: a foreign entity-tag: {status}"));
        self.rules = Some(tag(&answer));
        self.decide("block", &|| false);
    }
}

/// The end.
impl Household {
    /// The friend sees the last note, and who was away gets every message.
    pub(super) fn converge(&mut self) {
        self.look();
        self.publish(&|| false);
        let last = format!("note {}", self.note);
        let until = Instant::now() + PATIENCE;
        while !self.shown.contains(&last) && Instant::now() < until {
            self.listen();
        }
        let (user, shown) = (self.friend.user.clone(), self.shown.clone());
        self.ledger.look(shown.contains(&last), || format!("{user}: {last} is not in {shown:?}"));
        self.read_messages(until);
    }

    fn read_messages(&mut self, until: Instant) {
        let mut missing = self.kept.clone();
        self.absent.register();
        while !missing.is_empty() && Instant::now() < until {
            if let Some(request) = self.absent.next(Duration::from_millis(100)) {
                self.absent.answer(&request, 200);
                missing.remove(&*String::from_utf8_lossy(&request.body()));
            }
        }
        let user = self.absent.user.clone();
        for text in &self.kept {
            let found = !missing.contains(text);
            self.ledger.look(found, || format!("{user}: {text} was not delivered"));
        }
    }
}

fn tag(answer: &Response) -> String {
    answer.first(Name::SipEtag).unwrap_or_default().to_owned()
}
