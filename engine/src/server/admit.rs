//! The checks an incoming request passes, in the order of behaviour M1. The order is normative:
//! several races are harmless only because of it.
//!
//! Read first: RFC 3261 §8.2, §16.3, RFC 6665 §4.2.1, behaviour M1. Nothing is created before
//! step 11 has proven who asks (D1); every refusal before it is stateless.

use super::account::Account;
use super::cx::{Ask, Cx};
use super::gate;
use super::hall::{Out, Rooms, Server, targets};
use super::presentity::Package;
use super::{Config, Event, pager, relay};
use crate::body::presrules::Handling;
use crate::digest::Qop;
use crate::machine::{Output, Peer};
use crate::message::{Aor, Host, Malformed, Method, Name, NameAddr, Reply, Request, Uri, UriError};
use crate::time::Instant;
use crate::transaction::{Arrival, ServerKey, Transactions};
use std::collections::BTreeMap;

/// What is served here (step 8).
const ALLOW: &str = "REGISTER, SUBSCRIBE, PUBLISH, MESSAGE, OPTIONS, INVITE, ACK, BYE, CANCEL, \
                     UPDATE, INFO, PRACK, REFER";
/// Packages we notify of: what SUBSCRIBE may name (RFC 6665 §4.4.4).
pub(super) const ALLOW_EVENTS: &str = "presence, presence.winfo";
/// Packages that PUBLISH may name.
const PUBLISHED_EVENTS: &str = "presence, x-presrules";
/// A direct-media block is recognised by its namespace (D13).
const DIRECT_MEDIA: &[u8] = b"urn:uuid:670680a7-af31-46e0-a5e5-33737d9b2f61";

/// Where a request is going once all checks have passed.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Room {
    Register(Aor),
    Subscribe(Aor, Package),
    Publish(Aor),
    Rules(Aor),
    Message(Aor),
    Relay(Aor),
    /// In a dialog that passes through us; the next hop is in the request.
    Through,
    /// OPTIONS for the server itself.
    Options,
}

impl Room {
    /// Whether the request ends here (401) or is passed on (407).
    fn is_proxy(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Relay(_) | Self::Through)
    }

    /// The account it needs to exist.
    fn account(&self) -> Option<&Aor> {
        match self {
            Self::Register(aor)
            | Self::Subscribe(aor, _)
            | Self::Publish(aor)
            | Self::Rules(aor)
            | Self::Message(aor)
            | Self::Relay(aor) => Some(aor),
            Self::Through | Self::Options => None,
        }
    }
}

/// A refusal before anybody is authenticated: status and headers.
pub(super) type Refused = (u16, Vec<(Name, String)>);

pub(super) fn refused(status: u16) -> Refused {
    (status, Vec::new())
}

/// New subscriptions per user in the current second (R27). Emptied when the second is over, so
/// its size is bounded by one second's traffic.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Rates {
    second: u64,
    counts: BTreeMap<Aor, u32>,
}

impl Rates {
    /// Counts one; false if the user had its share of this second.
    fn admit(&mut self, now: Instant, user: &Aor, limit: u32) -> bool {
        let second = now.as_millis() / 1000;
        if self.second != second {
            self.second = second;
            self.counts.clear();
        }
        let count = self.counts.entry(user.clone()).or_default();
        *count += 1;
        *count <= limit
    }
}

/// Step 1: a datagram that is no usable message. Answered if it can be, and only by one packet.
pub(super) fn refuse_malformed(config: &Config, out: &mut Out, from: Peer, malformed: &Malformed) {
    let why = malformed.why;
    out.push(Output::Event(Event::Refused { from, why }));
    if let Some(request) = malformed.request.as_ref().filter(|one| one.method() != Method::Ack) {
        let place = malformed.line.map_or_else(String::new, |line| format!(" in line {line}"));
        let warning = format!("399 presently \"{why}{place}\"");
        gate::refuse(config, out, from, request, malformed.status, &[(Name::Warning, &warning)]);
    }
}

