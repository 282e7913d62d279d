//! What the agent still owes an answer to: the end of input must not cut it off.

use presently_engine::agent::{Command, Event, MessagePhase, Package, SubscriptionPhase};
use presently_engine::message::Aor;

/// One thing that was ordered and has not come to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Owed {
    /// A message, by its ticket.
    Message(u64),
    /// A decision about a watcher.
    Decision(Aor),
    /// A look at somebody.
    Fetch(Aor),
}

/// Everything that is owed, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Debts(Vec<Owed>);

impl Debts {
    /// A command was handed to the agent.
    pub(crate) fn ordered(&mut self, command: &Command) {
        self.0.extend(match command {
            Command::SendMessage { ticket, .. } => Some(Owed::Message(*ticket)),
            Command::Decide { watcher, .. } => Some(Owed::Decision(watcher.clone())),
            Command::Fetch { target } => Some(Owed::Fetch(target.clone())),
            Command::Login
            | Command::Logout
            | Command::SetPresence { .. }
            | Command::SetOffer { .. }
            | Command::Subscribe { .. }
            | Command::Unsubscribe { .. }
            | Command::Call { .. }
            | Command::Answer { .. }
            | Command::Hangup { .. }
            | Command::Hold { .. }
            | Command::Direct { .. }
            | Command::StopFlow { .. }
            | Command::Mark { .. }
            | Command::MediaPacket { .. }
            | Command::MediaKnock { .. }
            | Command::MediaHeard { .. }
            | Command::MediaBye { .. }
            | Command::MediaUnreachable { .. } => None,
        });
    }

    /// The agent said something.
    pub(crate) fn heard(&mut self, event: &Event) {
        let paid = match event {
            Event::MessageStatus { ticket, phase, .. } => match phase {
                MessagePhase::Queued | MessagePhase::Sending => return,
                MessagePhase::Delivered | MessagePhase::Stored | MessagePhase::Failed => {
                    Owed::Message(*ticket)
                }
            },
            Event::Decided { watcher, .. } => Owed::Decision(watcher.clone()),
            Event::Subscription { target, package: Package::Presence, phase, .. } => match phase {
                SubscriptionPhase::Terminated => Owed::Fetch(target.clone()),
                SubscriptionPhase::Trying
                | SubscriptionPhase::Pending
                | SubscriptionPhase::Active => return,
            },
            _ => return,
        };
        if let Some(index) = self.0.iter().position(|owed| *owed == paid) {
            self.0.remove(index);
        }
    }

    /// Whether nothing is owed.
    pub(crate) fn is_settled(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests;
