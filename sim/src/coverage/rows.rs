//! The list: machines M7–M20 and races of the behaviour specification, as far as they show.

/// Defines [`Row`] with its words, so that neither can be without the other.
macro_rules! rows {
    ($($name:ident = $id:literal, $words:literal;)*) => {
        /// A row of a state machine, or a race.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs)]
        pub enum Row { $($name),* }

        impl Row {
            /// Every row.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Where the specification has it.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// What happens.
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => $words),* }
            }
        }
    };
}

rows! {
    Challenged = "M7.1", "a request without credentials is challenged";
    AnswersChallenge = "M8.1", "a device answers a challenge";
    CountsOn = "M8.2", "a device counts on with the nonce that it has";
    Proven = "M7.2", "a nonce is used for the first time";
    CountRises = "M7.6", "a nonce is used with a higher count";
    OvertakenCount = "M7.7, R62", "counts arrive out of order and are taken";
    Replayed = "M7.8, R61", "a replayed request is refused";
    ReplayedLater = "R64", "a request is replayed after a restart of the server and refused";
    ProofFails = "M7.4, R69", "a request is refused that was changed on its way";
    NextNonce = "M7.9", "a success brings the next nonce";
    TakesNextNonce = "M8.3", "a device goes over to the next nonce";
    NonceTooOld = "M7.10", "a nonce is too old: stale=true";
    Restarted = "M7.12", "after a restart of the server an old nonce is stale";
    SentAcrossRestart = "R46", "a request reaches the server in two of its lives";
    StaleRecovered = "M8.4", "a device proves itself again after stale=true";
    NoticedRestart = "M8.6, D21", "a device notices a restart of the server";
    Parallel = "R67", "a nonce is in use for two requests at once";
    Absorbed = "R60", "a copy of a request is answered as the request was";
    Flooded = "R27", "strangers are challenged and nothing else";
    Bound = "M9.1, M10.1, M10.2", "REGISTER makes a binding";
    Rebound = "M9.3, M10.7", "REGISTER refreshes a binding";
    BoundElsewhere = "R51", "a device goes on behind another outside address";
    Replaced = "M9.5", "a device that started again replaces its binding";
    Unbound = "M9.5, M10.9", "REGISTER with Expires 0 removes a binding";
    UnboundNothing = "M9.2", "REGISTER with Expires 0 finds nothing to remove";
    RegisterTooLate = "M9.4, R33", "a REGISTER that was overtaken gets 500";
    RegisterChallenged = "M10.3", "a REGISTER is challenged";
    RegisterFailed = "M10.6", "a REGISTER fails and is tried again later";
    RegisteredAnew = "M10.8", "a device registers anew since the server was restarted";
    LoggedOut = "M10.9", "a user logs out";
    TwoDevices = "R34", "a user has two bindings";
    OkOfRegisterLost = "R45", "the 200 of a REGISTER is lost";
    Published = "M11.1, M12.1, M12.2", "PUBLISH without If-Match: a new publication";
    Refreshed = "M11.5, M12.3", "PUBLISH with If-Match and no body: a refresh";
    Modified = "M11.6, M12.3", "PUBLISH with If-Match and a body: a change";
    Removed = "M11.7, M12.8", "PUBLISH with Expires 0: a removal";
    EtagUnknown = "M11.4", "PUBLISH with an entity-tag that is gone: 412";
    EtagTooOld = "R31", "PUBLISH with an entity-tag that has expired: 412";
    PublicationExpired = "M11.9", "a publication expires and its tuple goes";
    PublishedAfter = "M12.4, R32", "what changed while a PUBLISH was out is sent after its answer";
    PublishedAnew = "M12.5", "after 412 a device publishes anew";
    PublishUnanswered = "M12.6", "a PUBLISH is not answered and later tried again";
    PublishedToNewLife = "M12.7", "a device publishes since the server was restarted";
    OkOfPublishLost = "R30", "no 200 of a PUBLISH arrives, and the device publishes anew";
    RulesRefused = "R18", "two devices decide at once: 412";
    SubscribedActive = "M13.1", "an allowed watcher is active at once";
    SubscribedPending = "M13.2, M15.1", "a watcher nobody decided about is pending";
    Blocked = "M13.3", "a blocked watcher gets 403";
    SubscribedPolitely = "M13.4", "a politely blocked watcher is active at once";
    FetchedAllowed = "M13.5, R7", "a fetch of an allowed watcher";
    FetchedUndecided = "M13.6, R7", "a fetch of an undecided watcher leaves a trace";
    FetchedPolitely = "M13.7, R7", "a fetch of a politely blocked watcher";
    GaveUpBySubscribing = "M13.8, R43", "a new SUBSCRIBE ends a waiting record at once";
    RefreshedPending = "M13.10", "a pending subscription is refreshed";
    Approved = "M13.11", "pending → active, approved";
    ApprovedPolitely = "M13.12", "pending → active, politely blocked";
    RejectedPending = "M13.13", "pending → terminated, rejected";
    PendingTimedOut = "M13.14", "pending → waiting, since it was not refreshed";
    PendingUnsubscribed = "M13.15", "pending → waiting, by its watcher";
    PendingLost = "M13.16", "pending → waiting, since a NOTIFY failed";
    GaveUp = "M13.17", "pending → terminated, giveup";
    DeactivatedPending = "M13.18", "a shutdown ends a pending subscription";
    RefreshedActive = "M13.21, M15.12", "an active subscription is refreshed";
    Changed = "M13.23, M15.9", "an active watcher is told of a change";
    Unsubscribed = "M13.24, M15.18, M15.19", "an active subscription is ended by its watcher";
    ActiveTimedOut = "M13.25", "active → terminated, since it was not refreshed";
    ActiveLost = "M13.26", "active → terminated, since a NOTIFY failed";
    RejectedActive = "M13.27", "active → terminated, rejected";
    Withdrawn = "M13.28", "active → pending: permission is withdrawn";
    TurnedPolite = "M13.29", "an allowed watcher is politely blocked, or the reverse";
    DeactivatedActive = "M13.30", "a shutdown ends an active subscription";
    WaitingApproved = "M13.31", "a waiting record ends by an approval";
    WaitingRejected = "M13.32", "a waiting record ends by a rejection";
    WaitingGaveUp = "M13.33", "a waiting record gives up";
    DialogGone = "M13.34, M15.14", "SUBSCRIBE in a dialog that is gone: 481";
    ExpiryCrossed = "R4", "a refresh crosses the expiry";
    UnsubscribeCrossed = "R5", "an unsubscription crosses a NOTIFY";
    ApprovedTooLate = "R15", "an approval comes just after its watcher ran out";
    DecidedInHaste = "R17", "a watcher is decided about three times in ten seconds";
    TwoRows = "R19", "a watcher has two rows";
    DialogReplaced = "R20", "a SUBSCRIBE that comes again replaces its dialog silently";
    RestartedWatcher = "R21", "a dialog of a device's former life is refused";
    ChangedExpires = "R24", "a refresh asks for another time";
    Oneself = "R28", "somebody watches themselves";
    NotifyForced = "M14.1", "a NOTIFY follows a SUBSCRIBE at once";
    NotifyPaced = "M14.2, M14.3", "a NOTIFY waits for the gap";
    NotifyAfterAnswer = "M14.4, R8", "what changed while a NOTIFY was out is told after its answer";
    NotifyAnswered = "M14.5", "a NOTIFY is answered 200";
    NotifyFailed = "M14.7, R13", "a NOTIFY fails, and the subscription lives";
    NotifyFatal = "M14.8, R11", "a NOTIFY is answered 481";
    NotifyUnanswered = "M14.9, R12", "a NOTIFY is sent until its time is up";
    EndAfterAnswer = "M14.10, R16", "the end is told after the NOTIFY that is out";
    EndAnswered = "M14.11", "a terminal NOTIFY is answered";
    Coalesced = "R29", "two changes are told at once";
    OkFirst = "M15.2", "the 200 of a SUBSCRIBE is there before the NOTIFY";
    NotifyFirst = "M15.3, R1", "a NOTIFY overtakes the 200 of its SUBSCRIBE";
    OkOfSubscribeLost = "R2", "the 200 of a SUBSCRIBE is lost, its NOTIFY arrives";
    NotifyLost = "R3", "the first NOTIFY is lost, the 200 arrives";
    TerminalLost = "R6", "a terminal NOTIFY is lost";
    LateSubscribe = "R9", "a copy of a SUBSCRIBE comes after the end of the subscription";
    NotifyReordered = "R10, M15.10", "a NOTIFY comes after a later one and is refused";
    FetchEnded = "M15.4", "a fetch ends by its NOTIFY";
    SubscribeChallenged = "M15.5", "a SUBSCRIBE is challenged";
    SubscribeFailed = "M15.7", "a subscription fails before its first NOTIFY";
    ShownActive = "M15.8", "a user sees that the watcher is approved";
    RefreshUnanswered = "M15.13, M15.15", "a refresh is not answered";
    NoNotify = "M15.16", "no NOTIFY comes after a refresh";
    DeadlinePassed = "M15.17", "a subscription's own deadline passes";
    ShownWithdrawn = "M15.20, D8", "a user sees that permission is withdrawn";
    LateNotify = "M15.21", "a NOTIFY of a dialog that is over is refused";
    ShownAgain = "M15", "a watcher subscribes anew after an end";
    WinfoSubscribed = "M16.1", "a subscription to watcher information is accepted";
    WinfoChanged = "M16.2, M16.4, M16.5, M17.3", "a partial document tells of a change";
    WinfoFull = "M16.3, M17.4", "a full document";
    WinfoFirst = "M17.1", "a full document begins a dialog";
    FullAfterFailure = "M16.6", "a document is full since the one before failed";
    WinfoEnded = "M16.8, M17.10", "a subscription to watcher information runs out";
    WinfoLost = "R36", "a document is lost for good";
    TwoWinfoDialogs = "R41", "an owner has two dialogs";
    SelfView = "M16, R42", "watcher information for somebody who is not the owner";
    WaitedForOwner = "R44", "an owner that comes finds somebody waiting";
    MessageSent = "M18.1", "a message leaves";
    Delivered = "M18.2, M19.1, M19.4, M20.1", "a message is forwarded and shown at once";
    Stored = "M18.3, M19.2", "a message is kept: 202";
    MessageChallenged = "M18.4", "a message is challenged";
    MessageRetried = "M18.6", "a message is tried again";
    MessageFailed = "M18.7", "a message fails";
    MessageRefused = "M19.3", "a message is refused by the server";
    StoredInstead = "M19.5, R77a", "no device answers, the message is kept";
    LateAnswer = "M19.6", "a device answers when the message is kept already";
    DeliveredLater = "M19.9, M19.10", "a kept message is delivered";
    DeliveryUnanswered = "M19.11", "nobody answers the delivery of a kept message";
    StoredTwice = "M19.13, R74", "a message that is kept already is answered 202 again";
    OkOfMessageLost = "R73", "no 200 of a message arrives, and it is sent again";
    DeliveredTwice = "R75", "a kept message is delivered in two lives of the server";
    OneOfTwo = "R77", "one of two devices answers";
    Offered = "M23", "an offer is shown";
    OfferGone = "M23", "an offer goes";
    SuccessOnceMore = "R57", "a 2xx of an INVITE comes again, or from one more phone";
    CancelCrossed = "R58", "a CANCEL crosses the 2xx of its INVITE";
    AckRepeats = "R68", "an ACK repeats the credentials of its INVITE";
    Spoken = "M21, M22", "somebody speaks directly";
    SpokenBack = "X13, R81", "somebody who is heard speaks back";
    SpeakerRefused = "R85", "somebody who speaks is not wanted any more";
    SpeakerBusy = "R80", "somebody wants to speak to a device that is busy";
    SpeakerWithdrawn = "R86", "an offer goes while somebody speaks or asks";
    SpeakerUnreachable = "R78", "nobody answers where somebody wants to speak";
    SpeakerUnheard = "R84", "nothing is heard of the other end of a flow any more";
    CallUp = "M6", "a call is answered";
    CallEnded = "M6", "a call that is up ends";
    RequestDoubled = "R45", "a request comes twice";
    ResponseDoubled = "R45", "a response comes twice";
    Recovered = "R47", "a dialog goes on after a restart of the server";
    ClientRestarted = "R48", "a device starts again";
    AnswerForNobody = "R49", "an answer comes to somebody who has started anew";
    StoodStill = "R52", "the server stood still and goes on";
    ClockStepped = "R53, R54", "a party starts with another clock than it had";
    Damaged = "R55", "a datagram arrives damaged";
}
