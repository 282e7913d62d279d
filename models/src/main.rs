//! `presence-check`: explores the models and says what holds.

mod cli;

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// An exploration makes and drops states all the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
