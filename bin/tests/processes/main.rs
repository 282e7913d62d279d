//! Scenes with real processes: `presence-server` and `presence-ua` as they are installed, real
//! sockets on loopback, real folders, real `kill -9`.
//!
//! Every test has its own server on its own port and folder, so all of them run side by side.
//! Nothing waits for time: a scene waits for what must happen, and a deadline ends it otherwise.

mod durability;
mod failures;
mod media;
mod paper;
mod rig;
mod traces;
