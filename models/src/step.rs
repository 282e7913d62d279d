//! One step of a world: an input to one machine, its outputs carried out in order, and an onlooker
//! who judges them.

use crate::ghost::{Deed, Ghost, Notes, Origin, Rows, decided, ended, mark, registered};
use crate::law::{Law, Sight};
use crate::plan::UserId;
use crate::wire::Letter;
use crate::world::{ATTACKER, Action, LONG, SERVER, Said, Serves, Village, World, is_proven};
use bytes::Bytes;
use presently_engine::agent;
use presently_engine::body::presrules::Rules;
use presently_engine::message::{Message, Method, Name, Reply, Request, Response};
use presently_engine::server::{Command, Event, Record, Tables};
use presently_engine::{Input, Machine, Output, Peer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Longer than any transaction tries (64·T1).
const OUTAGE: Duration = Duration::from_secs(33);

/// A step under way.
pub(crate) struct Step<'a, S> {
    village: &'a Village<S>,
    world: World<S>,
    ghost: Ghost,
    /// Whether somebody said something.
    spoken: bool,
    /// Whose letters are lost at once.
    cut: Option<SocketAddr>,
    /// How many rows are still stored before the server crashes.
    fuse: Option<u8>,
    /// Call-ID of the letter that caused this.
    cause: Option<u64>,
}

impl<'a, S: Serves> Step<'a, S> {
    pub(crate) fn new(village: &'a Village<S>, world: &World<S>) -> Self {
        let mut world = world.clone();
        world.said.clear();
        let ghost = (*world.ghost).clone();
        Self { village, world, ghost, spoken: false, cut: None, fuse: None, cause: None }
    }

    /// The world after the step.
    pub(crate) fn done(mut self) -> World<S> {
        self.world.ghost = Arc::new(self.ghost);
        self.world.seal();
        self.world
    }

    fn notes<'n>(village: &'n Village<S>, broken: &'n mut Vec<Law>) -> Notes<'n> {
        Notes { laws: &village.plan.laws, album: &village.album, broken }
    }

    /// Carries an action out; `None` if it cannot happen.
    pub(crate) fn act(&mut self, action: Action) -> Option<()> {
        match action {
            Action::Deliver(print) => {
                let letter = self.world.wire.take(print)?;
                self.arrive(&letter);
            }
            Action::CrashIn(print, after) => return self.crash_in(print, after),
            Action::Drop(print) => {
                self.world.left.drops -= 1;
                self.world.wire.take(print)?;
            }
            Action::Copy(print) => {
                self.world.left.copies -= 1;
                self.world.wire.copy(print).then_some(())?;
            }
            Action::Refuse(print) => return self.refuse(print),
            Action::Wish(place) => {
                let wish = self.village.plan.wishes.get(usize::from(place))?;
                self.world.left.wishes[usize::from(wish.purse)] -= 1;
                self.wish(wish.user, wish.command.clone());
            }
            Action::Wait => self.wait(),
            Action::Outage(user) => self.outage(user),
            Action::Depart(user) => self.depart(user),
            Action::Crash => {
                self.world.left.crashes -= 1;
                self.restart();
            }
            Action::Replay(print) => {
                self.world.left.replays -= 1;
                let letter = self.loot(print)?;
                self.attack(&letter, Origin::Replayed);
            }
            Action::Forge(print) => {
                self.world.left.forgeries -= 1;
                let letter = self.loot(print)?;
                self.attack(&letter, Origin::Forged);
            }
        }
        Some(())
    }

    /// A user does something.
    pub(crate) fn wish(&mut self, user: UserId, command: agent::Command) {
        self.ghost.wished(user, &command);
        let is_login = command == agent::Command::Login;
        self.tell_agent(user, Input::Command(command));
        self.ghost.began(user, is_login);
    }

    /// Delivers everything, in the order of fingerprints, until nothing is under way.
    pub(crate) fn rest(&mut self) {
        loop {
            let next = self.world.wire.iter().next().map(|(letter, _)| letter.print);
            if let Some(letter) = next.and_then(|print| self.world.wire.take(print)) {
                self.arrive(&letter);
            } else if self.gap().is_some_and(|gap| gap < LONG) {
                self.tick();
            } else {
                return;
            }
        }
    }

