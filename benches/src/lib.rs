//! What the engine benches share: a server, and requests written by hand as a phone would; and the
//! load generator, which measures whole servers.

pub mod load;
#[cfg(target_os = "linux")]
pub mod peers;

use bytes::Bytes;
use presently_engine::body::presrules::Handling;
use presently_engine::digest::{Client, NonceKey, NonceLimits};
use presently_engine::message::{Message, Reply, Request};
use presently_engine::mint::Secret;
use presently_engine::server::{
    Authentication, Config, Event, Limits, Listener, Record, Server, User, Users,
};
use presently_engine::transaction::Timing;
use presently_engine::{Input, Instant, Machine, Output, Peer};
use std::net::SocketAddr;
use std::time::Duration;

/// When every bench begins.
pub const DAWN: Instant = Instant::from_millis(1_777_887_000_000);

/// A server without digest that lets everybody watch everybody.
pub fn config() -> Config {
    Config {
        domain: "example.org".into(),
        listeners: vec![Listener { sent_by: "192.0.2.1:5060".into() }],
        secret: Secret::new([7; 16]),
        nonce_key: NonceKey::new([7; 32], 1, DAWN),
        nonces: NonceLimits::default(),
        authentication: Authentication::None,
        users: Users { open: true, ..Users::default() },
        default_policy: Handling::Allow,
        notify_gap: Duration::ZERO,
        timing: Timing::default(),
        limits: Limits {
            subscribe_rate: u32::MAX,
            subscriptions_per_watcher: usize::MAX,
            transactions: usize::MAX,
            ..Limits::default()
        },
        legacy_cpim: true,
        legacy_cpim_elements: false,
        record_route: false,
    }
}

/// The same with digest; the only account is `alice`, password `secret`.
pub fn config_with_digest() -> Config {
    let mut config = config();
    config.authentication = Authentication::Digest;
    config.users.open = false;
    let alice = User::from_password("alice", "example.org", "secret");
    config.users.named.insert("alice".into(), alice);
    config
}

/// The socket of phone number `n`.
pub fn phone(n: usize) -> SocketAddr {
    let n = n as u32;
    SocketAddr::from(([10, (n >> 16) as u8, (n >> 8) as u8, n as u8], 5062))
}

/// One request of user `user` on phone `n`; `head` are further header lines with their ends.
pub fn request(method: &str, target: &str, user: &str, n: usize, cseq: u32, head: &str) -> Bytes {
    let addr = phone(n);
    let uri = if method == "REGISTER" { "sip:example.org" } else { target };
    Bytes::from(format!(
        "{method} {uri} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {addr};branch=z9hG4bK{n:08x}{cseq:08x};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{user}@example.org>;tag=f{n:08x}\r\n\
         To: <{target}>\r\n\
         Call-ID: {n:016x}@{addr}\r\n\
         CSeq: {cseq} {method}\r\n\
         Contact: <sip:{user}@{addr}>\r\n\
         {head}"
    ))
}

/// Hands one packet in; the outputs are appended.
pub fn packet(
    server: &mut Server,
    config: &Config,
    now: Instant,
    from: SocketAddr,
    bytes: Bytes,
    out: &mut Vec<Output<Record, Event>>,
) {
    server.handle(config, now, Input::Packet { from: Peer::new(from), bytes }, out);
}

/// The 200s that the peers of these outputs send, with their sockets.
pub fn answers(out: &[Output<Record, Event>]) -> Vec<(SocketAddr, Bytes)> {
    let ours = SocketAddr::from(([192, 0, 2, 1], 5060));
    out.iter()
        .filter_map(|output| match output {
            Output::Transmit { to, bytes } => match Message::parse(bytes.clone()) {
                Ok(Message::Request(request)) => Some((to.addr, answer(&request, ours))),
                Ok(Message::Response(_)) | Err(_) => None,
            },
            Output::Record(_) | Output::Event(_) => None,
        })
        .collect()
}

fn answer(request: &Request, ours: SocketAddr) -> Bytes {
    Reply::new(request, ours, 200, "phone").into_writer().finish()
}

/// REGISTERs of `alice` with valid credentials for one nonce, after its first use.
pub fn proven_registers(server: &mut Server, config: &Config, count: u32) -> Vec<Bytes> {
    let mut client = Client::default();
    let mut out = Vec::new();
    let tail = "Expires: 3600\r\nContent-Length: 0\r\n\r\n";
    let first = request("REGISTER", "sip:alice@example.org", "alice", 1, 1, tail);
    packet(server, config, DAWN, phone(1), first, &mut out);
    let challenge = out.iter().find_map(|output| match output {
        Output::Transmit { bytes, .. } => match Message::parse(bytes.clone()) {
            Ok(Message::Response(response)) => Some(response),
            Ok(Message::Request(_)) | Err(_) => None,
        },
        Output::Record(_) | Output::Event(_) => None,
    });
    let challenge = challenge.expect("a challenge");
    client
        .challenged(&challenge, presently_engine::digest::Algorithm::Sha256, false)
        .expect("a challenge we can meet");
    (2..count + 2)
        .map(|cseq| {
            let value = client
                .authorize(&config.secret, "alice", "secret", "REGISTER", "sip:example.org", b"")
                .expect("credentials");
            let head = format!("Authorization: {value}\r\n{tail}");
            request("REGISTER", "sip:alice@example.org", "alice", 1, cseq, &head)
        })
        .collect()
}
