//! What is measured: operations as data.

use super::target::Target;

/// Something that is asked of a server that was started for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// Its name on the command line and in JSON.
    pub(crate) name: &'static str,
    /// Its name in tables.
    pub(crate) title: &'static str,
    /// Whether the server wants a proof.
    pub(crate) digest: bool,
    /// Of whom it is asked.
    pub(crate) targets: &'static [Target],
    /// One run of `presence-load` after the other against the same server.
    pub(crate) steps: &'static [Step],
    /// Whether one round has to do, as it takes minutes.
    pub(crate) once: bool,
    /// Whether server and generator have processors of their own.
    pub(crate) apart: bool,
}

/// One run of `presence-load`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Tells the steps of an operation apart.
    pub(crate) name: &'static str,
    pub(crate) scenario: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) length: Length,
    pub(crate) meanwhile: Meanwhile,
}

/// What else there is about a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meanwhile {
    Nothing,
    /// It is told the rate of an earlier step.
    AfterPeak(&'static str),
    /// The server is killed and started again when the run says that it is ready for that.
    Restart,
}

/// How long a run is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// As the command line says, after a second of the same.
    Timed,
    /// So many; a tenth of it in a quick run.
    Count(u64),
}

const SERVERS: &[Target] = &[
    Target::KamailioMemory,
    Target::KamailioSqlite,
    Target::PresentlyMemory,
    Target::PresentlyDurable,
];
/// Without Kamailio in memory, which has no presence.winfo.
const WITH_ROWS: &[Target] =
    &[Target::KamailioSqlite, Target::PresentlyMemory, Target::PresentlyDurable];
const IN_MEMORY: &[Target] =
    &[Target::KamailioMemory, Target::PresentlyMemory, Target::PresentlyDurable];
const OURS: &[Target] = &[Target::PresentlyMemory, Target::PresentlyDurable];
const DURABLE: &[Target] = &[Target::PresentlyDurable];
const ECHO: &[Target] = &[Target::Echo];
const SHARDS: &[Target] = &[Target::OneShard, Target::TwoShards];

/// An operation as most are.
const fn of(
    name: &'static str,
    title: &'static str,
    targets: &'static [Target],
    steps: &'static [Step],
) -> Operation {
    Operation { name, title, digest: false, targets, steps, once: false, apart: false }
}

const fn step(scenario: &'static str) -> [Step; 1] {
    [Step {
        name: "",
        scenario,
        arguments: &[],
        length: Length::Timed,
        meanwhile: Meanwhile::Nothing,
    }]
}

const fn counted(
    name: &'static str,
    scenario: &'static str,
    count: u64,
    arguments: &'static [&'static str],
) -> Step {
    let (length, meanwhile) = (Length::Count(count), Meanwhile::Nothing);
    Step { name, scenario, arguments, length, meanwhile }
}

const fn with_digest(operation: Operation) -> Operation {
    Operation { digest: true, ..operation }
}

const fn once(operation: Operation) -> Operation {
    Operation { once: true, ..operation }
}

const fn apart(operation: Operation) -> Operation {
    Operation { apart: true, ..operation }
}

const REGISTER_NEW: &[Step; 1] = &step("register-new");
const REGISTER_REFRESH: &[Step; 1] = &step("register-refresh");
const REGISTER_CHALLENGED: &[Step; 1] = &step("register-challenged");
const REGISTER_REUSED: &[Step; 1] = &step("register-reused");
const SUBSCRIBE_NEW: &[Step; 1] = &step("subscribe-new");
const SUBSCRIBE_REFRESH: &[Step; 1] = &step("subscribe-refresh");
const SUBSCRIBE_END: &[Step] = &[counted("", "subscribe-end", 50_000, &[])];
const MESSAGE: &[Step; 1] = &step("message");
const WINFO: &[Step; 1] = &step("winfo");
const OFFICE: &[Step; 1] = &step("office");

/// The bytes of a REGISTER and its 200, of a NOTIFY and its 200: what the echo gets and gives. The
/// server sends a NOTIFY and gets its 200, so the echo gets the small one and gives the large one.
const ECHO_REGISTER: &[Step; 1] = &[Step {
    name: "",
    scenario: "echo",
    arguments: &["--size", "340", "--answer-size", "400"],
    length: Length::Timed,
    meanwhile: Meanwhile::Nothing,
}];
const ECHO_NOTIFY: &[Step; 1] = &[Step {
    name: "",
    scenario: "echo",
    arguments: &["--size", "270", "--answer-size", "770"],
    length: Length::Timed,
    meanwhile: Meanwhile::Nothing,
}];