impl Server {
    /// Steps 3 to 14 for one request.
    pub(super) fn on_request(
        &mut self,
        config: &Config,
        now: Instant,
        from: Peer,
        request: &Request,
        out: &mut Out,
    ) {
        let arrival = self.transactions.absorb(&config.secret, &config.timing, now, request, out);
        let key = match (arrival, request.method()) {
            (Arrival::Absorbed, _) => return,
            (Arrival::New(_) | Arrival::Ack(_), Method::Ack) => {
                let (mut rooms, mut cx) = self.split(config, now, out);
                return rooms.pass_ack(&mut cx, from, request);
            }
            (Arrival::New(_), Method::Cancel) => {
                return self.on_cancel(config, now, from, request, out);
            }
            (Arrival::New(key) | Arrival::Ack(key), _) => key,
        };
        let room = match self.check(config, request, key) {
            Ok(room) => room,
            Err((status, headers)) => {
                let headers: Vec<(Name, &str)> =
                    headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
                return gate::refuse(config, out, from, request, status, &headers);
            }
        };
        let minimum = minimum_qop(&room, request);
        let proxy = room.is_proxy();
        let admitted = self.gate.admit(config, now, out, from, request, proxy, minimum);
        let Some(proven) = admitted else { return };
        let answers_to =
            Peer { addr: Reply::destination(request, from.addr), listener: from.listener };
        self.transactions.open(&config.secret, &config.timing, now, key, answers_to, request);
        let ask = Ask { request, from, key, user: proven.user, info: proven.info };
        self.enter(config, now, &ask, &room, out);
    }

    /// CANCEL is hop by hop: answered here, never challenged (RFC 3261 §9.2, §16.10).
    fn on_cancel(
        &mut self,
        config: &Config,
        now: Instant,
        from: Peer,
        request: &Request,
        out: &mut Out,
    ) {
        let invite = Transactions::<super::Owner>::key(&config.secret, request, Method::Invite);
        let known = self.transactions.knows_cancelled(&config.secret, request);
        gate::refuse(config, out, from, request, if known { 200 } else { 481 }, &[]);
        if self.transactions.is_open(invite) {
            let (rooms, mut cx) = self.split(config, now, out);
            rooms.relays.on_cancel(&mut cx, invite);
        }
    }

    /// Steps 5 to 10: everything that can be said without knowing who asks.
    fn check(&self, config: &Config, request: &Request, key: ServerKey) -> Result<Room, Refused> {
        let uri = Uri::parse(request.uri()).map_err(|error| match error {
            UriError::Scheme => refused(416),
            UriError::Syntax => refused(400),
        })?;
        if uri.secure {
            // It asks for TLS on every hop, which there is none of here.
            return Err(refused(416));
        }
        if self.closing || self.transactions.len().0 >= config.limits.transactions {
            return Err((503, vec![(Name::RetryAfter, "10".to_owned())]));
        }
        let room = room_of(config, request, &uri)?;
        // Only where it ends may a request not come twice (RFC 3261 §8.2.2.2): a proxy forwards a
        // spiral, and its own loop check is the relay's.
        if !room.is_proxy() && self.transactions.is_merged(&config.secret, request, key) {
            return Err(refused(482));
        }
        if request.seconds(Name::MaxForwards) == Some(0) && room.is_proxy() {
            return Err(refused(483));
        }
        if room.is_proxy() && !has_readable_routes(request) {
            return Err(refused(400));
        }
        check_extensions(request, &room)?;
        if let Room::Subscribe(aor, _) = &room
            && request.to().is_ok_and(|to| to.tag().is_some())
        {
            let account = self.accounts.get(aor).ok_or_else(|| refused(481))?;
            account.presentity.check_dialog(request)?;
        }
        Ok(room)
    }

