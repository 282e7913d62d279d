//! What an order comes to: a command of the agent, or something for whoever carries the agent.
//!
//! `presence-ua` obeys a person or a script this way, `presence-sim` a scenario.

use super::media;
use super::order::{Misread, Order};
use presently_engine::agent::{Command, Package};
use presently_engine::body::pidf::Mode;
use presently_engine::message::Aor;

/// Payload types and rtpmaps, in order of preference.
pub type Codecs = Vec<(u8, Box<str>)>;

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ordered {
    /// The agent does it.
    Command(Command),
    /// The agent does it with a port that is open for it; none is needed for [`Mode::Off`].
    Offer {
        /// `audio` or `video`.
        media: Box<str>,
        /// Readiness.
        mode: Mode,
        /// What we can receive.
        codecs: Codecs,
    },
    /// Log out and end.
    Quit,
    /// A command that a later release has.
    Later {
        /// Its word.
        word: &'static str,
    },
    /// Show what is known.
    Tables,
    /// Show the commands.
    Help,
    /// Wait for an event.
    Wait,
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
            Order::Message { target, text } => {
                *tickets += 1;
                Command::SendMessage { target, text, ticket: *tickets }
            }
            Order::Offer { media, mode } => {
                let ours = media::codecs(&media).iter();
                let codecs = ours.map(|(number, name)| (*number, (*name).into())).collect();
                return Self::Offer { media, mode, codecs };
            }
            Order::Later { word } => return Self::Later { word },
            Order::Tables => return Self::Tables,
            Order::Wait(_) => return Self::Wait,
            Order::Help => return Self::Help,
            Order::Quit => return Self::Quit,
        })
    }
}
