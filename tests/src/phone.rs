//! A phone that speaks raw SIP: it writes its requests by hand and answers what it is told to.

use crate::stage::{DOMAIN, Stage};
use bytes::Bytes;
use presently_engine::body::pidf::Pidf;
use presently_engine::body::winfo::WatcherInfo;
use presently_engine::message::{Reply, Request, Response};
use std::net::SocketAddr;

/// One device of one user.
pub struct Phone {
    /// User name.
    pub user: String,
    /// Its socket.
    pub addr: SocketAddr,
    cseq: u32,
    calls: u32,
}

/// A subscription as the phone sees it.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Whom it watches.
    pub target: String,
    /// `presence` or `presence.winfo`.
    pub event: String,
    /// Call-ID.
    pub call_id: String,
    /// Our tag.
    pub tag: String,
    /// The server's tag, from its answer.
    pub to_tag: String,
    /// Where in-dialog requests go.
    pub contact: String,
}

/// What a NOTIFY said.
#[derive(Clone, Debug)]
pub struct Told {
    /// `active`, `pending`, `terminated`.
    pub state: String,
    /// Reason of a termination.
    pub reason: Option<String>,
    /// CSeq.
    pub cseq: u32,
    /// Body.
    pub body: Bytes,
    /// The NOTIFY itself.
    pub request: Request,
}

impl Told {
    /// The presence document.
    pub fn pidf(&self) -> Pidf {
        Pidf::parse(&self.body).expect("a valid presence document")
    }

    /// The watcher information document.
    pub fn winfo(&self) -> WatcherInfo {
        WatcherInfo::parse(&self.body).expect("a valid watcherinfo document")
    }

    /// `version/full-or-partial: watcher status/event, …` of a winfo document, sorted.
    pub fn winfo_line(&self) -> String {
        let info = self.winfo();
        let mut rows: Vec<String> = info.lists[0]
            .watchers
            .iter()
            .map(|row| {
                let name = row.uri.trim_start_matches("sip:").split('@').next().unwrap_or("");
                format!("{name} {}/{}", row.status.as_str(), row.event.as_str())
            })
            .collect();
        rows.sort();
        let kind = if info.full { "full" } else { "partial" };
        format!("v{} {kind} [{}]", info.version, rows.join(", "))
    }
}

impl Phone {
    /// A phone of `user` on its own socket.
    pub fn new(user: &str, port: u16) -> Self {
        let addr = SocketAddr::from(([198, 51, 100, 7], port));
        Self { user: user.to_owned(), addr, cseq: 0, calls: 0 }
    }

    /// The AOR of a user of the scene.
    pub fn aor(user: &str) -> String {
        format!("sip:{user}@{DOMAIN}")
    }

