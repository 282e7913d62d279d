//! The copy that a proxy sends on (RFC 3261 §16.4 and §16.6, RFC 5393).
//!
//! A [`Plan`] is what one request has in common for all its branches; [`Plan::copy`] writes one.
//! It keeps no state and judges nobody.

use super::Target;
use super::strict::Strict;
use crate::machine::Peer;
use crate::message::{Decimal, Edit, Host, Name, NameAddr, Request, Uri};
use crate::mint::{self, Id, Label};
use crate::server::Config;
use crate::slot::Slot;
use crate::transaction::Branch;
use bytes::Bytes;
use smallvec::SmallVec;
use std::net::SocketAddr;

/// RFC 5393 §5.3.3: what a request without Max-Breadth may spread to.
pub(super) const MAX_BREADTH: u32 = 60;

/// RFC 3261 §16.6 item 3.
const MAX_FORWARDS: u32 = 70;

/// The default port of SIP over UDP.
const SIP_PORT: u16 = 5060;

/// What all copies of one request share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Plan {
    /// Leading Route values that name us.
    own_routes: usize,
    /// Max-Forwards of the copies.
    max_forwards: u32,
    /// What may be spread over all copies.
    max_breadth: u32,
    /// The part of the branch that is equal when the same request comes back (RFC 5393 §4.2.1).
    loop_mark: u32,
    /// Whether INVITE gets a Record-Route.
    record_route: bool,
    /// Whether there are credentials for our realm to take out.
    credentials: bool,
    /// Whether the Route that is left leads, and not a binding.
    follows_route: bool,
}

impl Plan {
    /// A request whose Request-URI is about to be replaced by a binding.
    pub(super) fn initial(config: &Config, request: &Request) -> Self {
        let invite = request.method() == crate::message::Method::Invite;
        let record_route = config.record_route && invite;
        Self { record_route, follows_route: false, ..Self::in_dialog(config, request) }
    }

    /// A request that goes on along its route; its dialog has its route set already.
    pub(super) fn in_dialog(config: &Config, request: &Request) -> Self {
        let forwards = request.seconds(Name::MaxForwards);
        let breadth = request.seconds(Name::MaxBreadth);
        Self {
            own_routes: own_routes(config, request),
            max_forwards: forwards.map_or(MAX_FORWARDS, |hops| hops.saturating_sub(1)),
            max_breadth: breadth.map_or(MAX_BREADTH, |breadth| breadth.min(MAX_BREADTH)),
            loop_mark: loop_mark(config, request),
            record_route: false,
            credentials: has_own_credentials(config, request),
            follows_route: true,
        }
    }

    /// Whether this very request passed here before (RFC 5393 §4.2.2).
    pub(super) fn is_loop(&self, config: &Config, request: &Request) -> bool {
        let ours = |line: &str| {
            let mut names = config.listeners.iter().map(|listener| listener.sent_by.as_bytes());
            names.any(|name| memchr::memmem::find(line.as_bytes(), name).is_some())
        };
        if !request.lines(Name::Via).any(ours) {
            return false;
        }
        request.vias().filter_map(Result::ok).any(|via| {
            let ours = config.listeners.iter().any(|listener| *listener.sent_by == *via.sent_by);
            ours && via
                .branch
                .and_then(Branch::parse)
                .is_some_and(|branch| (branch.id.0 >> 32) as u32 == self.loop_mark)
        })
    }

    /// Max-Breadth of each of `copies`; `None` if there is not enough for all of them.
    pub(super) fn breadth(&self, copies: usize) -> Option<u32> {
        let share = self.max_breadth / u32::try_from(copies).ok()?.max(1);
        (share > 0).then_some(share)
    }

    /// The branch of the copy for `target`: half loop mark, half unique and unguessable. It follows
    /// from the top Via, so that a retransmission which we forward without a transaction gets it
    /// again (RFC 3261 §16.11), and from where the copy goes, whoever else is bound by then: a
    /// retransmission that meets us after a crash is a copy to a device that had the request
    /// before, and not the same request by another path (RFC 3261 §8.2.2.2).
    pub(super) fn branch(
        &self,
        config: &Config,
        slot: Slot,
        request: &Request,
        target: &str,
    ) -> Branch {
        let via = request.first(Name::Via).unwrap_or("");
        let cause = [via, target].map(str::as_bytes);
        let unique = config.secret.derive64(Label::Branch, &cause).0 & u64::from(u32::MAX);
        Branch { slot, id: Id(u64::from(self.loop_mark) << 32 | unique) }
    }

    /// Where a request goes that follows its route: the first Route that is not ours, else the
    /// flow of the binding that it names, else the address in its Request-URI.
    pub(super) fn next_hop(
        &self,
        config: &Config,
        request: &Request,
        from: Peer,
        known: Option<Peer>,
    ) -> Option<Peer> {
        match request.list(Name::Route).nth(self.own_routes) {
            Some(route) => next_hop(config, NameAddr::parse(route)?.uri, from.listener),
            None => known.or_else(|| next_hop(config, request.uri(), from.listener)),
        }
    }

