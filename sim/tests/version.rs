//! The simulator says which engine it was built with, in the same words as the library.

use std::process::Command;

#[test]
fn the_simulator_names_its_engine() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_presence-sim"));
    let output = program.arg("--version").output().expect("presence-sim starts");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(said, format!("presence-sim {}\n", presently_engine::VERSION));
}
