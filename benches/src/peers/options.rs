//! The command line of `peers`.

use clap::Parser;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cargo build --release --bin presence-server && cargo build --release -p presently-benches --bins
  target/release/peers                                  everything, three rounds: about an hour
  target/release/peers --quick --only register-refresh --out /tmp/peers     a look, in seconds
  target/release/peers --only publish,message           these anew; the report keeps the others

The programs presence-server and presence-load are looked for beside this one. Kamailio is Debian's:
  apt-get install --no-install-recommends kamailio kamailio-presence-modules \\
      kamailio-sqlite-modules sqlite3
Servers listen on free ports of 127.0.0.1, keep their files in a temporary folder (TMPDIR) and end
with this program. Nothing else should be busy on the machine meanwhile.";

/// Measures presence-server beside Kamailio and a bare echo: CPU, rate, latency and memory.
#[derive(Parser, Clone, Debug)]
#[command(name = "peers", version = presently_engine::VERSION, after_help = EXAMPLES,
    max_term_width = 100)]
pub(crate) struct Options {
    /// How often everything is measured; the table shows medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// One short round: to see that it works, not to measure.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Only these operations (names as in --list), commas between them.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Only these servers (names as in --list), commas between them.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) servers: Vec<String>,
    /// Says what can be measured.
    #[arg(long)]
    pub(crate) list: bool,
    /// Where report.json, README.md (between its markers) and the plots go.
    #[arg(long, value_name = "FOLDER", default_value = "benches/peers")]
    pub(crate) out: PathBuf,
    /// Measures nothing and writes README.md and the plots anew from report.json.
    #[arg(long)]
    pub(crate) rewrite: bool,
    /// Where presence-server and presence-load are [default: beside this program].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) bin: Option<PathBuf>,
    /// Measured seconds of each operation [default: 5; with --quick 1].
    #[arg(long)]
    pub(crate) seconds: Option<u32>,
    /// Requests outstanding at a time.
    #[arg(long, default_value_t = 64)]
    pub(crate) concurrency: u32,
}

impl Options {
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    pub(crate) fn seconds(&self) -> u32 {
        self.seconds.unwrap_or(if self.quick { 1 } else { 5 })
    }
}
