//! Direct flows and calls as their users were told of them: what the driver of an agent would
//! send, hear and play at this moment.

use super::{Ghost, Notes};
use crate::law::{Law, Sight};
use crate::plan::UserId;
use crate::print::mark;
use crate::wire::Media;
use presently_engine::agent::{
    self, CallId, CallPhase, DirectStream, FlowId, FlowPhase, StopReason, Way,
};
use presently_engine::body::presrules::Handling;
use presently_engine::message::Aor;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// A flow that runs.
#[derive(Clone, Hash, Debug)]
pub(crate) struct Running {
    pub(crate) user: UserId,
    pub(crate) flow: FlowId,
    pub(crate) peer: Aor,
    pub(crate) way: Way,
    pub(crate) stream: DirectStream,
}

/// What was seen of flows and calls.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Flows {
    running: BTreeMap<(UserId, FlowId), Running>,
    /// Who was ever heard: where, with which SSRC, and the payload type that was agreed.
    heard: BTreeMap<(SocketAddr, u32), u8>,
    /// The newest word of a user about somebody: whether it may speak here.
    words: BTreeMap<(UserId, u64), bool>,
    calls: BTreeMap<(UserId, CallId), CallPhase>,
    /// Whether an agent was started again.
    reborn: bool,
}

impl Flows {
    fn streams(&mut self, notes: &mut Notes<'_>, at: SocketAddr, now: Running) {
        let stream = &now.stream;
        let pt = stream.codec.pt;
        match now.way {
            Way::In => {
                self.heard.insert((at, stream.remote_ssrc), pt);
                notes.saw(Sight::FlowHeard, true);
            }
            Way::Out => {
                let agreed = self.heard.get(&(stream.remote, stream.ssrc));
                notes.demand(Law::NoUnvalidatedMedia, agreed.is_some());
                notes.demand(Law::CodecAgreed, agreed.is_none_or(|agreed| *agreed == pt));
                notes.saw(Sight::FlowMoved, self.reborn);
            }
        }
        let user = now.user;
        self.running.insert((user, now.flow), now);
        let own = self.running.values().filter(|it| it.user == user);
        let ways: BTreeSet<Way> = own.map(|it| it.way).collect();
        notes.saw(Sight::BothFlows, ways.len() == 2);
    }

    /// Whether somebody may be heard now: its user said so, or speaks to it and did not say no.
    fn may_be_heard(&self, heard: &Running) -> bool {
        let word = self.words.get(&(heard.user, mark(heard.peer.as_str())));
        let speaks =
            |it: &Running| it.user == heard.user && it.way == Way::Out && it.peer == heard.peer;
        word.copied().unwrap_or_else(|| self.running.values().any(speaks))
    }
}

impl Ghost {
    /// A user says something about who may speak.
    pub(super) fn judged(&mut self, user: UserId, command: &agent::Command) {
        if let agent::Command::Decide { watcher, verdict } = command {
            let may = verdict.is_some_and(|it| it.handling == Handling::Allow && it.direct);
            self.flows.change(|flows| flows.words.insert((user, mark(watcher.as_str())), may));
        }
    }

    /// A user was told of a flow or a call; `at` is the user's end of the flow.
    pub(crate) fn told_media(
        &mut self,
        notes: &mut Notes<'_>,
        user: UserId,
        event: &agent::Event,
        at: impl Fn(u16) -> SocketAddr,
    ) {
        match event {
            agent::Event::Flow { flow, peer, way, phase, stream, reason, .. } => {
                notes.saw(Sight::FlowStoppedByUser, *reason == Some(StopReason::User));
                notes.saw(Sight::FlowStoppedByPeer, *reason == Some(StopReason::Peer));
                notes.saw(Sight::FlowBusy, *reason == Some(StopReason::Busy));
                notes.saw(Sight::FlowRefused, *reason == Some(StopReason::Refused));
                notes.saw(Sight::FlowWithdrawn, *reason == Some(StopReason::Withdrawn));
                let (flow, way, phase) = (*flow, *way, *phase);
                self.flows.change(|flows| match (phase, stream) {
                    (FlowPhase::Streaming, Some(stream)) => {
                        let (peer, stream) = (peer.clone(), stream.clone());
                        let at = at(stream.port);
                        flows.streams(notes, at, Running { user, flow, peer, way, stream });
                    }
                    _ => drop(flows.running.remove(&(user, flow))),
                });
            }
            agent::Event::Call { call, phase, .. } => {
                notes.saw(Sight::CallUp, *phase == CallPhase::Up);
                self.flows.change(|flows| match phase {
                    CallPhase::Ended => flows.calls.remove(&(user, *call)),
                    phase => flows.calls.insert((user, *call), *phase),
                });
            }
            _ => {}
        }
    }

