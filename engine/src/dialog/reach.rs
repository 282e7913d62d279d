//! By which flow a peer is reached. Read RFC 3581 §4 first, then RFC 5626 for what this is not.
//!
//! A Contact says where its owner believes to be. Behind a NAT that is nowhere, but the packet
//! that carried the Contact came through the NAT, and so will an answer to its source.

use crate::machine::Peer;
use crate::message::{Host, Request, Uri};
use std::net::{IpAddr, SocketAddr};

const DEFAULT_PORT: u16 = 5060;

/// Where a request for `uri` goes, which `request`, a packet from `from`, brought as its Contact
/// (or as its first route):
///
/// - if `uri` names the very socket that the top Via names, back where the packet came from: to
///   its source port with `rport`, else to the sent-by port;
/// - if it names another address, there;
/// - if it names a domain, or an address that this listener cannot send to, to the source.
pub fn reach(request: &Request, uri: &str, from: Peer) -> Peer {
    match Uri::parse(uri) {
        Ok(uri) => reach_uri(request, &uri, from),
        Err(_) => from,
    }
}

/// The same for a URI that was read already.
pub(crate) fn reach_uri(request: &Request, uri: &Uri<'_>, from: Peer) -> Peer {
    let at = |addr| Peer { addr, ..from };
    let Ok(via) = request.via() else { return from };
    let port = uri.port.unwrap_or(DEFAULT_PORT);
    let sent_by_port = via.port.unwrap_or(DEFAULT_PORT);
    if port == sent_by_port && is_same_host(uri.host, via.host) {
        let port = if via.rport.is_some() { from.addr.port() } else { sent_by_port };
        return at(SocketAddr::new(from.addr.ip(), port));
    }
    match uri.host {
        Host::Ip(ip) if can_reach(from.addr.ip(), ip) && port != 0 => at(SocketAddr::new(ip, port)),
        Host::Ip(_) | Host::Name(_) => from,
    }
}

/// Where a peer that was reached by the flow `known` is now that it calls itself `after` instead
/// of `before`, said in an answer: a Contact that was true once is believed again.
pub(super) fn moved(before: &str, after: &str, known: Peer) -> Peer {
    match (address(before), address(after)) {
        (Some(old), Some(new)) if old == known.addr && can_reach(old.ip(), new.ip()) => {
            Peer { addr: new, ..known }
        }
        _ => known,
    }
}

/// Where a URI leads that came in an answer, through somebody who is reached at `known`.
pub(super) fn towards(uri: &str, known: Peer) -> Peer {
    match address(uri) {
        Some(addr) if can_reach(known.addr.ip(), addr.ip()) => Peer { addr, ..known },
        _ => known,
    }
}

/// The socket that a URI names by address.
fn address(uri: &str) -> Option<SocketAddr> {
    let uri = Uri::parse(uri).ok()?;
    let Host::Ip(ip) = uri.host else { return None };
    let port = uri.port.unwrap_or(DEFAULT_PORT);
    (port != 0).then_some(SocketAddr::new(ip, port))
}

fn is_same_host(one: Host<'_>, other: Host<'_>) -> bool {
    match (one, other) {
        (Host::Name(one), Host::Name(other)) => one.eq_ignore_ascii_case(other),
        (Host::Ip(one), Host::Ip(other)) => one.to_canonical() == other.to_canonical(),
        (Host::Name(_), Host::Ip(_)) | (Host::Ip(_), Host::Name(_)) => false,
    }
}

/// Whether the listener that heard `source` can send to `target`.
fn can_reach(source: IpAddr, target: IpAddr) -> bool {
    source.is_ipv4() == target.is_ipv4() && !target.is_unspecified() && !target.is_multicast()
}
