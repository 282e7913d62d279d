//! The gate: digest challenge and verification before any state exists (M7, D1).
