//! The faults.

pub(crate) use crate::rig::None;
use crate::rig::{Fault, Out};
use presently_engine::body::presrules::Handling;
use presently_engine::digest::NonceKey;
use presently_engine::message::{Message, Method, Request};
use presently_engine::server::{Command, Config, Record};
use presently_engine::{Input, Output};
use presently_models::world::DAWN;

/// Declares faults: types without content.
macro_rules! faults {
    ($($name:ident)+) => { $(
        #[derive(Clone, Hash, Debug, Default)]
        pub(crate) struct $name;
    )+ };
}

faults! {
    ApprovesEverybody SpeaksAfterTheEnd SpeaksTwice RepeatsVersions ForgetsSubscriptions
    ForgetsDecisions TakesFailureForSuccess ShowsOldNotes KeepsNonceKey ForgetsMessages
    RepeatsEntityTags ForgetsTransactions
}

/// Replaces text everywhere; lengths stay, or Content-Length would lie.
fn rewritten(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    String::from_utf8_lossy(bytes).replace(from, to).into_bytes()
}

fn notify_of(output: &Output<Record, presently_engine::server::Event>) -> Option<Request> {
    let Output::Transmit { bytes, .. } = output else { return Option::None };
    match Message::parse(bytes.clone()) {
        Ok(Message::Request(request)) if request.method() == Method::Notify => Some(request),
        _ => Option::None,
    }
}

/// Sends one more NOTIFY, with the next CSeq, after each that `after` picks.
fn speak_again(out: &mut Out, after: impl Fn(&Request) -> bool) {
    let mut more = Out::new();
    for output in out.iter() {
        let (Some(notify), Output::Transmit { to, bytes }) = (notify_of(output), output) else {
            continue;
        };
        let number = notify.cseq().expect("our own").number;
        if number < 8 && after(&notify) {
            let (old, new) = (format!("CSeq: {number} "), format!("CSeq: {} ", number + 1));
            let bytes = rewritten(bytes, &old, &new).into();
            more.push(Output::Transmit { to: *to, bytes });
        }
    }
    out.extend(more);
}

fn rewrite_all(out: &mut Out, from: &str, to: &str) {
    for output in out {
        if let Output::Transmit { bytes, .. } = output {
            *bytes = rewritten(bytes, from, to).into();
        }
    }
}

impl Fault for ApprovesEverybody {
    fn config(config: &mut Config) {
        config.default_policy = Handling::Allow;
    }
}

impl Fault for SpeaksAfterTheEnd {
    fn outputs(out: &mut Out) {
        speak_again(out, |notify| {
            notify.subscription_state().is_some_and(|state| state.state == "terminated")
        });
    }
}

impl Fault for SpeaksTwice {
    fn outputs(out: &mut Out) {
        speak_again(out, |notify| {
            notify.subscription_state().is_some_and(|state| state.state == "active")
        });
    }
}

impl Fault for RepeatsVersions {
    fn outputs(out: &mut Out) {
        rewrite_all(out, "version=\"2\"", "version=\"1\"");
    }
}

impl Fault for ForgetsSubscriptions {
    fn outputs(out: &mut Out) {
        out.retain(
            |output| !matches!(output, Output::Record(Record::Subscribed(_, _, row)) if row.active),
        );
    }
}

impl Fault for ForgetsDecisions {
    fn outputs(out: &mut Out) {
        out.retain(|output| !matches!(output, Output::Record(Record::Decided(..))));
    }
}

impl Fault for TakesFailureForSuccess {
    fn input(input: Input<Command>) -> Input<Command> {
        match input {
            Input::Message { from, message: Message::Response(response) }
                if response.status() == 500 =>
            {
                let bytes = rewritten(response.bytes(), "SIP/2.0 500", "SIP/2.0 200");
                let message = Message::parse(bytes.into()).expect("still SIP");
                Input::Message { from, message }
            }
            other => other,
        }
    }
}

impl Fault for ShowsOldNotes {
    fn outputs(out: &mut Out) {
        rewrite_all(out, ">r1<", ">r0<");
    }
}

impl Fault for KeepsNonceKey {
    fn config(config: &mut Config) {
        config.nonce_key = NonceKey::new([7; 32], 0xb007, DAWN);
    }
}

impl Fault for ForgetsMessages {
    fn outputs(out: &mut Out) {
        out.retain(|output| !matches!(output, Output::Record(Record::Kept(..))));
    }
}

impl Fault for RepeatsEntityTags {
    fn outputs(out: &mut Out) {
        for output in out {
            let Output::Transmit { bytes, .. } = output else { continue };
            let text = String::from_utf8_lossy(bytes).into_owned();
            if let Some(place) = text.find("SIP-ETag: ") {
                let (head, tail) = text.split_at(place + 10);
                let rest = tail.get(16..).unwrap_or("");
                *bytes = format!("{head}0123456789abcdef{rest}").into_bytes().into();
            }
        }
    }
}

impl Fault for ForgetsTransactions {
    fn config(config: &mut Config) {
        config.timing.linger = false;
    }
}
