//! What goes into the agent and what comes out (behaviour §0.3). Only data; no behaviour.

use super::negotiation::{Abilities, Flow};
use crate::body::pidf::{Basic, Codec, Mode, Pidf};
use crate::body::presrules::Verdict;
use crate::body::winfo::{Cause, Status};
use crate::machine::Peer;
use crate::message::Aor;
use crate::mint::Secret;
use crate::transaction::Timing;
use bytes::Bytes;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// M10: at logout the agent does not wait longer for answers.
pub const LOGOUT: Duration = Duration::from_secs(2);

/// Seconds asked for registrations, publications and subscriptions (K2, K7, K8).
const EXPIRES: u32 = 3600;

/// Configuration of an agent.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our address of record.
    pub aor: Aor,
    /// Password.
    pub password: Box<str>,
    /// The server (outbound proxy, registrar, presence agent).
    pub server: Peer,
    /// Our own host and port, for Via and Contact.
    pub contact: Box<str>,
    /// Key of derived ids: fresh entropy for every start of the agent.
    pub secret: Secret,
    /// Name of this device, stable over restarts: tuple ids derive from it.
    pub device: Box<str>,
    /// K1.
    pub timing: Timing,
    /// Seconds asked for: registration, publication, subscription.
    pub register_expires: u32,
    /// See `register_expires`.
    pub publish_expires: u32,
    /// See `register_expires`.
    pub subscribe_expires: u32,
    /// Whether a challenge that offers only MD5 is answered.
    pub allow_md5: bool,
    /// Longest wait for answers at logout (M10).
    pub logout: Duration,
    /// What calls can be made of: media kinds and their codecs. Without any, nobody is at home
    /// for an INVITE (480).
    pub media: Vec<(Box<str>, Vec<Codec>)>,
    /// How far direct media goes.
    pub direct: DirectPolicy,
}

impl Config {
    /// A device of `aor` that asks for an hour each time, answers MD5 if it must, waits
    /// [`LOGOUT`] at logout and is not at home for calls.
    pub fn new(
        aor: Aor,
        password: &str,
        server: Peer,
        contact: SocketAddr,
        secret: Secret,
        device: &str,
    ) -> Self {
        Self {
            aor,
            password: password.into(),
            server,
            contact: contact.to_string().into(),
            secret,
            device: device.into(),
            timing: Timing::default(),
            register_expires: EXPIRES,
            publish_expires: EXPIRES,
            subscribe_expires: EXPIRES,
            allow_md5: true,
            logout: LOGOUT,
            media: Vec::new(),
            direct: DirectPolicy::default(),
        }
    }
}

/// How far direct media goes (behaviour §6). The default is what is safe anywhere.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DirectPolicy {
    /// K16: so many packets of media may leave before the first check is answered (X9), 10 at
    /// most. Never with SRTP, whose keys need the answer, and never to an old offer.
    pub early_packets: u8,
    /// Whether own offers are for media without SRTP: for laboratories, and for early media.
    pub plain: bool,
    /// The contacts with whom media goes as the paper has it (§6.10): nothing is checked and
    /// nothing is encrypted. For closed networks; nobody by default. [`Command::Mark`] changes it
    /// while the agent runs.
    pub paper: BTreeSet<Aor>,
    /// Whether own offers are published in the paper's form, without a secret. Then only marked
    /// contacts are heard, by their addresses alone.
    pub paper_offers: bool,
}

/// Names one call of an agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CallId(pub u64);

/// Names one direct flow of an agent, either way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FlowId(pub u64);

/// Which way a direct flow goes (D16).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Way {
    /// We send.
    Out,
    /// We receive.
    In,
}

/// State of a direct flow, for the user (M21, M22).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum FlowPhase {
    /// Checks are out; nothing flows, but early media if the stream says so (X9).
    Checking,
    /// Media may flow. Comes again when the other side's address changes.
    Streaming,
    Stopped,
}

/// Why a direct flow stopped (behaviour §6.12).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum StopReason {
    Unreachable,
    Unauthorised,
    Refused,
    Busy,
    Codec,
    Withdrawn,
    Peer,
    User,
    /// Nothing was heard for too long.
    Consent,
    Moved,
}

impl StopReason {
    /// The word of behaviour §6.12.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Unauthorised => "unauthorised",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::Codec => "codec",
            Self::Withdrawn => "withdrawn",
            Self::Peer => "peer",
            Self::User => "user",
            Self::Consent => "consent",
            Self::Moved => "moved",
        }
    }
}

/// SRTP master keys with their salts: to send with, to receive with.
pub type StreamKeys = ([u8; 30], [u8; 30]);

