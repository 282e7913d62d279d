//! uas
