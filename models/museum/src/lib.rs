//! The bug museum: faults of real presence systems, and mutants of this engine, each of which a
//! named property has to find.
//!
//! An [`exhibit::Exhibit`] is a small file: a story, and replacements of texts in the engine's
//! sources, each with a switch in it. [`workshop`] copies the workspace, makes all replacements at
//! once ([`plant`]) and builds the copy; [`trial`] runs one model or one search there with one
//! fault switched on. [`table`] keeps what came of it in the README.

pub mod cli;
pub mod exhibit;
pub mod plant;
pub mod show;
pub mod table;
pub mod trial;
pub mod workshop;

use std::path::{Path, PathBuf};

/// The workspace that this program was built from.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
