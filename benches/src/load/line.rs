//! The one socket, bound to nothing but the server: datagrams in batches, and waiting.

#[cfg(target_os = "linux")]
#[path = "line/batches.rs"]
mod batches;
#[cfg(not(target_os = "linux"))]
#[path = "line/singly.rs"]
mod batches;

use super::client::Outbox;
use batches::Batches;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

/// Asked of the kernel: the NOTIFYs to ten thousand watchers at once, with what each costs there.
const KERNEL_BUFFER: usize = 64 << 20;

/// Our end of the line.
pub(crate) struct Line {
    socket: UdpSocket,
    batches: Batches,
    /// Whether the other machine has said that nobody listens there.
    is_refused: bool,
}

impl Line {
    /// A line to `target`.
    pub(crate) fn open(target: SocketAddr) -> io::Result<Self> {
        let socket = bind(match target.ip() {
            IpAddr::V4(ip) if ip.is_loopback() => SocketAddr::new(ip.into(), 0),
            IpAddr::V4(_) => SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0),
            IpAddr::V6(ip) if ip.is_loopback() => SocketAddr::new(ip.into(), 0),
            IpAddr::V6(_) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 0),
        })?;
        socket.connect(target)?;
        Ok(Self { socket, batches: Batches::new(), is_refused: false })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Sends what there is room for; the rest stays.
    pub(crate) fn send(&mut self, out: &mut Outbox) -> io::Result<()> {
        while !out.is_empty() {
            match self.batches.send(&self.socket, out.waiting()) {
                Ok(count) => out.leave(count),
                Err(error) if is_full(&error) => return Ok(()),
                // It concerns an earlier datagram: nobody was there. What is lost is sent again.
                Err(error) if is_refused(&error) => self.is_refused = true,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether nobody listens at the other end, as far as we were told.
    pub(crate) fn is_refused(&self) -> bool {
        self.is_refused
    }

    /// Hands over one batch of what has come, and says whether there may be more.
    pub(crate) fn receive(&mut self, sink: &mut dyn FnMut(&[u8])) -> io::Result<bool> {
        match self.batches.receive(&self.socket, sink) {
            Ok(is_full) => {
                self.is_refused = false;
                Ok(is_full)
            }
            Err(error) if is_full(&error) => Ok(false),
            Err(error) if is_refused(&error) => {
                self.is_refused = true;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until something has come, or there is room where that is `wanted`, or time is over.
    pub(crate) fn wait(&self, room_is_wanted: bool, time: Duration) -> io::Result<()> {
        batches::wait(&self.socket, room_is_wanted, time)
    }
}

/// Binds a socket with a large buffer that blocks nobody.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    batches::enlarge(&socket, KERNEL_BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}
