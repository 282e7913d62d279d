use super::super::fixture::{REALM, answer, param, request};
use super::super::{NonceKey, NonceLimits, Nonces, Ruling, Terms, challenges};
use super::*;
use crate::message::Request;
use crate::time::Instant;
use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

const SECRET: Secret = Secret::new([9; 16]);
const REGISTRAR: &str = "sip:example.org";
const STRONG: &str = "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"one\", \
                      opaque=\"b007\", algorithm=SHA-256, qop=\"auth-int,auth\"\r\n";
const WEAK: &str = "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"one\", \
                    opaque=\"b007\", algorithm=MD5, qop=\"auth\"\r\n";

fn authorize(client: &mut Client) -> Option<String> {
    client.authorize(&SECRET, "alice", "wonderland", "REGISTER", REGISTRAR, b"")
}

/// A client that was challenged with `headers`.
fn challenged(headers: &str) -> Client {
    let mut client = Client::default();
    let verdict = client.challenged(&answer(401, headers), Algorithm::Md5, false);
    assert_eq!(verdict, Ok(()));
    client
}

/// What `authorize` would send, without counting.
fn plan(client: &Client) -> String {
    let credentials = authorize(&mut client.clone());
    credentials.map_or("no credentials".to_owned(), |value| {
        let qop = value.split("qop=").nth(1).unwrap_or("no qop").to_owned();
        format!("nonce {} {qop}", param(&value, "nonce"))
    })
}

/// The Authentication-Info that a server with this password sends for the client's next request.
fn info(client: &Client, password: &str) -> String {
    let value = authorize(&mut client.clone());
    let Some(value) = value.filter(|value| value.contains("qop=auth-int")) else {
        return "Authentication-Info: nextnonce=\"two\"\r\n".to_owned();
    };
    let cnonce = param(&value, "cnonce");
    let nc = value.split("nc=").last().expect("nc is last");
    let parts = Parts {
        method: "",
        uri: REGISTRAR,
        nonce: param(&value, "nonce"),
        nc,
        cnonce,
        qop: Qop::AuthInt,
        body: b"",
    };
    let ha1 = Ha1::of(Algorithm::Sha256, "alice", REALM, password);
    let proof = response(Algorithm::Sha256, &ha1, &parts);
    format!(
        "Authentication-Info: nextnonce=\"two\", qop=auth-int, rspauth=\"{proof}\", \
         cnonce=\"{cnonce}\", nc={nc}\r\n"
    )
}

type Event = fn(&mut Client) -> String;

fn take(client: &mut Client, status: u16, headers: &str, minimum: Algorithm, sent: bool) -> String {
    format!("{:?}", client.challenged(&answer(status, headers), minimum, sent))
}

/// Every event of M8.
const EVENTS: [(&str, Event); 11] = [
    ("401 to a request without credentials", |client| {
        take(client, 401, &STRONG.replace("one", "new"), Algorithm::Md5, false)
    }),
    ("407 to a request without credentials", |client| {
        let proxy = STRONG.replace("WWW", "Proxy").replace("one", "new");
        take(client, 407, &proxy, Algorithm::Md5, false)
    }),
    ("401 stale to our credentials", |client| {
        let stale = STRONG.replace("one", "new").replace("\r\n", ", stale=TRUE\r\n");
        take(client, 401, &stale, Algorithm::Md5, true)
    }),
    ("401 not stale to our credentials", |client| {
        take(client, 401, &STRONG.replace("one", "new"), Algorithm::Md5, true)
    }),
    ("401 weaker than we accept", |client| take(client, 401, WEAK, Algorithm::Sha256, false)),
    ("401 without a readable challenge", |client| {
        take(client, 401, "WWW-Authenticate: Digest realm\r\n", Algorithm::Md5, false)
    }),
    ("401 without a challenge", |client| take(client, 401, "", Algorithm::Md5, false)),
    ("request", |client| authorize(client).map_or("nothing".into(), |_| "credentials".into())),
    ("request and 2xx with nextnonce", |client| {
        let line = info(client, "wonderland");
        authorize(client);
        client.succeeded(&answer(200, &line));
        "taken".into()
    }),
    ("request and 2xx with nextnonce, rspauth wrong", |client| {
        let line = info(client, "impostor");
        authorize(client);
        client.succeeded(&answer(200, &line));
        "taken".into()
    }),
    ("2xx without Authentication-Info", |client| {
        client.succeeded(&answer(200, ""));
        "taken".into()
    }),
];

