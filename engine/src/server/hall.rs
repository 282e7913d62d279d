//! The hall: every input comes in here, and every response and deadline finds its owner.

use super::account::Account;
use super::admit::{self, Rates};
use super::cx::Cx;
use super::gate::Gate;
use super::presentity::{Answer, Package};
use super::relay::{NoAnswer, Outcome, Relays, Target, strict_routing_undone};
use super::{Binding, Command, Config, Event, Owner, Record, Tables, Timer};
use crate::body::winfo::Cause;
use crate::machine::{Input, Machine, Output, Peer};
use crate::message::{Aor, Message, Method, Name, Response};
use crate::time::{Instant, Timers};
use crate::transaction::{Fired, Transactions};
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// The server: accounts, transactions, timers, replay records. One value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Server {
    pub(super) accounts: BTreeMap<Aor, Box<Account>>,
    pub(super) transactions: Transactions<Owner>,
    pub(super) timers: Timers<Timer>,
    pub(super) gate: Gate,
    pub(super) relays: Relays,
    pub(super) rates: Rates,
    /// Set by [`Command::Shutdown`]: no more work is taken.
    pub(super) closing: bool,
    drained: bool,
}

/// Where effects go.
pub(super) type Out = Vec<Output<Record, Event>>;

/// The rooms, borrowed beside the [`Cx`] they act through.
pub(super) struct Rooms<'a> {
    pub(super) accounts: &'a mut BTreeMap<Aor, Box<Account>>,
    pub(super) relays: &'a mut Relays,
}

impl Rooms<'_> {
    /// The account of an AOR, made if it does not exist yet.
    pub(super) fn account(&mut self, aor: &Aor) -> &mut Account {
        self.accounts.entry(aor.clone()).or_insert_with(|| Account::boxed(aor))
    }

    /// Forgets an account that holds nothing, so that equal situations are equal states.
    pub(super) fn tidy(&mut self, aor: &Aor) {
        if self.accounts.get(aor).is_some_and(|account| account.is_empty()) {
            self.accounts.remove(aor);
        }
    }
}

impl Machine for Server {
    type Config = Config;
    type Command = Command;
    type Event = Event;
    type Record = Record;

    fn handle(&mut self, config: &Config, now: Instant, input: Input<Command>, out: &mut Out) {
        // A deadline that has come fires before the packet that came with it (behaviour §0.2.7).
        self.tick(config, now, out);
        self.handle_belated(config, now, input, out);
    }

    fn handle_belated(
        &mut self,
        config: &Config,
        now: Instant,
        input: Input<Command>,
        out: &mut Out,
    ) {
        match input {
            Input::Packet { from, bytes } => match Message::parse(bytes) {
                Ok(message) => self.on_message(config, now, from, &message, out),
                Err(malformed) => admit::refuse_malformed(config, out, from, &malformed),
            },
            Input::Message { from, message } => self.on_message(config, now, from, &message, out),
            Input::Lost { peer } => {
                for owner in self.transactions.lost(peer) {
                    self.on_no_answer(config, now, owner, NoAnswer::Unreachable, out);
                }
            }
            Input::Command(command) => self.on_command(config, now, command, out),
            Input::Tick => {}
        }
        self.note_drained(out);
    }

    fn is_beginning(&self, config: &Config, input: &Input<Command>) -> bool {
        match input {
            Input::Message { message: Message::Request(request), .. } => {
                self.is_beginning(config, request)
            }
            Input::Message { message: Message::Response(_), .. }
            | Input::Packet { .. }
            | Input::Lost { .. }
            | Input::Command(_)
            | Input::Tick => false,
        }
    }

