//! The sockets of a media port: an even one for RTP and the one above it for RTCP (RFC 3550 §11).

use crate::udp::bind;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::net::UdpSocket;

/// Pairs that are tried before it is given up: there is always another process.
const TRIES: usize = 64;

/// Opens a pair at this port, or at any even port.
pub(super) fn open(address: IpAddr, port: Option<u16>) -> io::Result<(UdpSocket, UdpSocket)> {
    if let Some(port) = port {
        return pair(address, port);
    }
    let mut last = io::Error::other("no free pair of media ports");
    for _ in 0..TRIES {
        // The kernel knows best which ports are free.
        let first = bind(SocketAddr::new(address, 0))?;
        let port = first.local_addr()?.port() & !1;
        drop(first);
        match pair(address, port) {
            Ok(pair) => return Ok(pair),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn pair(address: IpAddr, port: u16) -> io::Result<(UdpSocket, UdpSocket)> {
    let above = port.checked_add(1).ok_or(io::ErrorKind::InvalidInput)?;
    let rtp = bind(SocketAddr::new(address, port))?;
    let rtcp = bind(SocketAddr::new(address, above))?;
    refusals::ask_for(&rtp)?;
    Ok((rtp, rtcp))
}

pub(super) use refusals::refused;

/// Linux keeps what ICMP says about datagrams of ours, with the address it is about, if asked to.
#[cfg(target_os = "linux")]
mod refusals {
    use nix::errno::Errno;
    use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
    use std::io::{self, IoSliceMut};
    use std::net::SocketAddr;
    use std::os::fd::AsRawFd;
    use tokio::net::UdpSocket;

    pub(super) fn ask_for(socket: &UdpSocket) -> io::Result<()> {
        match socket.local_addr()? {
            SocketAddr::V4(_) => setsockopt(socket, Ipv4RecvErr, &true)?,
            SocketAddr::V6(_) => setsockopt(socket, Ipv6RecvErr, &true)?,
        }
        Ok(())
    }

    /// The next address where nobody listens; `None` when all have been told.
    pub(in crate::media) fn refused(socket: &UdpSocket) -> Option<SocketAddr> {
        loop {
            let mut octets = [0; 16];
            let mut parts = [IoSliceMut::new(&mut octets)];
            let mut control = vec![0; 256];
            let queue = MsgFlags::MSG_ERRQUEUE;
            let fd = socket.as_raw_fd();
            let error =
                recvmsg::<SockaddrStorage>(fd, &mut parts, Some(&mut control), queue).ok()?;
            let refused = error.cmsgs().ok()?.any(|one| match one {
                ControlMessageOwned::Ipv4RecvErr(error, _)
                | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                    error.ee_errno == Errno::ECONNREFUSED as u32
                }
                _ => false,
            });
            let to = error.address.as_ref().and_then(address);
            if refused && to.is_some() {
                return to;
            }
        }
    }

    fn address(to: &SockaddrStorage) -> Option<SocketAddr> {
        let v4 = to.as_sockaddr_in().map(|to| SocketAddr::from((to.ip(), to.port())));
        v4.or(to.as_sockaddr_in6().map(|to| SocketAddr::from((to.ip(), to.port()))))
    }
}

/// Elsewhere the consent checks say it, later.
#[cfg(not(target_os = "linux"))]
mod refusals {
    use std::io;
    use std::net::SocketAddr;
    use tokio::net::UdpSocket;

    pub(super) fn ask_for(_: &UdpSocket) -> io::Result<()> {
        Ok(())
    }

    pub(in crate::media) fn refused(_: &UdpSocket) -> Option<SocketAddr> {
        None
    }
}
