//! What a run of the generator is: the command line, and as a value for who calls it as a library.

use super::report::Mode;
use clap::{Parser, ValueEnum};
use presently::failure::Failure;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

const MORE: &str = "\
Examples:
  presence-load register-refresh --target 127.0.0.1:5060 --users 1000 --concurrency 64 --seconds 5
      A thousand users register once; then they refresh, 64 at a time, for five seconds.
  presence-load publish --target 127.0.0.1:5060 --watchers 0,100,1000 --count 50 --pid PID
      Fifty publications to none, a hundred, a thousand watchers: first and last NOTIFY, CPU.
  presence-load hold --target 127.0.0.1:5060 --count 100000 --rate 20000 --seconds 30 --pid PID
      A hundred thousand subscriptions at 20 000/s, then thirty idle seconds: PSS and idle CPU.
  presence-load serve-echo --listen 127.0.0.1:5070
      The bare echo that `presence-load echo` measures: what the machine can do at all.

The mix of `office`, in a hundred operations: 40 REGISTER refreshes, 30 SUBSCRIBE refreshes, 15
PUBLISH (each user has ten watchers), 9 MESSAGE, 3 new subscriptions, 3 that end.

Latency is counted from the moment an operation was due, so an open loop (--rate) hides no queue.
What is sent again or lost is counted: requests after RFC 3261 §17.1.2.2, given up after 32 s.
Exit codes: 0 measured, 1 the work failed, 2 wrong usage.";

/// What is done to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Scenario {
    /// REGISTER of users who were not registered.
    RegisterNew,
    /// REGISTER again, for registered users.
    RegisterRefresh,
    /// REGISTER without credentials, 401, REGISTER with them: a new nonce each time.
    RegisterChallenged,
    /// REGISTER with the nonce of the last answer and a rising nc.
    RegisterReused,
    /// SUBSCRIBE for a new subscription, done when answered and notified.
    SubscribeNew,
    /// SUBSCRIBE in a subscription, done when answered and notified.
    SubscribeRefresh,
    /// SUBSCRIBE with Expires: 0, done when answered and notified of the end.
    SubscribeEnd,
    /// MESSAGE from one registered user to another, through the server and back.
    Message,
    /// PUBLISH, one after the other, to a number of watchers (--watchers).
    Publish,
    /// PUBLISH of all users, each again and again; nobody watches them.
    PublishMany,
    /// Watchers come and go while the owner is subscribed to presence.winfo.
    Winfo,
    /// What an office does, mixed; see below.
    Office,
    /// Holds subscriptions (--count), waits for the restart of the server, counts the NOTIFYs.
    Storm,
    /// Builds subscriptions (--count), then watches an idle server for --seconds.
    Hold,
    /// More than the server can carry: refreshes of established users beside newcomers.
    Overload,
    /// Datagrams against a bare echo.
    Echo,
    /// Be the bare echo, on --listen.
    ServeEcho,
}

