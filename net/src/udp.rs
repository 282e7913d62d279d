//! Datagram sockets: the trait that carries a machine, and its implementation for real UDP.
//!
//! The trait is the whole seam between this crate and a network: a simulated one implements it
//! elsewhere. It is deliberately small: whole datagrams in and out of one bound socket.

use socket2::{Domain, Protocol, Socket, Type};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use tokio::net::UdpSocket;

/// Largest datagram UDP can carry, and a little more so that none is cut.
pub const LARGEST_DATAGRAM: usize = 65_536;

/// Asked of the kernel for each socket; it grants what its own limit allows.
const KERNEL_BUFFER: usize = 8 << 20;

/// A bound socket that carries whole datagrams.
pub trait Datagrams: Send + Sync + 'static {
    /// Waits for a datagram, writes it to `buffer` and tells its length and sender.
    fn recv_from(
        &self,
        buffer: &mut [u8],
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> + Send;

    /// Sends one datagram, waiting for room if the socket is full.
    fn send_to(
        &self,
        bytes: &[u8],
        to: SocketAddr,
    ) -> impl Future<Output = io::Result<usize>> + Send;

    /// Sends one datagram if that is possible without waiting; `WouldBlock` otherwise.
    fn try_send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize>;

    /// Our own address.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

impl Datagrams for UdpSocket {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        Self::recv_from(self, buffer).await
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        Self::send_to(self, bytes, to).await
    }

    fn try_send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        Self::try_send_to(self, bytes, to)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }
}

/// Binds a UDP socket with large kernel buffers. Call inside a tokio runtime.
///
/// The error is one line for a person: `cannot listen on udp:127.0.0.1:5060: address in use`.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    open(address).map_err(|error| {
        let why = explain(&error);
        io::Error::new(error.kind(), format!("cannot listen on udp:{address}: {why}"))
    })
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // A mapped IPv4 address would end up in `received` and never match the sender's own idea.
        socket.set_only_v6(true)?;
    }
    // Less than asked for is no reason not to serve.
    let _ = socket.set_recv_buffer_size(KERNEL_BUFFER);
    let _ = socket.set_send_buffer_size(KERNEL_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address in use".into(),
        io::ErrorKind::AddrNotAvailable => "this host does not have that address".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

/// Whether a failed send means that the peer cannot be reached (RFC 3261 §18.4), not just now.
pub fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::InvalidInput
    )
}

#[cfg(test)]
mod tests;