    /// A letter arrives.
    fn arrive(&mut self, letter: &Arc<Letter>) {
        self.cause = letter.message.headers().call_id().ok().map(mark);
        if letter.to == SERVER {
            self.at_server(letter, Origin::Genuine);
        } else if let Some(user) = self.village.user_at(letter.to) {
            self.at_agent(user, letter);
        }
        self.cause = None;
    }

    fn at_agent(&mut self, user: UserId, letter: &Arc<Letter>) {
        let request = match &letter.message {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        };
        let mut early = false;
        if let Some(notify) = request.filter(|request| request.method() == Method::Notify) {
            early = is_early(&self.world, letter.to, notify);
        }
        let id = request.and_then(|request| request.first(Name::DmMessageId));
        let shown = id.is_some_and(|id| self.ghost.was_shown(user, id));
        let before = self.world.agents[usize::from(user)].print();
        let from = Peer::new(letter.from);
        self.tell_agent(user, Input::Message { from, message: letter.message.clone() });
        let unchanged = self.world.agents[usize::from(user)].print() == before;
        let mut notes = Self::notes(self.village, &mut self.world.broken);
        notes.saw(Sight::NotifyBefore200, early);
        notes.demand(Law::DialogFromNotify, !(early && self.world.said.iter().any(refuses)));
        if shown {
            self.village.album.note(Sight::DuplicateSuppressed);
        }
        if unchanged && request.is_some() {
            self.village.album.note(Sight::CopyAbsorbed);
        }
    }

    fn tell_agent(&mut self, user: UserId, input: Input<agent::Command>) {
        if self.world.is_absent(user) {
            return;
        }
        let place = usize::from(user);
        let (config, now) = (&self.village.agents[place], self.world.now);
        let mut out = Vec::new();
        self.world.agents[place].change(now, |agent| agent.handle(config, now, input, &mut out));
        for output in out {
            match output {
                Output::Record(record) => match record {},
                Output::Transmit { to, bytes } => {
                    let letter = Letter::new(self.village.sockets[place], to.addr, bytes);
                    if let Message::Request(request) = &letter.message {
                        let mut notes = Self::notes(self.village, &mut self.world.broken);
                        self.ghost.sent_by_user(&mut notes, user, request);
                    }
                    self.post(letter);
                }
                Output::Event(event) => {
                    let mut notes = Self::notes(self.village, &mut self.world.broken);
                    self.ghost.told(&mut notes, user, &event, self.cause);
                    self.spoken = true;
                    self.world.said.push(Said::Told(user, crate::drawing::event(&event)));
                }
            }
        }
    }

    fn post(&mut self, letter: Arc<Letter>) {
        self.spoken = true;
        self.world.said.push(Said::Sent(Arc::clone(&letter)));
        let user = self.village.user_at(letter.to);
        let lost = user.is_some_and(|user| self.world.is_absent(user))
            || letter.to == ATTACKER
            || self.cut.is_some_and(|end| letter.to == end || letter.from == end);
        let steals = self.world.left.replays > 0 || self.world.left.forgeries > 0;
        let known = |loot: &[Arc<Letter>]| loot.iter().any(|had| had.print == letter.print);
        if steals && is_proven(&letter) && !known(&self.world.loot) {
            self.world.loot.push(Arc::clone(&letter));
        }
        if !lost {
            self.world.wire.put(letter);
        }
    }

