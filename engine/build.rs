//! Names the engine by its source, so that a program can say which engine it was built with and a
//! certificate which engine was checked.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src");
    let hash = source_hash(Path::new("src"))?;
    let version = env::var("CARGO_PKG_VERSION").map_err(io::Error::other)?;
    println!("cargo:rustc-env=PRESENTLY_SOURCE_HASH={hash}");
    println!("cargo:rustc-env=PRESENTLY_VERSION={version} (engine {hash})");
    Ok(())
}

/// SHA-256 over every source file but tests, in the order of their paths: the path with slashes,
/// NUL, the length in decimal, NUL, the content.
fn source_hash(root: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    let mut named: Vec<(String, PathBuf)> =
        files.into_iter().map(|file| (name(root, &file), file)).collect();
    named.sort();
    let mut hash = Sha256::new();
    for (name, file) in named {
        let content = fs::read(&file)?;
        hash.update(format!("{name}\0{}\0", content.len()));
        hash.update(content);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if is_test {
            continue;
        } else if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn name(root: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(root).unwrap_or(file).components();
    let parts: Vec<_> = inside.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
