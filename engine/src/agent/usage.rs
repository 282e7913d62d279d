//! One subscription of ours as data: what is wanted, and where M15 stands with it.

use super::cx::{Alarm, Cx, SUPPORTED, Timer};
use super::request::{Draft, Ticket};
use super::subscription::UsageId;
use super::types::{Package, SubscriptionPhase};
use super::winfo::View;
use crate::body::pidf::Pidf;
use crate::dialog::Dialog;
use crate::message::{Aor, Method, Name, Response};
use crate::mint::Id;
use crate::time::Instant;

impl Package {
    /// The Event header value.
    pub(crate) fn event(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Winfo => "presence.winfo",
        }
    }

    /// The package of an Event header value, if we know it.
    pub(crate) fn of(text: &str) -> Option<Self> {
        [Self::Presence, Self::Winfo].into_iter().find(|package| package.event() == text)
    }

    /// The body types we read.
    pub(crate) fn accept(self) -> &'static str {
        match self {
            Self::Presence => "application/pidf+xml, application/cpim-pidf+xml;q=0.5",
            Self::Winfo => "application/watcherinfo+xml",
        }
    }
}

/// What a subscription is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Purpose {
    /// To be kept up until the user ends it.
    Keep,
    /// One look (Expires 0).
    Fetch,
    /// A further dialog of a forked winfo subscription (R22); never renewed by itself.
    Fork,
}

/// A dialog that receives notifications.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Bond {
    pub(crate) dialog: Dialog,
    pub(crate) deadline: Instant,
    /// Whether the refresh under way was already answered by a NOTIFY (R26).
    pub(crate) notified: bool,
    /// Whether it was ever refreshed. Only a refresh that works shows that it is stable.
    pub(crate) renewed: bool,
}

/// M15. `Ending` and `Terminated` may be followed by a new beginning under a new Call-ID.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum State {
    /// Wanted; not asked for yet.
    Init,
    /// SUBSCRIBE is out; `granted` is what its 200 said.
    NotifyWait {
        granted: Option<u32>,
    },
    Pending(Bond),
    Active(Bond),
    /// SUBSCRIBE with Expires 0 is out, or a fetch is being answered.
    Ending(Dialog),
    /// Over; whether it is tried again says the alarm.
    Terminated,
}

/// One subscription of ours.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Usage {
    pub(crate) target: Aor,
    pub(crate) package: Package,
    pub(crate) purpose: Purpose,
    /// Seconds to ask for.
    pub(crate) asked: u32,
    pub(crate) call_id: Box<str>,
    pub(crate) local_tag: Id,
    /// CSeq of the last SUBSCRIBE outside of the dialog.
    pub(crate) cseq: u32,
    pub(crate) state: State,
    /// The SUBSCRIBE that is out.
    pub(crate) ticket: Option<Ticket>,
    /// Whether the user wants its end.
    pub(crate) leaving: bool,
    /// Ends and failures in a row, without a refresh that worked in between.
    pub(crate) failures: u32,
    /// Whether its end was the presentity's will.
    pub(crate) refused: bool,
    pub(crate) document: Option<Pidf>,
    pub(crate) view: View,
    /// Until when a NOTIFY may create a further dialog: Timer N of the SUBSCRIBE that began it.
    pub(crate) forks_until: Instant,
    /// Not before this a document may make us ask for another one (M17).
    pub(crate) refetch_from: Instant,
}

impl Usage {
    /// A subscription that nobody was asked for yet.
    pub(crate) fn new(target: Aor, package: Package, purpose: Purpose, asked: u32) -> Self {
        Self {
            target,
            package,
            purpose,
            asked,
            call_id: "".into(),
            local_tag: Id(0),
            cseq: 0,
            state: State::Init,
            ticket: None,
            leaving: false,
            failures: 0,
            refused: false,
            document: None,
            view: View::default(),
            forks_until: Instant::default(),
            refetch_from: Instant::default(),
        }
    }

    /// The dialog, while there is one.
    pub(crate) fn dialog(&self) -> Option<&Dialog> {
        match &self.state {
            State::Pending(bond) | State::Active(bond) => Some(&bond.dialog),
            State::Ending(dialog) => Some(dialog),
            State::Init | State::NotifyWait { .. } | State::Terminated => None,
        }
    }

