//! Digest access authentication (RFC 7616, RFC 8760; RFC 3261 §22), both sides.

mod client;
mod hash;
mod nonce;

pub use client::{Client, ClientError};
pub use hash::{Algorithm, Ha1, Qop};
pub use nonce::{NonceKey, NonceState, Nonces, Ruling};
pub use hash::{Parts, response};
pub use nonce::{NonceLimits, challenges};
