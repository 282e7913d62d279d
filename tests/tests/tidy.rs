//! The house rules as a test: sizes, arrows between modules, banned calls, the grammar of RFC
//! references. A rule that hurts is a sign to reshape the house, not to raise the limit.

use presently_tests::conformance::evidence;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 100;
const DRIVER_LINES: usize = 300;

/// The only folders and files at the top of the house.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "engine",
    "sim",
    "models",
    "net",
    "bin",
    "benches",
    "tests",
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "LICENSE",
    "rustfmt.toml",
    "clippy.toml",
    "target",
    "presence-data",
];

/// What the engine must not contain: clocks, threads, sockets, files, chance, hash order.
const BANNED_IN_ENGINE: &[&str] = &[
    "std::time::Instant",
    "SystemTime",
    "std::thread",
    "std::fs",
    "std::env",
    "std::process",
    "UdpSocket",
    "TcpStream",
    "HashMap",
    "HashSet",
    "getrandom",
    "rand::",
    "tokio",
    "println!",
    "eprintln!",
    "RefCell",
    "Mutex",
    "static mut",
    "thread_local",
];

/// What no file outside of tests contains.
const BANNED_EVERYWHERE: &[&str] = &["todo!(", "unimplemented!(", "dbg!(", ".unwrap()", "unsafe "];

/// Modules of the engine and what each may use (`crate::X`).
const ARROWS: &[(&str, &[&str])] = &[
    ("machine", &["message", "time"]),
    ("time", &[]),
    ("mint", &[]),
    ("slot", &["message", "transaction"]),
    ("message", &["message"]),
    ("body", &["body", "message", "time", "mint"]),
    ("transaction", &["transaction", "machine", "message", "mint", "slot", "time"]),
    ("dialog", &["dialog", "machine", "message", "mint", "transaction"]),
    ("digest", &["digest", "message", "mint", "time"]),
    (
        "server",
        &[
            "server",
            "body",
            "dialog",
            "digest",
            "machine",
            "message",
            "mint",
            "slot",
            "time",
            "transaction",
        ],
    ),
    (
        "agent",
        &[
            "agent",
            "body",
            "dialog",
            "digest",
            "machine",
            "message",
            "mint",
            "slot",
            "time",
            "transaction",
        ],
    ),
];

/// The tables of a presentity: none may import another.
const TABLES: &[&str] = &["information", "subscriptions", "watchers", "rules"];

struct File {
    path: PathBuf,
    name: String,
    text: String,
}

impl File {
    fn is_test(&self) -> bool {
        self.name.contains("/tests/")
            || self.name.ends_with("tests.rs")
            || self.name.ends_with("rig.rs")
    }

    /// Lines before an inline test module.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn walk(folder: &Path, found: &mut Vec<File>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
        if path.is_dir() && !name.ends_with("target") && !name.contains("/fuzz/target") {
            walk(&path, found);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            found.push(File { path, name, text });
        }
    }
}

fn sources() -> Vec<File> {
    let mut found = Vec::new();
    for member in ["engine", "net", "bin", "benches", "tests", "sim", "models"] {
        walk(&root().join(member), &mut found);
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn report(rule: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn the_top_level_is_fixed() {
    let mut faults = Vec::new();
    for entry in fs::read_dir(root()).expect("the workspace") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !name.starts_with("LICENSE") && !TOP.contains(&&*name) {
            faults.push(name);
        }
    }
    report("nothing else belongs at the top", &faults);
}

#[test]
fn files_and_functions_are_small() {
    let mut faults = Vec::new();
    for file in sources() {
        let lines = file.text.lines().count();
        if lines > FILE_LINES && !file.is_test() {
            faults.push(format!("{}: {lines} lines, at most {FILE_LINES}", file.name));
        }
        for (line, name, length) in functions(&file.text) {
            if length > FUNCTION_LINES {
                faults.push(format!("{}:{line}: fn {name} has {length} lines", file.name));
            }
        }
        for (number, line) in file.code() {
            if line.chars().count() > COLUMNS && !line.contains("http") && !line.contains('"') {
                faults.push(format!("{}:{number}: over {COLUMNS} columns", file.name));
            }
        }
    }
    report("sizes", &faults);
}

/// Line, name and length of every function, by matching indentation: rustfmt closes a function in
/// the column it was opened in.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let Some(place) = body.find("fn ").filter(|_| is_function_head(body)) else { continue };
        let name = body[place + 3..].split(['(', '<']).next().unwrap_or("").to_owned();
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[index..].iter().position(|line| *line == closing);
        if let Some(length) = end {
            found.push((index + 1, name, length + 1));
        }
    }
    found
}

fn is_function_head(line: &str) -> bool {
    let head = [
        "fn ",
        "pub fn ",
        "pub(crate) fn ",
        "pub(super) fn ",
        "async fn ",
        "const fn ",
        "pub async fn ",
        "pub const fn ",
        "pub(crate) async fn ",
        "pub(crate) const fn ",
    ];
    head.iter().any(|head| line.starts_with(head)) && !line.ends_with(';')
}

