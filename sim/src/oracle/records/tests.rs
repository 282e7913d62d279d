//! Doctored.
