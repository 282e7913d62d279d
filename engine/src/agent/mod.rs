//! The user agent: commands in, events out, the same stack underneath.
//!
//! This file is the hall: it lets due timers fire, hands each input to the room it belongs to,
//! and carries news between rooms, which never touch each other. Read behaviour §0.3 first. The
//! agent opens no socket and no media; it says what flows from where to where.

mod auth;
mod call;
mod cx;
mod decisions;
mod direct;
mod incoming;
pub mod negotiation;
mod notify;
mod offers;
mod own;
mod pager;
mod publication;
mod registration;
mod request;
mod subscription;
mod tables;
#[cfg(test)]
mod tests;
mod types;
mod usage;
mod winfo;

pub use direct::wire;
pub use tables::{BuddyRow, OfferRow, OwnRow, Sizes, Tables, WatcherRow};
pub use types::*;

use crate::message::{Aor, Message, Response};
use crate::time::Instant;
use crate::transaction::Fired;
use crate::{Input, Output};
use bytes::Bytes;
use call::Calls;
use cx::{Core, Cx, Timer};
use decisions::Decisions;
use direct::{Direct, Knock, News as FlowNews, Wish};
use own::OwnOffer;
use pager::{Inbox, Outbox};
use publication::Publication;
use registration::{News, Registration};
use request::{Answer, Room, Ticket, Turn};
use std::net::SocketAddr;
use std::time::Duration;
use subscription::Subscriptions;

/// R52: so late a tick means that we were suspended.
const STALL: Duration = Duration::from_secs(5);
/// D21: at most one new beginning in this time, should a server change its `opaque` at whim.
const WAVE_GAP: Duration = Duration::from_secs(30);
const WAVE_JITTER: Duration = Duration::from_secs(1);

/// The agent of one user on one device. One value.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Agent {
    core: Core,
    phase: Phase,
    last_wave: Option<Instant>,
    registration: Registration,
    publication: Publication,
    subscriptions: Subscriptions,
    decisions: Decisions,
    outbox: Outbox,
    inbox: Inbox,
    calls: Calls,
    direct: Direct,
}

/// What the user wants of the whole agent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
enum Phase {
    #[default]
    LoggedOut,
    LoggedIn,
    LoggingOut,
}

/// Agents keep nothing over a restart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Record {}

impl crate::Machine for Agent {
    type Config = Config;
    type Command = Command;
    type Event = Event;
    type Record = Record;

    fn handle(
        &mut self,
        config: &Config,
        now: Instant,
        input: Input<Command>,
        out: &mut Vec<Output<Record, Event>>,
    ) {
        let due = self.deadline();
        if due.is_none_or(|due| due > now)
            && let Input::Command(Command::MediaPacket { port, from, bytes }) = &input
        {
            return self.on_media(config, now, (*port, *from), bytes, out);
        }
        let stalled = due.is_some_and(|due| now.since(due) > STALL);
        self.fire(config, now, out);
        if stalled {
            self.check_everything(config, now, out);
        }
        self.handle_belated(config, now, input, out);
    }

    fn handle_belated(
        &mut self,
        config: &Config,
        now: Instant,
        input: Input<Command>,
        out: &mut Vec<Output<Record, Event>>,
    ) {
        match input {
            Input::Packet { from, bytes } => match Message::parse(bytes) {
                Ok(Message::Request(request)) => {
                    self.on_request(config, now, from, &request, out);
                }
                Ok(Message::Response(response)) => self.on_response(config, now, response, out),
                Err(bad) => Self::on_malformed(config, from, &bad, out),
            },
            Input::Message { from, message } => match message {
                Message::Request(request) => self.on_request(config, now, from, &request, out),
                Message::Response(response) => self.on_response(config, now, response, out),
            },
            Input::Lost { peer } => {
                for ticket in self.core.transactions.lost(peer) {
                    let turn = self.cx(config, now, out).silence(ticket);
                    self.on_turn(config, now, turn, out);
                }
            }
            Input::Command(command) => self.on_command(config, now, command, out),
            Input::Tick => {}
        }
        self.settle(config, now, out);
    }

    fn deadline(&self) -> Option<Instant> {
        let own = self.core.timers.next();
        self.core.transactions.deadline().into_iter().chain(own).min()
    }
}

type Out = Vec<Output<Record, Event>>;

