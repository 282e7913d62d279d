//! Messages, URIs, headers and transport: RFC 3261 §7, §18–21, §25 and RFC 3581.

pub(crate) mod codes;
mod heard;
pub(crate) mod said;
mod transport;
mod uris;
mod written;
