//! Everything an operator can set, gathered from flags and the configuration file.
//!
//! Flags win over keys, keys over defaults. What cannot be right together is refused here, before
//! a socket, a store or a thread exists. Opens no file but the configuration itself.

use super::cli::Flags;
use super::limits;
use super::listen::{self, Listen};
use crate::config::rule::Rule;
use crate::config::sheet::{Sheet, Source};
use crate::failure::Failure;
use presently_engine::body::presrules::Handling;
use presently_engine::digest::NonceLimits;
use presently_engine::server::Limits;
use presently_engine::transaction::Timing;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where durable rows live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Storage {
    /// Nowhere: a restart forgets everything.
    Memory,
    /// In this folder.
    Folder(PathBuf),
}

/// What the server runs with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) domain: Box<str>,
    pub(crate) listen: Vec<Listen>,
    /// Whether `listen` is the default and may move when its port is busy (demo only).
    pub(crate) listen_may_move: bool,
    pub(crate) advertise: Option<Box<str>>,
    pub(crate) users: Option<PathBuf>,
    pub(crate) storage: Storage,
    pub(crate) default_policy: Handling,
    pub(crate) notify_gap: Duration,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) insecure_no_auth: bool,
    pub(crate) demo: bool,
    pub(crate) record_route: bool,
    pub(crate) legacy_cpim: bool,
    pub(crate) legacy_cpim_elements: bool,
    pub(crate) shards: usize,
    pub(crate) nonces: NonceLimits,
    pub(crate) limits: Limits,
    pub(crate) timing: Timing,
}

impl Settings {
    /// Reads the flags, and the configuration file if they name one.
    pub(crate) fn gather(flags: &Flags) -> Result<Self, Failure> {
        let file = match &flags.config {
            Some(path) => Written::from_file(path)?,
            None => Written::default(),
        };
        Written::from_flags(flags)?.over(file).settle()
    }

    /// Whether only this machine can reach the server.
    pub(crate) fn is_loopback(&self) -> bool {
        self.listen.iter().all(|listen| listen.is_loopback())
    }

    /// Refuses what would leave accounts open to the network: `what` is the setting behind it.
    pub(crate) fn require_loopback(&self, what: &str) -> Result<(), Failure> {
        match self.listen.iter().find(|listen| !listen.is_loopback()) {
            Some(open) => Err(Failure::usage(format!(
                "{what}: allowed only when every listener is loopback, and {open} is not"
            ))),
            None => Ok(()),
        }
    }
}

/// What one source of settings says; `None` where it is silent.
#[derive(Default, Debug)]
struct Written {
    domain: Option<Box<str>>,
    listen: Option<Vec<Listen>>,
    advertise: Option<Box<str>>,
    users: Option<PathBuf>,
    storage: Option<Storage>,
    default_policy: Option<Handling>,
    notify_gap: Option<Duration>,
    admin: Option<SocketAddr>,
    insecure_no_auth: Option<bool>,
    demo: Option<bool>,
    record_route: Option<bool>,
    legacy_cpim: Option<bool>,
    legacy_cpim_elements: Option<bool>,
    shards: Option<usize>,
    nonces: Option<NonceLimits>,
    limits: Option<Limits>,
    timing: Option<Timing>,
}

impl Written {
    fn from_flags(flags: &Flags) -> Result<Self, Failure> {
        fn one<T>(
            flag: &str,
            given: &Option<String>,
            rule: &Rule<T>,
        ) -> Result<Option<T>, Failure> {
            given.as_ref().map(|text| rule.flag(flag, text)).transpose()
        }
        let listen = flags.listen.iter().map(|text| rules::listen().flag("--listen", text));
        let listen = listen.collect::<Result<Vec<_>, _>>()?;
        let folder = flags.data.clone().map(Storage::Folder);
        Ok(Self {
            domain: one("--domain", &flags.domain, &rules::host())?,
            listen: (!listen.is_empty()).then_some(listen),
            users: flags.users.clone(),
            storage: if flags.memory { Some(Storage::Memory) } else { folder },
            default_policy: one("--default-policy", &flags.default_policy, &rules::policy())?,
            notify_gap: one("--notify-gap", &flags.notify_gap, &rules::gap())?
                .map(Duration::from_secs),
            admin: one("--admin", &flags.admin, &rules::address())?,
            insecure_no_auth: flags.insecure_no_auth.then_some(true),
            demo: flags.demo.then_some(true),
            ..Self::default()
        })
    }

