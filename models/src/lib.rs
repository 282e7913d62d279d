//! Presently's models: the shipped `Server` and `Agent` values, explored exhaustively.
//!
//! There is no shadow model. A state is the engine's own values beside a network, the stored rows
//! and budgets for what may go wrong; a step is one call of `handle`. Read `world.rs` first, then
//! `laws.rs` and `catalogue.rs`.

pub mod capsule;
mod cast;
pub mod catalogue;
pub mod certificate;
pub mod drawing;
pub mod explore;
pub mod gauge;
mod ghost;
pub mod law;
mod laws;
mod pair;
pub mod plan;
mod print;
mod recall;
pub mod run;
mod shards;
mod step;
mod wire;
pub mod world;

pub use cast::DOMAIN;
pub use laws::holds;
pub use shards::Sharded;
