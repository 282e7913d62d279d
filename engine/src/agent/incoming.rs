//! Requests that reach the agent as user agent server: the checks of M1 in their order, then the
//! room concerned. Read RFC 3261 §8.2 first.

use super::call::Calls;
use super::cx::{ACCEPT, ALLOW, Cx, Incoming, SUPPORTED, is_our_user, to_tag};
use super::decisions::Decisions;
use super::pager::Inbox;
use super::subscription::Subscriptions;
use super::{Agent, Config, Event, Record};
use crate::machine::{Output, Peer};
use crate::message::{Aor, Headers, Malformed, Method, Name, Reply, Request, Uri, UriError};
use crate::transaction::Arrival;
use std::net::SocketAddr;

/// Most server transactions at a time; a request above it is dropped and will be sent again.
const TRANSACTIONS: usize = 4096;
/// The port of a SIP URI that names none.
const SIP_PORT: u16 = 5060;
/// The one content coding we read: none.
const IDENTITY: &str = "identity";

impl Agent {
    /// M1 step 1: something that is no message; answered if it can be.
    pub(crate) fn on_malformed(
        config: &Config,
        from: Peer,
        bad: &Malformed,
        out: &mut Vec<Output<Record, Event>>,
    ) {
        let Some(request) = &bad.request else { return };
        if request.method() == Method::Ack {
            return;
        }
        let tag = to_tag(config, request).to_string();
        let reply = Reply::with_reason(request, from.addr, bad.status, bad.why, &tag);
        let to = Peer { addr: Reply::destination(request, from.addr), ..from };
        out.push(Output::Transmit { to, bytes: reply.into_writer().finish() });
    }
}

/// The rooms that serve requests.
pub(crate) struct Desk<'a> {
    pub(crate) subscriptions: &'a mut Subscriptions,
    pub(crate) decisions: &'a Decisions,
    pub(crate) inbox: &'a mut Inbox,
    pub(crate) calls: &'a mut Calls,
}

