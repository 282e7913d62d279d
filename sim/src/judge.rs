//! Holds the expectations against the record: what somebody saw, when, and what instead.
