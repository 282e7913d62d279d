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
    Challenged = "M7", "a request without credentials is challenged";
    Proven = "M7", "a request with credentials is served";
    Stale = "M7", "old credentials are answered stale=true";
    NextNonce = "M7", "a success brings the next nonce";
    Bound = "M9", "REGISTER makes or refreshes a binding";
    Unbound = "M9", "REGISTER with Expires 0 removes it";
    Published = "M11", "PUBLISH without If-Match: a new publication";
    Refreshed = "M11", "PUBLISH with If-Match and no body: a refresh";
    Modified = "M11", "PUBLISH with If-Match and a body: a change";
    Removed = "M11", "PUBLISH with Expires 0: a removal";
    EtagUnknown = "M11, R31", "PUBLISH with an entity-tag that is gone: 412";
    SubscribedPending = "M13.2", "a watcher nobody decided about is pending";
    SubscribedActive = "M13.1", "an allowed watcher is active at once";
    Fetched = "M13.5–7", "a fetch is answered with a terminal NOTIFY";
    Blocked = "M13.3", "a blocked watcher gets 403";
    GaveUpBySubscribing = "M13.8, R43", "a new SUBSCRIBE ends a waiting record";
    Approved = "M13.11", "pending → active, approved";
    RejectedPending = "M13.13", "pending → terminated, rejected";
    WaitingByTimeout = "M13.14–16", "pending → waiting, timeout";
    GaveUp = "M13.17, 33", "an undecided record gives up";
    RefreshedSubscription = "M13.10, 21", "a subscription is refreshed";
    Unsubscribed = "M13.24", "a subscription is ended by its watcher";
    ActiveTimedOut = "M13.25–26", "active → terminated, timeout";
    RejectedActive = "M13.27", "active → terminated, rejected";
    Withdrawn = "M13.28", "active → pending: permission is withdrawn";
    WaitingDecided = "M13.31–32", "a waiting record ends by a decision";
    Deactivated = "M13.18, 30", "a shutdown ends subscriptions, deactivated";
    DialogGone = "M13.34", "SUBSCRIBE in a dialog that is gone: 481";
    NotifyAnswered = "M14", "a NOTIFY is answered 200";
    NotifyFatal = "M14, R11", "a NOTIFY is answered 481";
    NotifyUnanswered = "M14, R12", "a NOTIFY is sent until its time is up";
    ShownPending = "M15", "a watcher is told that it is pending";
    ShownActive = "M15", "a watcher is told that it is active";
    ShownTerminated = "M15", "a watcher is told that it is over";
    ShownAgain = "M15", "a watcher subscribes anew after an end";
    ShownWithdrawn = "M15, D8", "a watcher goes from active back to pending";
    WinfoFull = "M16", "a full document of watcher information";
    WinfoPartial = "M16", "a partial one";
    SelfView = "M16, R42", "watcher information for somebody who is not the owner";
    Delivered = "M18, M19", "a message is delivered at once";
    Stored = "M18, M19", "a message is kept: 202";
    DeliveredLater = "M19", "a kept message is delivered";
    MessageFailed = "M18", "a message fails";
    Offered = "M23", "an offer is shown";
    OfferGone = "M23", "an offer goes";
    NotifyFirst = "R1", "a NOTIFY overtakes the 200 of its SUBSCRIBE";
    OkOfSubscribeLost = "R2", "the 200 of a SUBSCRIBE is lost";
    NotifyLost = "R3", "a NOTIFY is lost";
    TerminalLost = "R6", "a terminal NOTIFY is lost";
    OkOfPublishLost = "R30", "the 200 of a PUBLISH is lost";
    OkOfRegisterLost = "R33", "the 200 of a REGISTER is lost";
    RequestDoubled = "R45", "a request comes twice";
    ResponseDoubled = "R45", "a response comes twice";
    Restarted = "R46, R64", "after a restart of the server an old nonce is stale";
    NoticedRestart = "R47, D21", "an agent notices a restart of the server";
    Rebound = "R51", "a device goes on behind another outside address";
    Damaged = "R55", "a datagram arrives damaged";
    Replayed = "R61", "a replayed request is refused";
    OvertakenCount = "R62", "nonce counts arrive out of order and are taken";
    OkOfMessageLost = "R73", "the 200 of a MESSAGE is lost";
}
