//! The servers that are measured, and how each is started.

use super::child::{Knock, Program, free_address};
use super::{DOMAIN, Failure, PASSWORD, Stop};
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const KAMAILIO_CFG: &str = include_str!("../../peers/kamailio.cfg");
const PRESENTLY_TOML: &str = include_str!("../../peers/presently.toml");

/// Where Debian's packages put the tables that Kamailio wants to find.
const KAMAILIO_TABLES: &str = "/usr/share/kamailio/db_sqlite";

/// What brings Kamailio.
pub(crate) const KAMAILIO_PACKAGES: &str = "apt-get install --no-install-recommends kamailio \
     kamailio-presence-modules kamailio-sqlite-modules sqlite3";

/// How many processes of Kamailio receive; it has some more for its timers. With SQLite it is one:
/// SQLite has one writer, Kamailio does not wait for it, and a second process mostly answers 500.
pub(crate) const WORKERS: u32 = 2;
const WORKERS_WITH_ROWS: u32 = 1;

/// Kamailio's shared memory, MB: an upper bound, touched only as it is used.
pub(crate) const SHARED: u32 = 8192;

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// One of the servers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// Everything in shared memory.
    KamailioMemory,
    /// Written through to SQLite.
    KamailioSqlite,
    /// `--memory`.
    PresentlyMemory,
    /// As it comes: every row on the disk before the answer.
    PresentlyDurable,
    /// `--memory` with one shard.
    OneShard,
    /// `--memory` with two shards.
    TwoShards,
    /// Datagrams of the same sizes, and nothing else.
    Echo,
}

impl Target {
    pub(crate) const ALL: [Self; 7] = [
        Self::KamailioMemory,
        Self::KamailioSqlite,
        Self::PresentlyMemory,
        Self::PresentlyDurable,
        Self::OneShard,
        Self::TwoShards,
        Self::Echo,
    ];

    /// The name on the command line, which is also the name in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KamailioMemory => "kamailio-memory",
            Self::KamailioSqlite => "kamailio-sqlite",
            Self::PresentlyMemory => "presently-memory",
            Self::PresentlyDurable => "presently-durable",
            Self::OneShard => "one-shard",
            Self::TwoShards => "two-shards",
            Self::Echo => "echo",
        }
    }

    /// The name in tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::KamailioMemory => "Kamailio",
            Self::KamailioSqlite => "Kamailio, sqlite",
            Self::PresentlyMemory => "`--memory`",
            Self::PresentlyDurable => "durable",
            Self::OneShard => "one shard",
            Self::TwoShards => "two shards",
            Self::Echo => "echo",
        }
    }

    pub(crate) fn is_kamailio(self) -> bool {
        matches!(self, Self::KamailioMemory | Self::KamailioSqlite)
    }
}

/// The programs.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    pub(crate) presence_server: PathBuf,
    pub(crate) presence_load: PathBuf,
    /// `None`: it is not installed.
    pub(crate) kamailio: Option<PathBuf>,
}

/// A server that answers. Dropping it ends it and removes its files.
#[derive(Debug)]
pub(crate) struct Server {
    program: Program,
    pub(crate) address: SocketAddr,
    target: Target,
    digest: bool,
    tools: Tools,
    // Dropped after the program.
    folder: TempDir,
}

impl Server {
    /// Starts `target`; with `digest` it wants a proof where it would want one in earnest.
    pub(crate) fn start(
        target: Target,
        digest: bool,
        tools: &Tools,
        stop: &Stop,
    ) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("peers-").tempdir();
        let folder = folder.map_err(|error| Failure::new(format!("a folder: {error}")))?;
        let address = free_address()?;
        let command = command(target, digest, tools, folder.path(), address)?;
        let program = launch(target, command, folder.path(), address, stop)?;
        Ok(Self { program, address, target, digest, tools: tools.clone(), folder })
    }

    /// Ends it as a loss of power would, and starts it again on what it had stored.
    pub(crate) fn restart(&mut self, stop: &Stop) -> Result<(), Failure> {
        let (folder, address) = (self.folder.path(), self.address);
        self.program.end();
        let command = command(self.target, self.digest, &self.tools, folder, address)?;
        self.program = launch(self.target, command, folder, address, stop)?;
        Ok(())
    }

    /// The process that started all others of it.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }
}

fn launch(
    target: Target,
    mut command: Command,
    folder: &Path,
    address: SocketAddr,
    stop: &Stop,
) -> Result<Program, Failure> {
    let log = folder.join("log");
    let mut program = Program::start(target.name(), &mut command, &log)?;
    if target == Target::Echo {
        program.wait_until(stop, PATIENCE, |_| listens(address))?;
    } else {
        let mut knock = Knock::new(address)?;
        program.wait_until(stop, PATIENCE, |_| knock.is_answered())?;
    }
    Ok(program)
}

