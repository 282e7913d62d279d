//! What is to be reached, as data: the ratio to another figure of the same run, or a figure itself.

use super::report::Comparison;
use super::target::Target;
use super::target::Target::{
    Echo, KamailioMemory, KamailioSqlite, PresentlyDurable, PresentlyMemory, TwoShards,
};

/// Which figure of a run.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Of {
    /// CPU of the server for one operation, µs.
    Cpu,
    /// Operations a second.
    Rate,
    /// Median latency, ms.
    P50,
    /// Latency of all but one in a hundred, ms.
    P99,
    /// CPU of the server for each NOTIFY to so many watchers, its share of the PUBLISH with it, µs.
    NotifyCpu(u32),
    /// CPU of the server for one PUBLISH to so many watchers, all its NOTIFYs included, µs.
    PublishCpu(u32),
    /// From the PUBLISH to the last of so many NOTIFYs, median, ms.
    LastNotify(u32),
    /// Most memory that was seen, MB.
    Memory,
    /// Memory of the idle server, MB.
    IdleMemory,
    /// CPU of the idle server, percent of a core.
    IdleCpu,
    /// What succeeded under too much load, of what the server was measured to carry.
    Goodput,
    /// Of those who were in, the share whose refresh was served then, percent.
    RefreshesServed,
    /// Of newcomers, the share who were served then, percent.
    NewcomersServed,
    /// Refusals then without a word of when to come back.
    Rude,
    /// How long it took to be as before, s.
    Recovery,
    /// How long a restarted server did not answer, s.
    Away,
    /// From its first datagram until everybody had been told, s.
    Told,
    /// Most NOTIFYs of it in a tenth of a second.
    Storm,
    /// Subscriptions that were never told, and requests that were given up.
    Forgotten,
}

/// A figure of one step of one operation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// The operation's name.
    pub operation: &'static str,
    /// The step's name; empty where there is one.
    pub step: &'static str,
    /// Which figure.
    pub of: Of,
}

const fn figure(operation: &'static str, step: &'static str, of: Of) -> Figure {
    Figure { operation, step, of }
}

const fn cpu(operation: &'static str) -> Figure {
    figure(operation, "", Of::Cpu)
}

/// What a figure is held against.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Against {
    /// Nothing: the bound is on the figure itself.
    Itself,
    /// The same figure of another server.
    Server(Target),
    /// Another figure of another server.
    Figure(Target, Figure),
    /// Another figure of the same server.
    Own(Figure),
}

/// One goal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Goal {
    /// What it is about.
    pub title: &'static str,
    /// The unit of the figure.
    pub unit: &'static str,
    /// Which figure it is.
    pub figure: Figure,
    /// What it is held against.
    pub against: Against,
    /// Whose figure, and how much of the other it may be.
    pub bounds: &'static [(Target, f64)],
    /// Whether the bound is the least instead of the most.
    pub at_least: bool,
}

const fn goal(
    title: &'static str,
    unit: &'static str,
    figure: Figure,
    against: Against,
    bounds: &'static [(Target, f64)],
) -> Goal {
    Goal { title, unit, figure, against, bounds, at_least: false }
}

const KAMAILIO: Against = Against::Server(KamailioMemory);

/// The same bound for both of ours.
const BOTH_15: &[(Target, f64)] = &[(PresentlyMemory, 0.15), (PresentlyDurable, 0.15)];

