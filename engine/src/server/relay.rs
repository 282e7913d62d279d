//! The proxy (M24, RFC 3261 §16).
