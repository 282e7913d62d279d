//! The user agent for terminals and scripts; see `presently::ua`.

use std::process::ExitCode;

fn main() -> ExitCode {
    presently::ua::main()
}
