//! The one way a request leaves the agent: "send this, tell me the final answer".
//!
//! Read RFC 3261 §8.1 and §22.2 first. An exchange is one logical request: it answers challenges
//! (at most K18 times), raises its interval once after 423, and keeps Call-ID and From tag while
//! CSeq rises. A PUBLISH waits here until the one before it to the same URI is over, whatever its
//! package. It knows nothing of registrations or subscriptions; rooms get an [`Answer`].

use super::CallId;
use super::auth::{Asker, Auth, Credentials};
use super::cx::Cx;
use super::subscription::UsageId;
use crate::digest::{ClientError, opaque_of_stale};
use crate::machine::Peer;
use crate::message::{Aor, Method, Name, Response, Writer};
use crate::mint::{Id, Label};
use crate::slot::Slot;
use crate::transaction::Branch;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// K18: how often one request is sent again because of challenges.
const AUTH_RETRIES: u8 = 2;

/// Most intervals remembered from 423 answers.
const SHORTEST: usize = 256;

/// Names one logical request over all its tries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Ticket(u64);

impl Ticket {
    /// No request ever has it.
    pub(crate) const NONE: Self = Self(u64::MAX);
}

/// Who wants the answer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Room {
    Registration,
    Publication,
    Decisions,
    Usage(UsageId),
    Message(Aor),
    Call(CallId),
}

/// A request as its room wants it, before Via, credentials and Content-Length.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Draft {
    pub(crate) method: Method,
    pub(crate) uri: Box<str>,
    pub(crate) to: Box<str>,
    /// The peer's tag; empty outside of a dialog.
    pub(crate) to_tag: Arc<str>,
    pub(crate) routes: Vec<Arc<str>>,
    pub(crate) call_id: Box<str>,
    pub(crate) from_tag: Id,
    /// CSeq of the first try.
    pub(crate) cseq: u32,
    pub(crate) peer: Peer,
    pub(crate) expires: Option<u32>,
    pub(crate) headers: Vec<(Name, Box<str>)>,
    pub(crate) body: Option<(&'static str, Bytes)>,
    /// Most bytes of the whole request, if limited (K10).
    pub(crate) limit: Option<usize>,
}

impl Draft {
    /// A request outside of any dialog; those go to the configured server.
    pub(crate) fn new(cx: &Cx<'_>, method: Method, uri: &str, to: &str) -> Self {
        Self {
            method,
            uri: uri.into(),
            to: to.into(),
            to_tag: "".into(),
            routes: Vec::new(),
            call_id: "".into(),
            from_tag: Id(0),
            cseq: 1,
            peer: cx.config.server,
            expires: None,
            headers: Vec::new(),
            body: None,
            limit: None,
        }
    }

    /// The same under this Call-ID, From tag and CSeq.
    pub(crate) fn numbered(mut self, call_id: &str, from_tag: Id, cseq: u32) -> Self {
        self.call_id = call_id.into();
        self.from_tag = from_tag;
        self.cseq = cseq;
        self
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: Name, value: &str) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The same with a body.
    pub(crate) fn carrying(mut self, content_type: &'static str, body: Bytes) -> Self {
        self.body = Some((content_type, body));
        self
    }
}

/// What became of a request in the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// A final answer other than those that are retried here.
    Answered(Response),
    /// Nothing: Timer F, an unreachable server, a 408 (RFC 4320 §4.2), or a server that
    /// started again faster than it was answered.
    Silent,
    /// Larger than its limit; it was not sent.
    TooLarge,
}

impl Outcome {
    /// The SIP status; 0 for none.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Answered(response) => response.status(),
            Self::Silent | Self::TooLarge => 0,
        }
    }

    /// Retry-After in seconds.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Answered(response) => response.seconds(Name::RetryAfter),
            Self::Silent | Self::TooLarge => None,
        }
    }

    /// Status and phrase for the user: `403 Forbidden`.
    pub(crate) fn text(&self) -> Box<str> {
        match self {
            Self::Answered(response) => {
                format!("{} {}", response.status(), response.reason()).trim_end().into()
            }
            Self::Silent => "no answer".into(),
            Self::TooLarge => "too large".into(),
        }
    }
}

