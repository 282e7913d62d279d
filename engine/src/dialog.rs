//! A dialog is a value (RFC 3261 §12): it belongs to exactly one usage and is a field of it.

use crate::machine::Peer;
use crate::message::{Method, Request, Response, Writer};
use crate::mint::Id;
use crate::transaction::Branch;
use serde::{Deserialize, Serialize};

/// The state that two ends of a dialog share, seen from ours.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: Box<str>,
    /// Our tag.
    pub local_tag: Id,
    /// The peer's tag; empty while unknown.
    pub remote_tag: Box<str>,
    /// URI of our From.
    pub local_uri: Box<str>,
    /// URI of the peer.
    pub remote_uri: Box<str>,
    /// Where in-dialog requests are addressed: the peer's Contact URI.
    pub remote_target: Box<str>,
    /// Route set as Route values, in sending order; usually empty.
    pub routes: Vec<Box<str>>,
    /// CSeq of the last request we sent.
    pub local_cseq: u32,
    /// CSeq of the last request the peer sent, if any was accepted.
    pub remote_cseq: Option<u32>,
    /// The flow that reaches the peer.
    pub peer: Peer,
}

impl Dialog {
    /// The UAS side of a dialog created by `request` that came from `peer` (RFC 3261 §12.1.1).
    /// `None` if it has no usable Contact.
    pub fn accept(request: &Request, peer: Peer, local_tag: Id) -> Option<Self> {
        let _ = (request, peer, local_tag);
        todo!()
    }

    /// The UAC side of a dialog created by the NOTIFY `request` that answers our SUBSCRIBE with
    /// tag `local_tag` (RFC 6665 §4.4.1); route set from its Record-Route, not reversed.
    pub fn from_notify(request: &Request, peer: Peer, local_tag: Id, cseq: u32) -> Option<Self> {
        let _ = (request, peer, local_tag, cseq);
        todo!()
    }

    /// The UAC side of a dialog created by `response` to our INVITE (RFC 3261 §12.1.2).
    pub fn from_response(response: &Response, peer: Peer, local_tag: Id) -> Option<Self> {
        let _ = (response, peer, local_tag);
        todo!()
    }

    /// Whether a request belongs to this dialog (Call-ID, To tag ours, From tag theirs).
    pub fn owns(&self, request: &Request) -> bool {
        let _ = request;
        todo!()
    }

    /// Takes over Contact and flow of an in-dialog target refresh request (RFC 3261 §12.2.2).
    pub fn refresh_target(&mut self, request: &Request, peer: Peer) {
        let _ = (request, peer);
        todo!()
    }

    /// Starts the next in-dialog request: request line, Via, Max-Forwards, routes, From, To,
    /// Call-ID, CSeq (increased). `sent_by` is our host and port.
    pub fn request(&mut self, method: Method, branch: Branch, sent_by: &str) -> Writer {
        let _ = (method, branch, sent_by);
        todo!()
    }
}
