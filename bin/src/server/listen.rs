//! Addresses to listen on: `udp:HOST:PORT` as written, and what peers are told (`sent-by`).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};

/// One `listen` value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Listen(pub(crate) SocketAddr);

impl Listen {
    /// What `listen` allows, for error lines.
    pub(crate) const ALLOWED: &str =
        "udp:HOST:PORT with a host of this machine, for example udp:127.0.0.1:5060";

    /// Reads `udp:HOST:PORT`; a host name is looked up.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (transport, address) = text.split_once(':')?;
        let udp = transport.eq_ignore_ascii_case("udp");
        let found = udp.then(|| host_and_port(address))?;
        found.map(Self)
    }

    /// Whether only this machine can reach it.
    pub(crate) fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "udp:{}", self.0)
    }
}

/// `HOST:PORT` with `HOST` an address or a name that this machine can look up.
pub(crate) fn host_and_port(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.to_socket_addrs().ok()?.next())
}

/// Host and port that peers are told in Via and Contact for a socket bound to `bound`.
pub(crate) fn sent_by(bound: SocketAddr, advertise: Option<&str>) -> Box<str> {
    if let Some(host) = advertise {
        return format!("{host}:{}", bound.port()).into();
    }
    let ip = bound.ip();
    let seen = if ip.is_unspecified() { outward(ip).unwrap_or(ip) } else { ip };
    SocketAddr::new(seen, bound.port()).to_string().into()
}

/// The address of the interface that leads outward (RFC 5737 and 3849 addresses are nobody's).
fn outward(unspecified: IpAddr) -> Option<IpAddr> {
    let far: IpAddr = match unspecified {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    source_towards(SocketAddr::new(far, 9))
}

/// Our own address on the way to `far`. Connecting a UDP socket sends nothing: it only asks the
/// routing table.
pub(crate) fn source_towards(far: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match far.ip() {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let scratch = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    scratch.connect(far).ok()?;
    Some(scratch.local_addr().ok()?.ip())
}

/// A host name or address as it may stand in `domain` and `advertise`, in lower case.
pub(crate) fn host(text: &str) -> Option<Box<str>> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if bare.is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok()) {
        return Some(text.to_ascii_lowercase().into());
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let fits = text.len() <= 253 && text.split('.').all(label);
    fits.then(|| text.to_ascii_lowercase().into())
}

#[cfg(test)]
mod tests;
