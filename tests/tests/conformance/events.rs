//! The event framework: RFC 6665.
