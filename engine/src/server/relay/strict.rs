//! Strict routers, which know no `lr`: they want their own URI in the request line and carry the
//! real one as the last Route (RFC 3261 §16.4, §16.6 item 6).
//!
//! Both directions are translated at the door, so that nobody else has to know of them.

use crate::message::{Edit, Message, Name, NameAddr, Request, Uri};
use crate::server::Config;
use smallvec::SmallVec;

/// The request as a loose router would have sent it, if a strict one did: its Request-URI is one
/// that we put into a Record-Route, the real one is the last Route. Ours becomes the first Route,
/// from where it is taken as every other one.
pub(crate) fn undone(config: &Config, request: &Request) -> Option<Request> {
    request.first(Name::Route)?;
    let uri = Uri::parse(request.uri()).ok()?;
    if uri.user.is_some() || uri.param("lr").is_none() || !config.is_ours(uri.host, uri.port) {
        return None;
    }
    let routes: SmallVec<[&str; 4]> = request.list(Name::Route).collect();
    let (last, others) = routes.split_last()?;
    let ours = format!("<{}>", request.uri());
    let edit = request.edit().uri(NameAddr::parse(last)?.uri).remove(Name::Route);
    let edit = push_route(edit, &ours);
    match Message::parse(others.iter().copied().fold(edit, push_route).finish()) {
        Ok(Message::Request(meant)) => Some(meant),
        Ok(Message::Response(_)) | Err(_) => None,
    }
}

/// What a strict router as the next hop has to get.
pub(super) struct Strict<'a> {
    /// Its own URI, for the request line.
    pub(super) uri: &'a str,
    /// The Route values after its own.
    rest: SmallVec<[&'a str; 4]>,
    /// The Request-URI, as the last Route value.
    last: String,
}

impl<'a> Strict<'a> {
    /// `None` if the first Route after `own` of ours names a loose router, or there is none.
    pub(super) fn after(request: &'a Request, own: usize) -> Option<Self> {
        let mut routes = request.list(Name::Route).skip(own);
        let uri = NameAddr::parse(routes.next()?)?.uri;
        if Uri::parse(uri).ok()?.param("lr").is_some() {
            return None;
        }
        Some(Self { uri, rest: routes.collect(), last: format!("<{}>", request.uri()) })
    }

    /// Writes the Route that goes with [`Strict::uri`].
    pub(super) fn write<'e>(&'e self, edit: Edit<'e>) -> Edit<'e> {
        let routes = self.rest.iter().copied().chain([self.last.as_str()]);
        routes.fold(edit.remove(Name::Route), push_route)
    }
}

fn push_route<'a>(edit: Edit<'a>, route: &'a str) -> Edit<'a> {
    edit.push_header(Name::Route, route)
}
