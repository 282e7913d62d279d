//! Simulated scenarios; see `presently_sim::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    presently_sim::cli::main()
}
