//! A phone that speaks raw SIP over a real socket, with digest, and answers what it is told to.
//!
//! Requests are retransmitted until they are answered, and a request of the server that comes
//! again is answered again: what is lost on the way never decides a scene.

use super::{DOMAIN, PASSWORD, PATIENCE, aor};
use bytes::Bytes;
use presently_engine::body::pidf::Pidf;
use presently_engine::body::winfo::WatcherInfo;
use presently_engine::digest::{Algorithm, Client};
use presently_engine::message::{Message, Name, Reply, Request, Response};
use presently_engine::mint::Secret;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// How long an answer may take before the request is sent again.
const RETRANSMIT: Duration = Duration::from_millis(500);

/// How often a phone that waits looks whether it should give up.
const GLANCE: Duration = Duration::from_millis(20);

/// One device of one user.
pub(crate) struct Phone {
    pub(crate) user: String,
    pub(crate) address: SocketAddr,
    server: SocketAddr,
    socket: UdpSocket,
    digest: Client,
    secret: Secret,
    cseq: u32,
    calls: u32,
    /// Requests of the server nobody has looked at yet.
    inbox: VecDeque<Request>,
    /// By branch: requests of the server that came, and our answer once there is one.
    met: BTreeMap<String, Option<Bytes>>,
    /// The last request as it went out.
    pub(crate) last: Bytes,
}

/// A request before it has a branch, a CSeq and credentials.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) method: &'static str,
    pub(crate) uri: String,
    pub(crate) to: String,
    pub(crate) to_tag: String,
    pub(crate) tag: String,
    pub(crate) call_id: String,
    pub(crate) lines: Vec<String>,
    pub(crate) body: (&'static str, String),
}

/// A subscription as its phone sees it.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    draft: Draft,
    event: &'static str,
}

impl Watch {
    pub(crate) fn call_id(&self) -> &str {
        &self.draft.call_id
    }
}

/// What a NOTIFY said.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    pub(crate) cseq: u32,
    pub(crate) request: Request,
}

impl Told {
    pub(crate) fn of(request: Request) -> Self {
        let state = request.subscription_state().expect("a NOTIFY with Subscription-State");
        Self {
            state: state.state.to_owned(),
            reason: state.reason.map(str::to_owned),
            cseq: request.cseq().expect("a CSeq").number,
            request: request.clone(),
        }
    }

    /// State and reason.
    pub(crate) fn state(&self) -> (&str, Option<&str>) {
        (&self.state, self.reason.as_deref())
    }

    pub(crate) fn pidf(&self) -> Pidf {
        Pidf::parse(&self.request.body()).expect("a valid presence document")
    }

    /// Every note of every tuple.
    pub(crate) fn notes(&self) -> Vec<String> {
        let tuples = self.pidf().tuples;
        tuples.iter().flat_map(|tuple| &tuple.notes).map(|note| note.text.to_string()).collect()
    }

    pub(crate) fn winfo(&self) -> WatcherInfo {
        WatcherInfo::parse(&self.request.body()).expect("a valid watcherinfo document")
    }

    /// `vN full-or-partial [watcher status/event, …]`, sorted.
    pub(crate) fn winfo_line(&self) -> String {
        let info = self.winfo();
        let rows = info.lists[0].watchers.iter().map(|row| {
            let name = row.uri.trim_start_matches("sip:").split('@').next().unwrap_or("");
            format!("{name} {}/{}", row.status.as_str(), row.event.as_str())
        });
        let mut rows: Vec<String> = rows.collect();
        rows.sort();
        let kind = if info.full { "full" } else { "partial" };
        format!("v{} {kind} [{}]", info.version, rows.join(", "))
    }
}

/// Making requests.
impl Phone {
    pub(crate) fn new(user: &str, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("an address");
        let mut key = [0; 16];
        key[..2].copy_from_slice(&address.port().to_be_bytes());
        Self {
            user: user.to_owned(),
            address,
            server,
            socket,
            digest: Client::default(),
            secret: Secret::new(key),
            cseq: 0,
            calls: 0,
            inbox: VecDeque::new(),
            met: BTreeMap::new(),
            last: Bytes::new(),
        }
    }

