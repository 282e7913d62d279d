//! Both ends as a state, and what can happen to them.

use super::Pair;
use super::user::{CLIENT, Users};
use crate::law::{Album, Code, Law, Sight};
use crate::plan::{Budget, Clocks, Plan};
use crate::print::{Held, print};
use crate::wire::{Letter, Wire};
use crate::world::{DAWN, SERVER};
use presently_engine::message::Method;
use presently_engine::mint::Secret;
use presently_engine::transaction::{Arrival, Fired, Timing, Transactions};
use presently_engine::{Instant, Output, Peer};
use stateright::{Model, Property};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

type Table = Transactions<()>;
type Out = Vec<Output<(), ()>>;

/// One state.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) client: Held<Table>,
    pub(crate) server: Held<Table>,
    pub(crate) wire: Wire,
    pub(crate) users: Held<Users>,
    pub(super) left: Budget,
    pub(crate) broken: Vec<Law>,
    print: u64,
    /// What was sent in the last step.
    pub(crate) said: Vec<Arc<Letter>>,
}

impl PartialEq for Ends {
    fn eq(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl Hash for Ends {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.print);
    }
}

/// What can happen next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    Deliver(u64),
    Drop(u64),
    Copy(u64),
    /// The server's transaction user says something.
    Answer(u16),
    /// The client does not want an answer any more.
    Cancel,
    /// The earliest deadline of all comes.
    Wait,
    /// The next timer fires, whatever the other's clock says: client, server's user, server.
    FireClient,
    FireServer,
}

/// The model.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) pair: Pair,
    pub(super) code: Code,
    pub(super) laws: Vec<Law>,
    pub(super) album: Arc<Album>,
    pub(super) timing: Timing,
    pub(super) secret: Secret,
}

impl Ends {
    /// The server's clock.
    pub(crate) fn now(&self) -> Instant {
        self.server.at()
    }

    fn seal(&mut self) {
        // How far the clocks are apart is part of what can happen next.
        let parts = (&self.client, &self.server, &self.users, &self.wire, self.client.at());
        self.print = print(&(parts, self.left, &self.broken), self.now());
    }

    fn deadline(&self) -> Option<Instant> {
        let ends = [self.client.get().deadline(), self.server.get().deadline()];
        ends.into_iter().chain([self.users.get().deadline()]).flatten().min()
    }

    /// Nothing under way, and no timer is left that sends or gives up: only copies are awaited.
    pub(crate) fn is_over(&self, invite: bool) -> bool {
        let asks = |state| match state {
            "Trying" | "Calling" => true,
            // Nothing runs at a client whose INVITE is being dealt with.
            "Proceeding" => !invite,
            _ => false,
        };
        let answers = |state| match state {
            "Trying" | "Proceeding" => true,
            // A refused INVITE is refused again until its ACK comes.
            "Completed" => invite,
            _ => false,
        };
        self.wire.is_empty()
            && self.users.get().deadline().is_none()
            && !self.client.get().clients().any(|(_, state, _)| asks(state))
            && !self.server.get().servers().any(|(_, state)| answers(state))
    }
}

impl Exchange {
    /// The exchange of a plan, if that is what it is about.
    pub(crate) fn of(plan: &Plan) -> Option<Self> {
        Some(Self {
            pair: plan.pair.clone()?,
            code: Code::of(&plan.laws),
            laws: plan.laws.clone(),
            album: Arc::new(Album::default()),
            timing: Timing::default(),
            secret: Secret::new(*b"models are plans"),
        })
    }

    fn demand(&self, ends: &mut Ends, law: Law, holds: bool) {
        if !holds && self.code.has(law) && !ends.broken.contains(&law) {
            ends.broken.push(law);
        }
    }

    fn start(&self) -> Ends {
        let mut ends = Ends {
            client: Held::new(Table::default(), DAWN),
            server: Held::new(Table::default(), DAWN),
            wire: Wire::default(),
            users: Held::new(Users::default(), DAWN),
            left: self.pair.budget,
            broken: Vec::new(),
            print: 0,
            said: Vec::new(),
        };
        let (method, bytes) = super::user::request(self.pair.invite);
        let mut out = Out::new();
        ends.client.change(|table| {
            let (branch, to) = (super::user::branch(), Peer::new(SERVER));
            table.send(&self.timing, DAWN, branch, method, to, bytes, (), &mut out);
        });
        self.carry(&mut ends, CLIENT, out);
        ends.seal();
        ends
    }

