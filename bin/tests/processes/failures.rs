//! Surroundings that do not fit: one line that names input and remedy, exit code 2, nothing half
//! started and nothing lost.

use crate::rig::{Ended, House, Phone, run};
use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A server that must not start.
fn refused(command: &mut Command) -> String {
    let Ended { code, stdout, stderr } = run(command);
    assert_eq!((code, &stdout[..]), (Some(2), &[][..]), "{stderr}");
    let mut lines = stderr.lines();
    let line = lines.next().expect("a line on stderr").to_owned();
    assert_eq!(lines.next(), None, "one line, not {stderr}");
    assert!(line.starts_with("presence-server: "), "{line}");
    line
}

/// Every file below a folder with what is in it.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let text = fs::read(&path).expect("a file");
            found.insert(path, text);
        }
    }
    found
}

/// Puts `content` where it was.
fn restore(folder: &Path, content: &BTreeMap<PathBuf, Vec<u8>>) {
    fs::remove_dir_all(folder).expect("removed");
    for (path, text) in content {
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
}

/// The second server on the same data does not get it, and leaves its port alone; the first one
/// goes on.
#[test]
fn a_data_folder_in_use() {
    let mut house = House::new("");
    let server = house.open();
    let data = house.path().join("data");
    let place = UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let line = refused(&mut house.command_on(place.port()));
    assert!(line.contains(&data.display().to_string()), "{line}");
    assert!(line.contains("another server is using it") && line.contains("--data"), "{line}");
    UdpSocket::bind(place).expect("its port is free");
    Phone::new("bob", server.address).register();
}

/// The port of a running server: the second one makes no store.
#[test]
fn a_port_in_use() {
    let mut house = House::new("");
    let server = house.open();
    let other = house.path().join("other");
    let line = refused(house.command().arg("--data").arg(&other));
    assert!(line.contains(&server.address.to_string()), "{line}");
    assert!(line.contains("in use") && line.contains("--listen"), "{line}");
    assert!(!other.exists());
}

/// What is below a file, or in a place where nothing can be made.
#[test]
fn a_data_folder_that_cannot_be() {
    let house = House::new("");
    for place in ["users.toml/data", "users.toml"] {
        let place = house.path().join(place);
        let before = contents(house.path());
        let line = refused(house.command().arg("--data").arg(&place));
        let named = line.contains(&place.display().to_string()) && line.contains("--data");
        assert!(named, "{line}");
        assert_eq!(contents(house.path()), before);
    }
    let line = refused(house.command().args(["--data", "/proc/presence-data"]));
    assert!(line.contains("/proc/presence-data"), "{line}");
}

/// Somebody's thesis is no place for a store, and neither is data of another version.
#[test]
fn a_data_folder_of_somebody_else() {
    let house = House::new("");
    for (file, why) in [("thesis.tex", "not Presently's"), ("PRESENTLY", "another version")] {
        let folder = house.path().join(format!("of {file}"));
        fs::create_dir(&folder).expect("made");
        fs::write(folder.join(file), "a life's work").expect("written");
        let line = refused(house.command().arg("--data").arg(&folder));
        assert!(line.contains(&folder.display().to_string()) && line.contains(why), "{line}");
        assert_eq!(fs::read(folder.join(file)).expect("still there"), b"a life's work");
    }
}

/// With any one of its files damaged, a store is refused, or it does not need that file: a server
/// that says that it is ready has everything it acknowledged.
#[test]
fn damaged_data() {
    let mut house = House::new("");
    let server = house.open();
    let mut alice = Phone::new("alice", server.address);
    let draft = alice.message("bob", "lunch?");
    assert_eq!(alice.ask(&draft).status(), 202);
    server.kill();
    let rows = house.path().join("data").join("rows");
    let whole = contents(&rows);
    let mut damaged = 0;
    for (path, _) in whole.iter().filter(|(_, text)| !text.is_empty()) {
        fs::write(path, [0xa5; 300]).expect("damaged");
        match house.try_open() {
            Ok(server) => assert_eq!(server.size("stored_messages"), 1, "{}", path.display()),
            Err(Ended { code, stdout, stderr }) => {
                damaged += 1;
                assert_eq!((code, stdout.len()), (Some(2), 0), "{}: {stderr}", path.display());
                let one = stderr.lines().count() == 1 && stderr.contains("damaged");
                assert!(one, "{}: {stderr}", path.display());
            }
        }
        restore(&rows, &whole);
    }
    assert!(damaged > 0);
    assert_eq!(house.open().size("stored_messages"), 1);
}

/// A users file that is no text, no file, or says something twice or not at all. Nothing is made.
#[test]
fn users_that_cannot_be_right() {
    let house = House::new("");
    let file = house.path().join("users.toml");
    let wrong: [(&[u8], &str); 5] = [
        (b"[[user]]\nname = \"a\xff\"\n", "UTF-8"),
        (b"\0\0\0\0\0\0\0\0", "users.toml:1:"),
        (b"[[user]]\nname = \"alice\"\n", "password"),
        (b"[[user]]\nname = \"alice\"\nha1_sha256 = \"00\"\n", "64 hex digits"),
        (
            b"[[user]]\nname = \"alice\"\npassword = \"x\"\n\
              [[user]]\nname = \"alice\"\npassword = \"x\"\n",
            "twice",
        ),
    ];
    for (text, why) in wrong {
        fs::write(&file, text).expect("written");
        let line = refused(&mut house.command());
        assert!(line.contains("users.toml") && line.contains(why), "{line}");
        assert!(!house.path().join("data").exists());
    }
    fs::remove_file(&file).expect("removed");
    fs::create_dir(&file).expect("made");
    let line = refused(&mut house.command());
    assert!(line.contains("users.toml") && line.contains("directory"), "{line}");
}

/// A first start that is killed at any moment leaves a folder that the next start can use.
#[test]
fn a_first_start_that_was_killed() {
    for tenths in 0..12 {
        let mut house = House::new("");
        let mut command = house.command();
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let first = crate::rig::Process::start(&mut command);
        // However far it has come by then: it is killed when it is dropped.
        let _ = first.line(std::time::Instant::now() + Duration::from_millis(10 * tenths));
        drop(first);
        Phone::new("bob", house.open().address).register();
    }
}