    fn turn_away(&mut self, config: &Config, now: Instant, input: Input<Command>, out: &mut Out) {
        match input {
            Input::Message { from, message: Message::Request(request) } => {
                self.turn_away(config, now, from, &request, out);
            }
            other => self.handle(config, now, other, out),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match (self.timers.next(), self.transactions.deadline()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

impl Server {
    /// Lends the rooms and the world at once.
    pub(super) fn split<'a>(
        &'a mut self,
        config: &'a Config,
        now: Instant,
        out: &'a mut Out,
    ) -> (Rooms<'a>, Cx<'a>) {
        let Self { accounts, transactions, timers, relays, .. } = self;
        (Rooms { accounts, relays }, Cx { now, config, timers, transactions, out })
    }

    fn on_message(
        &mut self,
        config: &Config,
        now: Instant,
        from: Peer,
        message: &Message,
        out: &mut Out,
    ) {
        match message {
            Message::Request(request) => {
                let meant = strict_routing_undone(config, request);
                self.on_request(config, now, from, meant.as_ref().unwrap_or(request), out);
            }
            Message::Response(response) => self.on_response(config, now, response, out),
        }
    }

    fn on_response(&mut self, config: &Config, now: Instant, response: &Response, out: &mut Out) {
        // Answers to what we sent have our own address on top (RFC 3261 §18.1.2).
        if !response.via().is_ok_and(|via| config.is_sent_by(via.sent_by)) {
            return;
        }
        let Some(owner) = self.transactions.receive(&config.timing, now, response, out) else {
            // Late or foreign: dropped, whatever it says (R49, RFC 4320 §4.2).
            return;
        };
        let status = response.status();
        let (mut rooms, mut cx) = self.split(config, now, out);
        match owner {
            Owner::Notify { .. } if status < 200 => {}
            Owner::Notify { aor, winfo, id } => {
                let retry_after = response.seconds(Name::RetryAfter);
                let answer = Answer::of(status, retry_after, &config.timing);
                finished(&mut cx, Method::Notify, &aor, Some(status));
                if status < 300 {
                    rooms.notify_retargets(&mut cx, &aor, winfo, id, response);
                }
                rooms.notify_answered(&mut cx, &aor, winfo, id, answer);
            }
            Owner::Relay { key, branch } => {
                let outcome = rooms.relays.on_response(&mut cx, key, branch, response);
                rooms.follow(&mut cx, outcome);
            }
            Owner::Deliver { aor, id } => {
                rooms.delivery_answered(&mut cx, &aor, id, Some(status));
            }
            Owner::Nobody => {}
        }
    }

    /// A client transaction ended without an answer.
    fn on_no_answer(
        &mut self,
        config: &Config,
        now: Instant,
        owner: Owner,
        why: NoAnswer,
        out: &mut Out,
    ) {
        let (mut rooms, mut cx) = self.split(config, now, out);
        match owner {
            Owner::Notify { aor, winfo, id } => {
                finished(&mut cx, Method::Notify, &aor, None);
                rooms.notify_answered(&mut cx, &aor, winfo, id, Answer::Lost);
            }
            Owner::Relay { key, branch } => {
                let outcome = rooms.relays.on_no_answer(&mut cx, key, branch, why);
                rooms.follow(&mut cx, outcome);
            }
            Owner::Deliver { aor, id } => rooms.delivery_answered(&mut cx, &aor, id, None),
            Owner::Nobody => {}
        }
    }

    /// Fires everything that is due, transactions first.
    fn tick(&mut self, config: &Config, now: Instant, out: &mut Out) {
        while let Some(fired) = self.transactions.fire(&config.timing, now, out) {
            match fired {
                Fired::Timeout(owner) => {
                    self.on_no_answer(config, now, owner, NoAnswer::TimedOut, out);
                }
                Fired::Unanswered(_) | Fired::Quiet => {}
            }
        }
        while let Some(timer) = self.timers.pop_due(now) {
            self.on_timer(config, now, &timer, out);
        }
    }

    fn on_timer(&mut self, config: &Config, now: Instant, timer: &Timer, out: &mut Out) {
        let (mut rooms, mut cx) = self.split(config, now, out);
        match timer {
            Timer::Relay(key) => {
                let outcome = rooms.relays.on_timer(&mut cx, *key);
                rooms.follow(&mut cx, outcome);
            }
            Timer::Binding(aor, id) => {
                let Some(account) = rooms.accounts.get_mut(aor) else { return };
                let change = account.registrations.on_timer(&mut cx, aor, *id);
                account.bindings_changed(&mut cx, aor, &change);
                rooms.tidy(aor);
            }
            Timer::Kept(aor, id) => {
                let Some(account) = rooms.accounts.get_mut(aor) else { return };
                account.inbox.on_expired(&mut cx, aor, *id);
                rooms.tidy(aor);
            }
            Timer::Dedupe(aor, mark) => {
                let Some(account) = rooms.accounts.get_mut(aor) else { return };
                account.inbox.on_dedupe_over(*mark);
                rooms.tidy(aor);
            }
            Timer::Settle(aor) => {
                let Some(account) = rooms.accounts.get_mut(aor) else { return };
                account.presentity.on_timer(&mut cx, timer);
                let Account { registrations, inbox, .. } = &mut **account;
                inbox.on_bound(&mut cx, aor, &targets(registrations.live()));
            }
            Timer::Publication(aor, _)
            | Timer::Subscription(aor, _)
            | Timer::Throttle(aor, _)
            | Timer::WinfoSubscription(aor, _)
            | Timer::WinfoThrottle(aor, _)
            | Timer::GiveUp(aor, _) => {
                let Some(account) = rooms.accounts.get_mut(aor) else { return };
                account.presentity.on_timer(&mut cx, timer);
                rooms.tidy(aor);
            }
        }
    }

    fn on_command(&mut self, config: &Config, now: Instant, command: Command, out: &mut Out) {
        let closing = &mut self.closing;
        *closing |= command == Command::Shutdown;
        let (mut rooms, mut cx) = self.split(config, now, out);
        match command {
            Command::Decide { presentity, watcher, verdict } => {
                let account = rooms.account(&presentity);
                account.presentity.decide(&mut cx, &watcher, verdict);
                rooms.tidy(&presentity);
            }
            Command::Remove(aor) => {
                let Some(account) = rooms.accounts.get_mut(&aor) else { return };
                account.registrations.remove_all(&mut cx, &aor);
                account.inbox.remove_all(&mut cx, &aor);
                account.presentity.remove_all(&mut cx);
                rooms.tidy(&aor);
                self.gate.forget(config, &aor);
            }
            Command::Shutdown => {
                let aors: Vec<Aor> = rooms.accounts.keys().cloned().collect();
                for aor in aors {
                    let account = rooms.account(&aor);
                    account.presentity.end_all(&mut cx, Cause::Deactivated);
                    rooms.tidy(&aor);
                }
            }
        }
    }

    /// Says once that a closing server has told everybody.
    fn note_drained(&mut self, out: &mut Out) {
        if self.closing
            && !self.drained
            && self.accounts.values().all(|account| account.presentity.is_drained())
        {
            self.drained = true;
            out.push(Output::Event(Event::Drained));
        }
    }

    /// The paper's tables.
    pub fn tables(&self, now: Instant) -> Tables {
        let mut tables = Tables::default();
        for account in self.accounts.values() {
            account.presentity.append_tables(now, &mut tables);
        }
        tables
    }

    /// Sizes of everything that can grow, by name (metrics, boundedness checks).
    pub fn sizes(&self) -> Vec<(&'static str, usize)> {
        let mut presence = [0; 4];
        let (mut bindings, mut kept) = (0, 0);
        for account in self.accounts.values() {
            for (sum, size) in presence.iter_mut().zip(account.presentity.sizes()) {
                *sum += size;
            }
            bindings += account.registrations.live().count();
            kept += account.inbox.len();
        }
        let (servers, clients) = self.transactions.len();
        let [publications, subscriptions, watchers, winfo] = presence;
        vec![
            ("accounts", self.accounts.len()),
            ("bindings", bindings),
            ("publications", publications),
            ("subscriptions", subscriptions),
            ("watchers", watchers),
            ("winfo_subscriptions", winfo),
            ("stored_messages", kept),
            ("server_transactions", servers),
            ("client_transactions", clients),
            ("relays", self.relays.len()),
            ("replay_records", self.gate.len()),
            ("timers", self.timers.len()),
        ]
    }
}

impl Rooms<'_> {
    fn notify_answered(
        &mut self,
        cx: &mut Cx<'_>,
        aor: &Aor,
        winfo: bool,
        id: crate::mint::Id,
        answer: Answer,
    ) {
        let Some(account) = self.accounts.get_mut(aor) else { return };
        let package = if winfo { Package::Winfo } else { Package::Presence };
        account.presentity.on_notify_answer(cx, package, id, answer);
        self.tidy(aor);
    }

    fn notify_retargets(
        &mut self,
        cx: &mut Cx<'_>,
        aor: &Aor,
        winfo: bool,
        id: crate::mint::Id,
        response: &Response,
    ) {
        let Some(account) = self.accounts.get_mut(aor) else { return };
        let package = if winfo { Package::Winfo } else { Package::Presence };
        account.presentity.on_notify_contact(cx, package, id, response);
    }

    fn delivery_answered(
        &mut self,
        cx: &mut Cx<'_>,
        aor: &Aor,
        id: crate::mint::Id,
        status: Option<u16>,
    ) {
        let Some(account) = self.accounts.get_mut(aor) else { return };
        let Account { registrations, inbox, .. } = &mut **account;
        inbox.on_answer(cx, aor, id, status, &targets(registrations.live()));
        self.tidy(aor);
    }

    /// Settles what a forwarded request has come to: exactly one room answers, once.
    pub(super) fn follow(&mut self, cx: &mut Cx<'_>, outcome: Outcome) {
        match outcome {
            Outcome::Settled => {}
            Outcome::Keep(message) => {
                let Account { registrations, inbox, .. } = self.account(&message.aor);
                inbox.keep_unreached(cx, &message, &targets(registrations.live()));
                self.tidy(&message.aor);
            }
            Outcome::Received { aor, mark } => {
                let Some(account) = self.accounts.get_mut(&aor) else { return };
                account.inbox.received(cx, &aor, mark);
                self.tidy(&aor);
            }
        }
    }
}

/// Where requests for an account go: its bindings. A `sips` contact wants TLS on the way to it
/// (RFC 3261 §16.6 item 7), which there is none of here, so it is not reached at all.
pub(super) fn targets<'a>(
    bindings: impl Iterator<Item = &'a Binding>,
) -> SmallVec<[Target<'a>; 4]> {
    let wants_tls = |uri: &str| uri.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("sips:"));
    bindings
        .map(|binding| Target { uri: &binding.contact, peer: binding.peer })
        .filter(|target| !wants_tls(target.uri))
        .collect()
}

fn finished(cx: &mut Cx<'_>, method: Method, aor: &Aor, status: Option<u16>) {
    cx.emit(Event::Finished { method, target: aor.clone(), status });
}