    /// Writes a request. `extra` are header lines without line ends.
    pub fn write(
        &mut self,
        method: &str,
        uri: &str,
        head: &Head<'_>,
        body: (&str, &str),
    ) -> String {
        self.cseq += 1;
        let (user, addr, cseq) = (&self.user, self.addr, self.cseq);
        let to_tag = head.to_tag.map_or_else(String::new, |tag| format!(";tag={tag}"));
        let mut text = format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {addr};branch=z9hG4bK-{user}-{cseq}-{port};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@{DOMAIN}>;tag={tag}\r\n\
             To: <{to}>{to_tag}\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\n\
             Contact: <sip:{user}@{addr}>\r\n",
            port = addr.port(),
            tag = head.tag,
            to = head.to,
            call_id = head.call_id,
        );
        for line in head.extra {
            text.push_str(line);
            text.push_str("\r\n");
        }
        let (kind, body) = body;
        if !kind.is_empty() {
            text.push_str(&format!("Content-Type: {kind}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        text
    }

    fn fresh(&mut self) -> (String, String) {
        self.calls += 1;
        let port = self.addr.port();
        (format!("call-{}-{port}-{}", self.user, self.calls), format!("tag-{}", self.calls))
    }

    /// Sends a request outside of any dialog and returns the answer.
    pub fn ask(
        &mut self,
        stage: &mut Stage,
        method: &str,
        target: &str,
        extra: &[&str],
        body: (&str, &str),
    ) -> Response {
        let (call_id, tag) = self.fresh();
        let to = Self::aor(target);
        let head = Head { to: &to, to_tag: None, tag: &tag, call_id: &call_id, extra };
        let text = self.write(method, &to.clone(), &head, body);
        stage.packet(self.addr, text);
        stage.response(self.addr)
    }

    /// REGISTERs this phone's socket.
    pub fn register(&mut self, stage: &mut Stage, seconds: u32) -> Response {
        let (call_id, tag) = self.fresh();
        let to = Self::aor(&self.user);
        let expires = format!("Expires: {seconds}");
        let extra = [expires.as_str()];
        let head = Head { to: &to, to_tag: None, tag: &tag, call_id: &call_id, extra: &extra };
        let text = self.write("REGISTER", &format!("sip:{DOMAIN}"), &head, ("", ""));
        stage.packet(self.addr, text);
        stage.response(self.addr)
    }

    /// SUBSCRIBEs; the answer has to be a 200.
    pub fn watch(&mut self, stage: &mut Stage, target: &str, event: &str, seconds: u32) -> Watch {
        let (watch, answer) = self.try_watch(stage, target, event, seconds);
        assert_eq!(answer.status(), 200, "SUBSCRIBE to {target}");
        watch
    }

    /// SUBSCRIBEs and returns whatever came back.
    pub fn try_watch(
        &mut self,
        stage: &mut Stage,
        target: &str,
        event: &str,
        seconds: u32,
    ) -> (Watch, Response) {
        let (call_id, tag) = self.fresh();
        let to = Self::aor(target);
        let lines = [format!("Event: {event}"), format!("Expires: {seconds}")];
        let extra = [lines[0].as_str(), lines[1].as_str()];
        let head = Head { to: &to, to_tag: None, tag: &tag, call_id: &call_id, extra: &extra };
        let text = self.write("SUBSCRIBE", &to, &head, ("", ""));
        stage.packet(self.addr, text);
        let answer = stage.response(self.addr);
        let to_tag = answer.to().ok().and_then(|to| to.tag()).unwrap_or("").to_owned();
        let contact = answer.first(presently_engine::message::Name::Contact).unwrap_or("");
        let contact = contact.trim_matches(['<', '>']).to_owned();
        let (target, event) = (target.to_owned(), event.to_owned());
        (Watch { target, event, call_id, tag, to_tag, contact }, answer)
    }

    /// Refreshes (or with 0 ends) a subscription.
    pub fn renew(&mut self, stage: &mut Stage, watch: &Watch, seconds: u32) -> Response {
        let lines = [format!("Event: {}", watch.event), format!("Expires: {seconds}")];
        let extra = [lines[0].as_str(), lines[1].as_str()];
        let to = Self::aor(&watch.target);
        let head = Head {
            to: &to,
            to_tag: Some(&watch.to_tag),
            tag: &watch.tag,
            call_id: &watch.call_id,
            extra: &extra,
        };
        let text = self.write("SUBSCRIBE", &watch.contact, &head, ("", ""));
        stage.packet(self.addr, text);
        stage.response(self.addr)
    }

    /// Takes the NOTIFY that is waiting and answers it.
    pub fn told_and(&mut self, stage: &mut Stage, status: u16) -> Told {
        let told = self.told_quietly(stage);
        self.answer(stage, &told.request, status);
        told
    }

    /// Takes the NOTIFY that is waiting and answers 200.
    pub fn told(&mut self, stage: &mut Stage) -> Told {
        self.told_and(stage, 200)
    }

    /// Takes the NOTIFY that is waiting without answering it.
    pub fn told_quietly(&mut self, stage: &mut Stage) -> Told {
        let request = stage.request(self.addr);
        let state = request.subscription_state().expect("a NOTIFY with Subscription-State");
        Told {
            state: state.state.to_owned(),
            reason: state.reason.map(str::to_owned),
            cseq: request.cseq().expect("a CSeq").number,
            body: request.body(),
            request: request.clone(),
        }
    }

    /// Answers a request of the server.
    pub fn answer(&self, stage: &mut Stage, request: &Request, status: u16) {
        let server = SocketAddr::from(([192, 0, 2, 1], 5060));
        let reply = Reply::new(request, server, status, "phone");
        stage.packet(self.addr, reply.into_writer().finish());
    }

    /// PUBLISHes a document with one open tuple and a note.
    pub fn publish(&mut self, stage: &mut Stage, note: &str, if_match: Option<&str>) -> Response {
        let user = self.user.clone();
        let body = pidf(&user, note);
        let mut lines = vec!["Event: presence".to_owned(), "Expires: 3600".to_owned()];
        lines.extend(if_match.map(|tag| format!("SIP-If-Match: {tag}")));
        let extra: Vec<&str> = lines.iter().map(String::as_str).collect();
        self.ask(stage, "PUBLISH", &user, &extra, ("application/pidf+xml", &body))
    }

    /// Decides about watchers: the whole rule set, `(watcher, sub-handling)`.
    pub fn decide(
        &mut self,
        stage: &mut Stage,
        rules: &[(&str, &str)],
        if_match: Option<&str>,
    ) -> Response {
        let user = self.user.clone();
        let mut lines = vec!["Event: x-presrules".to_owned()];
        lines.extend(if_match.map(|tag| format!("SIP-If-Match: {tag}")));
        let extra: Vec<&str> = lines.iter().map(String::as_str).collect();
        let body = ruleset(rules);
        self.ask(stage, "PUBLISH", &user, &extra, ("application/auth-policy+xml", &body))
    }
}

/// What differs between requests.
pub struct Head<'a> {
    /// To URI.
    pub to: &'a str,
    /// To tag, inside a dialog.
    pub to_tag: Option<&'a str>,
    /// From tag.
    pub tag: &'a str,
    /// Call-ID.
    pub call_id: &'a str,
    /// Further header lines.
    pub extra: &'a [&'a str],
}

/// A presence document with one open tuple and a note.
pub fn pidf(user: &str, note: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
         entity=\"sip:{user}@{DOMAIN}\"><tuple id=\"desk\"><status><basic>open</basic></status>\
         <note>{note}</note></tuple></presence>"
    )
}

/// A rule set with one rule per watcher.
pub fn ruleset(rules: &[(&str, &str)]) -> String {
    let mut text = "<?xml version=\"1.0\"?><ruleset \
                    xmlns=\"urn:ietf:params:xml:ns:common-policy\" \
                    xmlns:pr=\"urn:ietf:params:xml:ns:pres-rules\">"
        .to_owned();
    for (index, (watcher, handling)) in rules.iter().enumerate() {
        text.push_str(&format!(
            "<rule id=\"r{index}\"><conditions><identity><one id=\"sip:{watcher}@{DOMAIN}\"/>\
             </identity></conditions><actions><pr:sub-handling>{handling}</pr:sub-handling>\
             </actions></rule>"
        ));
    }
    text + "</ruleset>"
}
