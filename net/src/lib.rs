//! Everything that can block: sockets, driver, store. No protocol decisions.