    /// The server gets a letter; what it does with it is judged.
    fn at_server(&mut self, letter: &Letter, origin: Origin) {
        if let Message::Response(response) = &letter.message {
            self.ghost.notify_answered(response);
        }
        let before = self.world.clone();
        let input =
            Input::Message { from: Peer::new(letter.from), message: letter.message.clone() };
        self.cause = letter.message.headers().call_id().ok().map(mark);
        let done = self.tell_server(input, Some(letter));
        self.cause = None;
        let Message::Request(request) = &letter.message else { return };
        let village = self.village;
        let mut notes = Self::notes(village, &mut self.world.broken);
        let absorbed = before.server.print() == self.world.server.print();
        notes.saw(Sight::CopyAbsorbed, absorbed && !done.fresh);
        let deed = Deed {
            request,
            origin,
            boot: self.world.boot,
            answer: done.answer.as_ref().filter(|_| done.fresh),
            executed: done.executed,
            forgets: village.plan.replay_records.is_some(),
            effect: before.rows.print() != self.world.rows.print() || done.others,
        };
        self.ghost.dealt(&mut notes, &deed);
        if request.method() == Method::Register && done.fresh {
            registered(&mut notes, before.rows.get(), self.world.rows.get(), deed.answer);
        }
        let gone = done.answer.as_ref().is_some_and(|answer| answer.status() == 481);
        notes.saw(Sight::Lost481, gone && request.method() == Method::Subscribe);
    }

    /// The server handles an input; its outputs are carried out in order, until a crash if one is
    /// to come.
    fn tell_server(&mut self, input: Input<Command>, letter: Option<&Letter>) -> Done {
        let (village, now) = (self.village, self.world.now);
        let config = village.config(self.world.boot);
        let before = Arc::clone(&self.world.tables);
        let mut out = Vec::new();
        self.world.server.change(now, |server| server.handle(config, now, input, &mut out));
        self.world.tables = Arc::new(self.world.server.get().tables(now));
        let mut done = Done::of(&out);
        // A crash before the first row is stored does not take back what left before it.
        let first = out.iter().position(|output| matches!(output, Output::Record(_)));
        for (place, output) in out.into_iter().enumerate() {
            let left = first.is_some_and(|first| place < first);
            match output {
                Output::Record(record) => {
                    if self.fuse == Some(0) {
                        return done;
                    }
                    self.store(&before, record);
                    self.fuse = self.fuse.map(|left| left - 1);
                }
                Output::Transmit { .. } if self.fuse == Some(0) && !left => return done,
                Output::Transmit { to, bytes } => self.server_sends(&mut done, letter, to, bytes),
                Output::Event(_) => self.spoken = true,
            }
        }
        let mut notes = Self::notes(village, &mut self.world.broken);
        self.ghost.watchers_moved(&mut notes, &before, &self.world.tables);
        done
    }

    fn store(&mut self, before: &Tables, record: Record) {
        self.spoken = true;
        let mut notes = Self::notes(self.village, &mut self.world.broken);
        decided(&mut notes, before, &self.world.tables, &record);
        ended(&notes, self.world.rows.get(), &record);
        if self.cause.is_none() {
            self.ghost.ran_out(&mut notes, self.world.now, self.world.rows.get(), &record);
        }
        notes.saw(Sight::Stored, matches!(record, Record::Kept(..)));
        notes.saw(Sight::Withdrawn, matches!(record, Record::Withdrawn(..)));
        self.world.said.push(Said::Stored(crate::drawing::record(&record)));
        self.world.rows.change(self.world.now, |rows| fold(rows, record));
    }

    fn server_sends(&mut self, done: &mut Done, cause: Option<&Letter>, to: Peer, bytes: Bytes) {
        let letter = Letter::new(SERVER, to.addr, bytes);
        let mut notes = Self::notes(self.village, &mut self.world.broken);
        match &letter.message {
            Message::Request(request) => {
                done.others = true;
                if request.method() == Method::Notify {
                    let rows = self.world.rows.get();
                    self.ghost.notified(&mut notes, self.world.now, rows, request);
                }
            }
            Message::Response(response) => {
                done.others |= cause.is_none_or(|cause| cause.from != letter.to);
                if let (true, Some(Message::Request(request))) =
                    (done.fresh, cause.map(|cause| &cause.message))
                {
                    self.ghost.answered(&mut notes, self.world.rows.get(), request, response);
                }
                done.answer = Some(response.clone());
            }
        }
        self.post(letter);
    }

