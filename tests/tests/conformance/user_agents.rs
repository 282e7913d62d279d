//! User agents and the registrar: RFC 3261 §8–15.
