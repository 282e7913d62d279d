//! The presence server; see `presently::server`.

use std::process::ExitCode;

fn main() -> ExitCode {
    presently::server::main()
}