    /// The server crashes while it deals with a letter.
    fn crash_in(&mut self, print: u64, after: u8) -> Option<()> {
        self.world.left.crashes -= 1;
        let letter = self.world.wire.take(print)?;
        self.fuse = Some(after);
        self.at_server(&letter, Origin::Genuine);
        // With fewer rows this is the same as a crash afterwards.
        (self.fuse.take() == Some(0)).then_some(())?;
        self.restart();
        Some(())
    }

    fn restart(&mut self) {
        self.world.boot += 1;
        self.spoken = true;
        let (village, now) = (self.village, self.world.now);
        let values = self.world.rows.get().values().filter_map(Record::value);
        let read =
            |row: Vec<u8>| Record::decode(&row).expect("rows read back as they were written");
        let rows = values.map(read).collect();
        let config = village.config(self.world.boot);
        self.world.server = crate::print::Held::new(S::recover(config, now, rows), now);
        self.world.tables = Arc::new(self.world.server.get().tables(now));
        self.ghost.restarted();
        village.album.note(Sight::Restarted);
    }

    fn refuse(&mut self, print: u64) -> Option<()> {
        self.world.left.refusals -= 1;
        let letter = self.world.wire.take(print)?;
        let Message::Request(request) = &letter.message else { return None };
        let reply = Reply::new(request, SERVER, 500, "refused");
        let bytes = reply.into_writer().finish();
        self.post(Letter::new(letter.to, letter.from, bytes));
        Some(())
    }

    fn loot(&self, print: u64) -> Option<Arc<Letter>> {
        self.world.loot.iter().find(|letter| letter.print == print).cloned()
    }

    fn attack(&mut self, letter: &Letter, origin: Origin) {
        let text = letter.message.headers().bytes();
        let number = self.world.left.replays * 8 + self.world.left.forgeries;
        let mut changed = replaced(text, b"branch=z9hG4bK", &[b'a' + number, b'x']);
        if origin == Origin::Forged {
            changed = replaced(&changed, b"response=\"", b"0000");
        }
        self.at_server(&Letter::new(ATTACKER, SERVER, changed.into()), origin);
    }

    fn gap(&self) -> Option<Duration> {
        self.world.deadline().map(|at| at.since(self.world.now))
    }

    /// The earliest deadline comes; everybody concerned is told.
    fn tick(&mut self) {
        let Some(at) = self.world.deadline() else { return };
        self.pass_to(at.max(self.world.now));
        let now = self.world.now;
        if self.world.server.get().deadline().is_some_and(|at| at <= now) {
            self.tell_server(Input::Tick, None);
        }
        for user in (0..).zip(&self.village.sockets).map(|(user, _)| user) {
            let agent = self.world.agents[usize::from(user)].get();
            if agent.deadline().is_some_and(|at| at <= now) {
                self.tell_agent(user, Input::Tick);
            }
        }
    }

    fn pass_to(&mut self, at: presently_engine::Instant) {
        if at > self.world.now {
            self.world.now = at;
            self.world.server.age(at);
            self.world.rows.age(at);
            for agent in &mut self.world.agents {
                agent.age(at);
            }
        }
    }

    fn wait(&mut self) {
        if self.gap().is_some_and(|gap| gap >= LONG) {
            self.world.left.jumps -= 1;
            self.tick();
        }
        while !self.spoken && self.gap().is_some_and(|gap| gap < LONG) {
            self.tick();
        }
    }

    /// Nothing from or to a user arrives for longer than any transaction lives. Letters between
    /// others arrive at once.
    fn outage(&mut self, user: UserId) {
        self.world.left.outages -= 1;
        let socket = self.village.sockets[usize::from(user)];
        self.cut = Some(socket);
        self.world.wire.cut(socket);
        let end = self.world.now + OUTAGE;
        let records = self.world.rows.print();
        loop {
            let next = self.world.wire.iter().next().map(|(letter, _)| letter.print);
            if let Some(letter) = next.and_then(|print| self.world.wire.take(print)) {
                self.arrive(&letter);
            } else if self.world.deadline().is_some_and(|at| at <= end) {
                self.tick();
            } else {
                break;
            }
        }
        self.pass_to(end);
        self.cut = None;
        if records != self.world.rows.print() {
            self.village.album.note(Sight::HalfOpen);
        }
    }

