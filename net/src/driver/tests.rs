use super::*;
use crate::store::MemoryStore;
use crate::testing::{FakeSocket, Far, Toy, ToyCommand, packet, peer, until};
use presently_engine::mint::Secret;
use std::io;
use tokio::task::JoinHandle;

const NOON: Instant = Instant::from_millis(1_700_000_000_000);

/// A driven toy with everything around it in the test's hands.
struct Stage {
    inbox: mpsc::Sender<Input<ToyCommand>>,
    remote: Remote<Toy>,
    events: mpsc::UnboundedReceiver<(Instant, String)>,
    far: Far,
    store: MemoryStore,
    metrics: Arc<Metrics>,
    clock: Clock,
    driver: JoinHandle<Result<(), Failure>>,
}

/// Starts a toy with a queue that is already waiting for it.
fn stage(toy: Toy, waiting: &[&str]) -> Stage {
    let (socket, far) = FakeSocket::new();
    let (clock, metrics) = (Clock::starting_at(NOON), Arc::new(Metrics::default()));
    let wire = Wire::new(vec![socket], clock, None, metrics.clone()).unwrap();
    let store = MemoryStore::with_secret(Secret::new([7; 16]));
    let (remote, control) = Remote::pair();
    let (inbox, receiver) = mpsc::channel(1024);
    for program in waiting {
        inbox.try_send(packet(peer(7), program)).unwrap();
    }
    let setting = Setting {
        config: Arc::new("first".to_owned()),
        clock,
        wire: Arc::new(wire),
        store: Arc::new(store.clone()),
        metrics: metrics.clone(),
        inbox: receiver,
        control,
    };
    let (tell, events) = mpsc::unbounded_channel();
    let tell = move |at, event| drop(tell.send((at, event)));
    let driver = tokio::spawn(Driver::new(toy, setting, tell).run());
    Stage { inbox, remote, events, far, store, metrics, clock, driver }
}

impl Stage {
    async fn packet(&self, program: &str) {
        self.inbox.send(packet(peer(7), program)).await.unwrap();
    }

    async fn told(&mut self) -> (Instant, String) {
        self.events.recv().await.expect("the driver is there")
    }

    async fn log(&self) -> Vec<(Duration, String)> {
        let log = self.remote.inspect(|toy, _| toy.log.clone()).await.unwrap();
        log.into_iter().map(|(at, input)| (at.since(NOON), input)).collect()
    }
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::test(start_paused = true)]
async fn nothing_leaves_before_the_record_before_it_is_durable() {
    let program = "send before; tell before; put alice open; send after; tell after";
    let mut stage = stage(Toy::default(), &[program, "send next"]);
    stage.store.hold();
    assert_eq!(stage.far.next().await, (7, "before".into()));
    assert_eq!(stage.told().await.1, "before");
    until(|| stage.store.commits() == (1, 0)).await;
    tokio::time::advance(ms(3000)).await;
    assert!(stage.far.so_far().is_empty() && stage.events.try_recv().is_err());

    stage.store.release();
    assert_eq!(stage.far.next().await.1, "after");
    assert_eq!(stage.store.rows()[&b"alice"[..]], b"alice=open");
    assert_eq!(stage.far.next().await.1, "next");
    assert_eq!(stage.told().await.1, "after");
}

#[tokio::test(start_paused = true)]
async fn an_answer_takes_as_long_as_its_commit() {
    let mut stage = stage(Toy::default(), &[]);
    stage.store.delay(ms(300));
    stage.packet("put alice open; send ok").await;
    assert_eq!(stage.far.next().await.1, "ok");
    assert_eq!(stage.clock.now(), NOON + ms(300));
    assert_eq!(stage.metrics.longest_commit(), ms(300));
}

