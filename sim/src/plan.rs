//! Everything a run is, as a value: it can be written, read, compared and made smaller.
//!
//! Times are milliseconds since the start of the run. Users are named as in the scenario; a device
//! is `alice` (her only one) or `alice/desk`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A whole run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What the run is called.
    pub title: String,
    /// What it is about, for people.
    #[serde(default)]
    pub story: String,
    /// Where chance comes from.
    pub seed: u64,
    /// How long the timeline is, in ms; the run goes on until all is quiet.
    pub duration_ms: u64,
    /// The server.
    #[serde(default)]
    pub server: ServerPlan,
    /// Who takes part.
    pub users: Vec<UserPlan>,
    /// What the network is like at first.
    #[serde(default)]
    pub network: Weather,
    /// What happens, in the order of time.
    pub steps: Vec<Step>,
    /// What has to be seen.
    #[serde(default)]
    pub expectations: Vec<Expectation>,
}

/// The server's settings as far as a plan chooses them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerPlan {
    /// What happens to watchers nobody has decided about: `confirm`, `allow` or `block`.
    pub default_policy: String,
    /// Least time between two notifications of one subscription, ms (K4).
    pub notify_gap_ms: u64,
    /// How many shards.
    pub shards: usize,
    /// How long pending and waiting watchers are kept, ms (K5).
    pub giveup_ms: u64,
    /// Shortest subscription, s (K2).
    pub sub_min: u32,
}

impl Default for ServerPlan {
    fn default() -> Self {
        Self {
            default_policy: "confirm".into(),
            notify_gap_ms: 0,
            shards: 1,
            giveup_ms: 7 * 86_400_000,
            sub_min: 60,
        }
    }
}

/// A user and the devices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserPlan {
    /// The name, which is also the account.
    pub name: String,
    /// Names of the devices; a user without any has one.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Seconds asked for registrations, publications and subscriptions.
    #[serde(default = "hour")]
    pub refresh: u32,
    /// Whether the user is behind a translator of addresses (NAT).
    #[serde(default)]
    pub nat: bool,
    /// Whether the user offers direct media in the paper's form, without a secret (§6.10).
    #[serde(default, skip_serializing_if = "is_false")]
    pub paper: bool,
}

/// What a plan need not say.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_false(switch: &bool) -> bool {
    !*switch
}

fn hour() -> u32 {
    3600
}

impl UserPlan {
    /// The addresses in the plan's language: `alice`, or `alice/desk` for each of several.
    pub fn device_names(&self) -> Vec<DeviceName> {
        let name = |device: &str| DeviceName { user: self.name.clone(), device: device.to_owned() };
        match &*self.devices {
            [] => vec![name("")],
            devices => devices.iter().map(|device| name(device)).collect(),
        }
    }
}

/// A device of a user. Without a name it is the only one.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct DeviceName {
    /// Whose.
    pub user: String,
    /// Which; empty for the only one.
    pub device: String,
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.device {
            "" => f.write_str(&self.user),
            device => write!(f, "{}/{device}", self.user),
        }
    }
}

/// Somebody on the network.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Party {
    /// The server.
    Server,
    /// A device.
    Device(DeviceName),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("server"),
            Self::Device(name) => name.fmt(f),
        }
    }
}

/// What the network does to datagrams. Shares are from 0 to 1.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weather {
    /// Least time on the way, ms.
    pub latency_ms: u64,
    /// Most time on the way, ms; a later datagram does not overtake unless it is `reorder`ed.
    pub jitter_ms: u64,
    /// Share that is lost.
    pub loss: f64,
    /// Share that comes twice.
    pub duplicate: f64,
    /// Share that is held back and may be overtaken.
    pub reorder: f64,
    /// Share of which a byte is changed.
    pub corrupt: f64,
    /// Largest datagram that passes, bytes.
    pub mtu: usize,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            latency_ms: 10,
            jitter_ms: 0,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            corrupt: 0.0,
            mtu: 65_507,
        }
    }
}

/// Something that happens at a time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at_ms: u64,
    /// What.
    pub act: Act,
}

