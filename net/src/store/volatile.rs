//! No store at all: for a server that a restart may leave with nothing (`--memory`).

use super::{Row, Store, Visit, entropy};
use presently_engine::mint::Secret;
use std::io;

/// Keeps nothing but the secret of this one boot.
#[derive(Clone, Debug)]
pub struct Volatile {
    secret: Secret,
}

impl Volatile {
    /// A store with fresh entropy.
    pub fn new() -> io::Result<Self> {
        Ok(Self { secret: Secret::new(entropy()?) })
    }
}

impl Store for Volatile {
    fn secret(&self) -> Secret {
        self.secret.clone()
    }

    fn boot(&self) -> u64 {
        1
    }

    fn keeps(&self) -> bool {
        false
    }

    fn load(&self, _: &mut Visit<'_>) -> io::Result<()> {
        Ok(())
    }

    async fn commit(&self, _: Vec<Row>) -> io::Result<()> {
        Ok(())
    }
}
