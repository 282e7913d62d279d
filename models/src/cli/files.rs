//! Files that runs leave and that are read again: capsules and certificates.

use super::tell;
use presently_engine::SOURCE_HASH;
use presently_models::capsule::{Capsule, Ending};
use presently_models::certificate::{Certificate, engine_in};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Seconds since 1970-01-01, UTC.
#[expect(clippy::disallowed_types, reason = "a certificate is dated, and nothing else here is")]
pub(super) fn now() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Writes a file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|why| format!("{} cannot be written: {why}", path.display()))
}

/// Writes a capsule into a folder and says where it is.
pub(super) fn keep(folder: &Path, capsule: &Capsule) -> Result<PathBuf, String> {
    std::fs::create_dir_all(folder)
        .map_err(|why| format!("{} cannot be made: {why}", folder.display()))?;
    let path = folder.join(capsule.file_name());
    capsule.write(&path).map_err(|why| why.to_string())?;
    Ok(path)
}

/// Walks capsules again. 1 if a law is broken, or if this engine should have broken it and did not.
pub(super) fn replay(files: &[PathBuf], brief: bool) -> Result<ExitCode, String> {
    let mut failed = false;
    for file in files {
        let of_file = |why: String| format!("{}: {why}", file.display());
        let capsule = Capsule::read(file).map_err(|why| of_file(why.to_string()))?;
        let walk = capsule.walk_shipped().map_err(|why| of_file(why.to_string()))?;
        if !brief {
            tell::say(&format!("{}\n", walk.ladder));
        }
        let (fails, outcome) = outcome(&capsule, &walk.ending);
        failed |= fails;
        tell::say(&format!("{}: {outcome}\n", file.display()));
    }
    Ok(ExitCode::from(u8::from(failed)))
}

fn outcome(capsule: &Capsule, ending: &Ending) -> (bool, String) {
    let (law, same) = (&capsule.law, capsule.is_of_this_engine());
    match ending {
        Ending::Broken(found, step) if found.name() == law => {
            (true, format!("{law} is broken by step {step}: {}", found.says()))
        }
        Ending::Broken(found, step) => {
            let says = found.says();
            (true, format!("{law} held, but {found} is broken by step {step}: {says}"))
        }
        Ending::Held if same => (
            true,
            format!("{law} held all the way, with the engine that broke it: a fault was planted"),
        ),
        Ending::Held => (false, format!("{law} held all {} steps", capsule.steps.len())),
        Ending::Differs(step, unfound) if same => (
            true,
            format!("step {} is none of this engine, though it wrote it: {unfound}", step + 1),
        ),
        Ending::Differs(step, unfound) => {
            (false, format!("{law} held {step} steps; then this engine differs: {unfound}"))
        }
    }
}

/// Whether a certificate covers an engine.
pub(super) fn verify(file: &Path, with: Option<&str>) -> Result<ExitCode, String> {
    let engine = match with {
        None => SOURCE_HASH,
        Some(text) => engine_in(text).ok_or_else(|| {
            format!("--with {text:?}: must be what a program says with --version")
        })?,
    };
    let text = std::fs::read_to_string(file)
        .map_err(|why| format!("{} cannot be read: {why}", file.display()))?;
    let certificate =
        Certificate::parse(&text).map_err(|why| format!("{}: {why}", file.display()))?;
    if let Err(why) = certificate.covers(engine) {
        tell::error(&format!("{}: {why}", file.display()));
        return Ok(ExitCode::FAILURE);
    }
    tell::say(&format!(
        "engine {engine} was checked on {}, budget {}: {} models, {} states, everything holds\n",
        certificate.date,
        certificate.budget,
        certificate.models.len(),
        certificate.states
    ));
    Ok(ExitCode::SUCCESS)
}
