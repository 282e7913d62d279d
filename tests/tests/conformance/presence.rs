//! Presence and watcher information: RFC 3856, 3857, 3858, 3863.