/// What flows in a direct flow, for whoever moves the media.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DirectStream {
    /// Our port.
    pub port: u16,
    /// The one address of the other side that counts.
    pub remote: SocketAddr,
    /// Codec; the payload type is the receiver's.
    pub codec: Codec,
    /// SSRC of what we send, RTCP included.
    pub ssrc: u32,
    /// SSRC of what the other side sends; 0 before it has answered, and where nothing is asked
    /// (the paper's form).
    pub remote_ssrc: u32,
    /// Keys, if it is SRTP (§6.8).
    pub keys: Option<StreamKeys>,
    /// Most packets of media that may leave: early media, before the answer (X9). `None` is no
    /// limit.
    pub budget: Option<u8>,
}

/// State of a call, for the user (M6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum CallPhase {
    /// INVITE sent.
    Calling,
    /// It rings at the other side.
    Ringing,
    /// Somebody calls us.
    Incoming,
    /// Answered; the flows say what goes where. Comes again when they change.
    Up,
    Ended,
}

/// `presence` or `presence.winfo`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum Package {
    Presence,
    Winfo,
}

/// What the user wants (behaviour §0.3).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Command {
    /// Register, publish, subscribe to what was asked for.
    Login,
    /// Take everything back; [`Event::LoggedOut`] follows.
    Logout,
    /// Own state.
    SetPresence {
        /// Open or closed.
        basic: Basic,
        /// Free text.
        note: Option<Box<str>>,
    },
    /// Own direct-media offer of one media kind; `Off` withdraws it.
    SetOffer {
        /// `audio` or `video`.
        media: Box<str>,
        /// RTP port that is open for it.
        port: u16,
        /// Codecs in order of preference, with what a sender has to keep to (X7).
        codecs: Vec<Codec>,
        /// Readiness. `Busy` is able but occupied otherwise, as by a call: nobody new is heard
        /// (486), and who is heard goes on.
        mode: Mode,
    },
    /// Subscribe and keep the subscription up.
    Subscribe {
        /// Whom.
        target: Aor,
        /// Which package.
        package: Package,
        /// Seconds to ask for; `None` for the default.
        expires: Option<u32>,
    },
    /// End a subscription.
    Unsubscribe {
        /// Whom.
        target: Aor,
        /// Which package.
        package: Package,
    },
    /// Ask once (Expires 0).
    Fetch {
        /// Whom.
        target: Aor,
    },
    /// Decide about a watcher; `None` goes back to asking.
    Decide {
        /// Whom.
        watcher: Aor,
        /// How.
        verdict: Option<Verdict>,
    },
    /// Speak with somebody in the paper's form, or not any more ([`DirectPolicy::paper`]).
    Mark {
        /// Whom.
        peer: Aor,
        /// In the paper's form, or not.
        paper: bool,
    },
    /// Send a pager message.
    SendMessage {
        /// To whom.
        target: Aor,
        /// Text.
        text: Box<str>,
        /// Number chosen by the caller, echoed in [`Event::MessageStatus`].
        ticket: u64,
    },
    /// Call somebody by INVITE. [`Event::Call`] tells the call's name.
    Call {
        /// Whom.
        target: Aor,
        /// Ports that are open and what they can do.
        abilities: Abilities,
    },
    /// Answer a call that came in.
    Answer {
        /// Which.
        call: CallId,
        /// Ports that are open and what they can do.
        abilities: Abilities,
    },
    /// End a call, or refuse it.
    Hangup {
        /// Which.
        call: CallId,
    },
    /// Put the other side of a call on hold, or take it back (RFC 3264 §8.4).
    Hold {
        /// Which.
        call: CallId,
        /// On hold, or not.
        hold: bool,
    },
    /// Speak to somebody directly: as its offer says (M21), or back to one who is heard and would
    /// hear us (X13), then from the port it is heard on. [`Event::Flow`] tells the flow's name.
    Direct {
        /// Whom.
        target: Aor,
        /// `audio` or `video`.
        media: Box<str>,
        /// Port that is open for it.
        port: u16,
        /// What we can encode; if it is to be heard too, what we can also decode.
        codecs: Vec<Codec>,
        /// Whether the other side may speak back on the same port, for as long as this flow
        /// streams (X13): set only if the user is willing to hear it.
        hears: bool,
    },
    /// End a direct flow, either way.
    StopFlow {
        /// Which.
        flow: FlowId,
    },
    /// A STUN datagram came to a media port.
    MediaPacket {
        /// Our port.
        port: u16,
        /// Where it came from.
        from: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
    /// RTP of no flow came from a host of [`Event::MediaWelcome`]. To be said of one sender at
    /// a host at a time.
    MediaKnock {
        /// Our port.
        port: u16,
        /// Where it came from.
        from: SocketAddr,
        /// SSRC of its sender.
        ssrc: u32,
        /// Payload type.
        pt: u8,
    },
    /// Valid media or RTCP of a flow came; to be said about once a second.
    MediaHeard {
        /// Which.
        flow: FlowId,
    },
    /// A valid RTCP BYE of a flow came.
    MediaBye {
        /// Which.
        flow: FlowId,
    },
    /// The other side's port of a flow cannot be reached.
    MediaUnreachable {
        /// Which.
        flow: FlowId,
    },
}