    /// Steps 12 to 14: authorisation, then the room itself.
    fn enter(&mut self, config: &Config, now: Instant, ask: &Ask<'_>, room: &Room, out: &mut Out) {
        let initial = ask.request.to().is_ok_and(|to| to.tag().is_none());
        let counted = matches!(room, Room::Subscribe(..)) && initial;
        let admitted = !counted || self.rates.admit(now, &ask.user, config.limits.subscribe_rate);
        let (mut rooms, mut cx) = self.split(config, now, out);
        if let Some(aor) = room.account()
            && !config.users.owns(aor, &config.domain)
        {
            return cx.refuse(ask, 404);
        }
        if !admitted {
            let mut reply = cx.answer(ask, 503);
            reply.header(Name::RetryAfter, "1");
            return cx.reply(ask, 503, reply.into_writer().finish());
        }
        match room {
            Room::Register(aor) if *aor == ask.user => rooms.register(&mut cx, ask),
            Room::Publish(aor) if *aor == ask.user => {
                rooms.account(aor).presentity.on_publish(&mut cx, ask);
                rooms.tidy(aor);
            }
            Room::Rules(aor) if *aor == ask.user => {
                rooms.account(aor).presentity.on_publish_rules(&mut cx, ask);
                rooms.tidy(aor);
            }
            Room::Register(_) | Room::Publish(_) | Room::Rules(_) => cx.refuse(ask, 403),
            Room::Subscribe(aor, package) => {
                let presentity = &mut rooms.account(aor).presentity;
                match package {
                    Package::Presence => presentity.on_subscribe(&mut cx, ask),
                    Package::Winfo => presentity.on_subscribe_winfo(&mut cx, ask),
                }
                rooms.tidy(aor);
            }
            Room::Message(aor) => rooms.message(&mut cx, ask, aor),
            Room::Relay(aor) => rooms.relay(&mut cx, ask, aor),
            Room::Through => rooms.pass_through(&mut cx, ask),
            Room::Options => answer_options(&mut cx, ask),
        }
    }
}

impl Rooms<'_> {
    fn register(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let aor = ask.user.clone();
        let account = self.account(&aor);
        let change = account.registrations.on_register(cx, &aor, ask);
        account.bindings_changed(cx, &aor, &change);
        if account.is_empty() {
            self.accounts.remove(&aor);
        }
    }

    /// A pager message: a blocked sender is refused, everybody else's is forwarded or kept (M19).
    fn message(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>, aor: &Aor) {
        if pager::too_large(cx.config, ask.request) {
            return cx.refuse(ask, 413);
        }
        let blocked = self.accounts.get(aor).is_some_and(|account| {
            account.presentity.verdict(cx.config, &ask.user).handling == Handling::Block
        });
        if blocked {
            return cx.refuse(ask, 403);
        }
        let account = self.accounts.entry(aor.clone()).or_insert_with(|| Account::boxed(aor));
        let Account { registrations, inbox, .. } = &mut **account;
        inbox.on_message(cx, self.relays, ask, aor, &targets(registrations.live()));
        self.tidy(aor);
    }

    /// A request within a dialog whose route passes through us.
    fn pass_through(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>) {
        let known = self.flow_of(cx, ask.request);
        self.relays.forward_in_dialog(cx, ask, known);
    }

    /// An ACK for a 2xx: on its way without a transaction, or dropped (M1 step 4).
    fn pass_ack(&mut self, cx: &mut Cx<'_>, from: Peer, request: &Request) {
        let known = self.flow_of(cx, request);
        if !relay::forward_ack(cx, request, from, known) {
            cx.emit(Event::Refused { from, why: "ACK that belongs to nothing" });
        }
    }

    /// The flow of the binding whose contact a Request-URI names, if there is one: inside a dialog
    /// the peers use each other's contacts.
    fn flow_of(&self, cx: &Cx<'_>, request: &Request) -> Option<Peer> {
        let uri = Uri::parse(request.uri()).ok()?;
        let owner = self.accounts.get(&Aor::new(uri.user?, &cx.config.domain))?;
        let mut bindings = owner.registrations.live();
        let same = |contact: &str| Uri::parse(contact).is_ok_and(|known| known.equivalent(&uri));
        bindings.find(|binding| same(&binding.contact)).map(|binding| binding.peer)
    }

    /// Any other request for an account: to its bindings, or 480 when there are none.
    fn relay(&mut self, cx: &mut Cx<'_>, ask: &Ask<'_>, aor: &Aor) {
        let account = self.accounts.get(aor);
        let targets = account.map(|account| targets(account.registrations.live()));
        self.relays.forward(cx, ask, aor, &targets.unwrap_or_default());
    }
}

