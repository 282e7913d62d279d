//! Digest access authentication (RFC 7616, RFC 8760; RFC 3261 §22), both sides.
//!
//! `hash` computes, `params` reads the header grammar, `nonce` mints keyed nonces, `replay`
//! remembers which uses were made of them, `server` judges (M7) and `client` answers (M8).

mod client;
#[cfg(test)]
pub(crate) mod fixture;
mod hash;
mod nonce;
mod params;
mod replay;
mod server;

pub use client::{Client, ClientError, opaque_of_stale};
pub use hash::{Algorithm, Ha1, Parts, Qop, response};
pub use nonce::NonceKey;
pub use replay::{NonceState, Nonces};
pub use server::{NonceLimits, Ruling, Terms, challenges};