    /// A request outside of any dialog.
    pub(crate) fn draft(&mut self, method: &'static str, target: &str, lines: &[&str]) -> Draft {
        self.calls += 1;
        Draft {
            method,
            uri: aor(target),
            to: aor(target),
            to_tag: String::new(),
            tag: format!("tag-{}", self.calls),
            call_id: format!("call-{}-{}-{}", self.user, self.address.port(), self.calls),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            body: ("", String::new()),
        }
    }

    /// The REGISTER of this phone, in one and the same call, with these lines.
    pub(crate) fn registration(&mut self, lines: &[&str]) -> Draft {
        let user = self.user.clone();
        let draft = self.draft("REGISTER", &user, lines);
        let call_id = format!("home-{}-{}", self.user, self.address.port());
        Draft { uri: format!("sip:{DOMAIN}"), call_id, ..draft }
    }

    fn write(&mut self, draft: &Draft) -> String {
        self.cseq += 1;
        let (user, address, cseq) = (&self.user, self.address, self.cseq);
        let Draft { method, uri, to, to_tag, tag, call_id, lines, body: (kind, body) } = draft;
        let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
        let mut text = format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {address};branch=z9hG4bK-{user}-{port}-{cseq};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <{from}>;tag={tag}\r\nTo: <{to}>{to_tag}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n",
            port = address.port(),
            from = aor(user),
        );
        if *method == "SUBSCRIBE" {
            text += &format!("Contact: <sip:{user}@{address}>\r\n");
        }
        let credentials =
            self.digest.authorize(&self.secret, &self.user, PASSWORD, method, uri, body.as_bytes());
        if let Some(value) = credentials {
            let name = if self.digest.is_proxy() { "Proxy-Authorization" } else { "Authorization" };
            text += &format!("{name}: {value}\r\n");
        }
        for line in lines {
            text += &format!("{line}\r\n");
        }
        if !kind.is_empty() {
            text += &format!("Content-Type: {kind}\r\n");
        }
        write!(text, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("a String has room");
        text
    }

    /// Sends a request, proves who we are if asked, and returns the final answer.
    pub(crate) fn ask(&mut self, draft: &Draft) -> Response {
        let until = Instant::now() + PATIENCE;
        let answer = self.try_ask(draft, &|| Instant::now() >= until);
        answer.unwrap_or_else(|| panic!("{} had no answer to {draft:?}", self.user))
    }

    /// The same until `give_up` says so; then nobody knows whether the request was carried out.
    pub(crate) fn try_ask(
        &mut self,
        draft: &Draft,
        give_up: &dyn Fn() -> bool,
    ) -> Option<Response> {
        for _ in 0..3 {
            let text = self.write(draft);
            let proven = text.contains("Authorization: Digest");
            self.last = Bytes::from(text);
            let answer = self.exchange(give_up)?;
            if !matches!(answer.status(), 401 | 407) {
                self.digest.succeeded(&answer);
                return Some(answer);
            }
            self.digest
                .challenged(&answer, Algorithm::Sha256, proven)
                .unwrap_or_else(|error| panic!("{}: {error:?}: {answer:?}", self.user));
        }
        panic!("{} is challenged without end: {draft:?}", self.user)
    }

    /// Sends what was written last until it is answered.
    fn exchange(&mut self, give_up: &dyn Fn() -> bool) -> Option<Response> {
        let branch = branch(&self.last);
        let mut again = Instant::now();
        loop {
            let given_up = give_up();
            if !given_up && Instant::now() >= again {
                self.send(&self.last.clone());
                again = Instant::now() + RETRANSMIT;
            }
            // Whoever gives up still reads what has already come: it is an answer.
            let glance = if given_up { Duration::ZERO } else { GLANCE };
            match self.receive(Instant::now() + glance) {
                Some(Message::Response(answer))
                    if answered(&answer) == branch && answer.status() >= 200 =>
                {
                    return Some(answer);
                }
                Some(Message::Response(_)) => {}
                Some(Message::Request(request)) => self.inbox.push_back(request),
                None if given_up => return None,
                None => {}
            }
        }
    }

    /// Sends these bytes.
    pub(crate) fn send(&self, bytes: &[u8]) {
        // A server that is being restarted cannot be reached; that is what retransmission is for.
        let _ = self.socket.send_to(bytes, self.server);
    }