/// Steps 7 and 8: which room a request is for.
fn room_of(config: &Config, request: &Request, uri: &Uri<'_>) -> Result<Room, Refused> {
    let method = request.method();
    if method == Method::Register {
        return room_of_register(config, request, uri);
    }
    let elsewhere = names_another_host(config, uri);
    let Some(aor) = config.local(uri).filter(|_| !elsewhere) else {
        return match method {
            _ if elsewhere && !relay::arrived_by_route(config, request) => Err(refused(403)),
            Method::Options if config.is_ours(uri.host, uri.port) => Ok(Room::Options),
            _ if relay::arrived_by_route(config, request) => Ok(Room::Through),
            Method::Other if config.is_ours(uri.host, uri.port) => Err(refused(501)),
            // A service URI of ours has no such resource; anything else is relaying for strangers.
            _ if config.is_ours(uri.host, uri.port) => Err(refused(404)),
            _ => Err(refused(403)),
        };
    };
    match method {
        Method::Subscribe => match request.event().map(|event| event.package) {
            Some("presence") => Ok(Room::Subscribe(aor, Package::Presence)),
            Some("presence.winfo") => Ok(Room::Subscribe(aor, Package::Winfo)),
            Some(_) | None => Err(bad_event(ALLOW_EVENTS)),
        },
        Method::Publish => match request.event().map(|event| event.package) {
            Some("presence") => Ok(Room::Publish(aor)),
            Some("x-presrules") => Ok(Room::Rules(aor)),
            Some(_) | None => Err(bad_event(PUBLISHED_EVENTS)),
        },
        Method::Message => Ok(Room::Message(aor)),
        Method::Invite
        | Method::Bye
        | Method::Options
        | Method::Update
        | Method::Info
        | Method::Prack
        | Method::Refer
        // What a device may want to understand is not for us to refuse (RFC 3261 §16.3).
        | Method::Other => Ok(Room::Relay(aor)),
        Method::Notify | Method::Register | Method::Ack | Method::Cancel => {
            Err((405, vec![(Name::Allow, ALLOW.to_owned())]))
        }
    }
}

/// Whether `maddr` sends a request elsewhere, whatever its domain (RFC 3261 §16.4, §16.5).
fn names_another_host(config: &Config, uri: &Uri<'_>) -> bool {
    let ours = |host| config.is_ours(host, uri.port);
    uri.param("maddr").is_some_and(|host| !Host::parse(host).is_some_and(ours))
}

/// REGISTER names the registrar in its Request-URI and the account in To (RFC 3261 §10.2).
fn room_of_register(config: &Config, request: &Request, uri: &Uri<'_>) -> Result<Room, Refused> {
    if !config.is_ours(uri.host, uri.port) {
        return Err(refused(403));
    }
    registering(config, request).map(Room::Register)
}

/// The account whose bindings a REGISTER is about.
pub(super) fn registering(config: &Config, register: &Request) -> Result<Aor, Refused> {
    let to = register.to().map_err(|_| refused(400))?;
    let to = Uri::parse(to.uri).map_err(|_| refused(400))?;
    config.local(&to).ok_or_else(|| refused(404))
}

fn bad_event(known: &str) -> Refused {
    (489, vec![(Name::AllowEvents, known.to_owned())])
}

/// Whether every Route value is one (RFC 3261 §16.3 item 1: what forwarding needs).
fn has_readable_routes(request: &Request) -> bool {
    request.list(Name::Route).all(|route| {
        NameAddr::parse(route)
            .is_some_and(|route| !matches!(Uri::parse(route.uri), Err(UriError::Syntax)))
    })
}

/// Step 9: we understand no extension that somebody could require of us.
fn check_extensions(request: &Request, room: &Room) -> Result<(), Refused> {
    let header = if room.is_proxy() { Name::ProxyRequire } else { Name::Require };
    let unknown: Vec<&str> = request.list(header).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err((420, vec![(Name::Unsupported, unknown.join(", "))]))
}

/// D13: decisions, and publications that carry a direct-media block, need their body protected.
fn minimum_qop(room: &Room, request: &Request) -> Qop {
    match room {
        Room::Rules(_) => Qop::AuthInt,
        Room::Publish(_) if memchr::memmem::find(&request.body(), DIRECT_MEDIA).is_some() => {
            Qop::AuthInt
        }
        Room::Publish(_)
        | Room::Register(_)
        | Room::Subscribe(..)
        | Room::Message(_)
        | Room::Relay(_)
        | Room::Through
        | Room::Options => Qop::Auth,
    }
}

fn answer_options(cx: &mut Cx<'_>, ask: &Ask<'_>) {
    let mut reply = cx.answer(ask, 200);
    reply.header(Name::Allow, ALLOW);
    reply.header(Name::AllowEvents, ALLOW_EVENTS);
    reply.header(Name::Accept, "application/pidf+xml, application/auth-policy+xml, text/plain");
    reply.header(Name::Supported, "dm1");
    cx.reply(ask, 200, reply.into_writer().finish());
}