#[test]
fn the_engine_sees_no_world() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| file.name.starts_with("engine/src")) {
        for (number, line) in file.code().filter(|(_, line)| !is_comment(line)) {
            for banned in BANNED_IN_ENGINE {
                if line.contains(banned) && !file.is_test() {
                    faults.push(format!("{}:{number}: {banned}", file.name));
                }
            }
        }
    }
    report("the engine has no I/O, clock, thread, chance or hash order", &faults);
}

#[test]
fn nothing_is_left_half_done() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| !file.is_test() && !file.name.contains("tests/")) {
        for (number, line) in file.code().filter(|(_, line)| !is_comment(line)) {
            for banned in BANNED_EVERYWHERE {
                if line.contains(banned) {
                    faults.push(format!("{}:{number}: {banned}", file.name));
                }
            }
        }
    }
    report("no stubs, no unwrap, no unsafe", &faults);
}

#[test]
fn no_merge_was_left_unfinished() {
    let mut faults = Vec::new();
    for file in sources() {
        for (number, line) in file.code() {
            if line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>") {
                faults.push(format!("{}:{number}", file.name));
            }
        }
    }
    report("conflict marks", &faults);
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[test]
fn every_select_is_biased() {
    let mut faults = Vec::new();
    for file in sources() {
        let lines: Vec<&str> = file.text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let calls = line.contains("select! {") && !is_comment(line);
            if calls && !lines.get(index + 1).is_some_and(|next| next.contains("biased;")) {
                faults.push(format!("{}:{}", file.name, index + 1));
            }
        }
    }
    report("an unbiased select makes equal seeds diverge", &faults);
}

#[test]
fn arrows_point_one_way() {
    let mut faults = Vec::new();
    for file in sources().iter().filter(|file| file.name.starts_with("engine/src")) {
        let inside = file.name.trim_start_matches("engine/src/");
        let module = inside.split(['/', '.']).next().unwrap_or("");
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else { continue };
        for (number, line) in file.code().filter(|(_, line)| !is_comment(line)) {
            for (place, _) in line.match_indices("crate::") {
                let target = line[place + 7..].split(|c: char| !c.is_alphanumeric() && c != '_');
                let target = target.into_iter().next().unwrap_or("");
                let known = ARROWS.iter().any(|(name, _)| *name == target);
                if known && target != module && !allowed.contains(&target) && !file.is_test() {
                    faults.push(format!("{}:{number}: {module} → {target}", file.name));
                }
            }
        }
    }
    report("arrows between the engine's modules", &faults);
}

#[test]
fn tables_do_not_know_each_other() {
    let mut faults = Vec::new();
    for table in TABLES {
        let path = root().join(format!("engine/src/server/presentity/{table}.rs"));
        let text = fs::read_to_string(&path).expect("a table of the presentity");
        for other in TABLES.iter().filter(|other| *other != table) {
            let imports = format!("use super::{other}::");
            for line in text.lines().filter(|line| line.starts_with(&imports)) {
                // What a watcher is shown is a value that the rules yield and the row remembers.
                if *table != "rules" || !line.contains("View") {
                    faults.push(format!("{table}: {line}"));
                }
            }
        }
    }
    report("only presentity/mod.rs and its verbs see more than one table", &faults);
}

#[test]
fn references_have_one_grammar() {
    let mut faults = Vec::new();
    for file in sources() {
        for (number, line) in file.code().filter(|(_, line)| is_comment(line)) {
            for wrong in ["RFC3261", "RFC 3261 section", "rfc 3261", "RFC6665", "RFC 6665 section"]
            {
                if line.contains(wrong) {
                    faults.push(format!("{}:{number}: write RFC 3261 §8.2", file.name));
                }
            }
        }
    }
    report("clause references", &faults);
}

#[test]
fn every_file_opens_with_what_it_is() {
    let mut faults = Vec::new();
    for file in sources() {
        if !file.text.starts_with("//!") && !file.name.ends_with("tests.rs") {
            faults.push(file.path.display().to_string());
        }
    }
    report("a file opens with what it is", &faults);
}

/// The drivers of other people's software are read as often as the engine is.
#[test]
fn drivers_are_small_and_say_what_they_are() {
    let mut faults = Vec::new();
    let files = evidence::files(&root().join("tests/interop"), "py").expect("the drivers");
    for path in files {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let name = path.strip_prefix(root()).expect("inside").display().to_string();
        if text.lines().count() > DRIVER_LINES {
            faults.push(format!("{name}: over {DRIVER_LINES} lines"));
        }
        if !text.starts_with("\"\"\"") {
            faults.push(format!("{name}: opens without saying what it is"));
        }
        for (number, line) in (1..).zip(text.lines()) {
            if line.chars().count() > COLUMNS && !line.contains('"') {
                faults.push(format!("{name}:{number}: over {COLUMNS} columns"));
            }
            // The kernel's table of sockets is the one thing that cannot be waited for.
            if line.contains("sleep(") && !name.ends_with("rig/net.py") {
                faults.push(format!("{name}:{number}: wait for what happens, do not sleep"));
            }
        }
    }
    report("drivers", &faults);
}
