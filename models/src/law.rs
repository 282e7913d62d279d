//! What is checked, by name: laws (behaviour §5.2) and sights that a run must have seen.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes an enum whose variants have a name and a sentence.
macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($variant:ident = $name:literal, $says:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum $kind {
            $(#[doc = $says] $variant,)+
        }

        impl $kind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it means, in a sentence.
            pub fn says(self) -> &'static str {
                match self { $(Self::$variant => $says,)+ }
            }
        }

        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

named! {
    /// A property that holds in every state.
    Law {
        NoStateBeforeAuth = "P1 NoStateBeforeAuth",
            "nothing is carried out or stored but for somebody who proved to own it";
        NoDocBeforeApproval = "P2 NoDocBeforeApproval",
            "presence of X is written for W only while X's verdict on W is allow";
        FsmConforms = "P4 FsmConforms",
            "every change of a watcher row is an arc of RFC 3857 figure 1 or active→pending (D8)";
        TerminalLast = "P5 TerminalLast",
            "no new NOTIFY in a dialog after its terminal one";
        ContentNeverBack = "P6 ContentNeverBack",
            "what a watcher is shown never gets older; NOTIFY CSeqs rise by one";
        OneInFlight = "P7 OneInFlight",
            "at most one NOTIFY of a subscription is unanswered";
        VersionChain = "P8 VersionChain",
            "watcherinfo versions are 0, 1, 2 …; full exactly where D6 says so; copies are equal";
        SelfViewIsolation = "P9 SelfViewIsolation",
            "who watches somebody else's watchers is told of own rows only";
        IdNeverReused = "P10 IdNeverReused",
            "a watcher row that ended never lives again, and no two rows share an id";
        PartialMinimal = "P11 PartialMinimal",
            "a partial document holds what changed since the last delivered one, and no stranger's end";
        DecisionOnce = "P12 DecisionOnce",
            "one decision changes each row at most once and leaves none of that watcher undecided";
        PolicySurvives = "P13 PolicySurvives",
            "a decision that was answered 200 is stored, also after a crash";
        NoEarlyExpiry = "P14 NoEarlyExpiry",
            "no subscription ends by timeout before the granted time is over";
        NeverLonger = "P15 NeverLonger",
            "nothing is granted for longer than asked, no NOTIFY promises more than is left, and \
             whoever stays subscribed asks again before its time is over";
        OneRecordPerDialog = "P16 OneRecordPerDialog",
            "one live record for a watcher, Call-ID, From tag and Event id";
        ResubscribeOnce = "P17 ResubscribeOnce",
            "an end of a subscription starts at most one new one";
        TuOnce = "P18 TuOnce",
            "a request comes up to its user once, and so does its answer; finals sent are one";
        NonInviteDiscipline = "P19 NonInviteDiscipline",
            "to non-INVITE no 1xx but 100, none before 3.5 s, never 408";
        CSeqSendMonotone = "P20 CSeqSendMonotone",
            "requests that an agent sends under one Call-ID have rising CSeqs";
        BoundedState = "P21 BoundedState",
            "in every quiet state no transaction is left, and no subscription that has run out";
        ExecuteAtMostOnce = "P23 ExecuteAtMostOnce",
            "a nonce and count is executed once";
        ReplayInert = "P24 ReplayInert",
            "repeating a captured request after its transaction is forgotten changes nothing";
        NonceDomain = "P25 NonceDomain",
            "a nonce of another boot is worth nothing";
        NoOfferLeak = "P3 NoOfferLeak",
            "offers of direct media are written only for whom their owner would hear, and no \
             secret for anybody but the owner";
        PlayOnlyApproved = "P27 PlayOnlyApproved",
            "nobody is heard but whom the user would hear at that moment, whatever comes (P47)";
        NoUnvalidatedMedia = "P28 NoUnvalidatedMedia",
            "media goes to nobody but who bound this very flow";
        CodecAgreed = "P30 CodecAgreed",
            "what is sent is of the payload type that the receiver offered and bound";
        FlowAgreement = "P53 FlowAgreement",
            "from every quiet state, left alone for 31 s: who speaks is heard, who is heard speaks";
        CallsAgree = "CallsAgree",
            "in every quiet state both ends of a call are in the same one, and none is left over";
        FailureFree = "P26 FailureFree",
            "a wrong digest stores nothing and uses no count up";
        DialogFromNotify = "P31 DialogFromNotify",
            "a first NOTIFY before the 200 leaves the watcher where the other order does";
        EtagDiscipline = "P32 EtagDiscipline",
            "every entity-tag is new; only one that is stored matches, and it is gone then";
        RegisterAtomic = "P35 RegisterAtomic",
            "a refused REGISTER changes no binding; an older CSeq overwrites none";
        LogoutUnbinds = "M10 LogoutUnbinds",
            "in every quiet state who has logged out is not bound";
        MessageShownOnce = "P36 MessageShownOnce",
            "a device shows a message once";
        PromiseKept = "P37 PromiseKept",
            "a message answered 202 is stored or was delivered, at every point of a crash";
        LossRepaired = "P51 LossRepaired",
            "an answer given in good time arrives, however the letters that may be lost are lost";
        StoredDelivered = "P52 StoredDelivered",
            "in every quiet state no message waits for a device that is there";
        PendingIsBlind = "P39 PendingIsBlind",
            "a pending watcher is sent no tuple";
        NoGhost = "P40 NoGhost",
            "no copy of an answered SUBSCRIBE is carried out again within 64*T1";
        OneTuplePerId = "P44 OneTuplePerId",
            "no document has two tuples with one id";
        WinfoConverges = "P46 WinfoConverges",
            "in every quiet state a watcherinfo subscriber's table is the server's";
        WatcherConverges = "P48 WatcherConverges",
            "in every quiet state an active watcher shows the current document";
        ToldAtOnce = "P48 ToldAtOnce",
            "when nothing is under way, a watcher that has answered all it was sent shows the \
             current document, whatever others leave unanswered";
        SubscribeResolves = "P49 SubscribeResolves",
            "in every quiet state nobody waits for a first NOTIFY";
        NoChatter = "P55 NoChatter",
            "so many requests are sent for each thing that happens from outside, and no more";
        NoStuck = "ComesToRest",
            "whatever is not quiet can still move";
        AuthTerminates = "P56 AuthTerminates",
            "a request is tried at most 1 + K18 times";
        RoutesToOwner = "RoutesToOwner",
            "whatever is sent, its answer and all that follows in its dialog reach the same shard";
        RecoverEqualsLive = "recover(durable) = live",
            "a server made from the stored rows has the tables of the living one";
    }
}

