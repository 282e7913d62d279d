//! The server's address as a person writes it: `HOST`, `HOST:PORT`, `[IPv6]:PORT`.
//!
//! Read first: RFC 3263 §4.2, of which this is the part without NAPTR and SRV: a literal address
//! is used as it is, a name is looked up, a missing port is 5060.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const DEFAULT_PORT: u16 = 5060;

/// The address behind `text`. Of several, an IPv4 address is preferred, then the first.
pub async fn resolve(text: &str) -> io::Result<SocketAddr> {
    let (host, port) = split(text)?;
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, port));
    }
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot resolve {text:?}: {error}")))?
        .collect();
    let chosen = found.iter().find(|address| address.is_ipv4()).or(found.first());
    chosen
        .copied()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{text:?} has no address")))
}

/// Host (without brackets) and port of `HOST[:PORT]`.
fn split(text: &str) -> io::Result<(&str, u16)> {
    let refuse = |why: &str| {
        let line = format!("{text:?} is no address: {why} (allowed: HOST, HOST:PORT, [IPv6]:PORT)");
        io::Error::new(io::ErrorKind::InvalidInput, line)
    };
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, tail) = rest.split_once(']').ok_or_else(|| refuse("no closing bracket"))?;
        host.parse::<Ipv6Addr>().map_err(|_| refuse("not an IPv6 address in brackets"))?;
        match tail.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if tail.is_empty() => (host, None),
            None => return Err(refuse("something follows the bracket")),
        }
    } else if text.parse::<Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(refuse("no host"));
    }
    let port = match port {
        None => DEFAULT_PORT,
        Some(digits) => {
            digits.parse().map_err(|_| refuse("port is not a number from 1 to 65535"))?
        }
    };
    if port == 0 {
        return Err(refuse("port is not a number from 1 to 65535"));
    }
    Ok((host, port))
}

#[cfg(test)]
mod tests;
