//! The copied workspace: made, planted and built below the target directory, nowhere else.

use crate::exhibit::{Exhibit, Unfit};
use crate::plant::planted;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Our own manifest, and the name of the program in it, which gets another name in the copy: both
/// are built into one directory.
const MANIFEST: &str = "models/museum/Cargo.toml";
const HERE: &str = "presence-museum";
const THERE: &str = "presence-museum-planted";

/// The version of every package of ours in the copy. Cargo tells packages that are built into one
/// directory apart by name and version; with the same version the planted engine would be linked
/// into whatever is built of the real one next.
const PLANTED: &str = "version = \"0.0.0-planted\"";

fn unfit(what: impl std::fmt::Display, error: impl std::fmt::Display) -> Unfit {
    Unfit(format!("{what}: {error}"))
}

fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Where this workspace is built.
fn target(root: &Path) -> Result<PathBuf, Unfit> {
    let mut asked = Command::new(cargo());
    asked.args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).current_dir(root);
    let told = asked.output().map_err(|error| unfit("cargo metadata", error))?;
    let value: serde_json::Value =
        serde_json::from_slice(&told.stdout).map_err(|error| unfit("cargo metadata", error))?;
    let folder = value.get("target_directory").and_then(serde_json::Value::as_str);
    folder.map(PathBuf::from).ok_or_else(|| unfit("cargo metadata", "names no target directory"))
}

/// The files that git knows or would take, from the root.
fn files(root: &Path) -> Result<BTreeSet<String>, Unfit> {
    let mut asked = Command::new("git");
    asked.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let told = asked.output().map_err(|error| unfit("git ls-files", error))?;
    if !told.status.success() {
        return Err(unfit("git ls-files", String::from_utf8_lossy(&told.stderr).trim()));
    }
    let names = String::from_utf8_lossy(&told.stdout);
    let names = names.split('\0').filter(|name| !name.is_empty() && root.join(name).is_file());
    Ok(names.map(str::to_owned).collect())
}

/// The planted program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// Where it is.
    pub program: PathBuf,
    /// How long it took to build.
    pub took: Duration,
}

/// Copies the workspace, plants every exhibit and builds the copy once.
///
/// # Errors
/// The exhibits do not fit the sources, or the copy cannot be made or built.
pub fn build(root: &Path, exhibits: &[Exhibit]) -> Result<Built, Unfit> {
    let began = Instant::now();
    let target = target(root)?;
    let copy = target.join("museum").join("workspace");
    let mut changed = planted(root, exhibits)?;
    let manifest = std::fs::read_to_string(root.join(MANIFEST)).map_err(|e| unfit(MANIFEST, e))?;
    let (ours, theirs) = (format!("name = \"{HERE}\""), format!("name = \"{THERE}\""));
    changed.insert(MANIFEST.to_owned(), manifest.replace(&ours, &theirs));
    for file in ["Cargo.toml", "Cargo.lock"] {
        let text = std::fs::read_to_string(root.join(file)).map_err(|error| unfit(file, error))?;
        changed.insert(file.to_owned(), renumbered(&text));
    }
    let files = files(root)?;
    sweep(&copy, &copy, &files, &changed);
    for file in &files {
        if !changed.contains_key(file) {
            let content = std::fs::read(root.join(file)).map_err(|error| unfit(file, error))?;
            put(&copy.join(file), &content)?;
        }
    }
    for (file, text) in &changed {
        put(&copy.join(file), text.as_bytes())?;
    }
    let mut build = Command::new(cargo());
    build.args(["build", "--release", "--offline", "--locked", "-p", "presently-museum"]);
    build.env("CARGO_TARGET_DIR", &target).current_dir(&copy);
    let told = build.output().map_err(|error| unfit("cargo build", error))?;
    if !told.status.success() {
        let said = String::from_utf8_lossy(&told.stderr);
        return Err(unfit("the planted workspace does not build", said));
    }
    let program =
        target.join("release").join(THERE).with_extension(std::env::consts::EXE_EXTENSION);
    Ok(Built { program, took: began.elapsed() })
}

/// A manifest or lock file in which our own packages have another version.
fn renumbered(text: &str) -> String {
    let ours = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let mut before = "";
    let lines = text.lines().map(|line| {
        let is_ours = before == "[workspace.package]" || before.starts_with("name = \"presently");
        let changed = if is_ours && line == ours { PLANTED } else { line };
        before = line;
        changed.to_owned() + "\n"
    });
    lines.collect()
}

/// Writes a file unless it is there already: cargo goes by times.
fn put(path: &Path, content: &[u8]) -> Result<(), Unfit> {
    if std::fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|error| unfit(folder.display(), error))?;
    std::fs::write(path, content).map_err(|error| unfit(path.display(), error))
}

/// Removes what the workspace does not have any more.
fn sweep(
    copy: &Path,
    folder: &Path,
    files: &BTreeSet<String>,
    changed: &std::collections::BTreeMap<String, String>,
) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.strip_prefix(copy).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if path.is_dir() {
            sweep(copy, &path, files, changed);
        } else if !files.contains(&name) && !changed.contains_key(&name) {
            // What cannot be removed is noticed when the copy is built.
            let _ = std::fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests;
