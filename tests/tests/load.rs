//! The load generator counts what happens and hides nothing: against the real server, where
//! everything is answered; and against servers that lose, repeat and refuse.

use presently_benches::load::report::Mode;
use presently_benches::load::{Options, Report, plot, run};
use presently_engine::body::presrules::Handling;
use presently_engine::message::Method;
use presently_engine::server::{Authentication, Config, Limits, Listener, Server, User};
use presently_net::{DiskStore, MemoryStore, Service, ServiceSetup, Store, bind};
use presently_tests::stage;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const DOMAIN: &str = "presence.test";

/// The real server on a free port of this machine.
struct Deployed {
    address: SocketAddr,
    service: Service,
    runtime: Runtime,
}

impl Deployed {
    fn open() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let store = MemoryStore::new().expect("entropy");
        Self::on(SocketAddr::from(([127, 0, 0, 1], 0)), store, change)
    }

    /// With what it was told before, where it was before.
    fn again(address: SocketAddr, folder: &Path) -> Self {
        Self::on(address, DiskStore::open(folder).expect("a data folder"), |_| {})
    }

    fn on<S: Store>(address: SocketAddr, store: S, change: impl FnOnce(&mut Config)) -> Self {
        let runtime = Runtime::new().expect("threads");
        let inside = runtime.enter();
        let socket = bind(address).expect("a port");
        let address = socket.local_addr().expect("a bound socket");
        let limits = Limits {
            subscribe_rate: u32::MAX,
            subscriptions_per_watcher: usize::MAX,
            ..Limits::default()
        };
        let mut config = Config {
            domain: DOMAIN.into(),
            listeners: vec![Listener { sent_by: address.to_string().into() }],
            secret: store.secret(),
            default_policy: Handling::Allow,
            limits,
            ..stage::config()
        };
        change(&mut config);
        let setup = ServiceSetup { shards: 2, ..ServiceSetup::new(config, vec![socket], store) };
        let service = Service::<Server>::start(setup).expect("a service");
        drop(inside);
        Self { address, service, runtime }
    }

    /// Ends like a crash, and is away for a while.
    fn crash(self) -> SocketAddr {
        let Self { address, service, runtime } = self;
        drop(service);
        drop(runtime);
        let alone = Runtime::new().expect("threads");
        alone.block_on(async { tokio::time::sleep(Duration::from_millis(400)).await });
        address
    }

    fn run(&self, line: &str) -> Report {
        against(self.address, line)
    }

    /// NOTIFYs that were answered.
    fn notified(&self) -> u64 {
        let finished = self.service.metrics().finished();
        finished.get(&(Method::Notify, 200)).copied().unwrap_or(0)
    }

    /// How much of something there is in all shards.
    fn size(&self, of: &str) -> usize {
        let sizes = self.service.inspect(|server, _| server.sizes());
        let sizes = self.runtime.block_on(sizes).into_iter().flatten();
        sizes.filter(|(name, _)| *name == of).map(|(_, size)| size).sum()
    }
}

fn against(address: SocketAddr, line: &str) -> Report {
    let target = address.to_string();
    let words = line.split_ascii_whitespace().chain(["--target", &target]);
    run(Options::of(words).expect("a command line")).expect("a measurement")
}

/// Everything was answered, and nothing else came. A busy machine may let something be sent again.
fn assert_flawless(report: &Report) {
    let Report { sent, received, .. } = report;
    assert_eq!(sent.requests, received.answers, "{report:#?}");
    assert!(sent.answers >= received.notifies + received.messages, "{report:#?}");
    assert_eq!((report.timeouts, report.late, report.not_begun), (0, 0, 0), "{report:#?}");
    assert!(report.unexpected.is_empty(), "{report:#?}");
    assert!(report.latency_ms.p50 > 0.0 && report.latency_ms.p50 <= report.latency_ms.max);
}

#[test]
fn every_operation_is_answered_and_counted_once() {
    let server = Deployed::open();
    for scenario in [
        "register-new",
        "register-refresh --users 50",
        "subscribe-new --users 50",
        "subscribe-end --users 50",
        "message --users 50",
        "winfo --users 50",
        "office --users 20",
    ] {
        let report = server.run(&format!("{scenario} --count 200 --concurrency 16"));
        assert_eq!(report.operations, 200, "{scenario}");
        assert_eq!(report.mode, Mode::Closed(16));
        assert_flawless(&report);
    }
}

#[test]
fn a_subscription_is_done_when_its_notify_is_there() {
    let server = Deployed::open();
    let report = server.run("subscribe-new --count 100 --users 30");
    assert_eq!((report.operations, report.received.notifies), (100, 100));
    let report = server.run("subscribe-end --count 100 --users 30");
    assert_eq!((report.operations, report.received.notifies), (100, 100));
}

