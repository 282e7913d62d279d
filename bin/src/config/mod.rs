//! Configuration: rules for values, and the one reader of TOML files that applies them.
//!
//! A value means the same and fails with the same words wherever it is written, as a flag or as
//! a key. Nothing here knows what the values are for.

pub(crate) mod rule;
pub(crate) mod sheet;
