//! The sender in the paper's form: what the tuple says is enough, or nobody answered a check and
//! the contact is marked (`direct/paper.rs` says when which). Such a flow is kept alive by
//! nothing: it goes on until somebody stops it or withdraws, or nobody listens there.

use super::*;

impl Sending {
    /// Media leaves at once: the offer has no credential, so there is nothing to check.
    pub(super) fn begin_plainly(&mut self, cx: &mut Cx<'_>, id: FlowId, to: Option<SocketAddr>) {
        self.renew(cx);
        (self.srtp, self.token, self.key_id) = (false, "".into(), "".into());
        match to {
            Some(to) => self.speak_plainly(cx, id, to, Vec::new()),
            None => self.stop(cx, id, StopReason::Unreachable, false),
        }
    }

    /// Nobody answered in time. Should the answer come after all, it is a flow as any other.
    pub(super) fn go_on_plainly(&mut self, cx: &mut Cx<'_>, id: FlowId) {
        let State::Checking(round) = &mut self.state else { return };
        let out = std::mem::take(&mut round.asked);
        if let Some((_, to)) = out.first().copied() {
            self.speak_plainly(cx, id, to, out);
        }
    }

    fn speak_plainly(
        &mut self,
        cx: &mut Cx<'_>,
        id: FlowId,
        to: SocketAddr,
        out: Vec<(u128, SocketAddr)>,
    ) {
        stop_alarms(cx, id);
        self.state = State::Plain { to, out };
        self.told(id).emit(cx, FlowPhase::Streaming, Some(self.media_to(to)));
    }

    /// Whether media leaves, be it that somebody wants it or that nobody is asked.
    pub(super) fn speaks(&self) -> bool {
        match self.state {
            State::Streaming { .. } | State::Plain { .. } => true,
            State::Checking(_) | State::Refreshing | State::Stopped { .. } => false,
        }
    }

    /// Whether this began without a check and its offer has a credential now: who asks to be
    /// asked is asked.
    pub(super) fn can_be_checked(&self, known: &Known) -> bool {
        let plain = matches!(self.state, State::Plain { .. }) && self.key_id.is_empty();
        plain && known.offer.access.is_some()
    }
}
