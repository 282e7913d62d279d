//! The three messages that the transaction layer writes itself: 100, ACK to a failure, CANCEL.
//! Read RFC 3261 §8.2.6.1, §17.1.1.3 and §9.1 first.
//!
//! All are rare, and all are made from a stored request, which is read again for the purpose. A
//! request that cannot be read again gets none of them.

use crate::machine::Peer;
use crate::message::{Message, Method, Name, Reply, Request, Response, Writer};
use bytes::Bytes;

/// The 100 to `request`, whose answers go to `to`.
pub(crate) fn hundred(request: &Bytes, to: Peer) -> Option<Bytes> {
    let request = read(request)?;
    Some(Reply::new(&request, to.addr, 100, "").into_writer().finish())
}

/// The ACK to a failure answer: that of the INVITE but for method and To, which comes from the
/// answer with its tag.
pub(crate) fn ack(invite: &Bytes, failure: &Response) -> Option<Bytes> {
    let to = failure.first(Name::To)?;
    like(&read(invite)?, Method::Ack, to)
}

/// The CANCEL of an INVITE: equal in everything that tells requests apart but the method.
pub(crate) fn cancel(invite: &Bytes) -> Option<Bytes> {
    let invite = read(invite)?;
    like(&invite, Method::Cancel, invite.first(Name::To)?)
}

fn read(request: &Bytes) -> Option<Request> {
    match Message::parse(request.clone()) {
        Ok(Message::Request(request)) => Some(request),
        Ok(Message::Response(_)) | Err(_) => None,
    }
}

/// A bodiless request on the way of `invite`: same Request-URI, top Via only, same Route.
fn like(invite: &Request, method: Method, to: &str) -> Option<Bytes> {
    let mut writer = Writer::request(method, invite.uri());
    writer.header(Name::Via, invite.list(Name::Via).next()?);
    writer.number(Name::MaxForwards, 70);
    for route in invite.lines(Name::Route) {
        writer.header(Name::Route, route);
    }
    writer.header(Name::From, invite.first(Name::From)?);
    writer.header(Name::To, to);
    writer.header(Name::CallId, invite.call_id().ok()?);
    let number = invite.cseq().ok()?.number;
    writer.format(Name::CSeq, format_args!("{number} {}", method.as_str()));
    Some(writer.finish())
}
