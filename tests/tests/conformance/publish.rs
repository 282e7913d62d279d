//! Publication: RFC 3903.