#[test]
fn a_relayed_message_has_been_where_it_was_meant_to_go() {
    let report = Deployed::open().run("message --count 100 --users 10");
    assert_eq!((report.operations, report.received.messages), (100, 100));
}

#[test]
fn a_publication_is_told_to_every_watcher() {
    let report = Deployed::open().run("publish --watchers 0,1,30 --count 10 --concurrency 1");
    let counts = report.fan_out.iter().map(|level| {
        assert!(level.first_ms.max <= level.last_ms.max);
        (level.watchers, level.publications, level.notifies, level.missing)
    });
    assert_eq!(counts.collect::<Vec<_>>(), [(0, 10, 0, 0), (1, 10, 10, 0), (30, 10, 300, 0)]);
    assert_eq!((report.operations, report.timeouts), (30, 0));
}

#[test]
fn a_report_is_also_a_picture() {
    let server = Deployed::open();
    let told = server.run("publish --watchers 0,1,10 --count 3");
    let timed = server.run("register-new --count 10");
    for (report, label) in [(told, ">10</text>"), (timed, ">99.9 %</text>")] {
        let picture = plot::of(&report);
        assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
        assert!(picture.contains(label) && picture.contains("<path"), "{picture}");
        assert!(!picture.contains("NaN") && !picture.contains("inf"), "{picture}");
    }
    // Nothing at all is a picture as well.
    assert!(plot::of(&Report::default()).ends_with("</svg>\n"));
}

#[test]
fn watcherinfo_loses_no_version() {
    let report = Deployed::open().run("winfo --count 200 --users 50");
    let winfo = report.winfo.expect("what owners were told");
    assert_eq!((winfo.owners, winfo.gaps), (5, 0));
    assert!(winfo.documents > 0);
}

#[test]
fn an_open_loop_keeps_its_pace() {
    let report = Deployed::open().run("register-refresh --users 200 --count 100 --rate 1000");
    assert_eq!(report.mode, Mode::Open(1000.0));
    assert_eq!(report.operations, 100);
    // The last of a hundred is due after 99 ms.
    assert!(report.seconds >= 0.099, "{report:#?}");
    assert_flawless(&report);
}

#[test]
fn whoever_has_come_goes_again() {
    let server = Deployed::open();
    for scenario in ["register-new", "office --users 10", "publish --watchers 3,5"] {
        server.run(&format!("{scenario} --count 50"));
        // The last answer of ours may still be on its way.
        let begun = Instant::now();
        while server.size("accounts") > 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "{scenario}: somebody stays");
        }
    }
    server.run("register-new --count 50 --leave");
    assert_eq!(server.size("bindings"), 50);
}

#[test]
fn what_is_held_is_all_there() {
    let report = Deployed::open().run("hold --users 20 --count 100 --seconds 0.1");
    let idle = report.idle.expect("an idle server");
    assert_eq!((report.operations, idle.subscriptions), (100, 100));
    assert_flawless(&report);
}

#[test]
fn credentials_are_asked_for_once_or_every_time() {
    let server = Deployed::with(|config| {
        config.authentication = Authentication::Digest;
        config.users.open = false;
        for user in 0..20 {
            let name = format!("u{user:06}");
            let user = User::from_password(&name, DOMAIN, "secret");
            config.users.insert(&name, user);
        }
    });
    for (scenario, challenges) in
        [("register-challenged", 100), ("register-reused", 0), ("subscribe-new", 20)]
    {
        let report = server.run(&format!("{scenario} --users 20 --count 100 --concurrency 8"));
        assert_eq!((report.operations, report.received.challenges), (100, challenges));
        assert_flawless(&report);
    }
}

#[test]
fn after_a_restart_everybody_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Deployed::again(SocketAddr::from(([127, 0, 0, 1], 0)), folder.path());
    let address = server.address;
    let line = "storm --users 10 --count 60 --rate 100 --seconds 2.5";
    let storm = std::thread::spawn(move || against(address, line));
    // All have subscribed, and some have refreshed since.
    while server.notified() < 65 {
        assert!(!storm.is_finished(), "nobody refreshes");
    }
    let address = server.crash();
    let server = Deployed::again(address, folder.path());
    let report = storm.join().expect("a report");
    let storm = report.storm.expect("what came after the restart");
    assert_eq!((storm.told, storm.missing), (60, 0), "{report:#?}");
    assert!(storm.away_ms >= 400.0, "{storm:#?}");
    assert_eq!(report.timeouts, 0, "{report:#?}");
    assert!(report.sent.retransmissions > 0, "{report:#?}");
    drop(server);
}

