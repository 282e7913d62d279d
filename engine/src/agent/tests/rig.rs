//! The rig: one agent in virtual time and a server that says what the scene tells it to.

use crate::agent::cx::contact_uri;
use crate::agent::{Agent, Command, Config, Event, Package, Record, wire};
use crate::body::pidf::{Basic, Format, PIDF, Pidf};
use crate::body::winfo::{Cause, Status, WATCHERINFO, Watcher, WatcherInfo, WatcherList};
use crate::message::{Aor, Message, Method, Name, Reply, Request, Response, Writer};
use crate::mint::Secret;
use crate::{Input, Instant, Machine, Output, Peer};
use bytes::Bytes;
use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

pub(super) const SERVER: &str = "192.0.2.1:5060";
pub(super) const BOB_HOST: &str = "192.0.2.20:5060";

pub(super) struct Scene {
    pub(super) agent: Agent,
    pub(super) config: Config,
    pub(super) now: Instant,
    requests: VecDeque<Request>,
    answers: VecDeque<Response>,
    events: VecDeque<Event>,
    seen: BTreeSet<Bytes>,
    /// Every request the agent sent, copies left out.
    pub(super) log: Vec<Request>,
    /// Every datagram that was to leave a media port, and where to.
    pub(super) packets: Vec<(SocketAddr, Bytes)>,
    /// The scripted notifier of the scene's one subscription, for tables.
    pub(super) notifier: Option<Notifier>,
    said: u32,
    /// What was sent and told since the last look, for tables.
    trace: Vec<String>,
    /// What was sent again, to the letter.
    again: Vec<Bytes>,
}

/// The dialog in which the scripted notifier speaks.
#[derive(Clone)]
pub(super) struct Notifier {
    pub(super) subscribe: Request,
    pub(super) tag: &'static str,
    pub(super) cseq: u32,
}

pub(super) fn aor(text: &str) -> Aor {
    Aor::parse(text).unwrap()
}

pub(super) fn bob() -> Aor {
    aor("sip:bob@example.org")
}

pub(super) fn alice() -> Aor {
    aor("sip:alice@example.org")
}

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn config() -> Config {
    Config::new(
        alice(),
        "wonderland",
        Peer::new(SERVER.parse().unwrap()),
        ([192, 0, 2, 10], 5060).into(),
        Secret::new([7; 16]),
        "alice-desk",
    )
}

impl Scene {
    /// An agent that did nothing yet.
    pub(super) fn new() -> Self {
        Self {
            agent: Agent::default(),
            config: config(),
            now: Instant::from_millis(1_700_000_000_000),
            requests: VecDeque::new(),
            answers: VecDeque::new(),
            events: VecDeque::new(),
            seen: BTreeSet::new(),
            log: Vec::new(),
            packets: Vec::new(),
            notifier: None,
            said: 0,
            trace: Vec::new(),
            again: Vec::new(),
        }
    }

    /// A registered agent whose registration is long lived and out of the way.
    pub(super) fn online() -> Self {
        Self::new().log_in(&[])
    }

    /// The same, with further headers in the server's answer.
    pub(super) fn log_in(mut self, headers: &[(Name, &str)]) -> Self {
        self.config.register_expires = 1_000_000;
        self.say(Command::Login);
        let register = self.expect(Method::Register);
        self.answer(&register, 200, &[&[(Name::Expires, "1000000")], headers].concat());
        self.forget();
        self
    }

