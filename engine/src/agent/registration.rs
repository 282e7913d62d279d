//! Our binding at the registrar (M10; RFC 3261 §10.2).
//!
//! One Call-ID for the life of the agent, CSeq rising. Other rooms wait for the first success;
//! this one never touches them.

use super::cx::{Cx, Timer, backoff};
use super::request::{Answer, Draft, Outcome, Room, Ticket};
use super::{Event, cx};
use crate::message::{Contacts, Method, Name, Response, Uri};
use crate::mint::{Id, Label};
use crate::time::Instant;
use std::time::Duration;

/// M10.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) enum State {
    #[default]
    Off,
    Registering {
        ticket: Option<Ticket>,
    },
    On {
        expires: u32,
    },
    /// Waiting for the next try.
    Backoff,
    /// The binding is to go, but a REGISTER that asked for it is out. Overtaken by the removal it
    /// would bind us for good, since a registrar forgets the CSeq with the binding.
    Recalling {
        ticket: Option<Ticket>,
    },
    /// REGISTER with Expires 0 is out.
    Leaving {
        ticket: Option<Ticket>,
    },
}

/// The registration client.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Registration {
    pub(crate) state: State,
    /// Until when the registrar holds our binding, as far as we know.
    pub(crate) bound_until: Option<Instant>,
    identity: Option<(Box<str>, Id)>,
    cseq: u32,
    failures: u32,
    /// Our address as the server sees it: `received` and `rport` of its last 200.
    seen_as: Option<(Box<str>, Box<str>)>,
}

/// What other rooms have to know of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum News {
    Nothing,
    /// Registered; `dm1`: the server announced direct media (X4). `moved`: our address changed.
    Bound {
        dm1: bool,
        moved: bool,
    },
    /// The binding is gone, as we wanted.
    Left,
}

