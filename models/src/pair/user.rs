//! The transaction users of both ends: what they were told, said and promised.

use crate::ghost::LIFE;
use crate::wire::Letter;
use crate::world::{DAWN, SERVER};
use bytes::Bytes;
use presently_engine::Instant;
use presently_engine::message::{Message, Method, Reply};
use presently_engine::mint::Id;
use presently_engine::slot::Slot;
use presently_engine::transaction::{Branch, ServerKey, Timing};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The client's socket.
pub(crate) const CLIENT: SocketAddr =
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)), 6000);

/// A final answer said within this time can be lost twice and still arrive, whichever side has to
/// send again: three more intervals of T2 remain before Timer F, six more of Timer G before H.
const EARLY: Duration = Duration::from_secs(8);

/// The first 3.5 s, in which a client that heard nothing is not slowed down by a 100
/// (RFC 4320 §4.1).
const HASTY: Duration = Duration::from_millis(3500);

/// What the two transaction users remember.
#[derive(Clone, Hash, Debug, Default)]
pub(crate) struct Users {
    key: Option<ServerKey>,
    arrived: Option<Instant>,
    said: BTreeSet<u16>,
    /// The final answer that counts, and when it was given.
    answer: Option<(u16, Instant)>,
    /// Fingerprint of the final answer as it was sent first.
    sent: Option<u64>,
    /// When the 2xx to INVITE is sent again, with what interval, and until when.
    repeat: Option<(Instant, Duration, Instant)>,
    pub(crate) got_ack: bool,
    /// Final answer that the client's user was told.
    pub(crate) heard: Option<u16>,
    pub(crate) gave_up: bool,
}

/// What was found about a letter of the server.
pub(super) struct Judged {
    pub(super) disciplined: bool,
    pub(super) same: bool,
}

impl Users {
    pub(crate) fn key(&self) -> Option<ServerKey> {
        self.key
    }

    pub(super) fn has_said(&self, status: u16) -> bool {
        self.said.contains(&status)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.repeat.map(|(at, _, _)| at)
    }

    /// A request comes up; true the first time, and again when no copy should be left in the
    /// network: 64·T1 after the answer, or after the request if there was none. A refused INVITE
    /// is forgotten T4 after its ACK (Timer I), which came after the answer.
    pub(super) fn asked(&mut self, now: Instant, key: ServerKey, invite: bool) -> bool {
        let refused = invite && self.answer.is_some_and(|(status, _)| status >= 300);
        let span = if refused { Timing::default().t4 } else { LIFE };
        let last = self.answer.map(|(_, at)| at).or(self.arrived);
        let forgotten = last.is_some_and(|at| at + span <= now);
        if forgotten {
            // A transaction of its own, with an answer of its own.
            self.sent = None;
        }
        self.arrived = Some(now);
        self.key.replace(key).is_none() || forgotten
    }

    /// The user says something; `taken` if it is the final answer.
    pub(super) fn said(&mut self, now: Instant, status: u16, taken: bool, invite: bool) {
        self.said.insert(status);
        if taken {
            self.answer = Some((status, now));
            if invite && status < 300 {
                let t1 = Timing::default().t1;
                self.repeat = Some((now + t1, t1, now + Timing::default().life()));
            }
        }
    }

    /// RFC 3261 §13.3.1.4: the 2xx is sent again until it is acknowledged.
    pub(super) fn repeat(&mut self, now: Instant, timing: &Timing) -> u16 {
        if let Some((_, interval, end)) = self.repeat {
            let next = (interval * 2).min(timing.t2);
            self.repeat = (now + next <= end).then_some((now + next, next, end));
        }
        self.answer.map_or(200, |(status, _)| status)
    }

    pub(super) fn acked(&mut self) {
        self.got_ack = true;
        self.repeat = None;
    }

    /// The client's user is told a final answer; false if it was told another one, or the same
    /// one of a kind that comes once.
    pub(super) fn told(&mut self, status: u16, invite: bool) -> bool {
        let before = self.heard.replace(status);
        before.is_none_or(|before| invite && before == status && status < 300)
    }

    pub(super) fn gave_up(&mut self) {
        self.gave_up = true;
    }

    pub(super) fn answered_in_time(&self) -> bool {
        self.answer.is_some_and(|(_, at)| at.since(DAWN) <= EARLY)
    }

    /// The final answer that was given in good time.
    pub(super) fn due(&self) -> Option<u16> {
        self.answer.filter(|_| self.answered_in_time()).map(|(status, _)| status)
    }

    /// Judges what the server sends: RFC 4320 for requests other than INVITE, and one final answer.
    pub(super) fn judge(&mut self, now: Instant, invite: bool, letter: &Letter) -> Judged {
        let status = letter.facts.status;
        let other = letter.facts.method == Method::Cancel;
        let hundred = || status == 100 && self.arrived.is_some_and(|came| now.since(came) >= HASTY);
        let disciplined = invite || status != 408 && (status >= 200 || hundred());
        let same = other
            || status < 200
            || *self.sent.get_or_insert(letter.facts.text) == letter.facts.text;
        Judged { disciplined, same }
    }
}

/// The branch of the request.
pub(super) fn branch() -> Branch {
    Branch { slot: Slot(7), id: Id(0x0123_4567_89ab_cdef) }
}

fn text(method: &str, branch: &str, tag: &str) -> Bytes {
    format!(
        "{method} sip:bob@example.org SIP/2.0\r\n\
         Via: SIP/2.0/UDP {CLIENT};branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:alice@example.org>;tag=a1\r\n\
         To: <sip:bob@example.org>{tag}\r\n\
         Call-ID: one\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:alice@{CLIENT}>\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
    .into()
}

/// The request that the client's user sends.
pub(super) fn request(invite: bool) -> (Method, Bytes) {
    let method = if invite { Method::Invite } else { Method::Message };
    (method, text(method.as_str(), &branch().to_string(), ""))
}

/// The request as the server's user sees it.
pub(super) fn parsed(invite: bool) -> Message {
    Message::parse(request(invite).1).expect("a request of ours is valid SIP")
}

/// The ACK to a 2xx: a transaction of its own, and none of the table's.
pub(super) fn ack() -> Bytes {
    text("ACK", "z9hG4bK007fedcba9876543210", ";tag=b1")
}

/// What the server's user answers.
pub(super) fn answer(message: &Message, status: u16) -> Bytes {
    let Message::Request(request) = message else { return Bytes::new() };
    let mut reply = Reply::new(request, CLIENT, status, "b1");
    if status < 300 && request.method() == Method::Invite {
        reply.header(presently_engine::message::Name::Contact, &format!("<sip:bob@{SERVER}>"));
    }
    reply.into_writer().finish()
}