impl Agent {
    fn cx<'a>(&'a mut self, config: &'a Config, now: Instant, out: &'a mut Out) -> Cx<'a> {
        Cx { now, config, core: &mut self.core, out }
    }

    /// Lets everything fire that is due: transactions first, since their ends may stop timers.
    fn fire(&mut self, config: &Config, now: Instant, out: &mut Out) {
        loop {
            match self.core.transactions.fire(&config.timing, now, out) {
                Some(Fired::Timeout(ticket)) => {
                    let turn = self.cx(config, now, out).silence(ticket);
                    self.on_turn(config, now, turn, out);
                }
                Some(Fired::Unanswered(_) | Fired::Quiet) => {}
                None => match self.core.timers.pop_due(now) {
                    Some(timer) => self.on_timer(config, now, timer, out),
                    None => return,
                },
            }
        }
    }

    fn on_timer(&mut self, config: &Config, now: Instant, timer: Timer, out: &mut Out) {
        let Self { core, registration, publication, subscriptions, outbox, calls, direct, .. } =
            self;
        let cx = &mut Cx { now, config, core, out };
        match timer {
            Timer::Register => registration.on_timer(cx),
            Timer::Wave => {
                self.last_wave = Some(now);
                registration.register(cx);
                publication.restart(cx);
                subscriptions.restart(cx);
            }
            Timer::Publish => publication.on_timer(cx),
            Timer::Epoch => publication.on_epoch(cx),
            Timer::Usage(id, alarm) => subscriptions.on_alarm(cx, id, alarm),
            Timer::Call(id, alarm) => calls.on_alarm(cx, id, alarm),
            Timer::Flow(id, alarm) => {
                let news = direct.on_alarm(cx, id, alarm);
                self.on_flow(config, now, news, out);
            }
            Timer::Suspect(aor, tuple) => subscriptions.offers.trust(cx, aor, tuple),
            Timer::Message(target) => outbox.on_timer(cx, &target),
            Timer::Access(aor, tuple) => subscriptions.offers.on_expiry(cx, aor, tuple),
            Timer::Logout => self.finish_logout(config, now, out),
        }
    }

    fn on_command(&mut self, config: &Config, now: Instant, command: Command, out: &mut Out) {
        match command {
            Command::Login => return self.login(config, now, out),
            Command::Logout => return self.logout(config, now, out),
            _ => {}
        }
        let Self { core, publication, subscriptions, decisions, outbox, calls, direct, .. } = self;
        let cx = &mut Cx { now, config, core, out };
        match command {
            Command::Login | Command::Logout => {}
            Command::SetPresence { basic, note } => {
                publication.own.presence = Some((basic, note));
                publication.changed(cx);
            }
            Command::SetOffer { media, port, codecs, mode } => {
                publication.offer(cx, media, OwnOffer { port, codecs, mode, occupied: false });
            }
            Command::Subscribe { target, package, expires } => {
                subscriptions.subscribe(cx, target, package, expires);
            }
            Command::Unsubscribe { target, package } => {
                subscriptions.unsubscribe(cx, &target, package);
            }
            Command::Fetch { target } => subscriptions.fetch(cx, target, Package::Presence),
            Command::Decide { watcher, verdict } => {
                subscriptions.pardon(&watcher);
                decisions.decide(cx, watcher, verdict);
            }
            Command::Mark { peer, paper } => {
                cx.mark(peer.clone(), paper);
                subscriptions.offers.reconsider(cx, &peer);
            }
            Command::SendMessage { target, text, ticket } => {
                outbox.post(cx, target, text, ticket);
            }
            Command::Call { target, abilities } => calls.call(cx, &target, abilities),
            Command::Answer { call, abilities } => calls.answer(cx, call, abilities),
            Command::Hangup { call } => calls.hangup(cx, call),
            Command::Hold { call, hold } => calls.hold(cx, call, hold),
            Command::Direct { target, media, port, codecs, hears } => {
                let wish = Wish { target, media, port, codecs, hears };
                direct.start(cx, &subscriptions.offers, wish);
            }
            Command::MediaPacket { port, from, bytes } => {
                let news = direct.on_packet(cx, port, from, &bytes);
                self.on_flow(config, now, news.unwrap_or_default(), out);
            }
            Command::MediaKnock { port, from, ssrc, pt } => {
                let news = direct.on_knock(cx, Knock { port, from, ssrc, pt });
                self.on_flow(config, now, news, out);
            }
            Command::StopFlow { .. }
            | Command::MediaHeard { .. }
            | Command::MediaBye { .. }
            | Command::MediaUnreachable { .. } => {
                let news = direct.on_command(cx, command);
                self.on_flow(config, now, news, out);
            }
        }
    }

    /// A datagram at a media port. Anybody can send them by the million (R89), so what changes
    /// nothing has no consequences to look for.
    fn on_media(
        &mut self,
        config: &Config,
        now: Instant,
        (port, from): (u16, SocketAddr),
        bytes: &Bytes,
        out: &mut Out,
    ) {
        let Self { core, direct, .. } = self;
        let cx = &mut Cx { now, config, core, out };
        if let Some(news) = direct.on_packet(cx, port, from, bytes) {
            self.on_flow(config, now, news, out);
            self.settle(config, now, out);
        }
    }

    /// What follows from what a flow did.
    fn on_flow(&mut self, config: &Config, now: Instant, news: Vec<FlowNews>, out: &mut Out) {
        let Self { core, publication, subscriptions, .. } = self;
        let cx = &mut Cx { now, config, core, out };
        for one in news {
            match one {
                FlowNews::Occupied(media, is) => publication.occupy(cx, &media, is),
                FlowNews::Refresh(target) => {
                    subscriptions.ask_again(cx, &target, Package::Presence);
                }
                FlowNews::Suspect(target, tuple) => {
                    subscriptions.offers.suspect(cx, target, tuple);
                }
                FlowNews::AskWinfo => {
                    subscriptions.ask_again(cx, &config.aor, Package::Winfo);
                }
            }
        }
    }

    /// Level-triggered: doors follow our offers and decisions, flows the offers of others.
    fn settle_flows(&mut self, config: &Config, now: Instant, out: &mut Out) {
        let Self { core, publication, subscriptions, decisions, direct, .. } = self;
        let cx = &mut Cx { now, config, core, out };
        let mut news = direct.offer(cx, publication.open_offers(config, now));
        let paper = publication.paper_offers(config);
        if direct.listens() || !paper.is_empty() {
            let rejected = subscriptions.rejected(&config.aor);
            let hears = decisions.hears(subscriptions.watchers(&config.aor), &rejected);
            news.extend(direct.allow(cx, hears));
        }
        news.extend(direct.offer_plainly(cx, paper, |peer| subscriptions.places(peer)));
        direct.look(cx, &subscriptions.offers, |target| subscriptions.standing(target));
        let refuses = |peer: &Aor| {
            decisions.refuses(peer) || subscriptions.rejected(&config.aor).contains(peer)
        };
        news.extend(direct.hear_replies(cx, refuses));
        self.on_flow(config, now, news, out);
    }

    fn login(&mut self, config: &Config, now: Instant, out: &mut Out) {
        self.end_logout(config, now, Registration::resume, out);
        self.phase = Phase::LoggedIn;
        let Self { core, registration, .. } = self;
        registration.register(&mut Cx { now, config, core, out });
    }

    /// M10: everything is taken back at the same time; whoever does not answer is not waited for.
    fn logout(&mut self, config: &Config, now: Instant, out: &mut Out) {
        if self.phase == Phase::LoggedIn {
            let Self { core, registration, publication, subscriptions, calls, direct, .. } = self;
            let cx = &mut Cx { now, config, core, out };
            calls.leave(cx);
            let news = direct.forget(cx);
            publication.leave(cx);
            subscriptions.leave_all(cx);
            registration.leave(cx);
            cx.core.online = false;
            cx.stop(&Timer::Wave);
            cx.arm(Timer::Logout, now + config.logout);
            self.phase = Phase::LoggingOut;
            self.on_flow(config, now, news, out);
        } else if self.phase == Phase::LoggedOut {
            out.push(Output::Event(Event::LoggedOut));
        }
    }

    fn finish_logout(&mut self, config: &Config, now: Instant, out: &mut Out) {
        let forget = |registration: &mut Registration, cx: &mut Cx<'_>| {
            registration.forget(cx);
            None
        };
        self.end_logout(config, now, forget, out);
    }

    /// Logout is over, or not wanted any more; `leave` says what becomes of the registration, and
    /// which request of it goes on.
    fn end_logout(
        &mut self,
        config: &Config,
        now: Instant,
        leave: impl FnOnce(&mut Registration, &mut Cx<'_>) -> Option<Ticket>,
        out: &mut Out,
    ) {
        if self.phase != Phase::LoggingOut {
            return;
        }
        self.phase = Phase::LoggedOut;
        let Self {
            core, registration, publication, subscriptions, decisions, outbox, calls, ..
        } = self;
        let cx = &mut Cx { now, config, core, out };
        cx.stop(&Timer::Logout);
        calls.forget(cx);
        let kept = leave(registration, cx);
        publication.forget(cx);
        subscriptions.forget(cx);
        decisions.forget(cx);
        outbox.forget(cx);
        cx.core.exchanges.clear_except(kept);
        cx.emit(Event::LoggedOut);
    }

    fn on_request(
        &mut self,
        config: &Config,
        now: Instant,
        from: crate::Peer,
        request: &crate::message::Request,
        out: &mut Out,
    ) {
        let Self { core, subscriptions, decisions, inbox, calls, .. } = self;
        let cx = Cx { now, config, core, out };
        incoming::Desk { subscriptions, decisions, inbox, calls }.on_request(cx, from, request);
    }

    fn on_response(&mut self, config: &Config, now: Instant, response: Response, out: &mut Out) {
        // Answers to what we sent have our own address on top (RFC 3261 §18.1.2).
        let ours = |sent_by: &str| config.contact.eq_ignore_ascii_case(sent_by);
        if !response.via().is_ok_and(|via| ours(via.sent_by)) {
            return;
        }
        let transactions = &mut self.core.transactions;
        let Some(ticket) = transactions.receive(&config.timing, now, &response, out) else {
            return;
        };
        let Self { core, calls, .. } = self;
        let mut cx = Cx { now, config, core, out };
        if !cx.is_open(ticket) && is_invited(&response) {
            return calls.on_late_success(&mut cx, ticket, &response);
        }
        let turn = cx.answered(ticket, response);
        self.on_turn(config, now, turn, out);
    }

    fn on_turn(&mut self, config: &Config, now: Instant, turn: Option<Turn>, out: &mut Out) {
        match turn {
            None => {}
            Some(Turn::Over(answer)) => self.on_answer(config, now, answer, out),
            Some(Turn::Progress(Room::Call(id), status)) => {
                let Self { core, calls, .. } = self;
                calls.on_progress(&mut Cx { now, config, core, out }, id, status);
            }
            Some(Turn::Progress(..)) => {}
            Some(Turn::Again(Room::Usage(id), ticket)) => {
                let Self { core, subscriptions, .. } = self;
                subscriptions.on_again(&mut Cx { now, config, core, out }, id, ticket);
            }
            Some(Turn::Again(
                Room::Registration
                | Room::Publication
                | Room::Decisions
                | Room::Message(_)
                | Room::Call(_),
                _,
            )) => {}
        }
    }

    fn on_answer(&mut self, config: &Config, now: Instant, answer: Answer, out: &mut Out) {
        let Self {
            core, registration, publication, subscriptions, decisions, outbox, calls, ..
        } = self;
        let cx = &mut Cx { now, config, core, out };
        match answer.room.clone() {
            Room::Registration => {
                let news = registration.on_answer(cx, answer);
                self.on_registration(config, now, news, out);
            }
            Room::Publication => publication.on_answer(cx, answer),
            Room::Decisions => decisions.on_answer(cx, answer),
            Room::Usage(id) => subscriptions.on_answer(cx, id, answer),
            Room::Message(target) => outbox.on_answer(cx, &target, answer),
            Room::Call(id) => calls.on_answer(cx, id, answer),
        }
    }

    fn on_registration(&mut self, config: &Config, now: Instant, news: News, out: &mut Out) {
        let Self { core, publication, subscriptions, decisions, outbox, .. } = self;
        let cx = &mut Cx { now, config, core, out };
        match news {
            News::Nothing | News::Left => {}
            News::Bound { dm1, moved } => {
                cx.core.online = true;
                publication.note_dm1(cx, dm1);
                publication.wake(cx);
                subscriptions.wake(cx);
                decisions.wake(cx);
                outbox.wake(cx);
                if moved {
                    subscriptions.check(cx);
                }
            }
        }
    }

    /// R52: after a suspension nothing is certain; ask for all of it, in the same dialogs.
    fn check_everything(&mut self, config: &Config, now: Instant, out: &mut Out) {
        if self.phase == Phase::LoggedIn {
            let Self { core, registration, publication, subscriptions, .. } = self;
            let cx = &mut Cx { now, config, core, out };
            registration.register(cx);
            publication.check(cx);
            subscriptions.check(cx);
        }
    }

    /// What follows from everything that happened in this input.
    fn settle(&mut self, config: &Config, now: Instant, out: &mut Out) {
        self.settle_flows(config, now, out);
        if std::mem::take(&mut self.core.restarted) && self.phase == Phase::LoggedIn {
            let last_wave = self.last_wave;
            let mut cx = self.cx(config, now, out);
            if cx.core.timers.at(&Timer::Wave).is_none() {
                let soon = now + cx.jitter(WAVE_JITTER);
                let at = last_wave.map_or(soon, |last| soon.max(last + WAVE_GAP));
                cx.arm(Timer::Wave, at);
                cx.emit(Event::ServerRestarted);
            }
        }
        let done = self.publication.is_quiet()
            && self.calls.is_quiet()
            && self.subscriptions.is_quiet()
            && self.registration.state == registration::State::Off;
        if done && self.phase == Phase::LoggingOut {
            self.finish_logout(config, now, out);
        }
    }
}

/// Whether a response is a 2xx to INVITE.
fn is_invited(response: &Response) -> bool {
    (200..300).contains(&response.status())
        && response.cseq().is_ok_and(|cseq| cseq.method == crate::message::Method::Invite.as_str())
}