/// The end of an exchange.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) room: Room,
    pub(crate) ticket: Ticket,
    /// CSeq of the last try: the next request of this Call-ID continues from here.
    pub(crate) cseq: u32,
    /// The credentials of the last try, if it was an INVITE: its ACK repeats them.
    pub(crate) credentials: Vec<(Name, Box<str>)>,
    pub(crate) outcome: Outcome,
}

/// What a response means to a room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// It was sent once more; timers that guard it start again.
    Again(Room, Ticket),
    /// A provisional answer to INVITE came.
    Progress(Room, u16),
    /// It is over.
    Over(Answer),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Exchange {
    room: Room,
    draft: Draft,
    asked: Vec<Asker>,
    sent: Credentials,
    /// Branch of the last try.
    branch: Option<Branch>,
    /// See [`Answer::credentials`].
    lines: Vec<(Name, Box<str>)>,
    retries: u8,
    raised: bool,
    /// Whether it is being cancelled: then it is not tried again.
    cancelled: bool,
}

/// All requests that wait for an answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Exchanges {
    open: BTreeMap<Ticket, Exchange>,
    /// PUBLISH requests behind an open one to the same URI (RFC 3903 §4), in order.
    held: VecDeque<(Ticket, Exchange)>,
    auth: Auth,
    /// Shortest interval a server took, by method and Request-URI; asking for less is in vain.
    shortest: BTreeMap<(Method, Box<str>), u32>,
    issued: u64,
}

impl Exchanges {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.open.len() + self.held.len()
    }

    /// Forgets them all but one; answers that still come are ignored.
    pub(crate) fn clear_except(&mut self, kept: Option<Ticket>) {
        self.open.retain(|ticket, _| Some(*ticket) == kept);
        self.held.clear();
    }

    /// Whether a request has to wait for another: a PUBLISH, while one to the same URI is open.
    fn must_wait(&self, draft: &Draft) -> bool {
        let rival =
            |open: &Exchange| open.draft.method == draft.method && open.draft.uri == draft.uri;
        draft.method == Method::Publish && self.open.values().any(rival)
    }
}

