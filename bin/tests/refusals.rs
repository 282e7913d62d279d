//! What is wrong is found before anything begins: one line, exit code 2, nothing half started.

mod support;

use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;
use support::{finish, program, refusal};

fn server(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program("presence-server");
    command.current_dir(folder).args(arguments);
    command
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn wrong_flags_are_named_with_value_and_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = |arguments: &[&str]| refusal(server(folder.path(), arguments));
    assert_eq!(
        refused(&["--notify-gap", "soon"]),
        "presence-server: --notify-gap \"soon\": must be a whole number of seconds from 0 to 3600"
    );
    assert_eq!(
        refused(&["--listne", "udp:127.0.0.1:0"]),
        "presence-server: unexpected argument '--listne' found; did you mean --listen? (see --help)"
    );
    let both = refused(&["--memory", "--data", "d"]);
    assert!(both.contains("--memory") && both.contains("--data"), "{both}");
    let open = refused(&["--insecure-no-auth", "--listen", "udp:0.0.0.0:0"]);
    assert!(open.contains("only when every listener is loopback"), "{open}");
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn a_wrong_configuration_is_named_with_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("p.toml");
    std::fs::write(&file, "domain = \"example.org\"\nnotify_gap = -1\n").expect("written");
    let line = refusal(server(folder.path(), &["--config", "p.toml"]));
    assert_eq!(
        line,
        "presence-server: p.toml:2:14: notify_gap = \"-1\": must be a whole number of seconds \
         from 0 to 3600"
    );
    assert_eq!(entries(folder.path()), 1);
}

#[test]
fn a_corrupt_users_file_is_named_with_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("u.toml"), "[[user]]\nname = \"alice\n").expect("written");
    let line =
        refusal(server(folder.path(), &["--users", "u.toml", "--listen", "udp:127.0.0.1:0"]));
    assert!(line.starts_with("presence-server: u.toml:2:"), "{line}");
    let line = refusal(server(folder.path(), &["--users", "none.toml"]));
    assert!(line.starts_with("presence-server: users none.toml: cannot be read: "), "{line}");
    assert_eq!(entries(folder.path()), 1);
}

#[test]
fn everybody_with_one_password_is_for_loopback_only() {
    let folder = tempfile::tempdir().expect("a folder");
    support::write_users(&folder.path().join("u.toml"), &[("*", "x")]);
    let line = refusal(server(
        folder.path(),
        &["--users", "u.toml", "--listen", "udp:0.0.0.0:0", "--memory"],
    ));
    assert_eq!(
        line,
        "presence-server: user \"*\": allowed only when every listener is loopback, \
         and udp:0.0.0.0:0 is not"
    );
}

#[test]
fn a_busy_port_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let listen = format!("udp:127.0.0.1:{port}");
    let line = refusal(server(folder.path(), &["--listen", &listen]));
    assert!(line.contains(&listen) && line.contains("in use"), "{line}");
    assert_eq!(entries(folder.path()), 0, "no store was made");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let admin = taken.local_addr().expect("bound").to_string();
    let line = refusal(server(folder.path(), &["--listen", "udp:127.0.0.1:0", "--admin", &admin]));
    assert!(line.contains(&format!("admin = \"{admin}\"")), "{line}");
    assert_eq!(entries(folder.path()), 0, "no store was made");
}

#[test]
fn a_data_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("written");
    let line =
        refusal(server(folder.path(), &["--listen", "udp:127.0.0.1:0", "--data", "file/data"]));
    assert!(line.contains("file/data"), "{line}");
}

#[test]
fn hash_reads_a_password_and_prints_an_account() {
    let mut command = program("presence-server");
    command.args(["user", "hash", "sip:alice@example.org"]);
    let output = finish(command, "wonderland\n");
    assert!(output.status.success());
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.starts_with("[[user]]\nname = \"alice\"\nha1_sha256 = \""), "{printed}");

    let mut command = program("presence-server");
    command.arg("user");
    assert_eq!(refusal(command), "presence-server: the command is incomplete (see --help)");
    let mut command = program("presence-server");
    command.args(["user", "hash", "alice"]);
    let line = refusal(command);
    assert!(line.contains("must be like sip:alice@example.org"), "{line}");
}

#[test]
fn help_is_complete_and_fine() {
    for name in ["presence-server", "presence-ua"] {
        let mut command = program(name);
        command.arg("--help");
        let output = finish(command, "");
        assert_eq!(output.status.code(), Some(0));
        let help = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(help.contains("Examples:") && help.contains("Exit codes:"), "{help}");
    }
}

#[test]
fn an_agent_without_password_or_server_does_not_start() {
    let agent = |arguments: &[&str]| {
        let mut command = program("presence-ua");
        command.args(["--aor", "sip:alice@example.org"]).args(arguments);
        command
    };
    let line = refusal(agent(&["--server", "127.0.0.1:5060"]));
    assert!(line.contains("PRESENCE_PASSWORD") && line.contains("--password-file"), "{line}");
    let line = refusal(agent(&[]));
    assert!(line.contains("--server"), "{line}");
    let mut command = agent(&["--server", "127.0.0.1:port"]);
    command.env("PRESENCE_PASSWORD", "x");
    let line = refusal(command);
    assert!(line.starts_with("presence-ua: --server "), "{line}");
}