    /// Carries out what one end decided.
    fn carry(&self, ends: &mut Ends, from: std::net::SocketAddr, out: Out) {
        for output in out {
            let Output::Transmit { to, bytes } = output else { continue };
            self.post(ends, Letter::new(from, to.addr, bytes));
        }
    }

    fn post(&self, ends: &mut Ends, letter: Arc<Letter>) {
        if letter.from == SERVER {
            let now = ends.now();
            let judged = ends.users.change(|users| users.judge(now, self.pair.invite, &letter));
            self.demand(ends, Law::NonInviteDiscipline, judged.disciplined);
            self.demand(ends, Law::TuOnce, judged.same);
        }
        ends.said.push(Arc::clone(&letter));
        ends.wire.add(letter);
    }

    fn at_server(&self, ends: &mut Ends, letter: &Letter) {
        let Some(request) = letter.request() else { return };
        let (now, to) = (ends.now(), Peer::new(letter.from));
        let mut out = Out::new();
        let arrival = ends
            .server
            .change(|table| table.absorb(&self.secret, &self.timing, now, request, &mut out));
        self.carry(ends, SERVER, out);
        let key = match arrival {
            Arrival::Absorbed => return self.album.note(Sight::CopyAbsorbed),
            Arrival::New(key) | Arrival::Ack(key) => key,
        };
        match letter.facts.method {
            Method::Ack => ends.users.change(|users| users.acked()),
            Method::Cancel => self.cancelled(ends, letter, key),
            _ => {
                ends.server.change(|table| {
                    table.open(&self.secret, &self.timing, now, key, to, request);
                });
                let once = ends.users.change(|users| users.asked(now, key, self.pair.invite));
                self.demand(ends, Law::TuOnce, once);
            }
        }
    }

    /// RFC 3261 §9.2: 200 to the CANCEL, 487 to the INVITE if it has no final answer yet.
    fn cancelled(
        &self,
        ends: &mut Ends,
        letter: &Letter,
        key: presently_engine::transaction::ServerKey,
    ) {
        let Some(request) = letter.request() else { return };
        let (now, to) = (ends.now(), Peer::new(letter.from));
        let mut out = Out::new();
        ends.server.change(|table| {
            table.open(&self.secret, &self.timing, now, key, to, request);
            let Some(message) = letter.message() else { return };
            let bytes = super::user::answer(message, 200);
            table.respond(&self.timing, now, key, 200, bytes, &mut out);
        });
        self.carry(ends, SERVER, out);
        let invite = ends.users.get().key();
        if invite.is_some_and(|invite| ends.server.get().is_open(invite)) {
            self.album.note(Sight::Cancelled);
            self.answer(ends, 487);
        }
    }

    fn answer(&self, ends: &mut Ends, status: u16) {
        let Some(key) = ends.users.get().key() else { return };
        let now = ends.now();
        let invite = self.pair.invite;
        let bytes = super::user::answer(&super::user::parsed(invite), status);
        let mut out = Out::new();
        let open = ends.server.get().is_open(key);
        ends.server.change(|table| {
            table.respond(&self.timing, now, key, status, bytes, &mut out);
        });
        let taken = open && (invite || status != 408) && status >= 200;
        ends.users.change(|users| users.said(now, status, taken, invite));
        self.carry(ends, SERVER, out);
    }

    fn at_client(&self, ends: &mut Ends, letter: &Letter) {
        let Some(response) = letter.response() else { return };
        let now = ends.client.at();
        let mut out = Out::new();
        let told = ends.client.change(|table| table.receive(&self.timing, now, response, &mut out));
        self.carry(ends, CLIENT, out);
        if told.is_none() {
            self.album.note(Sight::CopyAbsorbed);
        } else if letter.facts.status >= 200 {
            let status = letter.facts.status;
            let once = ends.users.change(|users| users.told(status, self.pair.invite));
            self.demand(ends, Law::TuOnce, once);
            if self.pair.invite && status < 300 {
                // The transaction user acknowledges every 2xx itself (RFC 3261 §13.2.2.4).
                self.post(ends, Letter::new(CLIENT, SERVER, super::user::ack()));
            }
        }
    }

    fn fire_client(&self, ends: &mut Ends) {
        let (now, mut out) = (ends.client.at(), Out::new());
        while let Some(fired) = ends.client.change(|table| table.fire(&self.timing, now, &mut out))
        {
            if matches!(fired, Fired::Timeout(())) {
                ends.users.change(|users| users.gave_up());
                let repaired = !ends.users.get().answered_in_time();
                self.demand(ends, Law::LossRepaired, repaired);
            }
        }
        if !out.is_empty() {
            self.album.note(Sight::Retransmitted);
        }
        self.carry(ends, CLIENT, out);
    }