/// What can happen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Act {
    /// A device starts and logs in.
    Login(DeviceName),
    /// A device is given a line of `presence-ua`'s language.
    Order(DeviceName, String),
    /// A party's process is gone at once, as by `kill -9`. The server loses what was not synced.
    Crash(Party),
    /// A crashed party starts again (a device logs in by itself).
    Start(Party),
    /// The server is stopped in order.
    Stop,
    /// A party's process does nothing for so many ms, as one that is suspended or not given a
    /// processor: datagrams queue up at its socket, deadlines pass, orders wait. Then all of it
    /// comes at once (R52). A process that is started anew does not stall.
    Stall(Party, u64),
    /// The wall clock of a party's machine jumps by so many ms, forward or back (R53).
    ///
    /// A process reads that clock once, when it starts, and from then on counts monotonic time
    /// ([`presently_net::Clock`], behaviour §0.2 and D20). So a process that runs notices nothing;
    /// what starts after the jump, on records from before it, lives in another time. Monotonic
    /// time itself is the same for all and never wrong.
    ClockStep(Party, i64),
    /// What one party sends does not reach the other; both ways, or one.
    Cut {
        /// One side.
        from: Party,
        /// The other.
        to: Party,
        /// Whether `to` does not reach `from` either.
        both: bool,
    },
    /// All cuts are mended.
    Mend,
    /// The network is like this from now on.
    Weather(Weather),
    /// The translator before a user forgets its mappings; the next datagram gets a new port.
    Rebind(String),
    /// The store stops to sync (`true`), or syncs again.
    HoldDisk(bool),
    /// The store fails at every write (`true`), or works again.
    FailDisk(bool),
    /// Everything that a party has sent so far is sent again by somebody else.
    Replay(Party),
    /// A stranger sends so many unauthenticated requests.
    Flood(u32),
}

impl Act {
    /// How long it takes, ms: nothing but a stall takes time by itself.
    pub fn lasts_ms(&self) -> u64 {
        match self {
            Self::Stall(_, ms) => *ms,
            Self::Login(_)
            | Self::Order(..)
            | Self::Crash(_)
            | Self::Start(_)
            | Self::Stop
            | Self::ClockStep(..)
            | Self::Cut { .. }
            | Self::Mend
            | Self::Weather(_)
            | Self::Rebind(_)
            | Self::HoldDisk(_)
            | Self::FailDisk(_)
            | Self::Replay(_)
            | Self::Flood(_) => 0,
        }
    }
}

/// Something that has to be seen, or must not be.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// As the scenario says it.
    pub text: String,
    /// When it is looked at.
    pub when: When,
    /// What is claimed.
    pub claim: Claim,
}

/// When a claim has to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum When {
    /// At some moment from `from_ms` through `until_ms`.
    Within {
        /// First moment.
        from_ms: u64,
        /// Last moment.
        until_ms: u64,
    },
    /// At the end of the run, when all is quiet.
    Eventually,
    /// At no moment from `from_ms` on.
    Never {
        /// First moment.
        from_ms: u64,
    },
}

/// What is claimed about what somebody sees.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Claim {
    /// A device's last document of somebody: open, closed, or nothing at all, with a note.
    Sees {
        /// Who looks.
        watcher: DeviceName,
        /// At whom.
        whom: String,
        /// `open`, `closed` or `nothing`.
        basic: String,
        /// The note, if it matters.
        note: Option<String>,
    },
    /// The state of a device's subscription to somebody.
    Subscribed {
        /// Who watches.
        watcher: DeviceName,
        /// Whom.
        whom: String,
        /// `pending`, `active` or `terminated`.
        state: String,
    },
    /// All live rows of watcher information that a device knows about its user.
    Watchers {
        /// Who looks.
        owner: DeviceName,
        /// Watcher and status, sorted; terminated rows are not shown.
        rows: Vec<(String, String)>,
    },
    /// A device knows an offer of somebody.
    Offer {
        /// Who looks.
        watcher: DeviceName,
        /// Whose.
        whom: String,
        /// `audio` or `video`.
        media: String,
    },
    /// Sound of somebody is played by a device, just now.
    Hears {
        /// Who listens.
        listener: DeviceName,
        /// Whom.
        whom: String,
    },
    /// A device is in a call that is up.
    Calls {
        /// Who.
        device: DeviceName,
        /// With whom.
        whom: String,
    },
    /// A device has shown this text so often.
    Messages {
        /// Who reads.
        reader: DeviceName,
        /// The text.
        text: String,
        /// How often.
        count: usize,
    },
    /// A device is registered, or not.
    Registered {
        /// Who.
        device: DeviceName,
        /// Whether.
        registered: bool,
    },
}