#[tokio::test(start_paused = true)]
async fn a_turn_makes_one_commit_and_keeps_the_order() {
    let programs: Vec<_> =
        (0..100).map(|n| format!("send a{n}; put user{n} x; send b{n}")).collect();
    let programs: Vec<_> = programs.iter().map(String::as_str).collect();
    let mut stage = stage(Toy::default(), &programs);
    for n in 0..100 {
        assert_eq!(stage.far.next().await.1, format!("a{n}"));
        assert_eq!(stage.far.next().await.1, format!("b{n}"));
    }
    assert_eq!(stage.store.commits(), (1, 1));
    assert_eq!((stage.metrics.commits.value(), stage.metrics.records.value()), (1, 100));
}

#[tokio::test(start_paused = true)]
async fn a_failed_commit_ends_the_driver_with_nothing_acknowledged() {
    let mut stage = stage(Toy::default(), &[]);
    stage.store.fail(Some(io::ErrorKind::StorageFull));
    stage.packet("send before; put alice open; send after").await;
    let failure = stage.driver.await.unwrap().unwrap_err();
    assert_eq!(
        failure.to_string(),
        "the store failed, nothing more is acknowledged: \
        simulated disk: no storage space"
    );
    assert_eq!(stage.far.so_far(), ["before"]);
    assert_eq!(stage.remote.command(ToyCommand::Shutdown).await, Err(Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_fires_when_it_has_come_and_not_before() {
    let mut stage = stage(Toy::default(), &[]);
    stage.packet("arm 1500").await;
    assert_eq!(stage.told().await, (NOON + ms(1500), "tick first".into()));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_has_come_fires_before_the_packet_that_waited() {
    let mut stage = stage(Toy::default(), &[]);
    stage.store.hold();
    stage.packet("arm 100; put alice open; send ok").await;
    until(|| stage.store.commits() == (1, 0)).await;
    stage.packet("tell late").await;
    tokio::time::advance(ms(200)).await;
    stage.store.release();
    assert_eq!(stage.told().await, (NOON + ms(200), "tick first".into()));
    assert_eq!(stage.told().await, (NOON + ms(200), "late".into()));
    assert_eq!(stage.metrics.stalls.value(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_a_stall_what_was_sent_in_time_is_handled_before_what_is_due() {
    let mut stage = stage(Toy::default(), &[]);
    stage.store.hold();
    stage.packet("arm 100; put alice open; send ok").await;
    until(|| stage.store.commits() == (1, 0)).await;
    stage.packet("tell refresh").await;
    tokio::time::advance(ms(20_000)).await;
    stage.store.release();
    assert_eq!(stage.far.next().await.1, "ok");
    // What the kernel kept comes in a moment later than what was in the inbox.
    stage.packet("tell another").await;
    assert_eq!(stage.told().await, (NOON + ms(20_000), "refresh".into()));
    assert_eq!(stage.told().await, (NOON + ms(20_000), "another".into()));
    let (at, tick) = stage.told().await;
    assert_eq!((at, tick.as_str()), (NOON + ms(20_000) + SETTLING, "tick first"));
    assert_eq!(stage.metrics.stalls.value(), 1);
}

#[tokio::test(start_paused = true)]
async fn work_left_from_before_the_start_is_not_a_stall() {
    let mut stage = stage(Toy::due_since(Instant::from_millis(0)), &[]);
    assert_eq!(stage.told().await, (NOON, "tick first".into()));
    assert_eq!(stage.metrics.stalls.value(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_always_due_still_gets_its_mail() {
    let mut stage = stage(Toy::default(), &["nag"]);
    stage.packet("send heard").await;
    assert_eq!(stage.far.next().await.1, "heard");
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_peer_is_reported_once_and_others_are_served() {
    let mut stage = stage(Toy::default(), &[]);
    stage.far.refuse(peer(7));
    stage.packet("send one; send two").await;
    stage.inbox.send(packet(peer(8), "send three")).await.unwrap();
    assert_eq!(stage.far.next().await, (8, "three".into()));
    stage.packet("tell done").await;
    stage.told().await;
    let inputs = stage.remote.inspect(|toy, _| toy.inputs()).await.unwrap();
    assert_eq!(inputs.iter().filter(|input| *input == "lost 7").count(), 1, "{inputs:?}");
    assert_eq!(stage.metrics.send_errors.value(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_address_of_the_other_family_is_unreachable() {
    let mut stage = stage(Toy::default(), &[]);
    let six = Peer::new("[2001:db8::1]:5060".parse().unwrap());
    stage.inbox.send(packet(six, "send nowhere")).await.unwrap();
    stage.packet("send here").await;
    assert_eq!(stage.far.next().await, (7, "here".into()));
    stage.packet("tell done").await;
    stage.told().await;
    let inputs = stage.remote.inspect(|toy, _| toy.inputs()).await.unwrap();
    assert!(inputs.contains(&"lost 5060".to_owned()), "{inputs:?}");
}

#[tokio::test(start_paused = true)]
async fn the_owner_commands_looks_and_configures() {
    let mut stage = stage(Toy::default(), &[]);
    stage.remote.command(ToyCommand::Run("put alice open; tell done".into())).await.unwrap();
    assert_eq!(stage.told().await, (NOON, "done".into()));
    stage.remote.configure(Arc::new("second".into())).await.unwrap();
    stage.remote.command(ToyCommand::Run("arm 0".into())).await.unwrap();
    assert_eq!(stage.told().await.1, "tick second");
    assert_eq!(stage.log().await.len(), 3);
    stage.remote.stop().await.unwrap();
    assert_eq!(stage.driver.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn whoever_is_in_goes_before_whoever_wants_to_come_in() {
    let newcomers: Vec<String> = (0..400).map(|one| format!("new; tell new {one}")).collect();
    let mut waiting: Vec<&str> = newcomers.iter().map(String::as_str).collect();
    waiting.push("tell in");
    let mut stage = stage(Toy::default(), &waiting);
    let mut told = Vec::new();
    while told.len() < waiting.len() {
        told.push(stage.told().await.1);
    }
    let at = |what: &str| told.iter().position(|one| one == what);
    assert!(at("in") < at("new 128"), "the first turn took 256 and handled half of them");
    let order: Vec<_> = (0..400).map(|one| at(&format!("new {one}"))).collect();
    assert!(order.is_sorted(), "among newcomers it is first come, first served");
    assert_eq!(stage.metrics.turned_away.value(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_a_newcomer_that_waits_is_neither_served_nor_turned_away() {
    let newcomers: Vec<String> = (0..400).map(|one| format!("new {one}; tell new")).collect();
    let mut waiting: Vec<&str> = newcomers.iter().map(String::as_str).collect();
    // The first turn handles 128 of the first 256, so these 50 still wait when they come again.
    waiting.extend(newcomers[200..250].iter().map(String::as_str));
    waiting.push("tell in");
    let mut stage = stage(Toy::default(), &waiting);
    let mut told = 0;
    while told < 401 {
        stage.told().await;
        told += 1;
    }
    stage.packet("send over").await;
    assert_eq!(stage.far.next().await.1, "over", "nobody was turned away");
    assert_eq!(stage.remote.inspect(|toy, _| toy.inputs().len()).await.unwrap(), 402);
}

#[tokio::test(start_paused = true)]
async fn too_many_newcomers_are_told_so_and_nobody_else_is() {
    let mut stage = stage(Toy::default(), &[]);
    let mut sent = 0;
    while sent < 8080 {
        let newcomer = format!("new {sent}; tell new");
        let program = if sent % 101 == 0 { "tell in" } else { &newcomer };
        match stage.inbox.try_send(packet(peer(7), program)) {
            Ok(()) => sent += 1,
            Err(_) => tokio::task::yield_now().await,
        }
    }
    until(|| stage.inbox.capacity() == stage.inbox.max_capacity()).await;
    stage.remote.inspect(|_, _| ()).await.unwrap();
    stage.packet("send over").await;
    let mut refusals = 0;
    while stage.far.next().await.1 != "over" {
        refusals += 1;
    }
    assert!(refusals > 0);
    assert_eq!(stage.metrics.turned_away.value(), refusals);
    let mut told = (0, 0);
    while told.0 + told.1 < 8080 - refusals {
        match stage.told().await.1.as_str() {
            "in" => told.0 += 1,
            _ => told.1 += 1,
        }
    }
    assert_eq!(told, (80, 8000 - refusals));
}
