//! A phone that can prove who it is: it writes requests and remembers what came back.

use super::{PHONES, Proof, USERS, What};
use presently_engine::digest::{Algorithm, Client};
use presently_engine::message::{Method, Name, Response};
use presently_engine::mint::Secret;
use presently_tests::phone::{Head, pidf, ruleset};
use presently_tests::{Phone, stage::DOMAIN};
use std::net::SocketAddr;

/// An offer that is ready, so that D13 and the filter for watchers have something to do.
const OFFER: &str = include_str!("offer.xml");
const HANDLINGS: [&str; 5] = ["allow", "block", "confirm", "polite-block", "allow"];
const METHODS: [&str; 12] = [
    "OPTIONS", "BYE", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "ACK", "CANCEL", "PING",
    "MESSAGE", "INVITE",
];

/// A subscription or call of the phone.
#[derive(Clone, Debug)]
struct Leg {
    target: String,
    winfo: bool,
    call_id: String,
    tag: String,
    to_tag: Option<String>,
}

/// One phone.
pub(super) struct Caller {
    phone: Phone,
    client: Client,
    challenge: Option<Response>,
    proven: bool,
    legs: Vec<Leg>,
    calls: u32,
    etag: Option<String>,
    rules: Option<String>,
    /// Whether the last PUBLISH was about rules.
    ruling: bool,
}

/// A request before it is written.
struct Draft {
    method: &'static str,
    uri: String,
    to: String,
    leg: Leg,
    lines: Vec<String>,
    kind: &'static str,
    body: String,
}

impl Caller {
    pub(super) fn new(user: &str, addr: SocketAddr) -> Self {
        let mut phone = Phone::new(user, addr.port());
        phone.addr = addr;
        let client = Client::default();
        let (challenge, legs) = (None, Vec::new());
        let (etag, rules) = (None, None);
        let (proven, calls, ruling) = (false, 0, false);
        Self { phone, client, challenge, proven, legs, calls, etag, rules, ruling }
    }

    /// Takes in what came back.
    pub(super) fn answered(&mut self, response: &Response) {
        let Ok(cseq) = response.cseq() else { return };
        if matches!(response.status(), 401 | 407) {
            self.challenge = Some(response.clone());
        }
        let etag = response.first(Name::SipEtag).map(str::to_owned);
        if cseq.method == Method::Publish.as_str() && etag.is_some() {
            match self.ruling {
                true => self.rules = etag,
                false => self.etag = etag,
            }
        }
        let (Ok(call_id), Ok(to)) = (response.call_id(), response.to()) else { return };
        if let Some(leg) = self.legs.iter_mut().find(|leg| leg.call_id == call_id) {
            leg.to_tag = leg.to_tag.take().or(to.tag().map(str::to_owned));
        }
    }

    /// Whether there is a new challenge, which the next request will answer.
    pub(super) fn take_challenge(&mut self) -> bool {
        let Some(challenge) = self.challenge.take() else { return false };
        let sent = std::mem::take(&mut self.proven);
        self.client.challenged(&challenge, Algorithm::Md5, sent).is_ok()
            || self.client.challenged(&challenge, Algorithm::Md5, false).is_ok()
    }

    /// Writes a request, with credentials if it has any.
    pub(super) fn write(&mut self, what: &What, proof: Proof) -> String {
        let mut draft = self.draft(what);
        let user = self.phone.user.clone();
        let password = match proof {
            Proof::Right => Some(format!("{user}'s password")),
            Proof::Wrong => Some("guess".to_owned()),
            Proof::None => None,
        };
        self.proven = false;
        if let Some(password) = password {
            let secret = Secret::new(*b"a phone's secret");
            let body = draft.body.as_bytes();
            let (method, uri) = (draft.method, &draft.uri);
            let value = self.client.authorize(&secret, &user, &password, method, uri, body);
            self.proven = value.is_some();
            let name = if self.client.is_proxy() { "Proxy-Authorization" } else { "Authorization" };
            draft.lines.extend(value.map(|value| format!("{name}: {value}")));
        }
        let extra: Vec<&str> = draft.lines.iter().map(String::as_str).collect();
        let head = Head {
            to: &draft.to,
            to_tag: draft.leg.to_tag.as_deref(),
            tag: &draft.leg.tag,
            call_id: &draft.leg.call_id,
            extra: &extra,
        };
        let uri = draft.uri.clone();
        self.phone.write(draft.method, &uri, &head, (draft.kind, &draft.body))
    }

