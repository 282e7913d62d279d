//! A dialog is a value (RFC 3261 §12): it belongs to exactly one usage and is a field of it.
//!
//! Read RFC 3261 §12.1, §12.2 and RFC 6665 §4.4.1 first. A dialog writes the head of its requests
//! and judges those of the peer; it sends nothing, and it holds no timer and no state but what
//! both ends share. It knows one flow to the peer: nothing here resolves names.

mod reach;
#[cfg(test)]
mod tests;

pub use reach::reach;
pub(crate) use reach::reach_uri;
use reach::{moved, towards};

use crate::machine::Peer;
use crate::message::{
    Contacts, Decimal, Headers, Method, Name, NameAddr, Request, Response, Uri, Writer,
};
use crate::mint::{self, Id};
use crate::transaction::Branch;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The state that two ends of a dialog share, seen from ours.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: Arc<str>,
    /// Our tag.
    pub local_tag: Id,
    /// The peer's tag; empty while unknown.
    pub remote_tag: Arc<str>,
    /// URI of our From.
    pub local_uri: Arc<str>,
    /// URI of the peer.
    pub remote_uri: Arc<str>,
    /// Where in-dialog requests are addressed: the peer's Contact URI.
    pub remote_target: Arc<str>,
    /// Route set as Route values, in sending order; usually empty.
    pub routes: Vec<Arc<str>>,
    /// CSeq of the last request we sent.
    pub local_cseq: u32,
    /// CSeq of the last request the peer sent, if any was accepted.
    pub remote_cseq: Option<u32>,
    /// The flow that reaches the peer.
    pub peer: Peer,
}

impl Dialog {
    /// The UAS side of a dialog created by `request`, a packet from `from` (RFC 3261 §12.1.1).
    /// `None` if it has no usable Contact. Our first request will have CSeq 1.
    pub fn accept(request: &Request, from: Peer, local_tag: Id) -> Option<Self> {
        Self::from_request(request, from, local_tag, 0)
    }

    /// The UAC side of a dialog created by the NOTIFY `request`, a packet from `from`, that
    /// answers our SUBSCRIBE with tag `local_tag` and CSeq `cseq` (RFC 6665 §4.4.1). Of a NOTIFY
    /// we are the UAS, so the route set is its Record-Route in order.
    pub fn from_notify(request: &Request, from: Peer, local_tag: Id, cseq: u32) -> Option<Self> {
        Self::from_request(request, from, local_tag, cseq)
    }

    /// The UAC side of a dialog created by `response` to our INVITE (RFC 3261 §12.1.2), which
    /// went to `peer`. What follows goes to the first route or the Contact if that is an address
    /// we can send to, else to `peer` again.
    pub fn from_response(response: &Response, peer: Peer, local_tag: Id) -> Option<Self> {
        let (local, remote) = (response.from().ok()?, response.to().ok()?);
        let mut routes = record_route(response);
        routes.reverse();
        let mut dialog = Self {
            call_id: response.call_id().ok()?.into(),
            local_tag,
            remote_tag: remote.tag().unwrap_or("").into(),
            local_uri: local.uri.into(),
            remote_uri: remote.uri.into(),
            remote_target: target(response)?,
            routes,
            local_cseq: response.cseq().ok()?.number,
            remote_cseq: None,
            peer,
        };
        dialog.peer = towards(dialog.next_hop(), peer);
        Some(dialog)
    }

    fn from_request(request: &Request, from: Peer, local_tag: Id, cseq: u32) -> Option<Self> {
        let (local, remote) = (request.to().ok()?, request.from().ok()?);
        let mut dialog = Self {
            call_id: request.call_id().ok()?.into(),
            local_tag,
            remote_tag: remote.tag().unwrap_or("").into(),
            local_uri: local.uri.into(),
            remote_uri: remote.uri.into(),
            remote_target: target(request)?,
            routes: record_route(request),
            local_cseq: cseq,
            remote_cseq: Some(request.cseq().ok()?.number),
            peer: from,
        };
        dialog.peer = reach(request, dialog.next_hop(), from);
        Some(dialog)
    }

    /// Whether a request belongs to this dialog (Call-ID, To tag ours, From tag theirs).
    pub fn owns(&self, request: &Request) -> bool {
        let ours =
            |to: NameAddr<'_>| to.tag().is_some_and(|t| t.as_bytes() == self.local_tag.hex());
        let theirs = |from: NameAddr<'_>| from.tag().unwrap_or("") == &*self.remote_tag;
        request.call_id().is_ok_and(|call_id| call_id == &*self.call_id)
            && request.to().is_ok_and(ours)
            && request.from().is_ok_and(theirs)
    }

    /// Whether `request` comes after every request of the peer that was accepted so far; if not,
    /// it is answered 500 (RFC 3261 §12.2.2). An equal CSeq is out of order too: copies end in
    /// the transaction layer. ACK and CANCEL carry the CSeq of another request.
    pub fn is_in_order(&self, request: &Request) -> bool {
        let Ok(cseq) = request.cseq() else { return false };
        match request.method() {
            Method::Ack | Method::Cancel => true,
            _ => self.remote_cseq.is_none_or(|last| last < cseq.number),
        }
    }