impl Scenario {
    /// Its name on the command line and in reports.
    pub fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Load for a SIP server over UDP: what it carries, how fast, and at what price.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "presence-load",
    version = presently_engine::VERSION,
    after_help = MORE,
    max_term_width = 100
)]
pub struct Options {
    /// What is done to the server.
    #[arg(value_enum)]
    pub scenario: Scenario,
    /// The server, host and port.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5060")]
    pub target: SocketAddr,
    /// The domain of all users, which is also the digest realm.
    #[arg(long, value_name = "NAME", default_value = "presence.test")]
    pub domain: String,
    /// How many users there are [default: 1000; register-new: as many as it takes].
    #[arg(long, value_name = "N")]
    pub users: Option<u32>,
    /// Users are PREFIX000000, PREFIX000001 and so on.
    #[arg(long, value_name = "PREFIX", default_value = "u")]
    pub user_prefix: String,
    /// The password of every user.
    #[arg(long, value_name = "TEXT", default_value = "secret")]
    pub password: String,
    /// Closed loop: so many operations are under way at any time [default: 64].
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    pub concurrency: Option<u32>,
    /// Open loop: so many operations begin in a second, whatever became of earlier ones.
    #[arg(long, value_name = "PER-SECOND")]
    pub rate: Option<f64>,
    /// How long is measured; of `hold` and `storm`, how long is watched [default: 5].
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// How many operations are measured; with --watchers, how many publications each; of `hold`,
    /// `storm`, `overload` and subscribe-*, how many subscriptions there are.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Seconds of the same load before the measurement begins; of `hold`, seconds of rest before
    /// the idle time: finished transactions are remembered for 32 s.
    #[arg(long, value_name = "S", default_value_t = 0.0)]
    pub warm_up: f64,
    /// Numbers of watchers for `publish`.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_values_t = [0, 1, 10, 100, 1000])]
    pub watchers: Vec<u32>,
    /// Tuples of a published document.
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..=200))]
    pub tuples: u32,
    /// Expires of registrations, subscriptions and publications, in seconds.
    #[arg(long, value_name = "S", default_value_t = 3600)]
    pub expires: u32,
    /// A process of the server; its children count too. May be given several times.
    #[arg(long, value_name = "PID", num_args = 1..)]
    pub pid: Vec<u32>,
    /// The report as JSON, to a file or to stdout (-) instead of the table.
    #[arg(long, value_name = "FILE|-")]
    pub json: Option<PathBuf>,
    /// The report as a picture.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Makes the Call-IDs, tags and branches of a run [default: differs from run to run].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// `overload`: operations a second that the server was measured to carry.
    #[arg(long, value_name = "PER-SECOND")]
    pub peak: Option<f64>,
    /// `overload`: offered load as a multiple of the peak.
    #[arg(long, value_name = "F", default_value_t = 3.0)]
    pub factor: f64,
    /// `echo`: bytes of a request.
    #[arg(long, value_name = "BYTES", default_value_t = 450)]
    pub size: usize,
    /// `echo`: bytes of an answer.
    #[arg(long, value_name = "BYTES", default_value_t = 400)]
    pub answer_size: usize,
    /// `serve-echo`: where to listen.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// Do not tidy up: what is subscribed, published and registered stays until it expires.
    #[arg(long)]
    pub leave: bool,
    /// Also load a server that is not on this machine. Ask its owner first.
    #[arg(long)]
    pub allow_remote: bool,
    /// No progress line.
    #[arg(long)]
    pub no_progress: bool,
}

/// When operations begin.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Pace {
    /// When another has ended: so many at a time.
    Closed(u32),
    /// So many in a second.
    Open(f64),
}

impl From<Pace> for Mode {
    fn from(pace: Pace) -> Self {
        match pace {
            Pace::Closed(most) => Self::Closed(most),
            Pace::Open(rate) => Self::Open(rate),
        }
    }
}

impl Options {
    /// Options as a command line gives them, without the program's name.
    pub fn of<I: IntoIterator<Item = S>, S: AsRef<str>>(words: I) -> Result<Self, Failure> {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        let line = std::iter::once("presence-load".to_owned()).chain(words);
        let options = Self::try_parse_from(line);
        options.map_err(|error| Failure::usage(error.to_string()))?.checked()
    }

    /// Refuses what must not, or cannot, be run.
    pub(crate) fn checked(self) -> Result<Self, Failure> {
        if !self.target.ip().to_canonical().is_loopback() && !self.allow_remote {
            return Err(Failure::usage(format!(
                "--target {}: not on this machine; --allow-remote loads it all the same",
                self.target
            )));
        }
        let spans = [("--seconds", self.seconds), ("--warm-up", Some(self.warm_up))];
        for (flag, span) in spans {
            if span.is_some_and(|span| Duration::try_from_secs_f64(span).is_err()) {
                return Err(Failure::usage(format!("{flag}: a number of seconds")));
            }
        }
        let factors =
            [("--rate", self.rate), ("--peak", self.peak), ("--factor", Some(self.factor))];
        for (flag, factor) in factors {
            if factor.is_some_and(|factor| !factor.is_finite() || factor <= 0.0) {
                return Err(Failure::usage(format!("{flag}: a number above zero")));
            }
        }
        if self.concurrency == Some(0) || self.users == Some(0) || self.count == Some(0) {
            return Err(Failure::usage("--concurrency, --users, --count: a number above zero"));
        }
        if self.scenario == Scenario::Overload && self.peak.is_none() {
            return Err(Failure::usage("overload: --peak says what the server can carry"));
        }
        Ok(self)
    }

    pub(crate) fn pace(&self) -> Pace {
        self.rate.map_or(Pace::Closed(self.concurrency.unwrap_or(64)), Pace::Open)
    }

    /// How many users there are where they are set up beforehand.
    pub(crate) fn crowd(&self) -> u32 {
        self.users.unwrap_or(1000)
    }

    /// How long the load, or rest, before the measurement is.
    pub(crate) fn before(&self) -> Duration {
        Duration::try_from_secs_f64(self.warm_up).unwrap_or_default()
    }

    pub(crate) fn span(&self) -> Duration {
        Duration::try_from_secs_f64(self.seconds.unwrap_or(5.0)).unwrap_or_default()
    }
}
