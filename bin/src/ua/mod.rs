//! `presence-ua`: a user agent for terminals and scripts.
//!
//! Commands are lines on stdin ([`order`]), events are lines on stdout ([`report`]); [`session`]
//! connects the two with an agent of the engine that is carried by `presently-net` ([`link`]).

mod cli;
mod handset;
pub(crate) mod link;
pub mod media;
mod mirror;
mod order;
mod ordered;
mod owed;
mod phone;
pub(crate) mod report;
mod session;
mod studio;
mod waits;

pub use handset::{Handset, Told};
pub use ordered::{Asked, Ordered, order};
pub use phone::{Habits, Notice, Phone, Refusal, Sight, Studio};
pub use report::Report;
pub use studio::{Desk, Dice, Opener};

use crate::Threads;
use crate::failure::Failure;
use cli::{Cli, Settings};
use media::{Devices, Repertoire};
use session::{Ending, Session};
use std::io::BufRead;
use std::process::ExitCode;
use tokio::sync::mpsc;

const PROGRAM: &str = "presence-ua";

/// Runs `presence-ua` with the arguments of this process.
pub fn main() -> ExitCode {
    let cli = match crate::usage::parse::<Cli>(PROGRAM) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match start(&cli) {
        Ok(Ending::Fine) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::from(1),
        Err(failure) => failure.report(PROGRAM),
    }
}

fn start(cli: &Cli) -> Result<Ending, Failure> {
    let settings = Settings::gather(cli, std::env::var("PRESENCE_PASSWORD").ok())?;
    if let Some(warning) = settings.warning() {
        eprintln!("{PROGRAM}: {warning}");
    }
    crate::logging::start()?;
    let runtime = crate::runtime(Threads::One)?;
    let ending = runtime.block_on(run(settings));
    // The thread that reads stdin may still be reading.
    runtime.shutdown_background();
    ending
}

async fn run(settings: Settings) -> Result<Ending, Failure> {
    let setup = link::Setup {
        aor: settings.aor.clone(),
        password: settings.password,
        server: link::server(&settings.server).await?,
        bind: settings.bind,
        direct: settings.direct,
    };
    let handset = pick_up(setup, settings.devices, settings.repertoire, settings.habits)?;
    let interrupts = crate::signals::endings()?;
    let session = Session::new(settings.aor, handset, std::io::stdout(), settings.json);
    Ok(session.run(stdin_lines(), interrupts).await)
}

/// An agent with its phone; it does nothing until it is told to log in.
pub(crate) fn pick_up(
    setup: link::Setup,
    devices: Devices,
    repertoire: Repertoire,
    habits: Habits,
) -> Result<Handset, Failure> {
    let agent = link::start(setup, repertoire.kinds())?;
    let ip = agent.address().ip();
    let media = presently_net::media::Setup::new(ip);
    let phone = Phone::new(Desk::new(media, devices), ip, repertoire, habits);
    Ok(Handset::start(agent, phone))
}

/// Lines of stdin, read no further ahead than one line: a `wait` holds back what is behind it.
fn stdin_lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line).into_owned();
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