    pub(super) fn say(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    pub(super) fn watch(&mut self, target: Aor, package: Package) -> Notifier {
        self.say(Command::Subscribe { target, package, expires: None });
        let subscribe = self.expect(Method::Subscribe);
        Notifier { subscribe, tag: "pa", cseq: 0 }
    }

    pub(super) fn open(&mut self) {
        self.say(Command::SetPresence { basic: Basic::Open, note: None });
    }

    pub(super) fn hear(&mut self, bytes: Bytes) {
        self.hear_from(SERVER, bytes);
    }

    pub(super) fn hear_from(&mut self, from: &str, bytes: Bytes) {
        self.input(Input::Packet { from: Peer::new(from.parse().unwrap()), bytes });
    }

    /// The same, already parsed.
    pub(super) fn hear_message(&mut self, message: Message) {
        self.input(Input::Message { from: self.config.server, message });
    }

    /// The server answers a request of the agent.
    pub(super) fn answer(&mut self, request: &Request, status: u16, headers: &[(Name, &str)]) {
        let reply = self.draft_answer(request, status, headers);
        self.hear(reply.finish());
    }

    pub(super) fn draft_answer(
        &self,
        request: &Request,
        status: u16,
        headers: &[(Name, &str)],
    ) -> Writer {
        let source: SocketAddr = self.config.contact.parse().unwrap();
        let mut reply = Reply::new(request, source, status, "srv");
        for (name, value) in headers {
            reply.header(*name, value);
        }
        reply.into_writer()
    }

    /// A challenge with a nonce and a boot id.
    pub(super) fn challenge(&mut self, request: &Request, nonce: &str, boot: &str, stale: bool) {
        let stale = if stale { ", stale=true" } else { "" };
        let value = format!(
            "Digest realm=\"example.org\", qop=\"auth-int,auth\", algorithm=SHA-256, \
             nonce=\"{nonce}\", opaque=\"{boot}\"{stale}"
        );
        self.answer(request, 401, &[(Name::WwwAuthenticate, &value)]);
    }

    /// The notifier sends a NOTIFY; returns the status of the answer.
    pub(super) fn notify(&mut self, dialog: &mut Notifier, state: &str, body: Body<'_>) -> u16 {
        dialog.cseq += 1;
        let bytes = self.draft_notify(dialog, state, body);
        self.hear(bytes);
        self.expect_status()
    }

    pub(super) fn draft_notify(&mut self, dialog: &Notifier, state: &str, body: Body<'_>) -> Bytes {
        let event = dialog.subscribe.event().unwrap().package.to_owned();
        let mut writer = self.notify_head(dialog, dialog.cseq);
        writer.header(Name::Event, &event);
        writer.header(Name::SubscriptionState, state);
        match body {
            Body::None => writer.finish(),
            Body::Presence(basic) => {
                let document = Pidf::simple("sip:bob@example.org", "t1", basic);
                writer.finish_with(PIDF, &document.write(Format::Pidf))
            }
            Body::Document(document) => writer.finish_with(PIDF, &document.write(Format::Pidf)),
            Body::Winfo(version, full, rows) => {
                writer.finish_with(WATCHERINFO, &winfo(version, full, rows).write())
            }
            Body::Raw(content_type, text) => writer.finish_with(content_type, text.as_bytes()),
        }
    }

    /// Everything of a NOTIFY before its Event.
    pub(super) fn notify_head(&mut self, dialog: &Notifier, cseq: u32) -> Writer {
        self.said += 1;
        let said = self.said;
        let subscribe = &dialog.subscribe;
        let (from, tag) = (subscribe.to().unwrap().uri, dialog.tag);
        let (to, our) = (subscribe.from().unwrap().uri, subscribe.from().unwrap().tag().unwrap());
        let us = contact_uri(&self.config);
        let mut writer = Writer::request(Method::Notify, &us);
        let branch = format!("z9hG4bKnotify{said}");
        writer.format(Name::Via, format_args!("SIP/2.0/UDP {SERVER};branch={branch};rport"));
        writer.number(Name::MaxForwards, 70);
        writer.format(Name::From, format_args!("<{from}>;tag={tag}"));
        writer.format(Name::To, format_args!("<{to}>;tag={our}"));
        writer.header(Name::CallId, subscribe.call_id().unwrap());
        writer.format(Name::CSeq, format_args!("{cseq} NOTIFY"));
        writer.header(Name::Contact, "<sip:bob@192.0.2.1:5060>");
        writer
    }

    /// A request of somebody to the agent, with further headers.
    pub(super) fn draft_request(
        &mut self,
        method: &str,
        call_id: &str,
        headers: &[(Name, &str)],
    ) -> Writer {
        self.said += 1;
        let said = self.said;
        let mut writer = Writer::request_text(method, "sip:alice@192.0.2.10:5060");
        let branch = format!("z9hG4bKask{said}");
        writer.format(Name::Via, format_args!("SIP/2.0/UDP {SERVER};branch={branch};rport"));
        writer.number(Name::MaxForwards, 70);
        writer.header(Name::From, "<sip:bob@example.org>;tag=b");
        writer.header(Name::To, "<sip:alice@example.org>");
        writer.header(Name::CallId, call_id);
        writer.format(Name::CSeq, format_args!("1 {method}"));
        for (name, value) in headers {
            writer.header(*name, value);
        }
        writer
    }

    /// Time passes, deadline by deadline. Copies of what was already sent are not seen again.
    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.agent.deadline().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.input(Input::Tick);
        }
        self.now = end;
    }

    /// Nobody looked at the clock for a while.
    pub(super) fn stall(&mut self, span: Duration) {
        self.now = self.now + span;
        self.input(Input::Tick);
    }

    pub(super) fn lose_server(&mut self) {
        self.input(Input::Lost { peer: self.config.server });
    }

    /// The next request of the agent, which must be of this method.
    pub(super) fn expect(&mut self, method: Method) -> Request {
        let next = self.requests.pop_front();
        let next = next.unwrap_or_else(|| panic!("expected {}, got nothing", method.as_str()));
        assert_eq!(next.method(), method, "got {:?}", next.bytes());
        next
    }

    /// The first request of this method among those that were sent.
    pub(super) fn find(&mut self, method: Method) -> Request {
        let at = self.requests.iter().position(|request| request.method() == method);
        let at = at.unwrap_or_else(|| panic!("no {} among the requests", method.as_str()));
        self.requests.remove(at).unwrap()
    }

    /// The last request of this method that was ever sent, seen by the scene or not.
    pub(super) fn last(&self, method: Method) -> Option<Request> {
        self.log.iter().rev().find(|request| request.method() == method).cloned()
    }

    pub(super) fn expect_silence(&mut self) {
        if let Some(request) = self.requests.front() {
            panic!("unexpected request {:?}", request.bytes());
        }
    }

    pub(super) fn expect_status(&mut self) -> u16 {
        self.answers.pop_front().expect("an answer of the agent").status()
    }

    pub(super) fn expect_answer(&mut self) -> Response {
        self.answers.pop_front().expect("an answer of the agent")
    }

    pub(super) fn is_unanswered(&self) -> bool {
        self.answers.is_empty()
    }

    /// Everything the owner was told since the last look.
    pub(super) fn events(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    pub(super) fn requests(&mut self) -> Vec<Request> {
        self.requests.drain(..).collect()
    }

    /// What was sent again since the last look.
    pub(super) fn repeated(&mut self) -> Vec<Message> {
        let read = |bytes| Message::parse(bytes).expect("the agent writes what can be read");
        self.again.drain(..).map(read).collect()
    }

    /// Forgets what was sent and told so far.
    pub(super) fn forget(&mut self) {
        self.requests.clear();
        self.answers.clear();
        self.events.clear();
        self.trace.clear();
        self.again.clear();
    }

    /// What was sent and told since the last look, on one line.
    pub(super) fn trace(&mut self) -> String {
        let mut trace = std::mem::take(&mut self.trace);
        let more = trace.len().saturating_sub(4);
        if more > 1 {
            trace.truncate(4);
            trace.push(format!("… {more} more"));
        }
        if trace.is_empty() { "—".into() } else { trace.join(", ") }
    }

    fn input(&mut self, input: Input<Command>) {
        let mut out: Vec<Output<Record, Event>> = Vec::new();
        self.agent.handle(&self.config, self.now, input, &mut out);
        for output in out {
            match output {
                Output::Record(record) => match record {},
                Output::Event(event) => {
                    self.note(tell(&event));
                    if let Event::MediaPacket { to, bytes, .. } = &event {
                        self.packets.push((*to, bytes.clone()));
                    }
                    self.events.push_back(event);
                }
                Output::Transmit { bytes, .. } => self.collect(bytes),
            }
        }
    }

    /// Checks are many; in a table they are one word.
    fn note(&mut self, told: String) {
        match self.trace.last_mut() {
            Some(last) if told == "check" && last.starts_with("check") => *last = "checks".into(),
            _ => self.trace.push(told),
        }
    }

    fn collect(&mut self, bytes: Bytes) {
        if !self.seen.insert(bytes.clone()) {
            return self.again.push(bytes);
        }
        match Message::parse(bytes).expect("the agent writes what can be read") {
            Message::Request(request) => {
                self.trace.push(sketch(&request));
                self.log.push(request.clone());
                self.requests.push_back(request);
            }
            Message::Response(response) => {
                self.trace.push(response.status().to_string());
                self.answers.push_back(response);
            }
        }
    }
}