    /// Sends bytes that were captured, under another branch, and returns the answer.
    pub(crate) fn replay(&mut self, captured: &Bytes, branch: &str) -> Response {
        let text = std::str::from_utf8(captured).expect("SIP is text");
        let (before, rest) = text.split_once(";branch=").expect("a branch");
        let (_, after) = rest.split_once(';').expect("parameters");
        self.last = format!("{before};branch=z9hG4bK-{branch};{after}").into();
        let until = Instant::now() + PATIENCE;
        self.exchange(&|| Instant::now() >= until).expect("an answer")
    }
}

/// Taking requests.
impl Phone {
    /// The next message that is new. Requests that come again are answered again.
    fn receive(&mut self, until: Instant) -> Option<Message> {
        let mut buffer = [0; 65_535];
        loop {
            let rest = until.saturating_duration_since(Instant::now());
            // No patience means one look, which the system's clock ticks are too coarse for.
            self.socket.set_nonblocking(rest.is_zero()).expect("a mode");
            if !rest.is_zero() {
                self.socket.set_read_timeout(Some(rest)).expect("a timeout");
            }
            let length = match self.socket.recv_from(&mut buffer) {
                Ok((length, _)) => length,
                Err(_) if rest.is_zero() => return None,
                Err(_) => continue,
            };
            let bytes = Bytes::copy_from_slice(&buffer[..length]);
            match Message::parse(bytes).expect("the server speaks SIP") {
                Message::Request(request) => match self.met.get(&branch(request.bytes())) {
                    Some(Some(answer)) => self.send(answer),
                    Some(None) => {}
                    None => {
                        self.met.insert(branch(request.bytes()), None);
                        return Some(Message::Request(request));
                    }
                },
                response @ Message::Response(_) => return Some(response),
            }
        }
    }

    /// The next request of the server, if there is one in time.
    pub(crate) fn next(&mut self, patience: Duration) -> Option<Request> {
        if let Some(request) = self.inbox.pop_front() {
            return Some(request);
        }
        let until = Instant::now() + patience;
        loop {
            match self.receive(until)? {
                Message::Request(request) => return Some(request),
                Message::Response(_) => {}
            }
        }
    }

    /// Answers a request of the server.
    pub(crate) fn answer(&mut self, request: &Request, status: u16) {
        let reply = Reply::new(request, self.server, status, "phone").into_writer().finish();
        self.send(&reply);
        self.met.insert(branch(request.bytes()), Some(reply));
    }

    /// The next request, which must come, with this answer.
    pub(crate) fn take(&mut self, status: u16) -> Request {
        let request = self.next(PATIENCE);
        let request = request.unwrap_or_else(|| panic!("nobody asks {} anything", self.user));
        self.answer(&request, status);
        request
    }

    /// Leaves the next request unanswered until it comes a second time: its 200 was lost.
    pub(crate) fn take_as_if_the_answer_were_lost(&mut self) -> Request {
        let request = self.next(PATIENCE).expect("a request");
        self.met.remove(&branch(request.bytes()));
        let again = self.take(200);
        assert_eq!(again.bytes(), request.bytes(), "a retransmission has the same bytes");
        again
    }

    /// The next NOTIFY, answered like this.
    pub(crate) fn told_and(&mut self, status: u16) -> Told {
        Told::of(self.take(status))
    }

    /// The next NOTIFY, answered 200.
    pub(crate) fn told(&mut self) -> Told {
        self.told_and(200)
    }
}

/// What phones do.
impl Phone {
    /// REGISTERs this socket.
    pub(crate) fn register(&mut self) {
        let contact = format!("Contact: <sip:{}@{}>", self.user, self.address);
        let draft = self.registration(&[&contact, "Expires: 3600"]);
        assert_eq!(self.ask(&draft).status(), 200, "REGISTER of {}", self.user);
    }

    /// SUBSCRIBEs; the answer has to be a 200.
    pub(crate) fn watch(&mut self, target: &str, event: &'static str, seconds: u32) -> Watch {
        let draft = self.subscription(target, event, seconds);
        let answer = self.ask(&draft);
        assert_eq!(answer.status(), 200, "SUBSCRIBE of {} to {target}", self.user);
        Watch::begun(draft, event, &answer)
    }