    /// Notes that `request` was accepted. Call it once its sender is authenticated, never for a
    /// request that was challenged: a spoofed CSeq would lock the peer out. For the same reason
    /// ACK and CANCEL, which cannot be challenged, are not noted.
    pub fn advance(&mut self, request: &Request) {
        match request.method() {
            Method::Ack | Method::Cancel => {}
            _ if self.is_in_order(request) => {
                self.remote_cseq = request.cseq().ok().map(|cseq| cseq.number);
            }
            _ => {}
        }
    }

    /// Takes over Contact and flow of an in-dialog target refresh request, a packet from `from`
    /// (RFC 3261 §12.2.2). The route set stays. Without usable Contact nothing changes.
    pub fn refresh_target(&mut self, request: &Request, from: Peer) {
        let Some(target) = target(request) else { return };
        self.remote_target = target;
        self.peer = reach(request, self.next_hop(), from);
    }

    /// Takes over the Contact of a 2xx to a target refresh request of ours (RFC 3261 §12.2.1.2);
    /// true if it is another one than before. The flow follows it if the old Contact was where
    /// the flow leads; behind a NAT it was not, and the flow stays.
    pub fn retarget(&mut self, response: &Response) -> bool {
        let theirs = response.to().is_ok_and(|to| to.tag().unwrap_or("") == &*self.remote_tag);
        let Some(target) = target(response).filter(|target| *target != self.remote_target) else {
            return false;
        };
        if theirs {
            let before = self.next_hop().to_owned();
            self.remote_target = target;
            self.peer = moved(&before, self.next_hop(), self.peer);
        }
        theirs
    }

    /// Starts the next in-dialog request: request line, Via, Max-Forwards, routes, From, To,
    /// Call-ID, CSeq (increased, but for ACK: that has the CSeq of the INVITE before it).
    /// `sent_by` is our host and port.
    pub fn request(&mut self, method: Method, branch: Branch, sent_by: &str) -> Writer {
        if method != Method::Ack {
            self.local_cseq = self.local_cseq.saturating_add(1);
        }
        let mut writer = self.start(method, branch, sent_by);
        self.write_routes(&mut writer);
        self.write_identity(&mut writer, method);
        writer
    }

    fn start(&self, method: Method, branch: Branch, sent_by: &str) -> Writer {
        let mut writer = match self.strict_router() {
            Some(router) => Writer::request(method, &Uri::for_request_line(router)),
            None => Writer::request(method, &self.remote_target),
        };
        let branch = branch.ascii();
        let pieces = ["SIP/2.0/UDP ", sent_by, ";branch=", mint::ascii(&branch), ";rport"];
        writer.pieces(Name::Via, &pieces).number(Name::MaxForwards, 70);
        writer
    }

    /// Route lines, one for each value. A strict router gets its own URI as Request-URI, and the
    /// remote target rides along at the end (RFC 3261 §12.2.1.1).
    fn write_routes(&self, writer: &mut Writer) {
        let strict = self.strict_router().is_some();
        for route in self.routes.iter().skip(usize::from(strict)) {
            writer.header(Name::Route, route);
        }
        if strict {
            writer.pieces(Name::Route, &["<", &self.remote_target, ">"]);
        }
    }

    fn write_identity(&self, writer: &mut Writer, method: Method) {
        let tag = self.local_tag.hex();
        writer.pieces(Name::From, &["<", &self.local_uri, ">;tag=", mint::ascii(&tag)]);
        if self.remote_tag.is_empty() {
            writer.pieces(Name::To, &["<", &self.remote_uri, ">"]);
        } else {
            writer.pieces(Name::To, &["<", &self.remote_uri, ">;tag=", &self.remote_tag]);
        }
        writer.header(Name::CallId, &self.call_id);
        let number = Decimal::of(self.local_cseq);
        writer.pieces(Name::CSeq, &[number.as_str(), " ", method.as_str()]);
    }

    /// URI of the first route, if that does not know loose routing.
    fn strict_router(&self) -> Option<&str> {
        let router = NameAddr::parse(self.routes.first()?)?.uri;
        let is_loose = Uri::parse(router).is_ok_and(|uri| uri.param("lr").is_some());
        (!is_loose).then_some(router)
    }

    /// URI of whom our requests are handed to: the first route, else the peer itself.
    fn next_hop(&self) -> &str {
        let first = self.routes.first().and_then(|route| NameAddr::parse(route));
        first.map_or(&self.remote_target, |route| route.uri)
    }
}

/// The URI of the one Contact that a dialog needs (RFC 3261 §8.1.1.8), fit for a Request-URI.
fn target(message: &Headers) -> Option<Arc<str>> {
    let Ok(Contacts::List(contacts)) = message.contacts() else { return None };
    let [contact] = contacts.as_slice() else { return None };
    Uri::parse(contact.uri).is_ok().then(|| Uri::for_request_line(contact.uri).into())
}

fn record_route(message: &Headers) -> Vec<Arc<str>> {
    message.list(Name::RecordRoute).map(Arc::from).collect()
}