    /// One copy: Request-URI, Via, Max-Forwards, Max-Breadth, routes, credentials.
    pub(super) fn copy(
        &self,
        config: &Config,
        request: &Request,
        from: Peer,
        target: &Target<'_>,
        branch: Branch,
        breadth: u32,
    ) -> Bytes {
        let far = &config.listener(target.peer).sent_by;
        let near = &config.listener(from).sent_by;
        let via = via(far, branch);
        let breadth = Decimal::of(breadth);
        let records = self.record_routes(far, near);
        let strict = Strict::after(request, self.own_routes).filter(|_| self.follows_route);
        let uri = Uri::for_request_line(strict.as_ref().map_or(target.uri, |strict| strict.uri));
        let mut edit = request.edit();
        edit = edit.uri(&uri).push_via(&via).received_from(from.addr);
        edit = edit.max_forwards(self.max_forwards);
        edit = edit.remove(Name::MaxBreadth).push_header(Name::MaxBreadth, breadth.as_str());
        for record in &records {
            edit = edit.push_header(Name::RecordRoute, record);
        }
        let edit = match &strict {
            Some(strict) => strict.write(edit),
            None => self.without_own_routes(request, edit),
        };
        self.without_credentials(config, request, edit).finish()
    }

    /// One for either side of us if they differ, the callee's on top.
    fn record_routes(&self, far: &str, near: &str) -> SmallVec<[String; 2]> {
        let mut sides: SmallVec<[&str; 2]> = SmallVec::new();
        if self.record_route {
            sides.push(far);
            sides.extend((near != far).then_some(near));
        }
        sides.iter().map(|sent_by| format!("<sip:{sent_by};lr>")).collect()
    }

    fn without_own_routes<'a>(&self, request: &'a Request, edit: Edit<'a>) -> Edit<'a> {
        match self.own_routes {
            0 => edit,
            1 => edit.drop_first_route(),
            _ => {
                let rest = request.list(Name::Route).skip(self.own_routes);
                let push = |edit: Edit<'a>, route| edit.push_header(Name::Route, route);
                rest.fold(edit.remove(Name::Route), push)
            }
        }
    }

    fn without_credentials<'a>(
        &self,
        config: &Config,
        request: &'a Request,
        mut edit: Edit<'a>,
    ) -> Edit<'a> {
        if !self.credentials {
            return edit;
        }
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            edit = edit.remove(name);
            for foreign in request.lines(name).filter(|line| !is_for_realm(line, config)) {
                edit = edit.push_header(name, foreign);
            }
        }
        edit
    }
}

/// Our Via value. `rport`, so that answers find back through a NAT of our own (RFC 3581).
fn via(sent_by: &str, branch: Branch) -> String {
    ["SIP/2.0/UDP ", sent_by, ";branch=", mint::ascii(&branch.ascii()), ";rport"].concat()
}

/// The address that a URI names by itself, over UDP and not our own.
fn next_hop(config: &Config, uri: &str, listener: u16) -> Option<Peer> {
    let uri = Uri::parse(uri).ok()?;
    let udp = uri.param("transport").is_none_or(|transport| transport.eq_ignore_ascii_case("udp"));
    let host = uri.param("maddr").map_or(Some(uri.host), Host::parse)?;
    let Host::Ip(ip) = host else { return None };
    let addr = SocketAddr::new(ip, uri.port.unwrap_or(SIP_PORT));
    (udp && !uri.secure && !config.is_ours(host, uri.port)).then_some(Peer { addr, listener })
}

/// Whether a request was sent to us as a hop on its way: its first Route names us.
pub(crate) fn arrived_by_route(config: &Config, request: &Request) -> bool {
    own_routes(config, request) > 0
}

/// How many leading Route values name us. Two, when we wrote one Record-Route for either side.
fn own_routes(config: &Config, request: &Request) -> usize {
    if request.first(Name::Route).is_none() {
        return 0;
    }
    let ours = |route: &&str| {
        let uri = NameAddr::parse(route).and_then(|route| Uri::parse(route.uri).ok());
        uri.is_some_and(|uri| config.is_ours(uri.host, uri.port))
    };
    request.list(Name::Route).take_while(ours).count()
}

/// Equal for the same request on the same way, whatever its method (RFC 5393 §4.2.1, §4.2.4).
fn loop_mark(config: &Config, request: &Request) -> u32 {
    let number = request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
    let call_id = request.call_id().unwrap_or("");
    let route = request.first(Name::Route).unwrap_or("");
    let cause = [request.uri(), route, call_id].map(str::as_bytes);
    let mark = config.secret.derive64(Label::Branch, &[cause[0], cause[1], cause[2], &number]);
    (mark.0 >> 32) as u32
}

fn has_own_credentials(config: &Config, request: &Request) -> bool {
    let mut proxy = request.lines(Name::ProxyAuthorization);
    let mut end_to_end = request.lines(Name::Authorization);
    proxy.any(|line| is_for_realm(line, config))
        || end_to_end.any(|line| is_for_realm(line, config))
}

/// Whether a credentials line is for our realm (RFC 3261 §22.3: they are meant for us alone).
fn is_for_realm(line: &str, config: &Config) -> bool {
    let mut rest = line;
    while let Some(at) = rest.to_ascii_lowercase().find("realm=\"") {
        let value = &rest[at + "realm=\"".len()..];
        match value.strip_prefix(&*config.domain) {
            Some(end) if end.starts_with('"') => return true,
            _ => rest = value,
        }
    }
    false
}