#[test]
fn under_pressure_it_is_known_who_was_served() {
    let line = "overload --users 20 --count 100 --peak 500 --factor 2 --seconds 0.5";
    let report = Deployed::open().run(line);
    let overload = report.overload.expect("who was served");
    let offered = overload.refreshes.offered + overload.newcomers.offered;
    assert_eq!(offered + report.not_begun, 500, "{overload:#?}");
    for share in [overload.refreshes, overload.newcomers] {
        assert_eq!(share.served + share.refused + share.lost, share.offered, "{overload:#?}");
    }
    assert!(overload.recovery_seconds.is_some(), "{overload:#?}");
}

/// Answers by a rule of its own until it is dropped.
struct Odd {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Odd {
    /// `rule` is handed the Via line of a datagram and says with what to answer it.
    fn new(mut rule: impl FnMut(&str) -> Vec<&'static str> + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_read_timeout(Some(Duration::from_millis(10))).expect("a timeout");
        let address = socket.local_addr().expect("a bound socket");
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = is_over.clone();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 2000];
            while !stop.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let text = String::from_utf8_lossy(&buffer[..length]);
                let via = text.lines().nth(1).expect("a Via");
                for status in rule(via) {
                    let answer = format!("SIP/2.0 {status}\r\n{via}\r\n\r\n");
                    socket.send_to(answer.as_bytes(), from).expect("sent");
                }
            }
        });
        Self { address, is_over, thread: Some(thread) }
    }

    fn run(&self, line: &str) -> Report {
        against(self.address, line)
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(ended.is_some_and(|ended| ended.is_ok()) || std::thread::panicking());
    }
}

#[test]
fn what_is_lost_is_sent_again_and_counted() {
    let mut seen = Vec::new();
    let server = Odd::new(move |via| {
        let is_copy = seen.iter().any(|before| before == via);
        seen.push(via.to_owned());
        if is_copy { vec!["200 OK"] } else { vec![] }
    });
    let report = server.run("echo --count 20 --concurrency 20");
    assert_eq!((report.operations, report.sent.requests), (20, 20));
    assert_eq!((report.sent.retransmissions, report.timeouts), (20, 0));
    // Timer E is half a second (RFC 3261 §17.1.2.2), and waiting for it is part of the latency.
    assert!(report.latency_ms.p50 >= 500.0, "{report:#?}");
}

#[test]
fn an_answer_that_comes_twice_counts_once() {
    let server = Odd::new(|_| vec!["200 OK", "200 OK"]);
    let report = server.run("echo --count 20 --concurrency 1");
    assert_eq!((report.operations, report.received.answers), (20, 20));
    // The second answer to the last may come when all is over.
    assert!(report.received.repeated >= 19, "{report:#?}");
}

#[test]
fn a_provisional_answer_is_none() {
    let server = Odd::new(|_| vec!["100 Trying", "200 OK"]);
    let report = server.run("echo --count 20");
    assert_eq!((report.operations, report.received.answers), (20, 20));
    assert_flawless(&report);
}

#[test]
fn a_refusal_is_no_success() {
    let server = Odd::new(|_| vec!["403 Forbidden"]);
    let report = server.run("echo --count 20");
    assert_eq!((report.operations, report.received.answers), (0, 20));
    assert_eq!(report.unexpected.get("403"), Some(&20));
}

#[test]
fn a_report_is_what_other_programs_read() {
    let server = Odd::new(|_| vec!["200 OK"]);
    let report = server.run("echo --count 20 --concurrency 8");
    let text = serde_json::to_string(&report).expect("JSON");
    assert_eq!(serde_json::from_str::<Report>(&text).expect("the same report"), report);
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["scenario"], "echo");
    assert_eq!(json["mode"], serde_json::json!({ "closed": 8 }));
    assert_eq!(json["operations"], 20);
    assert_eq!(json["received"]["answers"], 20);
    assert!(json["latency_ms"]["p999"].is_f64());
}

#[test]
fn other_machines_are_left_alone() {
    let refused = Options::of(["echo", "--target", "192.0.2.1:5060"]).expect_err("a refusal");
    assert!(refused.to_string().contains("--allow-remote"), "{refused}");
    assert!(Options::of(["echo", "--target", "192.0.2.1:5060", "--allow-remote"]).is_ok());
}

#[test]
fn that_nobody_is_there_is_said_at_once() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let target = socket.local_addr().expect("a bound socket").to_string();
    drop(socket);
    let options = Options::of(["register-new", "--target", &target]).expect("a command line");
    let failure = run(options).expect_err("a failure");
    assert!(failure.to_string().contains("nobody listens there"), "{failure}");
}

#[test]
fn a_setup_that_fails_is_no_measurement() {
    let server = Odd::new(|_| vec!["403 Forbidden"]);
    let target = server.address.to_string();
    let options = Options::of(["register-refresh", "--users", "5", "--target", &target]);
    let failure = run(options.expect("a command line")).expect_err("a failure");
    assert!(failure.to_string().contains("5 operations failed"), "{failure}");
    assert!(failure.to_string().contains("403"), "{failure}");
}