const FAN_OUT: &[Step] = &[
    counted("few", "publish", 2000, &["--watchers", "0,1,10"]),
    counted("100", "publish", 300, &["--watchers", "100"]),
    counted("1000", "publish", 60, &["--watchers", "1000"]),
    counted("10000", "publish", 4, &["--watchers", "10000"]),
];

const BURST: &[Step] =
    &[counted("", "hold", 100_000, &["--rate", "20000", "--seconds", "2", "--leave"])];

/// What is finished is forgotten after 32 s (RFC 3261 §17.2.2), so idle is what comes after that.
const MILLION: &[Step] = &[
    counted("hold-few", "hold", 10_000, &["--leave", "--seconds", "1", "--user-prefix", "a"]),
    counted("new-few", "subscribe-new", 20_000, &["--leave", "--user-prefix", "b"]),
    counted("hold", "hold", 1_000_000, &["--leave", "--seconds", "45", "--user-prefix", "c"]),
    counted("idle", "hold", 10, &["--leave", "--seconds", "30", "--user-prefix", "d"]),
    counted("new", "subscribe-new", 20_000, &["--leave", "--user-prefix", "e"]),
];

/// What costs the server many times what it costs the generator: there two shards have room.
const PUBLISH_LARGE: &[Step] =
    &[Step { arguments: &["--tuples", "60"], ..step("publish-many")[0] }];

const OVERLOAD: &[Step] = &[
    counted("peak", "subscribe-new", 50_000, &["--leave", "--user-prefix", "a"]),
    Step {
        meanwhile: Meanwhile::AfterPeak("peak"),
        ..counted("", "overload", 10_000, &["--seconds", "60", "--leave"])
    },
];

const RESTART: &[Step] = &[Step {
    meanwhile: Meanwhile::Restart,
    ..counted("", "storm", 1_000_000, &["--seconds", "90", "--leave"])
}];

/// Everything, in the order of the tables.
pub(crate) const OPERATIONS: &[Operation] = &[
    of("register-new", "REGISTER, new", SERVERS, REGISTER_NEW),
    of("register-refresh", "REGISTER refresh", SERVERS, REGISTER_REFRESH),
    with_digest(of(
        "register-challenged",
        "REGISTER, 401, REGISTER with a proof",
        IN_MEMORY,
        REGISTER_CHALLENGED,
    )),
    with_digest(of("register-reused", "REGISTER with reused nonce", SERVERS, REGISTER_REUSED)),
    of("subscribe-new", "SUBSCRIBE new, with NOTIFY", SERVERS, SUBSCRIBE_NEW),
    of("subscribe-refresh", "SUBSCRIBE refresh, with NOTIFY", IN_MEMORY, SUBSCRIBE_REFRESH),
    of("subscribe-end", "SUBSCRIBE end, with NOTIFY", IN_MEMORY, SUBSCRIBE_END),
    of("message", "MESSAGE relay", SERVERS, MESSAGE),
    of("winfo", "a watcher for an owner with presence.winfo", WITH_ROWS, WINFO),
    of("office", "office, an operation of the mix", IN_MEMORY, OFFICE),
    of("publish", "PUBLISH", IN_MEMORY, FAN_OUT),
    of("echo-register", "a datagram of REGISTER's size", ECHO, ECHO_REGISTER),
    of("echo-notify", "a datagram of NOTIFY's size", ECHO, ECHO_NOTIFY),
    of("burst", "100 000 SUBSCRIBEs at 20 000/s", IN_MEMORY, BURST),
    of("shards-publish", "PUBLISH of 60 tuples", SHARDS, PUBLISH_LARGE),
    of("shards-register", "REGISTER refresh", SHARDS, REGISTER_REFRESH),
    of("shards-subscribe", "SUBSCRIBE new, with NOTIFY", SHARDS, SUBSCRIBE_NEW),
    of("shards-message", "MESSAGE relay", SHARDS, MESSAGE),
    once(of("million", "1 000 000 subscriptions", OURS, MILLION)),
    apart(once(of("overload", "three times what it carries", OURS, OVERLOAD))),
    once(of("restart", "restart with 1 000 000 subscriptions", DURABLE, RESTART)),
];

impl Operation {
    /// Whether it is a row of the tables of costs and rates.
    pub(crate) fn is_row(&self) -> bool {
        let is_ours = self.targets.contains(&Target::PresentlyMemory);
        is_ours && self.steps.len() == 1 && self.name != "burst"
    }
}

/// The operation of that name.
pub(crate) fn named(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}
