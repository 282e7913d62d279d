//! The real server on real sockets: what it acknowledged is there after a restart.

use presently_engine::body::presrules::Handling;
use presently_engine::digest::{NonceKey, NonceLimits};
use presently_engine::message::Method;
use presently_engine::server::{Authentication, Config, Limits, Listener, Server, Users};
use presently_engine::transaction::Timing;
use presently_net::store::entropy;
use presently_net::{DiskStore, Service, ServiceSetup, Store, bind};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::net::UdpSocket;

const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];

fn config(store: &DiskStore, address: SocketAddr) -> Config {
    let started = presently_net::Clock::new().now();
    Config {
        domain: "example.org".into(),
        listeners: vec![Listener { sent_by: address.to_string().into() }],
        secret: store.secret(),
        nonce_key: NonceKey::new(entropy().expect("entropy"), store.boot(), started),
        nonces: NonceLimits::default(),
        authentication: Authentication::None,
        users: Users { open: true, ..Users::default() },
        default_policy: Handling::Confirm,
        notify_gap: Duration::ZERO,
        timing: Timing::default(),
        limits: Limits::default(),
        legacy_cpim: false,
        legacy_cpim_elements: false,
        record_route: false,
    }
}

fn serve(folder: &Path) -> Service {
    let store = DiskStore::open(folder).expect("a data folder");
    let socket = bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let config = config(&store, socket.local_addr().expect("a bound socket"));
    let setup = ServiceSetup { shards: 2, ..ServiceSetup::new(config, vec![socket], store) };
    Service::<Server>::start(setup).expect("a service")
}

struct Phone {
    socket: UdpSocket,
    sent: u32,
}

impl Phone {
    async fn new() -> Self {
        Self { socket: UdpSocket::bind("127.0.0.1:0").await.expect("a port"), sent: 0 }
    }

    /// Sends a REGISTER of `user` with some more header lines and gives back the answer.
    async fn register(&mut self, service: &Service, user: &str, more: &str) -> String {
        self.sent += 1;
        let (near, sent) = (self.socket.local_addr().expect("a bound socket"), self.sent);
        let request = format!(
            "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP {near};branch=z9hG4bK{sent}\r\n\
             From: <sip:{user}@example.org>;tag={sent}\r\nTo: <sip:{user}@example.org>\r\n\
             Call-ID: {user}-{near}\r\nCSeq: {sent} REGISTER\r\nMax-Forwards: 70\r\n{more}\
             Content-Length: 0\r\n\r\n"
        );
        let server = service.addresses()[0];
        self.socket.send_to(request.as_bytes(), server).await.expect("sent");
        let mut buffer = vec![0; 65_536];
        let (length, from) = self.socket.recv_from(&mut buffer).await.expect("an answer");
        assert_eq!(from, server);
        String::from_utf8(buffer[..length].to_vec()).expect("text")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_survives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = serve(folder.path());
    let mut phone = Phone::new().await;
    for user in USERS {
        let contact = format!("Contact: <sip:{user}@192.0.2.1>;expires=600\r\n");
        let answer = phone.register(&service, user, &contact).await;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    }
    // The last answer may be here before the turn that sent it has been counted to its end.
    service.inspect(|_, _| ()).await;
    let metrics = service.metrics();
    assert_eq!(metrics.answered()[&(Method::Register, 200)], 4);
    assert_eq!(metrics.records.value(), 4);
    let line = "presently_requests_answered_total{method=\"REGISTER\",status=\"200\"} 4\n";
    assert!(metrics.to_prometheus().contains(line), "{}", metrics.to_prometheus());
    service.shutdown(Duration::from_secs(10)).await.expect("an orderly end");

    let service = serve(folder.path());
    let mut phone = Phone::new().await;
    for user in USERS {
        let answer = phone.register(&service, user, "").await;
        assert!(answer.contains(&format!("<sip:{user}@192.0.2.1>")), "{answer}");
    }
    assert_eq!(service.metrics().records.value(), 0, "a question changes nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_message_is_counted_and_nothing_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let service = serve(folder.path());
    let mut phone = Phone::new().await;
    for junk in [&b""[..], b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", &[0xff; 60_000]] {
        phone.socket.send_to(junk, service.addresses()[0]).await.expect("sent");
    }
    let answer = phone.register(&service, "alice", "").await;
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    assert_eq!(service.metrics().parse_failures.value(), 4);
    service.shutdown(Duration::from_secs(10)).await.expect("an orderly end");
}
