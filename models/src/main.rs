//! `presence-check`: explores the models and says what holds.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