impl Registration {
    /// Registers, or registers anew: at login, after a restart of the server, after a stall.
    pub(crate) fn register(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Registering { .. } => {}
            State::Off
            | State::On { .. }
            | State::Backoff
            | State::Recalling { .. }
            | State::Leaving { .. } => {
                self.abandon(cx);
                let ticket = self.send(cx, cx.config.register_expires);
                self.state = State::Registering { ticket };
            }
        }
    }

    /// Takes the binding back. False if there is none to take back.
    pub(crate) fn leave(&mut self, cx: &mut Cx<'_>) -> bool {
        match self.state {
            State::Off => false,
            State::Recalling { .. } | State::Leaving { .. } => true,
            State::Registering { ticket } => {
                self.state = State::Recalling { ticket };
                true
            }
            State::On { .. } | State::Backoff => {
                self.unbind(cx);
                true
            }
        }
    }

    fn unbind(&mut self, cx: &mut Cx<'_>) {
        self.abandon(cx);
        let ticket = self.send(cx, 0);
        self.state = State::Leaving { ticket };
    }

    /// A login ends the logout. The REGISTER that is out is wanted again: it is waited for as
    /// before, and nothing overtakes it. Returns its ticket.
    pub(crate) fn resume(&mut self, cx: &mut Cx<'_>) -> Option<Ticket> {
        if let State::Recalling { ticket } = self.state {
            self.state = State::Registering { ticket };
            return ticket;
        }
        self.forget(cx);
        None
    }

    /// Logout is over, answered or not. A removal that waited leaves now, for what it is worth; the
    /// REGISTER it waited for is not sent again behind it.
    pub(crate) fn forget(&mut self, cx: &mut Cx<'_>) {
        if let State::Recalling { ticket } = self.state {
            cx.withdraw(ticket);
            self.unbind(cx);
        }
        self.abandon(cx);
        self.state = State::Off;
        self.bound_until = None;
    }

    /// The refresh or the next try is due.
    pub(crate) fn on_timer(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::On { .. } | State::Backoff => self.register(cx),
            State::Off
            | State::Registering { .. }
            | State::Recalling { .. }
            | State::Leaving { .. } => {}
        }
    }

    /// The end of a REGISTER.
    pub(crate) fn on_answer(&mut self, cx: &mut Cx<'_>, answer: Answer) -> News {
        match self.state {
            State::Registering { ticket } if ticket == Some(answer.ticket) => {
                self.cseq = answer.cseq;
                self.settle(cx, &answer.outcome)
            }
            State::Recalling { ticket } if ticket == Some(answer.ticket) => {
                self.cseq = answer.cseq;
                self.state = State::Backoff;
                self.unbind(cx);
                News::Nothing
            }
            State::Leaving { ticket } if ticket == Some(answer.ticket) => {
                self.cseq = answer.cseq;
                self.forget(cx);
                News::Left
            }
            State::Off
            | State::Registering { .. }
            | State::On { .. }
            | State::Backoff
            | State::Recalling { .. }
            | State::Leaving { .. } => News::Nothing,
        }
    }

    /// Takes the final answer of a REGISTER that asked for a binding.
    fn settle(&mut self, cx: &mut Cx<'_>, outcome: &Outcome) -> News {
        match outcome {
            Outcome::Answered(response) if response.status() < 300 => self.bound(cx, response),
            Outcome::Answered(response) if response.status() / 100 != 5 => {
                self.state = State::Off;
                self.bound_until = None;
                self.tell_failure(cx, outcome, None);
                News::Nothing
            }
            Outcome::Answered(_) | Outcome::Silent | Outcome::TooLarge => {
                self.fail(cx, outcome);
                News::Nothing
            }
        }
    }

    fn bound(&mut self, cx: &mut Cx<'_>, response: &Response) -> News {
        let expires = granted(cx, response);
        self.failures = 0;
        self.state = State::On { expires };
        self.bound_until = Some(cx.now + Duration::from_secs(expires.into()));
        let at = cx.refresh_at(expires);
        cx.arm(Timer::Register, at);
        cx.emit(Event::Registered { expires });
        News::Bound { dm1: supports_dm1(response), moved: self.note_address(response) }
    }

    fn fail(&mut self, cx: &mut Cx<'_>, outcome: &Outcome) {
        self.failures += 1;
        let wait = match outcome.retry_after() {
            Some(seconds) => Duration::from_secs(seconds.into()),
            None => backoff(self.failures, Duration::from_secs(1), Duration::from_secs(60)),
        };
        let wait = wait + cx.jitter(wait / 2);
        self.state = State::Backoff;
        cx.arm(Timer::Register, cx.now + wait);
        self.tell_failure(cx, outcome, Some(wait));
    }

    fn tell_failure(&self, cx: &mut Cx<'_>, outcome: &Outcome, retry: Option<Duration>) {
        let retry_ms = retry.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        cx.emit(Event::RegisterFailed {
            status: outcome.status(),
            reason: outcome.text(),
            retry_ms,
        });
    }

    /// Learns our public address (RFC 3581 §4); true if it is another one than before.
    fn note_address(&mut self, response: &Response) -> bool {
        let Ok(via) = response.via() else { return false };
        let seen = match (via.params.raw("received"), via.params.raw("rport")) {
            (None, None) => return false,
            (received, rport) => (received.unwrap_or("").into(), rport.unwrap_or("").into()),
        };
        let moved = self.seen_as.as_ref().is_some_and(|before| *before != seen);
        self.seen_as = Some(seen);
        moved
    }

    fn abandon(&mut self, cx: &mut Cx<'_>) {
        cx.stop(&Timer::Register);
        match self.state {
            State::Registering { ticket }
            | State::Recalling { ticket }
            | State::Leaving { ticket } => {
                // The abandoned REGISTER may have been sent again with credentials.
                self.cseq = cx.abandon(ticket).unwrap_or(self.cseq);
            }
            State::Off | State::On { .. } | State::Backoff => {}
        }
    }

    fn send(&mut self, cx: &mut Cx<'_>, expires: u32) -> Option<Ticket> {
        let (call_id, tag) = match &self.identity {
            Some(identity) => identity.clone(),
            None => (cx.mint_call_id(), cx.mint(Label::Tag)),
        };
        self.identity = Some((call_id.clone(), tag));
        self.cseq += 1;
        let uri = format!("sip:{}", cx.config.aor.domain());
        let mut draft = Draft::new(cx, Method::Register, &uri, cx.config.aor.as_str())
            .numbered(&call_id, tag, self.cseq)
            .with(Name::Supported, cx::SUPPORTED);
        draft.expires = Some(expires);
        cx.send(Room::Registration, draft)
    }
}

/// `Supported: dm1` in a 2xx: the presence agent knows to keep a secret (X4).
pub(crate) fn supports_dm1(response: &Response) -> bool {
    response.list(Name::Supported).any(|option| option.eq_ignore_ascii_case(cx::SUPPORTED))
}

/// The seconds granted for our own contact among all those listed (RFC 3261 §10.2.4).
fn granted(cx: &Cx<'_>, response: &Response) -> u32 {
    let ours = super::cx::contact_uri(cx.config);
    let ours = Uri::parse(&ours).ok();
    let of_contact = match response.contacts() {
        Ok(Contacts::List(contacts)) => contacts.iter().find_map(|contact| {
            let uri = Uri::parse(contact.uri).ok()?;
            let same = ours.as_ref().is_some_and(|ours| ours.equivalent(&uri));
            if same { contact.params.raw("expires")?.parse().ok() } else { None }
        }),
        _ => None,
    };
    of_contact
        .or_else(|| response.seconds(Name::Expires))
        .unwrap_or(cx.config.register_expires)
        .max(1)
}