    /// A BYE leaves; that of a flow which does not run answers a success that came too late.
    pub(crate) fn says_bye(&self, notes: &Notes<'_>, user: UserId, media: &Media) {
        let Media::Bye { ssrc, .. } = media else { return };
        let runs = |it: &Running| it.user == user && it.stream.ssrc.to_be_bytes() == *ssrc;
        notes.saw(Sight::LateSuccessBye, !self.flows.get().running.values().any(runs));
    }

    /// The flow of a user that a BYE from this address ends, if it is proven to.
    pub(crate) fn ended_by(
        &self,
        user: UserId,
        from: SocketAddr,
        (ssrc, key): (&[u8; 4], Option<&[u8; 30]>),
    ) -> Option<FlowId> {
        let is_it = |it: &&Running| {
            let stream = &it.stream;
            let keys = stream.keys.as_ref().map(|(_, theirs)| theirs);
            it.user == user
                && stream.remote == from
                && stream.remote_ssrc.to_be_bytes() == *ssrc
                && keys == key
        };
        self.flows.get().running.values().find(is_it).map(|it| it.flow)
    }

    /// An agent crashed: its flows and calls are gone with it.
    pub(crate) fn reborn(&mut self, user: UserId) {
        self.flows.change(|flows| {
            flows.reborn = true;
            flows.running.retain(|(who, _), _| *who != user);
            flows.calls.retain(|(who, _), _| *who != user);
        });
        self.users.change(|users| users.forget(user));
    }

    /// P27, P47: nobody is heard but whom its user would hear now.
    pub(crate) fn plays_only_approved(&self) -> bool {
        let flows = self.flows.get();
        let mut heard = flows.running.values().filter(|it| it.way == Way::In);
        heard.all(|it| flows.may_be_heard(it))
    }

    /// P53: whoever speaks is heard, and whoever is heard speaks. `at` is where a user is.
    pub(crate) fn flows_agree(&self, at: impl Fn(UserId, u16) -> SocketAddr) -> bool {
        let end = |it: &Running| {
            let (stream, mine) = (&it.stream, at(it.user, it.stream.port));
            match it.way {
                Way::Out => (mine, stream.remote, stream.ssrc, stream.remote_ssrc),
                Way::In => (stream.remote, mine, stream.remote_ssrc, stream.ssrc),
            }
        };
        let ends = |way: Way| -> BTreeSet<_> {
            let running = self.flows.get().running.values();
            running.filter(|it| it.way == way).map(end).collect()
        };
        ends(Way::Out) == ends(Way::In)
    }

    /// Whether an INVITE waits for somebody to answer.
    pub(crate) fn rings(&self) -> bool {
        self.flows.get().calls.values().any(|phase| *phase != CallPhase::Up)
    }

    /// What a user speaks, hears and is in, for people.
    pub(crate) fn media_of(&self, user: UserId) -> Vec<String> {
        let running = self.flows.get().running.values().filter(|it| it.user == user);
        let flow = |it: &Running| {
            let does = if it.way == Way::In { "hears" } else { "speaks to" };
            format!("{does} {} (flow {})", it.peer.user(), it.flow.0)
        };
        let call = |phase: CallPhase| format!("call {phase:?}").to_lowercase();
        running.map(flow).chain(self.calls_of(user).into_iter().map(call)).collect()
    }

    /// The calls of a user, as it was told.
    pub(crate) fn calls_of(&self, user: UserId) -> Vec<CallPhase> {
        let calls = self.flows.get().calls.iter();
        calls.filter(|((who, _), _)| *who == user).map(|(_, phase)| *phase).collect()
    }
}
