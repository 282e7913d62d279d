//! `peers`: our server measured beside Kamailio and a bare echo, in one command.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    presently_benches::peers::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("peers: what a server costs is read from /proc, which needs Linux");
    ExitCode::from(2)
}
