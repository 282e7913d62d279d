//! The command line of `presence-ua`.

use super::media::Device;
use super::order;
use crate::config::rule::Rule;
use crate::failure::Failure;
use crate::server::listen;
use clap::Parser;
use presently_engine::message::Aor;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  PRESENCE_PASSWORD=… presence-ua --aor sip:alice@example.org --server 127.0.0.1:5060
      Logs in and takes commands from the keyboard.
  printf 'watch bob\\nwait presence 5\\n' | presence-ua --json --aor sip:alice@example.org \\
      --server 127.0.0.1:5060 --password-file alice.password
      A script: one command a line in, one JSON object a line out.

The password is the first line of --password-file, or PRESENCE_PASSWORD.

Commands, one a line on stdin (the end of input logs out):";

const EVENTS: &str = "\
Events, one a line on stdout: registered, register-failed, server-restarted, published,
  presence, offer, subscription, watcher, decided, message, message-status, tables, error,
  logged-out. With --json each is an object with \"event\" and \"at_ms\" (Unix time).

wait blocks the commands behind it until an event of that name comes, or has come since the last
  command or wait. field=value narrows it: wait subscription state=active 5

RUST_LOG sets the log on stderr (default warn; trace shows whole messages).
Exit codes: 0 fine; 1 never registered, or a wait was in vain; 2 wrong usage.";

/// A SIP presence user agent for terminals and scripts.
#[derive(Parser, Debug, Default)]
#[command(
    name = "presence-ua",
    version = presently_engine::VERSION,
    after_help = after_help(),
    max_term_width = 100
)]
pub(crate) struct Cli {
    /// Who I am, for example sip:alice@example.org.
    #[arg(long, value_name = "AOR")]
    pub(crate) aor: String,
    /// The presence server.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) server: String,
    /// My own address [default: a free port on the interface that leads to the server].
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) bind: Option<String>,
    /// File whose first line is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// Tell events as JSON objects.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where sound comes from: tone[:HZ], wav:FILE or null (calls come with a later release).
    #[arg(long, value_name = "DEV")]
    pub(crate) audio_in: Option<String>,
    /// Where sound goes to: wav:FILE or null (calls come with a later release).
    #[arg(long, value_name = "DEV")]
    pub(crate) audio_out: Option<String>,
}

fn after_help() -> String {
    let commands: String = order::HELP.iter().map(|line| format!("  {line}\n")).collect();
    format!("{EXAMPLES}\n{commands}\n{EVENTS}")
}

/// What the user agent runs with.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) aor: Aor,
    /// As written; looked up when the agent starts.
    pub(crate) server: String,
    pub(crate) bind: Option<SocketAddr>,
    pub(crate) password: Box<str>,
    pub(crate) json: bool,
}

impl Settings {
    /// Checks every flag. `environment` is the value of `PRESENCE_PASSWORD`.
    pub(crate) fn gather(cli: &Cli, environment: Option<String>) -> Result<Self, Failure> {
        let aor = Rule::text("an address like sip:alice@example.org", |text| Aor::parse(text).ok());
        let address = Rule::text("HOST:PORT, for example 127.0.0.1:0", listen::host_and_port);
        if let Some(device) = &cli.audio_in {
            Device::input().flag("--audio-in", device)?;
        }
        if let Some(device) = &cli.audio_out {
            Device::output().flag("--audio-out", device)?;
        }
        let bind = cli.bind.as_ref().map(|text| address.flag("--bind", text)).transpose()?;
        Ok(Self {
            aor: aor.flag("--aor", &cli.aor)?,
            server: cli.server.clone(),
            bind,
            password: password(cli.password_file.as_deref(), environment)?,
            json: cli.json,
        })
    }
}

fn password(file: Option<&Path>, environment: Option<String>) -> Result<Box<str>, Failure> {
    let text = match file {
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("--password-file {}: cannot be read: {error}", path.display()))
        })?,
        None => environment.unwrap_or_default(),
    };
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.into()),
        _ => Err(Failure::usage(
            "no password: put it into the first line of a file and name it with --password-file, \
             or set PRESENCE_PASSWORD",
        )),
    }
}

#[cfg(test)]
mod tests;
