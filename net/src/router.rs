//! From the street to the right inbox: parse once, ask the message which slot owns it, hand over.
//!
//! Which shard owns a message is a pure function of the message (layout.md §6); the router adds
//! only how slots are spread over shards. What cannot be parsed has no owner and goes to the first
//! shard, whose machine decides what a datagram that is no message deserves.

use crate::metrics::Metrics;
use bytes::Bytes;
use presently_engine::message::{Message, may_continue};
use presently_engine::slot::Slot;
use presently_engine::{Input, Peer};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Which of `shards` shards owns a slot: each owns one run of neighbouring slots.
pub fn shard_of(slot: Slot, shards: usize) -> usize {
    usize::from(slot.0) * shards / usize::from(Slot::COUNT)
}

/// Which part of the inboxes newcomers cannot fill.
const RESERVED: usize = 4;

/// The inboxes of all shards.
#[derive(Debug)]
pub(crate) struct Router<C> {
    inboxes: Vec<mpsc::Sender<Input<C>>>,
    metrics: Arc<Metrics>,
}

impl<C> Router<C> {
    pub(crate) fn new(inboxes: Vec<mpsc::Sender<Input<C>>>, metrics: Arc<Metrics>) -> Self {
        assert!(!inboxes.is_empty(), "a machine has at least one shard");
        Self { inboxes, metrics }
    }

    /// Hands one datagram to the shard that owns it.
    ///
    /// One full inbox among others drops: the sender's retransmission is the queue that is left
    /// (RFC 3261 §17), and no shard waits for another. The last quarter of all of them is for what
    /// goes on with something that is there. When all are full, this waits, and what more comes is
    /// dropped by the kernel: to receive it only to drop it would take time from those who have
    /// work.
    pub(crate) async fn route(&self, from: Peer, bytes: Bytes) {
        if self.is_crowded() && !may_continue(&bytes) {
            self.metrics.inbox_overflow.add(1);
            return;
        }
        let (shard, input) = match Message::parse(bytes.clone()) {
            Ok(message) => {
                let shard = shard_of(Slot::route(&message), self.inboxes.len());
                (shard, Input::Message { from, message })
            }
            Err(_) => {
                self.metrics.parse_failures.add(1);
                (0, Input::Packet { from, bytes })
            }
        };
        if let Err(TrySendError::Full(input)) = self.inboxes[shard].try_send(input) {
            if self.inboxes.iter().all(|inbox| inbox.capacity() == 0) {
                // A shard that has ended takes nothing any more.
                let _ = self.inboxes[shard].send(input).await;
            } else {
                self.metrics.inbox_overflow.add(1);
            }
        }
    }

    fn is_crowded(&self) -> bool {
        self.inboxes.iter().all(|inbox| inbox.capacity() < inbox.max_capacity() / RESERVED)
    }
}

#[cfg(test)]
mod tests;