impl Cx<'_> {
    /// Sends a request. Its end arrives as an [`Answer`] with the returned ticket, unless it is
    /// abandoned before. `None`, and nothing is sent, if it is larger than its limit.
    pub(crate) fn send(&mut self, room: Room, mut draft: Draft) -> Option<Ticket> {
        let key = (draft.method, draft.uri.clone());
        if let Some(shortest) = self.core.exchanges.shortest.get(&key) {
            draft.expires =
                draft.expires.map(|asked| if asked > 0 { asked.max(*shortest) } else { 0 });
        }
        let ticket = Ticket(self.core.exchanges.issued);
        self.core.exchanges.issued += 1;
        let exchange = Exchange {
            room,
            draft,
            asked: Vec::new(),
            sent: Credentials::default(),
            branch: None,
            lines: Vec::new(),
            retries: 0,
            raised: false,
            cancelled: false,
        };
        if self.core.exchanges.must_wait(&exchange.draft) {
            self.core.exchanges.held.push_back((ticket, exchange));
            return Some(ticket);
        }
        self.transmit(ticket, exchange).ok().map(|()| ticket)
    }

    /// An exchange is over: the PUBLISH that waited for it goes out.
    fn release(&mut self) {
        let Exchanges { held, .. } = &self.core.exchanges;
        let free = held.iter().position(|(_, one)| !self.core.exchanges.must_wait(&one.draft));
        if let Some((ticket, exchange)) = free.and_then(|at| self.core.exchanges.held.remove(at)) {
            let sent = self.transmit(ticket, exchange);
            sent.expect("a PUBLISH has no limit of its own, so it is never too large");
        }
    }

    /// The interval that a request asks for by now: at least what a 423 once demanded.
    pub(crate) fn interval(&self, ticket: Ticket) -> Option<u32> {
        self.core.exchanges.open.get(&ticket)?.draft.expires
    }

    /// Nobody wants the answer any more. Returns the CSeq of the last try, if it was under way.
    pub(crate) fn abandon(&mut self, ticket: Option<Ticket>) -> Option<u32> {
        let ticket = ticket?;
        let exchange = self.core.exchanges.open.remove(&ticket);
        self.core.exchanges.held.retain(|(held, _)| *held != ticket);
        self.release();
        exchange.map(|exchange| exchange.draft.cseq)
    }

    /// Takes a request back as far as that goes: it is not sent again.
    pub(crate) fn withdraw(&mut self, ticket: Option<Ticket>) {
        if let Some(ticket) = ticket {
            self.core.transactions.withdraw(&ticket);
        }
    }

    /// Nobody wants an INVITE to succeed any more (RFC 3261 §9.1). Its end is still told.
    pub(crate) fn cancel(&mut self, ticket: Ticket) {
        let Some(exchange) = self.core.exchanges.open.get_mut(&ticket) else { return };
        exchange.cancelled = true;
        let branch = exchange.branch.expect("an exchange that is open was sent");
        self.core.transactions.cancel(&self.config.timing, self.now, branch, self.out);
    }

    /// Whether the end of a request was not told yet.
    pub(crate) fn is_open(&self, ticket: Ticket) -> bool {
        self.core.exchanges.open.contains_key(&ticket)
    }

    /// A client transaction ended without an answer.
    pub(crate) fn silence(&mut self, ticket: Ticket) -> Option<Turn> {
        let exchange = self.core.exchanges.open.remove(&ticket)?;
        self.release();
        Some(over(exchange, ticket, Outcome::Silent))
    }

    /// A response for the exchange `ticket`; `None` while it is provisional or abandoned.
    pub(crate) fn answered(&mut self, ticket: Ticket, response: Response) -> Option<Turn> {
        if response.status() < 200 {
            let exchange = self.core.exchanges.open.get(&ticket)?;
            let invites = exchange.draft.method == Method::Invite;
            return invites.then(|| Turn::Progress(exchange.room.clone(), response.status()));
        }
        let mut exchange = self.core.exchanges.open.remove(&ticket)?;
        let retry = match response.status() {
            _ if exchange.cancelled => false,
            401 | 407 => self.take_challenge(&mut exchange, &response),
            423 => self.raise_interval(&mut exchange, &response),
            200..=299 => {
                self.core.exchanges.auth.succeeded(&response, exchange.sent);
                false
            }
            _ => false,
        };
        if !retry {
            self.release();
            let silent = response.status() == 408 || self.is_no_verdict(&exchange, &response);
            let outcome = if silent { Outcome::Silent } else { Outcome::Answered(response) };
            return Some(over(exchange, ticket, outcome));
        }
        exchange.draft.cseq += 1;
        let (room, cseq) = (exchange.room.clone(), exchange.draft.cseq);
        let credentials = Vec::new();
        Some(match self.transmit(ticket, exchange) {
            Ok(()) => Turn::Again(room, ticket),
            Err(outcome) => Turn::Over(Answer { room, ticket, cseq, credentials, outcome }),
        })
    }

    fn take_challenge(&mut self, exchange: &mut Exchange, response: &Response) -> bool {
        let Some(asker) = Asker::of(response.status()) else { return false };
        if exchange.retries >= AUTH_RETRIES {
            return false;
        }
        exchange.retries += 1;
        let auth = &mut self.core.exchanges.auth;
        let method = exchange.draft.method;
        match auth.challenged(self.config, asker, method, response, exchange.sent) {
            Ok(restarted) => {
                self.core.restarted |= restarted;
                if !exchange.asked.contains(&asker) {
                    exchange.asked.push(asker);
                }
                true
            }
            Err(error) => {
                self.complain("authentication", explain(error));
                false
            }
        }
    }

    /// Whether the last of too many challenges comes from a server that has started again since:
    /// it has never looked at our password, so this is no answer.
    fn is_no_verdict(&self, exchange: &Exchange, response: &Response) -> bool {
        let asked = Asker::of(response.status()).is_some();
        let boot = opaque_of_stale(response).filter(|_| asked && exchange.retries >= AUTH_RETRIES);
        boot.is_some_and(|boot| self.core.exchanges.auth.is_other_boot(&boot))
    }

    /// 423: ask for as long as the server wants at least, once (RFC 3261 §10.2.8, RFC 6665
    /// §4.1.2.2), and from the beginning the next time.
    fn raise_interval(&mut self, exchange: &mut Exchange, response: &Response) -> bool {
        let least = response.seconds(Name::MinExpires);
        match (exchange.raised, least, exchange.draft.expires) {
            (false, Some(least), Some(asked)) if least > asked && asked > 0 => {
                exchange.raised = true;
                exchange.draft.expires = Some(least);
                let shortest = &mut self.core.exchanges.shortest;
                if shortest.len() < SHORTEST {
                    shortest.insert((exchange.draft.method, exchange.draft.uri.clone()), least);
                }
                true
            }
            _ => false,
        }
    }

    fn transmit(&mut self, ticket: Ticket, mut exchange: Exchange) -> Result<(), Outcome> {
        let branch = Branch { slot: Slot::default(), id: self.mint(Label::Branch) };
        let bytes = self.write(&mut exchange, branch);
        exchange.branch = Some(branch);
        let draft = &exchange.draft;
        if draft.limit.is_some_and(|limit| bytes.len() > limit) {
            return Err(Outcome::TooLarge);
        }
        let (timing, method, peer) = (&self.config.timing, draft.method, draft.peer);
        let transactions = &mut self.core.transactions;
        transactions.send(timing, self.now, branch, method, peer, bytes, ticket, self.out);
        self.core.exchanges.open.insert(ticket, exchange);
        Ok(())
    }

    fn write(&mut self, exchange: &mut Exchange, branch: Branch) -> Bytes {
        let Exchange { draft, asked, sent, lines: kept, .. } = exchange;
        let body = draft.body.as_ref().map_or(&[][..], |(_, body)| body);
        let auth = &mut self.core.exchanges.auth;
        // What goes straight to another agent is not for our server to check, and our proof
        // against it is nothing for others.
        let (lines, credentials) = match draft.peer == self.config.server || !asked.is_empty() {
            true => auth.authorize(self.config, asked, draft.method, &draft.uri, body),
            false => Default::default(),
        };
        *sent = credentials;
        if draft.method == Method::Invite {
            *kept = lines.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        }
        let mut writer = self.head(draft, branch);
        if matches!(draft.method, Method::Register | Method::Subscribe | Method::Invite) {
            writer.header(Name::Contact, &self.contact());
            writer.header(Name::Allow, super::cx::ALLOW);
        }
        if let Some(expires) = draft.expires {
            writer.number(Name::Expires, expires);
        }
        for (name, value) in &draft.headers {
            writer.header(*name, value);
        }
        for (name, value) in &lines {
            writer.header(*name, value);
        }
        match &draft.body {
            Some((content_type, body)) => writer.finish_with(content_type, body),
            None => writer.finish(),
        }
    }

    /// The lines that RFC 3261 §8.1.1 asks of every request.
    fn head(&self, draft: &Draft, branch: Branch) -> Writer {
        let mut writer = Writer::request(draft.method, &draft.uri);
        let sent_by = &self.config.contact;
        writer.format(Name::Via, format_args!("SIP/2.0/UDP {sent_by};branch={branch};rport"));
        writer.number(Name::MaxForwards, 70);
        for route in &draft.routes {
            writer.header(Name::Route, route);
        }
        let (aor, tag) = (&self.config.aor, draft.from_tag);
        writer.format(Name::From, format_args!("<{aor}>;tag={tag}"));
        match &*draft.to_tag {
            "" => writer.pieces(Name::To, &["<", &draft.to, ">"]),
            tag => writer.pieces(Name::To, &["<", &draft.to, ">;tag=", tag]),
        };
        writer.header(Name::CallId, &draft.call_id);
        let (number, method) = (draft.cseq, draft.method.as_str());
        writer.format(Name::CSeq, format_args!("{number} {method}"));
        writer.header(Name::UserAgent, "Presently/0.1");
        writer
    }
}

fn over(exchange: Exchange, ticket: Ticket, outcome: Outcome) -> Turn {
    let Exchange { room, draft, lines: credentials, .. } = exchange;
    Turn::Over(Answer { room, ticket, cseq: draft.cseq, credentials, outcome })
}

fn explain(error: ClientError) -> &'static str {
    match error {
        ClientError::Downgrade => "the server offers no digest algorithm that is allowed here",
        ClientError::Refused => "the server refuses this user name and password",
        ClientError::Foreign => "somebody else than our server asks for a password",
        ClientError::Syntax => "the server's challenge is unreadable",
    }
}