named! {
    /// Something that must have happened in some run; otherwise the model is vacuous.
    Sight {
        Pending = "sPending", "a watcher waits for the owner";
        Active = "sActive", "a pending watcher is approved";
        Rejected = "sRejected", "a watcher is rejected";
        BackToPending = "sActiveBackToPending", "a permission is taken back to asking";
        Waiting = "sWaiting", "a pending subscription runs out and its watcher waits";
        GiveupByResubscribe = "sGiveupByResubscribe", "who waits subscribes again";
        WaitingDecided = "sWaitingApproved", "the owner decides about a waiting watcher";
        Expired = "sExpired", "an active subscription runs out";
        NotifyBefore200 = "sNotifyBefore200", "a NOTIFY overtakes the 200 to its SUBSCRIBE";
        Retransmitted = "sRetransmitted", "a lost letter is sent again";
        CopyAbsorbed = "sCopyAbsorbed", "a copy changes nothing";
        Cancelled = "sCancelled", "an INVITE is cancelled before its final answer";
        HalfOpen = "sHalfOpen", "the server gives a peer up that still thinks it is subscribed";
        FullAfterFailure = "sFullAfter500", "a refused document is followed by a full one";
        PartialDocument = "sPartial", "a partial watcherinfo document is sent";
        SelfView = "sSelfView", "a watcher is told about its own row";
        Refreshed = "sRefreshed", "a subscription is refreshed in its dialog";
        Lost481 = "sRefreshLost481", "a refresh meets a server that has forgotten";
        NewGeneration = "sGenerations", "a watcher begins a second subscription";
        ReplayRejected = "sReplayRejected", "a replay is refused";
        ReorderedNc = "sReorderedNcAccepted", "a lower count is accepted after a higher one";
        Stale = "sStaleRecovered", "a request with an outdated nonce is asked again and passes";
        ForgeryRefused = "sForgeryRefused", "a wrong digest is refused";
        StaleTag = "sStaleEtag", "an outdated entity-tag is refused with 412";
        Withdrawn = "sPublicationEnded", "a publication ends";
        LoggedOut = "sLoggedOut", "a user logs out";
        Restarted = "sRestarted", "the server comes back from its rows";
        Stored = "sStored", "a message is stored";
        StoredThenDelivered = "sStoredThenDelivered", "a stored message is delivered";
        FlowHeard = "sFlowHeard", "somebody is heard directly";
        FlowStoppedByUser = "sFlowStoppedByUser", "a flow is stopped by its user";
        FlowStoppedByPeer = "sFlowStoppedByPeer", "a flow is stopped by the other side's BYE";
        FlowRefused = "sFlowRefused", "a flow is refused or ended by its receiver's decision";
        FlowBusy = "sBusy", "somebody is told that another one is heard";
        FlowWithdrawn = "sFlowWithdrawn", "a flow ends since its offer is gone";
        LateSuccessBye = "sLateSuccessBye", "a success for a flow that is over is answered by BYE";
        FlowMoved = "sStalePortFallback", "a flow begins anew at a receiver that was started again";
        BothFlows = "sBothFlows", "two speak and hear each other";
        CallUp = "sCallUp", "a call is up";
        DuplicateSuppressed = "sDuplicateSuppressed", "a second copy of a message is not shown";
    }
}

/// Some laws.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Code(u64);

impl Code {
    /// Of these laws.
    pub(crate) fn of(laws: &[Law]) -> Self {
        Self(laws.iter().fold(0, |code, law| code | 1 << *law as u64))
    }

    /// Whether a law is among them.
    pub(crate) fn has(self, law: Law) -> bool {
        self.0 & 1 << law as u64 != 0
    }
}

/// Which sights were seen, over all branches and threads of a run.
#[derive(Debug, Default)]
pub struct Album {
    seen: AtomicU64,
}

impl Album {
    /// A sight was seen.
    pub fn note(&self, sight: Sight) {
        if self.has(sight) {
            return;
        }
        self.seen.fetch_or(1 << sight as u64, Ordering::Relaxed);
    }

    /// Whether it was.
    pub fn has(&self, sight: Sight) -> bool {
        self.seen.load(Ordering::Relaxed) & 1 << sight as u64 != 0
    }
}
