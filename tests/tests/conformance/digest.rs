//! Digest authentication: RFC 7616, RFC 8760 and RFC 3261 §22.

mod agents;
mod servers;
mod written;
