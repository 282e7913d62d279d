//! Our sockets as the loops see them: listeners by number, counted, tapped and logged.

use crate::clock::Clock;
use crate::log;
use crate::metrics::Metrics;
use crate::tap::{Direction, Seen, Tap};
use crate::udp::{Datagrams, is_unreachable};
use bytes::Bytes;
use presently_engine::Peer;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Pause after a receive that failed for no reason we know, so that it cannot become a busy loop.
const RECEIVE_PAUSE: Duration = Duration::from_millis(10);

/// The peer cannot be reached (RFC 3261 §18.4).
#[derive(Debug)]
pub(crate) struct Unreachable;

/// The listeners of one machine.
#[derive(Debug)]
pub(crate) struct Wire<D> {
    listeners: Vec<(D, SocketAddr)>,
    clock: Clock,
    tap: Option<Tap>,
    metrics: Arc<Metrics>,
}

impl<D: Datagrams> Wire<D> {
    /// At least one socket; their order is that of [`Peer::listener`].
    pub(crate) fn new(
        sockets: Vec<D>,
        clock: Clock,
        tap: Option<Tap>,
        metrics: Arc<Metrics>,
    ) -> io::Result<Self> {
        let bound = sockets.into_iter().map(|socket| {
            let local = socket.local_addr()?;
            Ok((socket, local))
        });
        let listeners = bound.collect::<io::Result<Vec<_>>>()?;
        if listeners.is_empty() || u16::try_from(listeners.len()).is_err() {
            let line = "a machine needs from 1 to 65535 listeners";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, line));
        }
        Ok(Self { listeners, clock, tap, metrics })
    }

    /// Our addresses, by listener.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|(_, local)| *local).collect()
    }

    /// Sends one datagram. What a full socket or a passing fault swallows is a lost datagram, as
    /// on any UDP path; only a peer that cannot be reached at all is reported.
    pub(crate) async fn send(&self, to: Peer, bytes: Bytes) -> Result<(), Unreachable> {
        let (socket, local) = self.listener(to);
        // Shown before it leaves: whoever watches must not see the answer first.
        self.show(Direction::Out, *local, to, bytes.clone());
        let sent = if local.is_ipv4() == to.addr.is_ipv4() {
            match socket.try_send_to(&bytes, to.addr) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    socket.send_to(&bytes, to.addr).await
                }
                done => done,
            }
        } else {
            Err(io::ErrorKind::AddrNotAvailable.into())
        };
        match sent {
            Ok(_) => {
                self.metrics.datagrams_out.add(1);
                self.metrics.bytes_out.add(bytes.len() as u64);
                Ok(())
            }
            Err(error) => {
                self.metrics.send_errors.add(1);
                log::send_failed(to, bytes.len(), &error);
                if is_unreachable(&error) { Err(Unreachable) } else { Ok(()) }
            }
        }
    }

    /// Waits for the next datagram of one listener; `buffer` takes any. An ICMP error that the
    /// kernel reports for some earlier send belongs to no datagram in hand and must not end the
    /// loop.
    pub(crate) async fn receive(&self, listener: u16, buffer: &mut [u8]) -> (Peer, Bytes) {
        let (socket, local) = &self.listeners[usize::from(listener)];
        loop {
            match socket.recv_from(buffer).await {
                Ok((length, addr)) => {
                    let from = Peer { addr, listener };
                    let bytes = Bytes::copy_from_slice(&buffer[..length]);
                    self.metrics.datagrams_in.add(1);
                    self.metrics.bytes_in.add(length as u64);
                    self.show(Direction::In, *local, from, bytes.clone());
                    return (from, bytes);
                }
                Err(error) => {
                    self.metrics.receive_errors.add(1);
                    if !is_unreachable(&error) {
                        log::receive_failed(*local, &error);
                        tokio::time::sleep(RECEIVE_PAUSE).await;
                    }
                }
            }
        }
    }

    /// A peer names the listener it came by; one that no longer exists is served by the first.
    fn listener(&self, peer: Peer) -> &(D, SocketAddr) {
        self.listeners.get(usize::from(peer.listener)).unwrap_or(&self.listeners[0])
    }

    fn show(&self, direction: Direction, local: SocketAddr, peer: Peer, bytes: Bytes) {
        if self.tap.is_none() && !log::wire_is_on() {
            return;
        }
        let seen = Seen { direction, local, peer, bytes, at: self.clock.now() };
        log::datagram(&seen);
        if let Some(tap) = &self.tap {
            tap.show(&seen);
        }
    }
}