/// State of one of our subscriptions, for the user.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum SubscriptionPhase {
    /// SUBSCRIBE sent, no NOTIFY yet.
    Trying,
    Pending,
    Active,
    Terminated,
}

/// State of a message we sent (M18).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs)]
pub enum MessagePhase {
    Queued,
    Sending,
    Delivered,
    Stored,
    Failed,
}

/// What the user is told.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// Registered for this many seconds.
    Registered {
        /// Granted seconds.
        expires: u32,
    },
    /// Registration failed: status (0: no answer) and whether it will be tried again.
    RegisterFailed {
        /// SIP status, 0 for none.
        status: u16,
        /// Reason phrase or explanation.
        reason: Box<str>,
        /// Milliseconds until the next try, if any.
        retry_ms: Option<u64>,
    },
    /// The server's boot id changed (D21).
    ServerRestarted,
    /// All is taken back, or given up on.
    LoggedOut,
    /// Our publication is up.
    Published {
        /// Entity-tag.
        etag: Box<str>,
        /// Granted seconds.
        expires: u32,
    },
    /// A presence document of somebody we watch.
    Presence {
        /// Whose.
        aor: Aor,
        /// The document.
        document: Pidf,
    },
    /// An offer appeared, changed or went (M23).
    Offer {
        /// Whose.
        aor: Aor,
        /// Tuple id.
        tuple: Box<str>,
        /// Media kind.
        media: Box<str>,
        /// Address and port to check, if usable.
        address: Option<Box<str>>,
        /// Codecs in order.
        codecs: Vec<Box<str>>,
        /// `None`: the offer is gone.
        mode: Option<Mode>,
    },
    /// One of our subscriptions changed.
    Subscription {
        /// Whom we watch.
        target: Aor,
        /// Which package.
        package: Package,
        /// State.
        phase: SubscriptionPhase,
        /// Reason of a termination, or status of a failure.
        reason: Option<Box<str>>,
        /// Seconds left.
        expires: Option<u32>,
    },
    /// A row of watcher information (ours, or our own view of somebody's).
    Watcher {
        /// The watched resource.
        resource: Aor,
        /// Row id.
        id: Box<str>,
        /// Watcher URI.
        uri: Box<str>,
        /// Status.
        status: Status,
        /// Cause.
        cause: Cause,
        /// Display name.
        name: Option<Box<str>>,
    },
    /// A decision was accepted (durable) or not.
    Decided {
        /// About whom.
        watcher: Aor,
        /// SIP status; 200 is success, 0 no answer.
        status: u16,
    },
    /// A pager message arrived.
    Message {
        /// From whom.
        from: Aor,
        /// Message id.
        id: Box<str>,
        /// Content-Type.
        content_type: Box<str>,
        /// Text.
        text: Box<str>,
        /// Whether the server had stored it.
        stored: bool,
        /// Whether it came after its own expiry.
        expired: bool,
    },
    /// A message we sent changed its state.
    MessageStatus {
        /// The number given with the command.
        ticket: u64,
        /// To whom.
        target: Aor,
        /// State.
        phase: MessagePhase,
        /// SIP status behind it, if any.
        status: Option<u16>,
    },
    /// A call began, changed or ended.
    Call {
        /// Which.
        call: CallId,
        /// With whom.
        peer: Box<str>,
        /// State.
        phase: CallPhase,
        /// What flows now; empty unless it is up.
        flows: Vec<Flow>,
        /// SIP status behind it, if any.
        status: Option<u16>,
        /// Why it ended.
        reason: Option<Box<str>>,
    },
    /// A direct flow began, changed or ended.
    Flow {
        /// Which.
        flow: FlowId,
        /// With whom.
        peer: Aor,
        /// Media kind.
        media: Box<str>,
        /// Which way.
        way: Way,
        /// State.
        phase: FlowPhase,
        /// What flows, while it streams; or how much may flow before the answer.
        stream: Option<DirectStream>,
        /// Why it stopped.
        reason: Option<StopReason>,
    },
    /// Send this datagram from a media port.
    MediaPacket {
        /// Our port.
        port: u16,
        /// Where to.
        to: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
    /// From these hosts, and no others, RTP without a flow is worth a [`Command::MediaKnock`]
    /// (the paper's form). Takes the place of what was said of this port before.
    MediaWelcome {
        /// Our port.
        port: u16,
        /// The hosts.
        from: BTreeSet<IpAddr>,
    },
    /// Send RTCP BYE from a media port, now and twice again (behaviour §6.7).
    MediaBye {
        /// Our port.
        port: u16,
        /// Where to.
        to: SocketAddr,
        /// Our SSRC.
        ssrc: u32,
        /// Keys, if it is SRTP.
        keys: Option<StreamKeys>,
    },
    /// Something the user should know and nothing else says.
    Error {
        /// What was tried.
        what: Box<str>,
        /// What went wrong and what helps.
        why: Box<str>,
    },
}
