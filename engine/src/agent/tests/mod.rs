//! Scenes of the user agent in virtual time, against a server that says what the scene wants.

mod auth;
mod calls;
mod calls_rules;
mod decisions;
mod direct;
mod incoming;
mod machines;
mod notify;
mod offers;
mod pager;
mod publication;
mod registration;
mod restart;
mod rig;
mod subscription;
mod winfo;
