//! Documents as values: presence, watcher information, authorisation rules, sessions. Strict and
//! bounded on the way in, shaped by the schemas on the way out.

pub mod pidf;
pub mod presrules;
pub mod sdp;
pub mod winfo;
mod xml;

pub use xml::{XmlError, XmlLimits};