pub(super) enum Body<'a> {
    None,
    Presence(Basic),
    Document(&'a Pidf),
    Winfo(u32, bool, &'a [(&'a str, Status, Cause)]),
    Raw(&'a str, &'a str),
}

/// A document about alice's watchers: id (also the user of the watcher), status, cause.
pub(super) fn winfo(version: u32, full: bool, rows: &[(&str, Status, Cause)]) -> WatcherInfo {
    let watcher = |(id, status, event): &(&str, Status, Cause)| Watcher {
        id: (*id).into(),
        uri: format!("sip:{id}@example.org").into(),
        status: *status,
        event: *event,
        display_name: None,
        expiration: None,
        duration: None,
    };
    let list = WatcherList {
        resource: "sip:alice@example.org".into(),
        package: "presence".into(),
        watchers: rows.iter().map(watcher).collect(),
    };
    WatcherInfo { version, full, lists: vec![list] }
}

/// A state by its name, and how a scene gets there.
pub(super) type StateRow = (&'static str, fn() -> Scene);
/// An event by its name, and how it happens to a scene.
pub(super) type EventRow = (&'static str, fn(&mut Scene));

/// Every event in every state of one machine: what follows, and what is sent and told.
pub(super) fn table(
    states: &[StateRow],
    events: &[EventRow],
    name: fn(&Scene) -> String,
) -> String {
    let mut text = String::new();
    for (state, build) in states {
        text += &format!("{state}\n");
        for (event, happen) in events {
            let mut scene = build();
            assert_eq!(name(&scene), *state, "the scene builds the state it is named for");
            scene.forget();
            happen(&mut scene);
            let (next, trace) = (name(&scene), scene.trace());
            let next = if next == *state { "·".to_owned() } else { next };
            text += &format!("  {event:<28} {next:<22} {trace}\n");
        }
    }
    text
}

/// A request in a table cell: method and what distinguishes it.
fn sketch(request: &Request) -> String {
    let mut text = request.method().as_str().to_owned();
    if let Some(expires) = request.seconds(Name::Expires) {
        text += &format!(" e={expires}");
    }
    if let Some(etag) = request.first(Name::SipIfMatch) {
        text += &format!(" if={etag}");
    }
    if request.to().unwrap().tag().is_some() {
        text += " in-dialog";
    }
    if !request.body().is_empty() {
        text += " body";
    }
    text
}

/// An event in a table cell.
fn tell(event: &Event) -> String {
    match event {
        Event::Registered { expires } => format!("Registered({expires})"),
        Event::RegisterFailed { status, retry_ms, .. } => {
            format!("RegisterFailed({status}, {})", retry_word(*retry_ms))
        }
        Event::ServerRestarted => "ServerRestarted".into(),
        Event::LoggedOut => "LoggedOut".into(),
        Event::Published { etag, .. } => format!("Published({etag})"),
        Event::Presence { document, .. } => format!("Presence({})", document.tuples.len()),
        Event::Offer { mode, .. } => format!("Offer({mode:?})"),
        Event::Subscription { phase, reason, .. } => match reason {
            Some(reason) => format!("{phase:?}({reason})"),
            None => format!("{phase:?}"),
        },
        Event::Watcher { id, status, .. } => format!("Watcher({id}, {})", status.as_str()),
        Event::Decided { status, .. } => format!("Decided({status})"),
        Event::Message { expired, .. } => format!("Message(expired: {expired})"),
        Event::MessageStatus { phase, .. } => format!("{phase:?}"),
        Event::Call { phase, flows, .. } if !flows.is_empty() => {
            format!("{phase:?}({:?})", flows[0].direction)
        }
        Event::Call { phase, .. } => format!("{phase:?}"),
        Event::Flow { phase, reason: None, .. } => format!("{phase:?}"),
        Event::Flow { phase, reason: Some(why), .. } => format!("{phase:?}({})", why.as_str()),
        Event::MediaPacket { bytes, .. } => match wire::Reply::read(bytes, "") {
            None => "check".into(),
            Some(reply) => reply.outcome.map_or_else(|status| status.to_string(), |_| "ok".into()),
        },
        Event::MediaWelcome { from, .. } => format!("Welcome({})", from.len()),
        Event::MediaBye { .. } => "RTCP BYE".into(),
        Event::Error { what, .. } => format!("Error({what})"),
    }
}

fn retry_word(retry_ms: Option<u64>) -> &'static str {
    if retry_ms.is_some() { "will retry" } else { "final" }
}
