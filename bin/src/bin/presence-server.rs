//! The presence server; see `presently::server`.

use mimalloc::MiMalloc;
use std::process::ExitCode;

/// What it allocates lives from microseconds to days, in many threads: the system's allocator
/// spends three times as long on it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    presently::server::main()
}
