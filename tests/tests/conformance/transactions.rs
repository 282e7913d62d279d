//! Transactions: RFC 3261 §17, RFC 4320, RFC 6026.