    fn depart(&mut self, user: UserId) {
        self.world.left.departures -= 1;
        self.world.absent |= 1 << user;
        self.world.wire.cut(self.village.sockets[usize::from(user)]);
        let now = self.world.now;
        self.world.agents[usize::from(user)].change(now, |agent| *agent = agent::Agent::default());
    }
}

/// What an input did, as seen from outside.
struct Done {
    /// Whether it was dealt with now; a copy only gets its old answer.
    fresh: bool,
    /// Whether a proven user's request was answered.
    executed: bool,
    /// Whether anybody but the sender was written to.
    others: bool,
    answer: Option<Response>,
}

impl Done {
    fn of(out: &[Output<Record, Event>]) -> Self {
        let answered = |it: &Output<Record, Event>| {
            matches!(it, Output::Event(Event::Answered { .. } | Event::Refused { .. }))
        };
        let executed = out.iter().any(|output| {
            matches!(output, Output::Record(_))
                || matches!(output, Output::Event(Event::Answered { user: Some(_), .. }))
        });
        Self { fresh: out.iter().any(answered), executed, others: false, answer: None }
    }
}

/// A put or a delete of one row.
fn fold(rows: &mut Rows, record: Record) {
    if record.value().is_some() {
        rows.insert(record.key(), record);
    } else {
        rows.remove(&record.key());
    }
}

/// Writes `fresh` over what follows the first `label`.
fn replaced(text: &[u8], label: &[u8], fresh: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    if let Some(place) = text.windows(label.len()).position(|part| part == label) {
        let start = place + label.len();
        text[start..start + fresh.len()].copy_from_slice(fresh);
    }
    text
}

/// Whether a NOTIFY is answered as if it belonged to nothing.
fn refuses(said: &Said) -> bool {
    match said {
        Said::Sent(letter) => {
            matches!(&letter.message, Message::Response(response) if response.status() == 481)
        }
        Said::Stored(_) | Said::Told(..) => false,
    }
}

/// Whether the 200 to the SUBSCRIBE of this Call-ID is still under way to the same agent.
fn is_early<S>(world: &World<S>, to: SocketAddr, notify: &Request) -> bool {
    world.wire.iter().any(|(letter, _)| {
        letter.to == to
            && matches!(&letter.message, Message::Response(response)
                if response.call_id().ok() == notify.call_id().ok()
                    && response.cseq().is_ok_and(|cseq| cseq.method == "SUBSCRIBE"))
    })
}

impl Ghost {
    /// The server answers a request for the first time. `rows` is what is durable by then.
    fn answered(
        &mut self,
        notes: &mut Notes<'_>,
        rows: &Rows,
        request: &Request,
        response: &Response,
    ) {
        let event = request.event().map(|event| event.package);
        match (request.method(), response.status()) {
            (Method::Subscribe, 200..=299) => self.subscribe_accepted(notes, response),
            (Method::Publish, 200..=299) if event == Some("x-presrules") => {
                notes.demand(Law::PolicySurvives, policy_is_stored(rows, request));
            }
            (Method::Message, 202) => {
                if let Some(id) = request.first(Name::DmMessageId) {
                    self.promises(id);
                }
            }
            _ => {}
        }
    }
}

/// Whether the rules that a request brought are those that are stored.
fn policy_is_stored(rows: &Rows, request: &Request) -> bool {
    let body = request.body();
    let Ok(wanted) = Rules::parse(&body) else { return body.is_empty() };
    let owner = request.to().map_or("", |to| to.uri);
    let stored: Vec<_> = rows
        .values()
        .filter_map(|row| match row {
            Record::Decided(whose, about, Some(verdict)) if whose.as_str() == owner => {
                Some((about.clone(), *verdict))
            }
            _ => None,
        })
        .collect();
    stored.len() == wanted.verdicts.len()
        && stored.iter().all(|(about, verdict)| wanted.verdicts.get(about) == Some(verdict))
}