    /// An initial SUBSCRIBE.
    pub(crate) fn subscription(&mut self, target: &str, event: &str, seconds: u32) -> Draft {
        let (event, expires) = (format!("Event: {event}"), format!("Expires: {seconds}"));
        self.draft("SUBSCRIBE", target, &[&event, &expires])
    }

    /// Refreshes (or with 0 ends) a subscription.
    pub(crate) fn renew(&mut self, watch: &Watch, seconds: u32) -> Response {
        self.ask(&watch.refresh(seconds))
    }

    /// A PUBLISH of one open tuple and a note.
    pub(crate) fn publication(&mut self, note: &str, etag: Option<&str>) -> Draft {
        let user = self.user.clone();
        let mut draft = self.draft("PUBLISH", &user, &["Event: presence", "Expires: 3600"]);
        draft.lines.extend(etag.map(|etag| format!("SIP-If-Match: {etag}")));
        draft.body = ("application/pidf+xml", document(&user, note));
        draft
    }

    pub(crate) fn publish(&mut self, note: &str) {
        let draft = self.publication(note, None);
        assert_eq!(self.ask(&draft).status(), 200, "PUBLISH of {}", self.user);
    }

    /// A PUBLISH of a whole rule set, `(watcher, sub-handling)`.
    pub(crate) fn decision(&mut self, rules: &[(&str, &str)], etag: Option<&str>) -> Draft {
        let user = self.user.clone();
        let mut draft = self.draft("PUBLISH", &user, &["Event: x-presrules"]);
        draft.lines.extend(etag.map(|etag| format!("SIP-If-Match: {etag}")));
        draft.body = ("application/auth-policy+xml", ruleset(rules));
        draft
    }

    /// The first decision of this owner.
    pub(crate) fn decide(&mut self, watcher: &str, handling: &str) {
        let draft = self.decision(&[(watcher, handling)], None);
        assert_eq!(self.ask(&draft).status(), 200, "decision of {}", self.user);
    }

    /// A MESSAGE.
    pub(crate) fn message(&mut self, target: &str, text: &str) -> Draft {
        let draft = self.draft("MESSAGE", target, &[]);
        Draft { body: ("text/plain", text.to_owned()), ..draft }
    }
}

impl Watch {
    /// The dialog that the 200 to a SUBSCRIBE began.
    pub(crate) fn begun(mut draft: Draft, event: &'static str, answer: &Response) -> Self {
        draft.to_tag = answer.to().expect("a To").tag().expect("a tag").to_owned();
        let contact = answer.first(Name::Contact).expect("a Contact");
        draft.uri = contact.trim_matches(['<', '>']).to_owned();
        Self { draft, event }
    }

    /// A SUBSCRIBE in this dialog.
    pub(crate) fn refresh(&self, seconds: u32) -> Draft {
        let lines = vec![format!("Event: {}", self.event), format!("Expires: {seconds}")];
        Draft { lines, ..self.draft.clone() }
    }
}

/// The top branch of a request.
fn branch(request: &Bytes) -> String {
    let parsed = Message::parse(request.clone()).expect("a message");
    parsed.headers().via().expect("a Via").branch.expect("a branch").to_owned()
}

/// The branch that an answer belongs to.
fn answered(response: &Response) -> String {
    response.via().expect("a Via").branch.expect("a branch").to_owned()
}

/// A presence document with one open tuple and a note.
fn document(user: &str, note: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
         entity=\"{}\"><tuple id=\"desk\"><status><basic>open</basic></status>\
         <note>{note}</note></tuple></presence>",
        aor(user)
    )
}

/// A rule set with one rule per watcher.
fn ruleset(rules: &[(&str, &str)]) -> String {
    let rules = (0..).zip(rules).map(|(index, (watcher, handling))| {
        format!(
            "<rule id=\"r{index}\"><conditions><identity><one id=\"{}\"/></identity></conditions>\
             <actions><pr:sub-handling>{handling}</pr:sub-handling></actions></rule>",
            aor(watcher)
        )
    });
    format!(
        "<?xml version=\"1.0\"?><ruleset xmlns=\"urn:ietf:params:xml:ns:common-policy\" \
         xmlns:pr=\"urn:ietf:params:xml:ns:pres-rules\">{}</ruleset>",
        rules.collect::<String>()
    )
}
