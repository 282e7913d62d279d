//! One build with all mutants in it, in a copy of the tree.
//!
//! A mutant that does not compile is found by the compiler's own words and left out, until the
//! rest compiles.

use crate::list::Mutant;
use crate::plant::{SWITCH, plant};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where programs of the build stand, by target name.
pub(crate) type Programs = BTreeMap<String, PathBuf>;

/// The copied tree and what became of the mutants in it.
pub(crate) struct Forge {
    pub(crate) tree: PathBuf,
    target: PathBuf,
    /// Those that do not compile.
    pub(crate) unviable: BTreeSet<u32>,
    /// Those that live in the build.
    pub(crate) planted: BTreeSet<u32>,
}

/// One `cargo` call that makes programs.
pub(crate) type Make = &'static [&'static str];

impl Forge {
    /// Copies every file under version control, and new ones that are not ignored.
    pub(crate) fn new(root: &Path, place: &Path) -> Result<Self, String> {
        let tree = place.join("tree");
        let list = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("git: {error}"))?;
        let mut wanted = BTreeSet::new();
        for name in list.stdout.split(|octet| *octet == 0).filter(|name| !name.is_empty()) {
            let name = String::from_utf8_lossy(name).into_owned();
            let (from, to) = (root.join(&name), tree.join(&name));
            // What is deleted but not committed is still listed.
            let Ok(bytes) = fs::read(&from) else { continue };
            write_if_other(&to, &bytes)?;
            wanted.insert(to);
        }
        forget_others(&tree, &wanted)?;
        let target = place.join("build");
        Ok(Self { tree, target, unviable: BTreeSet::new(), planted: BTreeSet::new() })
    }

    /// Plants the mutants, without those that stand in the way of the compiler.
    pub(crate) fn prepare(&mut self, mutants: &[Mutant]) -> Result<(), String> {
        self.add_switch()?;
        let files: BTreeSet<&str> = mutants.iter().map(|mutant| &*mutant.file).collect();
        let originals: BTreeMap<&str, String> = files
            .into_iter()
            .map(|file| Ok((file, read(&self.tree.join(file))?)))
            .collect::<Result<_, String>>()?;
        loop {
            self.plant(mutants, &originals)?;
            match self.errors(&["check", "-p", "presently-engine"])? {
                Ok(_) => return Ok(()),
                Err(found) if found.is_subset(&self.unviable) => {
                    return Err("the tree does not compile".into());
                }
                Err(found) => self.unviable.extend(found),
            }
        }
    }

    /// Builds what hunts.
    pub(crate) fn build(&self, makes: &[Make]) -> Result<Programs, String> {
        let mut programs = Programs::new();
        for make in makes {
            match self.errors(make)? {
                Ok(made) => programs.extend(made),
                Err(_) => return Err(format!("cargo {} failed", make.join(" "))),
            }
        }
        Ok(programs)
    }

    fn add_switch(&self) -> Result<(), String> {
        write_if_other(&self.tree.join("engine/src/mutant.rs"), SWITCH.as_bytes())?;
        let lib = self.tree.join("engine/src/lib.rs");
        let text = read(&lib)?;
        write_if_other(&lib, format!("{text}\n#[doc(hidden)]\npub mod mutant;\n").as_bytes())
    }

    fn plant(&mut self, all: &[Mutant], originals: &BTreeMap<&str, String>) -> Result<(), String> {
        self.planted.clear();
        let mut impossible = Vec::new();
        for (file, text) in originals {
            let viable =
                |mutant: &&Mutant| mutant.file == *file && !self.unviable.contains(&mutant.number);
            let here: Vec<&Mutant> = all.iter().filter(viable).collect();
            let done = plant(text, &here).map_err(|error| format!("{file}: {error}"))?;
            self.planted.extend(done.numbers);
            impossible.extend(done.impossible);
            let path = self.tree.join(file);
            write_if_other(&path, formatted(&done.text)?.as_bytes())?;
        }
        self.unviable.extend(impossible);
        Ok(())
    }

    /// Runs cargo; what it made, or the mutants whose errors it told.
    fn errors(&self, arguments: &[&str]) -> Result<Result<Programs, BTreeSet<u32>>, String> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--profile", "mutants", "--message-format=json", "--quiet"])
            .env("CARGO_TARGET_DIR", &self.target)
            .env("RUSTFLAGS", "--cap-lints allow --cfg tokio_unstable")
            .current_dir(&self.tree)
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        let (mut programs, mut guilty) = (Programs::new(), BTreeSet::new());
        for line in output.stdout.split(|octet| *octet == b'\n') {
            let Ok(message) = serde_json::from_slice::<Value>(line) else { continue };
            if let Some(path) = message["executable"].as_str() {
                let name = message["target"]["name"].as_str().unwrap_or_default();
                programs.insert(name.replace('_', "-"), path.into());
            }
            if message["message"]["level"] == "error" {
                match self.guilty(&message["message"]) {
                    Some(number) => _ = guilty.insert(number),
                    None => eprintln!("{}", message["message"]["rendered"]),
                }
            }
        }
        Ok(if output.status.success() { Ok(programs) } else { Err(guilty) })
    }

    /// The mutant in whose branch an error stands: the last one switched before it.
    fn guilty(&self, error: &Value) -> Option<u32> {
        let spans = error["spans"].as_array()?;
        let span = spans.iter().find(|span| span["is_primary"] == true)?;
        let text = read(&self.tree.join(span["file_name"].as_str()?)).ok()?;
        let end = usize::try_from(span["byte_start"].as_u64()?).ok()?;
        let before = text.get(..end)?;
        let (_, number) = before.rsplit_once("mutant::on(")?;
        number.split(|sign: char| !sign.is_ascii_digit()).next()?.parse().ok()
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Files that stay the same keep their time, so that cargo builds no more than it has to.
fn write_if_other(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if fs::read(path).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    let told = |error| format!("{}: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(told)?;
    fs::write(path, bytes).map_err(told)
}

fn forget_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            forget_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// One line for each branch: that is how an error finds its mutant, and a reader, too.
fn formatted(text: &str) -> Result<String, String> {
    use std::io::Write;
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt: {error}"))?;
    let mut stdin = child.stdin.take().ok_or("rustfmt without input")?;
    let text = text.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().map_err(|error| format!("rustfmt: {error}"))?;
    let _ = writer.join();
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
