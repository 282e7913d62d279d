//! Everything of Presently that can block: sockets, the clock, the store, the loops between them.
//!
//! The engine decides, this crate carries out. A datagram comes in through [`udp`], is parsed and
//! routed once ([`router`]), waits in the bounded inbox of the shard that owns it, is handled there
//! by a [`Machine`](presently_engine::Machine) ([`driver`]), and what the machine answers leaves in
//! order, after the records before it are durable ([`store`]). [`service`] runs a server in shards,
//! [`agent`] runs one user agent.
//!
//! Media is the same again: [`rtp`], [`audio`] and [`video`] are values that are handed datagrams
//! and time, [`media`] opens the ports, paces the flows and does what the agent says may flow.
//!
//! No protocol decision is taken here, and nothing here names a concrete socket: whatever
//! implements [`Datagrams`] can carry a server, real or simulated.

pub mod agent;
pub mod audio;
pub mod clock;
mod crew;
pub mod driver;
pub mod gate;
pub mod log;
pub mod media;
pub mod metrics;
pub mod pressure;
mod recovery;
mod resolve;
pub mod router;
pub mod rtp;
pub mod service;
pub mod store;
pub mod tap;
#[cfg(test)]
mod testing;
pub mod udp;
pub mod video;
mod wire;

pub use agent::{AgentHandle, AgentSetup};
pub use clock::Clock;
pub use driver::{Failure, Remote};
pub use gate::Gate;
pub use metrics::Metrics;
pub use resolve::resolve;
pub use service::{Service, ServiceSetup};
pub use store::{DiskStore, MemoryStore, Row, Store, Volatile};
pub use tap::{Direction, Seen, Tap};
pub use udp::{Datagrams, bind};