#[test]
fn every_state_of_the_client_answers_every_event() {
    let mut ready = challenged(STRONG);
    authorize(&mut ready);
    let mut failed = ready.clone();
    let refused = failed.challenged(&answer(401, STRONG), Algorithm::Md5, true);
    assert_eq!(refused, Err(ClientError::Refused));
    let states = [
        ("NoChallenge", Client::default()),
        ("Challenged", challenged(STRONG)),
        ("Ready", ready),
        ("Failed", failed),
    ];
    let mut table = String::new();
    for (state, client) in states {
        writeln!(table, "{state}: {}", plan(&client)).expect("a string takes text");
        for (event, apply) in EVENTS {
            let mut after = client.clone();
            let verdict = apply(&mut after);
            let state = match &after.state {
                State::NoChallenge => "NoChallenge",
                State::Challenged(_) => "Challenged",
                State::Ready(_) => "Ready",
                State::Failed => "Failed",
            };
            let next = plan(&after);
            writeln!(table, "  {event:<46} {verdict:<15} {state:<12} next: {next}").expect("text");
        }
    }
    insta::assert_snapshot!("client_states", table);
}

#[test]
fn the_topmost_challenge_we_understand_is_answered() {
    let exotic = STRONG.replace("SHA-256", "SHA-512-256").replace("one", "exotic");
    let basic = "WWW-Authenticate: Basic realm=\"example.org\"\r\n";
    let mut client = challenged(&format!("{exotic}{basic}{WEAK}{STRONG}"));
    let value = authorize(&mut client).expect("credentials");
    assert!(value.contains("algorithm=MD5") && value.contains("qop=auth,"), "{value}");
    let mut strict = Client::default();
    let all = answer(401, &format!("{exotic}{basic}{WEAK}{STRONG}"));
    assert_eq!(strict.challenged(&all, Algorithm::Sha256, false), Ok(()));
    let value = authorize(&mut strict).expect("credentials");
    assert!(value.contains("algorithm=SHA-256") && value.contains("qop=auth-int,"), "{value}");
}

#[test]
fn every_request_gets_its_own_count_and_client_nonce() {
    let mut client = challenged(STRONG);
    let first = authorize(&mut client).expect("credentials");
    let second = authorize(&mut client).expect("credentials");
    assert!(first.ends_with("nc=00000001") && second.ends_with("nc=00000002"));
    assert_ne!(param(&first, "cnonce"), param(&second, "cnonce"));
    assert_eq!(param(&first, "opaque"), "b007");
}

#[test]
fn an_old_server_without_qop_gets_an_old_answer() {
    let headers = "WWW-Authenticate: Digest realm=\"example.org\", nonce=\"one\"\r\n";
    let mut client = challenged(headers);
    let value = authorize(&mut client).expect("credentials");
    assert!(!value.contains("qop") && !value.contains("nc=") && !value.contains("opaque"));
    let ha1 = Ha1::of(Algorithm::Md5, "alice", REALM, "wonderland");
    let (method, uri, nonce) = ("REGISTER", REGISTRAR, "one");
    let parts = Parts { method, uri, nonce, nc: "", cnonce: "", qop: Qop::None, body: b"" };
    assert_eq!(param(&value, "response"), response(Algorithm::Md5, &ha1, &parts));
}

#[test]
fn a_restarted_server_is_known_by_its_opaque() {
    let mut client = challenged(STRONG);
    assert_eq!(client.opaque(), Some("b007"));
    let refusal = answer(401, &STRONG.replace("b007", "b008"));
    assert_eq!(client.challenged(&refusal, Algorithm::Md5, true), Err(ClientError::Refused));
    assert_eq!(client.opaque(), Some("b008"), "noticed even when the password fails");
    assert!(!client.is_proxy());
}