    fn fire_server(&self, ends: &mut Ends) {
        let (now, mut out) = (ends.now(), Out::new());
        if ends.users.get().deadline().is_some_and(|at| at <= now) {
            let again = ends.users.change(|users| users.repeat(now, &self.timing));
            let bytes = super::user::answer(&super::user::parsed(true), again);
            out.push(Output::Transmit { to: Peer::new(CLIENT), bytes });
        }
        while ends.server.change(|table| table.fire(&self.timing, now, &mut out)).is_some() {}
        self.carry(ends, SERVER, out);
    }

    fn server_deadline(ends: &Ends) -> Option<Instant> {
        let both = [ends.server.get().deadline(), ends.users.get().deadline()];
        both.into_iter().flatten().min()
    }

    fn age_server(ends: &mut Ends, at: Instant) {
        ends.server.age(at);
        ends.users.age(at);
    }

    fn act(&self, ends: &mut Ends, action: Action) -> Option<()> {
        match action {
            Action::Deliver(print) => {
                let letter = ends.wire.take(print)?;
                if letter.to == SERVER {
                    self.at_server(ends, &letter);
                } else {
                    self.at_client(ends, &letter);
                }
            }
            Action::Drop(print) => {
                ends.left.drops -= 1;
                ends.wire.take(print)?;
            }
            Action::Copy(print) => {
                ends.left.copies -= 1;
                ends.wire.copy(print).then_some(())?;
            }
            Action::Answer(status) => self.answer(ends, status),
            Action::Cancel => {
                ends.left.wishes[0] -= 1;
                let (now, mut out) = (ends.client.at(), Out::new());
                ends.client.change(|table| {
                    table.cancel(&self.timing, now, super::user::branch(), &mut out);
                });
                self.carry(ends, CLIENT, out);
            }
            Action::Wait => {
                let at = ends.deadline()?;
                let at = at.max(ends.now());
                ends.client.age(at);
                Self::age_server(ends, at);
                self.fire_client(ends);
                self.fire_server(ends);
            }
            Action::FireClient => {
                ends.left.fires -= 1;
                let at = ends.client.get().deadline()?.max(ends.client.at());
                ends.client.age(at);
                self.fire_client(ends);
            }
            Action::FireServer => {
                ends.left.fires -= 1;
                let at = Self::server_deadline(ends)?.max(ends.now());
                Self::age_server(ends, at);
                self.fire_server(ends);
            }
        }
        Some(())
    }
}

impl Model for Exchange {
    type State = Ends;
    type Action = Action;

    fn init_states(&self) -> Vec<Ends> {
        vec![self.start()]
    }

    fn actions(&self, ends: &Ends, actions: &mut Vec<Action>) {
        if !ends.broken.is_empty() {
            return;
        }
        for (letter, copies) in ends.wire.iter() {
            actions.push(Action::Deliver(letter.print));
            if ends.left.drops > 0 {
                actions.push(Action::Drop(letter.print));
            }
            if ends.left.copies > 0 && copies == 1 {
                actions.push(Action::Copy(letter.print));
            }
        }
        if ends.users.get().key().is_some() {
            let fresh = |status: &&u16| !ends.users.get().has_said(**status);
            actions.extend(self.pair.answers.iter().filter(fresh).map(|it| Action::Answer(*it)));
        }
        if ends.left.wishes[0] > 0 {
            actions.push(Action::Cancel);
        }
        match self.pair.clocks {
            Clocks::Ordered if ends.wire.is_empty() && ends.deadline().is_some() => {
                actions.push(Action::Wait);
            }
            Clocks::Any if ends.left.fires > 0 => {
                if ends.client.get().deadline().is_some() {
                    actions.push(Action::FireClient);
                }
                if Self::server_deadline(ends).is_some() {
                    actions.push(Action::FireServer);
                }
            }
            Clocks::Ordered | Clocks::Any => {}
        }
    }

    fn next_state(&self, ends: &Ends, action: Action) -> Option<Ends> {
        let mut next = Ends { said: Vec::new(), ..ends.clone() };
        self.act(&mut next, action)?;
        next.seal();
        (next.print != ends.print).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.laws.iter().map(|law| crate::laws::property(*law)).collect()
    }
}
