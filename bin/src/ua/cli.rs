//! The command line of `presence-ua`.

use super::media::{Device, Devices, Repertoire};
use super::order;
use super::phone::Habits;
use crate::config::rule::Rule;
use crate::failure::Failure;
use crate::server::listen;
use clap::Parser;
use presently_engine::agent::DirectPolicy;
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
  presence, offer, subscription, watcher, decided, message, message-status, call, flow, media,
  tables, error, logged-out. With --json each is an object with \"event\" and \"at_ms\" (Unix time).

wait blocks the commands behind it until an event of that name comes, or has come since the last
  command or wait. field=value narrows it: wait subscription state=active 5

--paper and --paper-offers are direct media as the paper had it, the paper profile. There is NO
  authentication and NO encryption in it: whoever can send from a contact's address is heard as
  that contact. For closed networks. Marked contacts are spoken to at once if their offer has no
  access, and without an answer if nobody answers; with --paper-offers they are heard from the
  addresses in their presence, if they are allowed and watched, and nobody else is heard.

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
    /// Where my sound comes from: tone[:HZ], wav:FILE, sound[:CARD] or null [default: tone].
    /// Sound cards and cameras are there in builds with the features sound and camera.
    #[arg(long, value_name = "DEV")]
    pub(crate) audio_in: Option<String>,
    /// Where the others' sound goes to: wav:FILE, sound[:CARD] or null [default: null].
    #[arg(long, value_name = "DEV")]
    pub(crate) audio_out: Option<String>,
    /// Where my pictures come from: pattern, y4m:FILE, camera[:/dev/videoN] or null
    /// [default: pattern].
    #[arg(long, value_name = "DEV")]
    pub(crate) video_in: Option<String>,
    /// Where the others' pictures go to: y4m:FILE, png:FOLDER or null [default: null].
    #[arg(long, value_name = "DEV")]
    pub(crate) video_out: Option<String>,
    /// Codecs in order of preference, for example PCMU,G722 [default: all that are built in].
    #[arg(long, value_name = "LIST")]
    pub(crate) codecs: Option<String>,
    /// Offer calls with SRTP, which phones that cannot do it refuse. Calls that come in and direct
    /// media are encrypted anyway where the other side can do it.
    #[arg(long)]
    pub(crate) srtp: bool,
    /// When direct media does not come up, do not call instead.
    #[arg(long)]
    pub(crate) no_fallback: bool,
    /// Direct media with this contact as the paper had it, without check and encryption; may be
    /// given again for others. Closed networks only, see below.
    #[arg(long, value_name = "AOR")]
    pub(crate) paper: Vec<String>,
    /// Offer direct media as the paper had it, to be heard without check and encryption from the
    /// contacts of --paper, and from nobody else. Closed networks only, see below.
    #[arg(long)]
    pub(crate) paper_offers: bool,
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
    pub(crate) devices: Devices,
    pub(crate) repertoire: Repertoire,
    pub(crate) habits: Habits,
    pub(crate) direct: DirectPolicy,
}

impl Settings {
    /// Checks every flag. `environment` is the value of `PRESENCE_PASSWORD`.
    pub(crate) fn gather(cli: &Cli, environment: Option<String>) -> Result<Self, Failure> {
        let aor = Rule::text("an address like sip:alice@example.org", |text| Aor::parse(text).ok());
        let address = Rule::text("HOST:PORT, for example 127.0.0.1:0", listen::host_and_port);
        let codecs = cli.codecs.as_ref();
        let codecs = codecs.map(|text| Repertoire::rule().flag("--codecs", text)).transpose()?;
        let bind = cli.bind.as_ref().map(|text| address.flag("--bind", text)).transpose()?;
        Ok(Self {
            aor: aor.flag("--aor", &cli.aor)?,
            server: cli.server.clone(),
            bind,
            password: password(cli.password_file.as_deref(), environment)?,
            json: cli.json,
            devices: devices(cli)?,
            repertoire: codecs.unwrap_or_default(),
            habits: Habits { srtp: cli.srtp, fallback: !cli.no_fallback },
            direct: direct(cli)?,
        })
    }

    /// What a user has to know before anything is sent.
    pub(crate) fn warning(&self) -> Option<String> {
        let DirectPolicy { paper, paper_offers, .. } = &self.direct;
        let marked: Vec<&str> = paper.iter().map(Aor::as_str).collect();
        let whom = match (marked.is_empty(), paper_offers) {
            (true, false) => return None,
            (true, true) => "whom `paper` will name".to_owned(),
            (false, _) => marked.join(", "),
        };
        Some(format!(
            "paper profile: direct media with {whom} has no authentication and no encryption; for \
             closed networks only"
        ))
    }
}

fn direct(cli: &Cli) -> Result<DirectPolicy, Failure> {
    let aor = Rule::text("an address like sip:bob@example.org", |text| Aor::parse(text).ok());
    let marked = cli.paper.iter().map(|text| aor.flag("--paper", text));
    let paper = marked.collect::<Result<_, _>>()?;
    Ok(DirectPolicy { paper, paper_offers: cli.paper_offers, ..DirectPolicy::default() })
}

fn devices(cli: &Cli) -> Result<Devices, Failure> {
    let mut devices = Devices::default();
    let given = [
        ("--audio-in", &cli.audio_in, Device::audio_in(), &mut devices.audio_in),
        ("--audio-out", &cli.audio_out, Device::audio_out(), &mut devices.audio_out),
        ("--video-in", &cli.video_in, Device::video_in(), &mut devices.video_in),
        ("--video-out", &cli.video_out, Device::video_out(), &mut devices.video_out),
    ];
    for (flag, text, rule, device) in given {
        if let Some(text) = text {
            *device = rule.flag(flag, text)?;
        }
    }
    Ok(devices)
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