#[test]
fn an_answer_to_a_forgotten_request_proves_nothing() {
    let mut client = challenged(STRONG);
    let first = info(&client, "wonderland");
    for _ in 0..=REMEMBERED {
        authorize(&mut client);
    }
    client.succeeded(&answer(200, &first));
    assert!(plan(&client).starts_with("nonce one"));
}

/// Client and server of this crate, request by request.
struct Pair {
    client: Client,
    key: NonceKey,
    nonces: Nonces,
    now: Instant,
}

impl Pair {
    fn new() -> Self {
        let now = Instant::from_millis(1_000);
        let key = NonceKey::new([1; 32], 1, now);
        Self { client: Client::default(), key, nonces: Nonces::default(), now }
    }

    fn judge(&mut self, request: &Request) -> (Ruling, String) {
        let limits = NonceLimits::default();
        let Self { key, nonces, now, .. } = self;
        let is_ours = &|_: &crate::message::Uri<'_>| false;
        let (now, minimum) = (*now, Qop::Auth);
        let terms = Terms { key, limits: &limits, now, realm: REALM, minimum, is_ours };
        let ruling = nonces.judge(&terms, request, false, &|user, algorithm| {
            let ha1 = Ha1::of(algorithm, user, REALM, "wonderland");
            (user == "alice").then_some(Cow::Owned(ha1))
        });
        let stale = ruling == Ruling::Challenge { stale: true };
        let lines = challenges(&terms, stale, request);
        let lines = lines.iter().map(|line| format!("WWW-Authenticate: {line}\r\n")).collect();
        (ruling, lines)
    }

    /// Registers; how many requests it took (P56), `None` if it was refused.
    fn register(&mut self, password: &str) -> Option<u32> {
        for attempt in 1..=3 {
            let value =
                self.client.authorize(&SECRET, "alice", password, "REGISTER", REGISTRAR, b"");
            let line = value.as_ref().map(|value| format!("Authorization: {value}\r\n"));
            let sent = line.is_some();
            let request = request("REGISTER", REGISTRAR, &line.unwrap_or_default(), "");
            match self.judge(&request) {
                (Ruling::Accepted { info, .. }, _) => {
                    let info = info.map(|info| format!("Authentication-Info: {info}\r\n"));
                    self.client.succeeded(&answer(200, &info.unwrap_or_default()));
                    return Some(attempt);
                }
                (_, lines) => {
                    let refusal = answer(401, &lines);
                    self.client.challenged(&refusal, Algorithm::Sha256, sent).ok()?;
                }
            }
        }
        panic!("more than 1 + K18 requests")
    }
}

#[test]
fn our_client_and_our_server_understand_each_other() {
    let mut pair = Pair::new();
    assert_eq!(pair.register("wonderland"), Some(2), "challenged once");
    assert_eq!(pair.register("wonderland"), Some(1), "then without being asked");
    for _ in 0..20 {
        // Every refresh comes in the second half of a nonce's life, and brings the next nonce.
        pair.now = pair.now + Duration::from_secs(200);
        assert_eq!(pair.register("wonderland"), Some(1));
    }
    pair.now = pair.now + Duration::from_secs(301);
    assert_eq!(pair.register("wonderland"), Some(2), "stale, silently renewed");
}

#[test]
fn after_a_restart_of_the_server_one_more_request_is_enough() {
    let mut pair = Pair::new();
    pair.register("wonderland");
    pair.key = NonceKey::new([1; 32], 2, pair.now);
    pair.nonces = Nonces::default();
    assert_eq!(pair.register("wonderland"), Some(2));
    assert_eq!(pair.client.opaque(), Some("0000000000000002"));
}

#[test]
fn a_wrong_password_is_tried_once_and_not_again() {
    let mut pair = Pair::new();
    assert_eq!(pair.register("guess"), None);
    assert_eq!(pair.register("wonderland"), Some(2), "a new password starts over");
}