    /// The dialog, to be changed.
    pub(crate) fn dialog_mut(&mut self) -> Option<&mut Dialog> {
        match &mut self.state {
            State::Pending(bond) | State::Active(bond) => Some(&mut bond.dialog),
            State::Ending(dialog) => Some(dialog),
            State::Init | State::NotifyWait { .. } | State::Terminated => None,
        }
    }

    /// The dialog and its deadline, while notifications are due.
    pub(crate) fn bond_mut(&mut self) -> Option<&mut Bond> {
        match &mut self.state {
            State::Pending(bond) | State::Active(bond) => Some(bond),
            State::Init | State::NotifyWait { .. } | State::Ending(_) | State::Terminated => None,
        }
    }

    /// When it runs out, while notifications are due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Pending(bond) | State::Active(bond) => Some(bond.deadline),
            State::Init | State::NotifyWait { .. } | State::Ending(_) | State::Terminated => None,
        }
    }

    /// Whether the user thinks of this subscription as being there.
    pub(crate) fn is_wanted(&self) -> bool {
        self.purpose == Purpose::Keep && !self.leaving
    }

    /// What the user is told.
    pub(crate) fn phase(&self) -> SubscriptionPhase {
        match self.state {
            State::Init | State::NotifyWait { .. } => SubscriptionPhase::Trying,
            State::Pending(_) => SubscriptionPhase::Pending,
            State::Active(_) => SubscriptionPhase::Active,
            State::Ending(_) | State::Terminated => SubscriptionPhase::Terminated,
        }
    }

    /// A SUBSCRIBE has left: starts Timer N (RFC 6665 §4.1.2.4).
    pub(crate) fn await_notify(&mut self, cx: &mut Cx<'_>, id: UsageId) {
        let until = cx.now + cx.patience();
        if matches!(self.state, State::NotifyWait { .. }) {
            self.forks_until = until;
        }
        cx.arm(Timer::Usage(id, Alarm::N), until);
    }

    /// What is asked for now counts as what we want: a wish that is too short for the server must
    /// not shorten what it grants, or every refresh would be due at once.
    pub(crate) fn raise(&mut self, cx: &Cx<'_>) {
        let interval = self.ticket.and_then(|ticket| cx.interval(ticket));
        self.asked = self.asked.max(interval.unwrap_or(0));
    }

    /// The next SUBSCRIBE: inside the dialog if there is one.
    pub(crate) fn draft(&self, cx: &Cx<'_>, expires: u32) -> Draft {
        let target = self.target.as_str();
        let mut draft = match self.dialog() {
            None => Draft::new(cx, Method::Subscribe, target, target).numbered(
                &self.call_id,
                self.local_tag,
                self.cseq + 1,
            ),
            Some(dialog) => in_dialog(cx, dialog),
        };
        draft.expires = Some(expires);
        draft
            .with(Name::Event, self.package.event())
            .with(Name::Accept, self.package.accept())
            .with(Name::Supported, SUPPORTED)
    }

    /// A SUBSCRIBE refreshes the target of its dialog, and so does the 2xx to it. That of the
    /// first SUBSCRIBE does not: the dialog is the NOTIFY's (RFC 6665 §4.4.1).
    pub(crate) fn retarget(&mut self, response: &Response) {
        if let Some(bond) = self.bond_mut().filter(|bond| bond.renewed) {
            bond.dialog.retarget(response);
        }
    }

    /// The exchange ended with this CSeq; the next SUBSCRIBE continues from it.
    pub(crate) fn note_cseq(&mut self, cseq: u32) {
        self.cseq = self.cseq.max(cseq);
        if let Some(dialog) = self.dialog_mut() {
            dialog.local_cseq = dialog.local_cseq.max(cseq);
        }
    }
}

/// A SUBSCRIBE along the route of a dialog (RFC 3261 §12.2.1.1). It goes over the flow on which
/// the last NOTIFY came: nobody resolves names here, and that hop knows the way.
fn in_dialog(cx: &Cx<'_>, dialog: &Dialog) -> Draft {
    let mut draft = Draft::new(cx, Method::Subscribe, &dialog.remote_target, &dialog.remote_uri)
        .numbered(&dialog.call_id, dialog.local_tag, dialog.local_cseq + 1);
    draft.to_tag = dialog.remote_tag.clone();
    draft.routes = dialog.routes.clone();
    draft.peer = dialog.peer;
    draft
}