impl Desk<'_> {
    /// M1 from step 3 on.
    pub(crate) fn on_request(&mut self, mut cx: Cx<'_>, from: Peer, request: &Request) {
        let config = cx.config;
        let (secret, timing) = (&config.secret, &config.timing);
        let transactions = &mut cx.core.transactions;
        let key = match transactions.absorb(secret, timing, cx.now, request, cx.out) {
            Arrival::Absorbed => return,
            Arrival::Ack(key) | Arrival::New(key) => key,
        };
        if request.method() == Method::Ack {
            return self.calls.on_ack(&mut cx, request);
        }
        if transactions.len().0 >= TRANSACTIONS {
            return;
        }
        let merged = request.to().is_ok_and(|to| to.tag().is_none())
            && transactions.is_merged(secret, request, key);
        let to = Peer { addr: Reply::destination(request, from.addr), ..from };
        transactions.open(secret, timing, cx.now, key, to, request);
        let incoming = Incoming { request, from, key };
        if merged {
            return cx.refuse(&incoming, 482);
        }
        if let Err(refusal) = check_target(config, request) {
            return cx.refuse(&incoming, refusal);
        }
        if !is_served(request.method()) {
            return cx.refuse_with(&incoming, 405, Name::Allow, ALLOW);
        }
        let unknown = unknown_requirements(request);
        if !unknown.is_empty() && request.method() != Method::Cancel {
            return cx.refuse_with(&incoming, 420, Name::Unsupported, &unknown);
        }
        if is_encoded(request) {
            return cx.refuse_with(&incoming, 415, Name::AcceptEncoding, IDENTITY);
        }
        self.serve(cx, &incoming);
    }

    fn serve(&mut self, mut cx: Cx<'_>, incoming: &Incoming<'_>) {
        match incoming.request.method() {
            Method::Notify => self.subscriptions.on_notify(&mut cx, incoming),
            Method::Message => self.on_message(cx, incoming),
            Method::Options => {
                let mut reply = cx.answer(incoming, 200);
                reply.header(Name::Allow, ALLOW);
                reply.header(Name::Accept, ACCEPT);
                reply.header(Name::Supported, SUPPORTED);
                cx.reply(incoming, reply);
            }
            Method::Invite => self.on_invite(cx, incoming),
            Method::Bye => self.calls.on_bye(&mut cx, incoming),
            Method::Cancel if self.calls.on_cancel(&mut cx, incoming) => {}
            Method::Cancel => {
                // Every other request got its final answer at once, so there is nothing left to
                // cancel; the CANCEL itself is in order (RFC 3261 §9.2).
                let transactions = &cx.core.transactions;
                let known = transactions.knows_cancelled(&cx.config.secret, incoming.request);
                let status = if known { 200 } else { 481 };
                cx.refuse(incoming, status);
            }
            Method::Ack
            | Method::Register
            | Method::Subscribe
            | Method::Publish
            | Method::Update
            | Method::Info
            | Method::Prack
            | Method::Refer
            | Method::Other => cx.refuse_with(incoming, 405, Name::Allow, ALLOW),
        }
    }

    fn on_invite(&mut self, mut cx: Cx<'_>, incoming: &Incoming<'_>) {
        let caller = incoming.request.from().ok().and_then(|from| Aor::parse(from.uri).ok());
        let blocked = caller.is_some_and(|caller| self.decisions.blocks(&caller));
        self.calls.on_invite(&mut cx, incoming, blocked);
    }

    /// M20: from our server, or from where the sender's presence says it is.
    fn on_message(&mut self, mut cx: Cx<'_>, incoming: &Incoming<'_>) {
        let request = incoming.request;
        let sender = request.from().ok().and_then(|from| Aor::parse(from.uri).ok());
        let Some(sender) = sender else { return cx.refuse(incoming, 403) };
        let source = incoming.from.addr;
        if source != cx.config.server.addr && !self.is_contact_of(&sender, source) {
            let tag = to_tag(cx.config, request).to_string();
            let reason = "Send It To The Address Of Record";
            let reply = Reply::with_reason(request, source, 403, reason, &tag);
            return cx.reply(incoming, reply);
        }
        if self.decisions.blocks(&sender) {
            return cx.refuse(incoming, 200);
        }
        self.inbox.on_message(&mut cx, incoming, sender);
    }

    /// Whether the presence of `sender` shows a contact at this address.
    fn is_contact_of(&self, sender: &Aor, source: SocketAddr) -> bool {
        let shown = self.subscriptions.usages.values().filter(|usage| usage.target == *sender);
        let documents = shown.filter_map(|usage| usage.document.as_ref());
        let contacts = documents
            .flat_map(|document| &document.tuples)
            .filter_map(|tuple| tuple.contact.as_deref());
        contacts.into_iter().any(|contact| address_of(contact) == Some(source))
    }
}

/// M1 steps 5 and 7: our scheme, our user. The host is not compared: behind NAT we do not know
/// the name others have for us.
fn check_target(config: &Config, request: &Request) -> Result<(), u16> {
    match Uri::parse(request.uri()) {
        // We have no TLS, so nothing can keep what sips promises (RFC 3261 §26.2.2).
        Ok(uri) if uri.secure => Err(416),
        Ok(uri) if is_our_user(config, uri.user) => Ok(()),
        Ok(_) => Err(404),
        Err(UriError::Scheme) => Err(416),
        Err(UriError::Syntax) => Err(400),
    }
}

fn is_served(method: Method) -> bool {
    matches!(
        method,
        Method::Notify
            | Method::Message
            | Method::Options
            | Method::Invite
            | Method::Bye
            | Method::Cancel
    )
}

/// Options of Require that we do not know (RFC 3261 §8.2.2.3).
fn unknown_requirements(request: &Headers) -> String {
    let options = request.list(Name::Require);
    let unknown: Vec<_> =
        options.filter(|option| !option.eq_ignore_ascii_case(SUPPORTED)).collect();
    unknown.join(", ")
}

/// Whether there is a body in a coding that we do not read (RFC 3261 §8.2.3): we read none.
fn is_encoded(request: &Request) -> bool {
    let coding = request.first(Name::ContentEncoding).unwrap_or("");
    !request.body().is_empty() && !coding.is_empty() && !coding.eq_ignore_ascii_case(IDENTITY)
}

/// The transport address in a contact URI, if it names one.
fn address_of(contact: &str) -> Option<SocketAddr> {
    let uri = Uri::parse(contact).ok()?;
    match uri.host {
        crate::message::Host::Ip(ip) => Some(SocketAddr::new(ip, uri.port.unwrap_or(SIP_PORT))),
        crate::message::Host::Name(_) => None,
    }
}
