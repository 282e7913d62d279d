//! Pager messages: RFC 3428.
