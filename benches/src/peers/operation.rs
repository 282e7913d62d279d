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
}

/// One run of `presence-load`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// Tells the steps of an operation apart.
    pub(crate) name: &'static str,
    pub(crate) scenario: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) length: Length,
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
const ECHO: &[Target] = &[Target::Echo];
const SHARDS: &[Target] = &[Target::OneShard, Target::TwoShards];

/// An operation of one timed step.
const fn timed(
    name: &'static str,
    title: &'static str,
    targets: &'static [Target],
    steps: &'static [Step; 1],
) -> Operation {
    Operation { name, title, digest: false, targets, steps }
}

const fn step(scenario: &'static str) -> [Step; 1] {
    [Step { name: "", scenario, arguments: &[], length: Length::Timed }]
}

const fn counted(
    name: &'static str,
    scenario: &'static str,
    count: u64,
    arguments: &'static [&'static str],
) -> Step {
    Step { name, scenario, arguments, length: Length::Count(count) }
}

const fn with_digest(operation: Operation) -> Operation {
    Operation { digest: true, ..operation }
}

const REGISTER_NEW: &[Step; 1] = &step("register-new");
const REGISTER_REFRESH: &[Step; 1] = &step("register-refresh");
const REGISTER_CHALLENGED: &[Step; 1] = &step("register-challenged");
const REGISTER_REUSED: &[Step; 1] = &step("register-reused");
const SUBSCRIBE_NEW: &[Step; 1] = &step("subscribe-new");
const SUBSCRIBE_REFRESH: &[Step; 1] = &step("subscribe-refresh");
const SUBSCRIBE_END: &[Step; 1] = &step("subscribe-end");
const MESSAGE: &[Step; 1] = &step("message");
const WINFO: &[Step; 1] = &step("winfo");
const OFFICE: &[Step; 1] = &step("office");

/// The bytes of a REGISTER and its 200, of a NOTIFY and its 200: what the echo gets and gives. The
/// server sends a NOTIFY and gets its 200, so the echo gets the small one and gives the large one.
const ECHO_REGISTER: &[Step; 1] = &[Step {
    name: "",
    scenario: "echo",
    arguments: &["--size", "400", "--answer-size", "390"],
    length: Length::Timed,
}];
const ECHO_NOTIFY: &[Step; 1] = &[Step {
    name: "",
    scenario: "echo",
    arguments: &["--size", "310", "--answer-size", "900"],
    length: Length::Timed,
}];

const FAN_OUT: &[Step] = &[
    counted("few", "publish", 2000, &["--watchers", "0,1,10"]),
    counted("100", "publish", 300, &["--watchers", "100"]),
    counted("1000", "publish", 60, &["--watchers", "1000"]),
    counted("10000", "publish", 8, &["--watchers", "10000"]),
];

const BURST: &[Step] =
    &[counted("", "hold", 100_000, &["--rate", "20000", "--seconds", "2", "--leave"])];

const MILLION: &[Step] = &[
    counted("hold-few", "hold", 10_000, &["--leave", "--seconds", "1", "--user-prefix", "a"]),
    counted("new-few", "subscribe-new", 20_000, &["--leave", "--user-prefix", "b"]),
    counted("hold", "hold", 1_000_000, &["--leave", "--seconds", "60", "--user-prefix", "c"]),
    counted("new", "subscribe-new", 20_000, &["--leave", "--user-prefix", "d"]),
];

/// Everything, in the order of the tables.
pub(crate) const OPERATIONS: &[Operation] = &[
    timed("register-new", "REGISTER, new", SERVERS, REGISTER_NEW),
    timed("register-refresh", "REGISTER refresh", SERVERS, REGISTER_REFRESH),
    with_digest(timed(
        "register-challenged",
        "REGISTER, 401, REGISTER with a proof",
        SERVERS,
        REGISTER_CHALLENGED,
    )),
    with_digest(timed("register-reused", "REGISTER with reused nonce", SERVERS, REGISTER_REUSED)),
    timed("subscribe-new", "SUBSCRIBE new, with NOTIFY", SERVERS, SUBSCRIBE_NEW),
    timed("subscribe-refresh", "SUBSCRIBE refresh, with NOTIFY", SERVERS, SUBSCRIBE_REFRESH),
    timed("subscribe-end", "SUBSCRIBE end, with NOTIFY", SERVERS, SUBSCRIBE_END),
    timed("message", "MESSAGE relay", SERVERS, MESSAGE),
    timed("winfo", "a watcher for an owner with presence.winfo", WITH_ROWS, WINFO),
    timed("office", "office, an operation of the mix", SERVERS, OFFICE),
    Operation {
        name: "publish",
        title: "PUBLISH",
        digest: false,
        targets: IN_MEMORY,
        steps: FAN_OUT,
    },
    timed("echo-register", "a datagram of REGISTER's size", ECHO, ECHO_REGISTER),
    timed("echo-notify", "a datagram of NOTIFY's size", ECHO, ECHO_NOTIFY),
    Operation {
        name: "burst",
        title: "100 000 SUBSCRIBEs at 20 000/s",
        digest: false,
        targets: IN_MEMORY,
        steps: BURST,
    },
    Operation {
        name: "million",
        title: "1 000 000 subscriptions",
        digest: false,
        targets: OURS,
        steps: MILLION,
    },
    timed("shards-register", "REGISTER refresh", SHARDS, REGISTER_REFRESH),
    timed("shards-subscribe", "SUBSCRIBE new, with NOTIFY", SHARDS, SUBSCRIBE_NEW),
    timed("shards-message", "MESSAGE relay", SHARDS, MESSAGE),
];

/// The operation of that name.
pub(crate) fn named(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}
