//! The command line of `presence-server`. Values stay text here: flags and keys of the
//! configuration file are read by the same rules, in `settings`.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  presence-server
      Domain localhost on udp:127.0.0.1:5060, data in ./presence-data, nobody may log in yet.
  presence-server --demo
      Plays the main job once with two users over real sockets, then keeps serving.
  presence-server --domain example.org --listen udp:0.0.0.0:5060 --users users.toml
      A server for a domain, on every interface.
  printf '%s\\n' \"$PASSWORD\" | presence-server user hash sip:alice@example.org >> users.toml
      Adds an account without writing its password down.
  presence-server --config presently.toml --admin 127.0.0.1:8080
      Settings from a file; a flag wins over the same key.

Configuration file (TOML); every key is optional:
  domain = \"example.org\"                 listen = [\"udp:0.0.0.0:5060\", \"udp:[::]:5060\"]
  advertise = \"sip.example.org\"          users = \"users.toml\"
  data = \"presence-data\"                 memory = false
  default_policy = \"confirm\"             notify_gap = 5
  admin = \"127.0.0.1:8080\"               insecure_no_auth = false
  demo = false                           shards = 4
  record_route = false                   legacy_cpim = true
  legacy_cpim_elements = false           (the paper's four elements beside an offer without secret,
                                         for watchers that read application/cpim-pidf+xml)
  [digest]  sha256, md5, nonce_life, nonce_window, nonce_table, legacy_no_qop
  [limits]  sub_default, sub_min, sub_max, reg_default, reg_min, reg_max, pub_default, pub_min,
            pub_max, pub_max_ready, expiry_grace_ms, giveup_pending, giveup_waiting, …
  [timing]  t1_ms, t2_ms, t4_ms
Paths in the file are relative to the file.

Users file (TOML), read again on SIGHUP:
  [[user]]
  name = \"alice\"
  password = \"…\"          or the lines that `presence-server user hash` prints

Signals: SIGHUP reads the users file again. SIGTERM or SIGINT tells subscribers, flushes and
ends; a second one ends at once. What was acknowledged is kept either way.
RUST_LOG sets the log on stderr: warn (default), info (a line a transaction), trace (messages).
Exit codes: 0 fine, 1 the work failed, 2 wrong usage or configuration.";

/// A SIP presence server: registrar, proxy, presence agent, watcher information, message store.
#[derive(Parser, Debug)]
#[command(
    name = "presence-server",
    version = presently_engine::VERSION,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Action>,
    #[command(flatten)]
    pub(crate) flags: Flags,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Action {
    /// Work on accounts.
    #[command(subcommand)]
    User(UserAction),
}

#[derive(Subcommand, Debug)]
pub(crate) enum UserAction {
    /// Read a password from stdin and print the lines of its account for the users file.
    Hash {
        /// Whose password it is, for example sip:alice@example.org.
        aor: String,
    },
}

#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Flags {
    /// Settings file (TOML); flags win over its keys.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The domain served, which is also the digest realm [default: localhost].
    #[arg(long, value_name = "NAME")]
    pub(crate) domain: Option<String>,
    /// Where to listen; may be given several times; port 0 picks a free one
    /// [default: udp:127.0.0.1:5060].
    #[arg(long, value_name = "udp:HOST:PORT")]
    pub(crate) listen: Vec<String>,
    /// Accounts (TOML); read again on SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub(crate) users: Option<PathBuf>,
    /// Folder of everything that survives a restart [default: presence-data].
    #[arg(long, value_name = "DIR", conflicts_with = "memory")]
    pub(crate) data: Option<PathBuf>,
    /// Keep nothing over a restart.
    #[arg(long)]
    pub(crate) memory: bool,
    /// What happens to watchers nobody has decided about: confirm, allow or block
    /// [default: confirm].
    #[arg(long, value_name = "confirm|allow|block")]
    pub(crate) default_policy: Option<String>,
    /// Least time between two notifications of one subscription; 0 sends every change at once
    /// [default: 5; with --demo 0].
    #[arg(long, value_name = "SECONDS")]
    pub(crate) notify_gap: Option<String>,
    /// Serve /healthz, /metrics and /tables.json there (HTTP).
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) admin: Option<String>,
    /// Take every From at its word; refused unless all listeners are loopback.
    #[arg(long)]
    pub(crate) insecure_no_auth: bool,
    /// Play the main job once between two users, print the messages, then keep serving.
    #[arg(long)]
    pub(crate) demo: bool,
}