    fn from_file(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("--config {name}: cannot be read: {error}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut sheet = Source { name: &name, text: &text }.sheet()?;
        let written = Self::from_sheet(&mut sheet, folder)?;
        sheet.finish()?;
        Ok(written)
    }

    fn from_sheet(sheet: &mut Sheet<'_>, folder: &Path) -> Result<Self, Failure> {
        let timing = limits::timing(&mut sheet.section("timing")?)?;
        Ok(Self {
            domain: sheet.get("domain", &rules::host())?,
            listen: sheet.list("listen", &rules::listen())?,
            advertise: sheet.get("advertise", &rules::host())?,
            users: sheet.get("users", &rules::path(folder))?,
            storage: storage(sheet, folder)?,
            default_policy: sheet.get("default_policy", &rules::policy())?,
            notify_gap: sheet.get("notify_gap", &rules::gap())?.map(Duration::from_secs),
            admin: sheet.get("admin", &rules::address())?,
            insecure_no_auth: sheet.get("insecure_no_auth", &Rule::switch())?,
            demo: sheet.get("demo", &Rule::switch())?,
            record_route: sheet.get("record_route", &Rule::switch())?,
            legacy_cpim: sheet.get("legacy_cpim", &Rule::switch())?,
            legacy_cpim_elements: sheet.get("legacy_cpim_elements", &Rule::switch())?,
            shards: sheet.get("shards", &Rule::number("a number of shards", 1..=256))?,
            nonces: Some(limits::nonces(&mut sheet.section("digest")?)?),
            limits: Some(limits::limits(&mut sheet.section("limits")?, &timing)?),
            timing: Some(timing),
        })
    }

    /// What `self` says, and where it is silent what `other` says.
    fn over(self, other: Self) -> Self {
        Self {
            domain: self.domain.or(other.domain),
            listen: self.listen.or(other.listen),
            advertise: self.advertise.or(other.advertise),
            users: self.users.or(other.users),
            storage: self.storage.or(other.storage),
            default_policy: self.default_policy.or(other.default_policy),
            notify_gap: self.notify_gap.or(other.notify_gap),
            admin: self.admin.or(other.admin),
            insecure_no_auth: self.insecure_no_auth.or(other.insecure_no_auth),
            demo: self.demo.or(other.demo),
            record_route: self.record_route.or(other.record_route),
            legacy_cpim: self.legacy_cpim.or(other.legacy_cpim),
            legacy_cpim_elements: self.legacy_cpim_elements.or(other.legacy_cpim_elements),
            shards: self.shards.or(other.shards),
            nonces: self.nonces.or(other.nonces),
            limits: self.limits.or(other.limits),
            timing: self.timing.or(other.timing),
        }
    }

    fn settle(self) -> Result<Settings, Failure> {
        let demo = self.demo.unwrap_or(false);
        let storage = match demo {
            true => Storage::Memory,
            false => Storage::Folder(PathBuf::from("presence-data")),
        };
        let home = Listen(SocketAddr::from(([127, 0, 0, 1], 5060)));
        let settings = Settings {
            domain: self.domain.unwrap_or_else(|| "localhost".into()),
            listen_may_move: demo && self.listen.is_none(),
            listen: self.listen.unwrap_or_else(|| vec![home]),
            advertise: self.advertise,
            users: self.users,
            storage: self.storage.unwrap_or(storage),
            default_policy: self.default_policy.unwrap_or(Handling::Confirm),
            notify_gap: self.notify_gap.unwrap_or(Duration::from_secs(if demo { 0 } else { 5 })),
            admin: self.admin,
            insecure_no_auth: self.insecure_no_auth.unwrap_or(false),
            demo,
            record_route: self.record_route.unwrap_or(false),
            legacy_cpim: self.legacy_cpim.unwrap_or(true),
            legacy_cpim_elements: self.legacy_cpim_elements.unwrap_or(false),
            shards: self.shards.unwrap_or_else(cores),
            nonces: self.nonces.unwrap_or_default(),
            limits: self.limits.unwrap_or_default(),
            timing: self.timing.unwrap_or_default(),
        };
        settings.check()?;
        Ok(settings)
    }
}

impl Settings {
    fn check(&self) -> Result<(), Failure> {
        if self.listen.is_empty() {
            return Err(Failure::usage(format!("listen = []: must name {}", Listen::ALLOWED)));
        }
        if self.insecure_no_auth {
            self.require_loopback("insecure_no_auth = true")?;
        }
        if self.demo && self.users.is_some() {
            return Err(Failure::usage(
                "demo = true: brings its own accounts and cannot be combined with users",
            ));
        }
        if self.demo && self.insecure_no_auth {
            return Err(Failure::usage(
                "demo = true: shows digest and cannot be combined with insecure_no_auth",
            ));
        }
        Ok(())
    }
}

/// `data` and `memory` say one thing between them.
fn storage(sheet: &mut Sheet<'_>, folder: &Path) -> Result<Option<Storage>, Failure> {
    let data = sheet.get("data", &rules::path(folder))?;
    let memory = sheet.find("memory", &Rule::switch())?;
    match (data, memory) {
        (Some(_), Some(memory)) if memory.value => Err(Failure::usage(format!(
            "{}: memory = true: cannot be combined with data; keep one of the two",
            memory.place
        ))),
        (None, Some(memory)) if memory.value => Ok(Some(Storage::Memory)),
        (data, _) => Ok(data.map(Storage::Folder)),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// How each value is written.
mod rules {
    use super::{Handling, Listen, PathBuf, Rule, SocketAddr, listen};
    use std::path::Path;

    pub(super) fn host() -> Rule<Box<str>> {
        Rule::text("a host name or address, for example example.org", listen::host)
    }

    pub(super) fn listen() -> Rule<Listen> {
        Rule::text(Listen::ALLOWED, Listen::parse)
    }

    pub(super) fn address() -> Rule<SocketAddr> {
        Rule::text("HOST:PORT, for example 127.0.0.1:8080", listen::host_and_port)
    }

    pub(super) fn gap() -> Rule<u64> {
        Rule::number("a whole number of seconds", 0..=3600)
    }

    pub(super) fn policy() -> Rule<Handling> {
        Rule::text("confirm, allow or block", |text| match text {
            "confirm" => Some(Handling::Confirm),
            "allow" => Some(Handling::Allow),
            "block" => Some(Handling::Block),
            _ => None,
        })
    }

    pub(super) fn path(folder: &Path) -> Rule<PathBuf> {
        let folder = folder.to_owned();
        Rule::text("a path", move |text| (!text.is_empty()).then(|| folder.join(text)))
    }
}

#[cfg(test)]
mod tests;
