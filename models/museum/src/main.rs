//! `presence-museum`: plants known faults and says what finds each of them.

use std::process::ExitCode;

fn main() -> ExitCode {
    presently_museum::cli::main()
}
