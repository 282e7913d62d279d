//! What an order comes to: a command of the agent, or something for whoever carries the agent.
//!
//! `presence-ua` obeys a person or a script this way, `presence-sim` a scenario.

use super::media::Repertoire;
use super::order::{Misread, Order};
use presently_engine::agent::{CallId, Command, FlowId, Package};
use presently_engine::body::pidf::Mode;
use presently_engine::message::Aor;

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ordered {
    /// The agent does it.
    Command(Command),
    /// The agent does it with ports and devices of whoever carries it.
    Media(Asked),
    /// Log out and end.
    Quit,
    /// Show what is known.
    Tables,
    /// Show the commands.
    Help,
    /// Wait for an event.
    Wait,
}

/// What is asked of calls and direct media. Media kinds are `audio` and `video`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Others may send us direct media, or not any more.
    Offer {
        /// Media kind.
        media: Box<str>,
        /// Readiness.
        mode: Mode,
    },
    /// Speak to somebody without a call.
    Direct {
        /// Whom.
        target: Aor,
        /// Media kind.
        media: Box<str>,
    },
    /// End a direct flow, either way.
    Stop {
        /// Which; all of them if none is named.
        flow: Option<FlowId>,
    },
    /// Call somebody.
    Call {
        /// Whom.
        target: Aor,
        /// Media kinds.
        media: Vec<Box<str>>,
        /// Other codecs than usual.
        codecs: Option<Repertoire>,
    },
    /// Lift the phone.
    Answer {
        /// Which call; the one that rings if none is named.
        call: Option<CallId>,
    },
    /// Let the other side of a call wait, or take it back.
    Hold {
        /// Which call; the one that is up if none is named.
        call: Option<CallId>,
        /// Wait, or not.
        hold: bool,
    },
    /// Press keys of a telephone in the call that is up.
    Dial {
        /// Digits, `*`, `#`, `A` to `D`.
        keys: Box<str>,
    },
    /// End a call, or refuse it.
    Hangup {
        /// Which; all of them if none is named.
        call: Option<CallId>,
    },
}

/// Reads a line of `presence-ua`'s language for the agent of `own`. Messages take the next ticket.
/// `None`: an empty line, or a comment.
///
/// # Errors
/// What is wrong with the line and what would be right.
pub fn order(line: &str, own: &Aor, tickets: &mut u64) -> Result<Option<Ordered>, String> {
    let order =
        Order::parse(line, own).map_err(|Misread { what, why }| format!("{what}: {why}"))?;
    Ok(order.map(|order| Ordered::of(order, tickets)))
}

impl Ordered {
    pub(crate) fn of(order: Order, tickets: &mut u64) -> Self {
        let package = Package::Presence;
        Self::Command(match order {
            Order::Presence { basic, note } => Command::SetPresence { basic, note },
            Order::Watch { target, seconds } => {
                Command::Subscribe { target, package, expires: seconds }
            }
            Order::Unwatch { target } => Command::Unsubscribe { target, package },
            Order::Fetch { target } => Command::Fetch { target },
            Order::Winfo { target, seconds: Some(0) } => {
                Command::Unsubscribe { target, package: Package::Winfo }
            }
            Order::Winfo { target, seconds } => {
                Command::Subscribe { target, package: Package::Winfo, expires: seconds }
            }
            Order::Decide { watcher, verdict } => Command::Decide { watcher, verdict },
            Order::Mark { peer, paper } => Command::Mark { peer, paper },
            Order::Message { target, text } => {
                *tickets += 1;
                Command::SendMessage { target, text, ticket: *tickets }
            }
            Order::Media(asked) => return Self::Media(asked),
            Order::Tables => return Self::Tables,
            Order::Wait(_) => return Self::Wait,
            Order::Help => return Self::Help,
            Order::Quit => return Self::Quit,
        })
    }
}