    fn draft(&mut self, what: &What) -> Draft {
        let own = self.phone.user.clone();
        match what {
            What::Register { expires, star } => {
                let mut draft = self.fresh("REGISTER", &own);
                draft.uri = format!("sip:{DOMAIN}");
                draft.lines.push(format!("Expires: {expires}"));
                if *star {
                    draft.lines.push("Contact: *".to_owned());
                }
                draft
            }
            What::Subscribe { target, winfo, expires } => {
                let mut draft = self.fresh("SUBSCRIBE", name(*target));
                draft.leg.winfo = *winfo;
                draft.lines.push(event(*winfo));
                draft.lines.push(format!("Expires: {expires}"));
                self.keep(&draft.leg);
                draft
            }
            What::Renew { nth, expires } => {
                let mut draft = self.follow("SUBSCRIBE", *nth, &own);
                draft.lines.push(event(draft.leg.winfo));
                draft.lines.push(format!("Expires: {expires}"));
                draft
            }
            What::Publish { expires, tag, offer, body } => {
                self.publish(*expires, *tag, *offer, body.as_deref())
            }
            What::Rules { handling, tag, body } => self.rule(handling, *tag, body.as_deref()),
            What::Message { target, text } => {
                let mut draft = self.fresh("MESSAGE", name(*target));
                (draft.kind, draft.body) = ("text/plain", lossy(text));
                draft
            }
            What::Invite { target } => {
                let draft = self.fresh("INVITE", name(*target));
                self.keep(&draft.leg);
                draft
            }
            What::Follow { nth, method } => {
                let method = METHODS[usize::from(*method) % METHODS.len()];
                self.follow(method, *nth, &own)
            }
            What::Other { target, method } => {
                let method = METHODS[usize::from(*method) % METHODS.len()];
                self.fresh(method, name(*target))
            }
        }
    }

    fn publish(&mut self, expires: u16, tag: bool, offer: bool, body: Option<&[u8]>) -> Draft {
        let own = self.phone.user.clone();
        let mut draft = self.fresh("PUBLISH", &own);
        self.ruling = false;
        let plain = if offer { OFFER.replace("USER", &own) } else { pidf(&own, "here") };
        draft.body = body.map_or(plain, lossy);
        draft.kind = "application/pidf+xml";
        let tag = self.etag.clone().filter(|_| tag);
        draft.lines.push("Event: presence".to_owned());
        draft.lines.push(format!("Expires: {expires}"));
        draft.lines.extend(tag.map(|tag| format!("SIP-If-Match: {tag}")));
        draft
    }

    fn rule(&mut self, handling: &[u8; 3], tag: bool, body: Option<&[u8]>) -> Draft {
        let own = self.phone.user.clone();
        let mut draft = self.fresh("PUBLISH", &own);
        self.ruling = true;
        let word = |index: u8| HANDLINGS[usize::from(index) % HANDLINGS.len()];
        let rules: Vec<(&str, &str)> =
            USERS.iter().zip(handling).map(|(user, how)| (*user, word(*how))).collect();
        draft.body = body.map_or_else(|| ruleset(&rules), lossy);
        draft.kind = "application/auth-policy+xml";
        let tag = self.rules.clone().filter(|_| tag);
        draft.lines.push("Event: x-presrules".to_owned());
        draft.lines.extend(tag.map(|tag| format!("SIP-If-Match: {tag}")));
        draft
    }

    fn fresh(&mut self, method: &'static str, target: &str) -> Draft {
        self.calls += 1;
        let port = self.phone.addr.port();
        let leg = Leg {
            target: target.to_owned(),
            winfo: false,
            call_id: format!("call-{port}-{}", self.calls),
            tag: format!("tag-{}", self.calls),
            to_tag: None,
        };
        Self::draft_of(method, leg)
    }

    /// A request in one of the phone's dialogs, or a fresh one if there is none.
    fn follow(&mut self, method: &'static str, nth: u8, own: &str) -> Draft {
        let count = self.legs.len().max(1);
        match self.legs.get(usize::from(nth) % count).cloned() {
            Some(leg) => Self::draft_of(method, leg),
            None => self.fresh(method, own),
        }
    }

    fn draft_of(method: &'static str, leg: Leg) -> Draft {
        let to = Phone::aor(&leg.target);
        let uri = to.clone();
        Draft { method, uri, to, leg, lines: Vec::new(), kind: "", body: String::new() }
    }

    fn keep(&mut self, leg: &Leg) {
        self.legs.push(leg.clone());
        let surplus = self.legs.len().saturating_sub(8);
        self.legs.drain(..surplus);
    }
}

fn name(index: u8) -> &'static str {
    PHONES[usize::from(index) % PHONES.len()]
}

fn event(winfo: bool) -> String {
    format!("Event: {}", if winfo { "presence.winfo" } else { "presence" })
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