/// Whether the kernel has a UDP socket there (IPv4 on loopback).
fn listens(address: SocketAddr) -> bool {
    let place = format!(" 0100007F:{:04X} ", address.port());
    fs::read_to_string("/proc/net/udp").is_ok_and(|sockets| sockets.contains(&place))
}

fn command(
    target: Target,
    digest: bool,
    tools: &Tools,
    folder: &Path,
    address: SocketAddr,
) -> Result<Command, Failure> {
    match target {
        Target::KamailioMemory | Target::KamailioSqlite => {
            kamailio(target == Target::KamailioSqlite, digest, tools, folder, address)
        }
        Target::PresentlyMemory => presently(true, None, digest, tools, folder, address),
        Target::PresentlyDurable => presently(false, None, digest, tools, folder, address),
        Target::OneShard => presently(true, Some(1), digest, tools, folder, address),
        Target::TwoShards => presently(true, Some(2), digest, tools, folder, address),
        Target::Echo => {
            let mut command = Command::new(&tools.presence_load);
            command.args(["serve-echo", "--listen", &address.to_string()]);
            Ok(command)
        }
    }
}

fn kamailio(
    rows: bool,
    digest: bool,
    tools: &Tools,
    folder: &Path,
    address: SocketAddr,
) -> Result<Command, Failure> {
    let Some(kamailio) = &tools.kamailio else {
        return Err(Failure::new(format!("Kamailio is not installed: {KAMAILIO_PACKAGES}")));
    };
    let (config, database) = (folder.join("kamailio.cfg"), folder.join("kamailio.sqlite"));
    write(&config, KAMAILIO_CFG)?;
    // It counts the tables' versions at its start even where it keeps everything in memory.
    if !database.exists() {
        sqlite(&database, "pragma journal_mode=WAL")?;
        for tables in ["standard", "usrloc", "presence"] {
            sqlite(&database, &format!(".read {KAMAILIO_TABLES}/{tables}-create.sql"))?;
        }
    }
    let (host, port) = (address.ip(), address.port());
    let mut command = Command::new(kamailio);
    command.args(["-DD", "-E", "-x", "tlsf", "-M", "64"]);
    command.arg("-m").arg(SHARED.to_string());
    command.arg("-f").arg(&config).arg("-w").arg(folder).arg("-Y").arg(folder);
    command.args(["-A", &format!("HOST={host}"), "-A", &format!("PORT={port}")]);
    let workers = if rows { WORKERS_WITH_ROWS } else { WORKERS };
    command.args(["-A", &format!("WORKERS={workers}")]);
    if digest {
        command.args(["-A", "WITH_DIGEST"]);
    }
    if rows {
        command.args(["-A", "WITH_ROWS"]);
    }
    let places = [
        ("HOST", host.to_string()),
        ("PORT", port.to_string()),
        ("DB", format!("sqlite:///{}", database.display())),
        ("CTL", folder.join("ctl").display().to_string()),
    ];
    command.args(places.map(|(name, value)| format!("--subst=!@{name}@!{value}!g")));
    Ok(command)
}

fn sqlite(database: &Path, order: &str) -> Result<(), Failure> {
    let done = Command::new("sqlite3").arg(database).arg(order).output();
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(Failure::new(format!("sqlite3 {order}: {}", said.trim())))
        }
        Err(error) => Err(Failure::new(format!("sqlite3: {error}; {KAMAILIO_PACKAGES}"))),
    }
}

fn presently(
    memory: bool,
    shards: Option<u32>,
    digest: bool,
    tools: &Tools,
    folder: &Path,
    address: SocketAddr,
) -> Result<Command, Failure> {
    let config = folder.join("presently.toml");
    let shards = shards.map_or(String::new(), |shards| format!("shards = {shards}\n"));
    write(&config, &format!("{shards}{PRESENTLY_TOML}"))?;
    let mut command = Command::new(&tools.presence_server);
    command.env_remove("RUST_LOG").current_dir(folder);
    command.arg("--config").arg(&config);
    command.args(["--domain", DOMAIN, "--listen", &format!("udp:{address}")]);
    if memory {
        command.arg("--memory");
    } else {
        command.arg("--data").arg(folder.join("data"));
    }
    if digest {
        let users = folder.join("users.toml");
        write(&users, &format!("[[user]]\nname = \"*\"\npassword = \"{PASSWORD}\"\n"))?;
        command.arg("--users").arg(&users);
    } else {
        command.arg("--insecure-no-auth");
    }
    Ok(command)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}