/// All goals, in the order of the table.
pub const GOALS: &[Goal] = &[
    goal(
        "REGISTER refresh",
        "µs",
        cpu("register-refresh"),
        KAMAILIO,
        &[(PresentlyMemory, 0.45), (PresentlyDurable, 1.0)],
    ),
    goal(
        "REGISTER with reused nonce",
        "µs",
        cpu("register-reused"),
        KAMAILIO,
        &[(PresentlyMemory, 0.6), (PresentlyDurable, 1.0)],
    ),
    goal(
        "SUBSCRIBE new, with NOTIFY",
        "µs",
        cpu("subscribe-new"),
        KAMAILIO,
        &[(PresentlyMemory, 0.15), (PresentlyDurable, 0.2)],
    ),
    goal(
        "SUBSCRIBE new, with NOTIFY",
        "µs",
        cpu("subscribe-new"),
        Against::Server(KamailioSqlite),
        &[(PresentlyDurable, 0.1)],
    ),
    goal(
        "NOTIFY, fan-out of 100",
        "µs",
        figure("publish", "100", Of::NotifyCpu(100)),
        KAMAILIO,
        BOTH_15,
    ),
    goal(
        "NOTIFY, fan-out of 1000",
        "µs",
        figure("publish", "1000", Of::NotifyCpu(1000)),
        KAMAILIO,
        BOTH_15,
    ),
    goal(
        "last NOTIFY after PUBLISH to 1000, p50",
        "ms",
        figure("publish", "1000", Of::LastNotify(1000)),
        KAMAILIO,
        &[(PresentlyMemory, 0.2), (PresentlyDurable, 0.2)],
    ),
    goal("MESSAGE relay", "µs", cpu("message"), KAMAILIO, BOTH_15),
    goal(
        "memory after 100 000 SUBSCRIBEs at 20 000/s",
        "MB",
        figure("burst", "", Of::Memory),
        KAMAILIO,
        &[(PresentlyMemory, 0.1), (PresentlyDurable, 0.1)],
    ),
    goal(
        "REGISTER refresh",
        "µs",
        cpu("register-refresh"),
        Against::Figure(Echo, cpu("echo-register")),
        &[(PresentlyMemory, 2.5), (PresentlyDurable, 2.5)],
    ),
    goal(
        "NOTIFY, fan-out of 1000",
        "µs",
        figure("publish", "1000", Of::NotifyCpu(1000)),
        Against::Figure(Echo, cpu("echo-notify")),
        &[(PresentlyMemory, 2.5), (PresentlyDurable, 2.5)],
    ),
    goal(
        "memory of 1 000 000 subscriptions",
        "MB",
        figure("million", "idle", Of::IdleMemory),
        Against::Itself,
        &[(PresentlyMemory, 1300.0), (PresentlyDurable, 1300.0)],
    ),
    goal(
        "SUBSCRIBE new among 1 000 000, to one among 10 000",
        "µs",
        figure("million", "new", Of::Cpu),
        Against::Own(figure("million", "new-few", Of::Cpu)),
        &[(PresentlyMemory, 1.3), (PresentlyDurable, 1.6)],
    ),
    goal(
        "idle CPU with 1 000 000 subscriptions",
        "% of a core",
        figure("million", "idle", Of::IdleCpu),
        Against::Itself,
        &[(PresentlyMemory, 0.5), (PresentlyDurable, 0.5)],
    ),
    Goal {
        title: "goodput under three times its peak",
        unit: "× its peak",
        figure: figure("overload", "", Of::Goodput),
        against: Against::Itself,
        bounds: &[(PresentlyMemory, 0.8), (PresentlyDurable, 0.8)],
        at_least: true,
    },
    goal(
        "back to normal after that",
        "s",
        figure("overload", "", Of::Recovery),
        Against::Itself,
        &[(PresentlyMemory, 5.0), (PresentlyDurable, 5.0)],
    ),
    goal(
        "restart with 1 000 000 rows until it answers",
        "s",
        figure("restart", "", Of::Away),
        Against::Itself,
        &[(PresentlyDurable, 10.0)],
    ),
    goal(
        "never told after that, or timed out",
        "",
        figure("restart", "", Of::Forgotten),
        Against::Itself,
        &[(PresentlyDurable, 0.0)],
    ),
    Goal {
        title: "PUBLISHes of 60 tuples a second, two shards",
        unit: "/s",
        figure: figure("shards-publish", "", Of::Rate),
        against: Against::Server(Target::OneShard),
        bounds: &[(TwoShards, 1.7)],
        at_least: true,
    },
];

/// How one server stands to one goal.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Verdict {
    /// Its figure.
    pub value: f64,
    /// What is held against the bound: a ratio, or the figure itself.
    pub measured: f64,
    /// The bound.
    pub bound: f64,
    /// Whether the goal is reached.
    pub reached: bool,
}

impl Goal {
    /// The figure that others are held against, where there is one and it was measured.
    pub fn base(&self, comparison: &Comparison, target: Target) -> Option<f64> {
        let (server, figure) = match self.against {
            Against::Itself => return None,
            Against::Server(server) => (server, self.figure),
            Against::Figure(server, figure) => (server, figure),
            Against::Own(figure) => (target, figure),
        };
        comparison.figure(server, figure).map(|spread| spread.median)
    }

    /// How `target` stands to it; `None` if that was not measured, or is no goal.
    pub fn verdict(&self, comparison: &Comparison, target: Target) -> Option<Verdict> {
        let (_, bound) = *self.bounds.iter().find(|(server, _)| *server == target)?;
        let value = comparison.figure(target, self.figure)?.median;
        let measured = match self.against {
            Against::Itself => value,
            Against::Server(_) | Against::Figure(..) | Against::Own(_) => {
                value / self.base(comparison, target)?
            }
        };
        let reached = if self.at_least { measured >= bound } else { measured <= bound };
        Some(Verdict { value, measured, bound, reached })
    }
}
