//! Both programs say which engine they were built with, in the same words as the library.

mod support;

use support::{finish, program};

#[test]
fn both_programs_name_their_engine() {
    for name in ["presence-server", "presence-ua"] {
        let mut command = program(name);
        command.arg("--version");
        let output = finish(command, "");
        let said = String::from_utf8(output.stdout).expect("text");
        assert_eq!(said, format!("{name} {}\n", presently_engine::VERSION));
    }
}
