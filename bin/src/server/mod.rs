//! `presence-server`: settings in, a running server out, and an orderly end.
//!
//! Everything that can be wrong is found before the first datagram is taken: settings and users
//! are read, sockets bound, the store opened, and only then the service starts and `ready` is
//! said. Any failure before that leaves nothing half started.

mod admin;
mod cli;
mod limits;
pub(crate) mod listen;
mod run;
pub(crate) mod settings;
mod start;
pub(crate) mod users;

use crate::Threads;
use crate::failure::Failure;
use cli::{Action, Cli, UserAction};
use settings::Settings;
use std::process::ExitCode;

const PROGRAM: &str = "presence-server";

/// Runs `presence-server` with the arguments of this process.
pub fn main() -> ExitCode {
    let cli = match crate::usage::parse::<Cli>(PROGRAM) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match obey(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(PROGRAM),
    }
}

fn obey(cli: Cli) -> Result<(), Failure> {
    if let Some(Action::User(UserAction::Hash { aor })) = cli.command {
        return users::hash(&aor, &mut std::io::stdin().lock(), &mut std::io::stdout());
    }
    let settings = Settings::gather(&cli.flags)?;
    crate::logging::start()?;
    // The demo draws what happens, so it must not happen faster than it is seen.
    let threads = if settings.demo { Threads::One } else { Threads::All };
    let runtime = crate::runtime(threads)?;
    let done = runtime.block_on(run::run(settings));
    runtime.shutdown_background();
    done
}
