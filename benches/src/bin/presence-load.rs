//! Load for a SIP server, measured; see `presently_benches::load`.

use std::process::ExitCode;

fn main() -> ExitCode {
    presently_benches::load::main()
}
