//! What the lifecycle of publications, subscriptions and watcher rows leaves behind, where its
//! limits are, and what survives a crash.

mod decided;
mod forgotten;
mod limits;
mod paced;
mod pressure;
mod recovered;

use presently_engine::Input;
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::{Aor, Message};
use presently_engine::server::Command;
use presently_tests::{Phone, Stage, stage};

/// A server, alice who watches, and bob.
fn scene() -> (Stage, Phone, Phone) {
    (Stage::new(stage::config()), Phone::new("alice", 5080), Phone::new("bob", 5070))
}

fn aor(user: &str) -> Aor {
    Aor::parse(&Phone::aor(user)).expect("an AOR")
}

/// Bob decides about a watcher at the operator's desk, which leaves no entity-tag.
fn decide(stage: &mut Stage, watcher: &str, handling: Option<Handling>) {
    let verdict = handling.map(|handling| Verdict { handling, direct: true });
    let (presentity, watcher) = (aor("bob"), aor(watcher));
    stage.input(Input::Command(Command::Decide { presentity, watcher, verdict }));
}

/// Answers every NOTIFY that waits for the phones, and forgets the responses.
fn drain(stage: &mut Stage, phones: &[&Phone]) {
    for phone in phones {
        while let Some(message) = stage.next(phone.addr) {
            if let Message::Request(request) = message {
                phone.answer(stage, &request, 200);
            }
        }
    }
}
