use super::*;
use crate::store::{DiskStore, MemoryStore, Row};
use crate::tap::{Direction, Seen};
use crate::testing::{FakeSocket, Far, Toy, ToyCommand, peer, until};
use presently_engine::mint::Secret;
use std::sync::Mutex;

type Events = mpsc::UnboundedReceiver<String>;

const LONG: Duration = Duration::from_secs(3600);

fn memory() -> MemoryStore {
    MemoryStore::with_secret(Secret::new([7; 16]))
}

fn setup<S: Store>(store: S) -> (ServiceSetup<FakeSocket, S, Toy>, Far, Events) {
    let (socket, far) = FakeSocket::new();
    let (tell, events) = mpsc::unbounded_channel();
    let mut setup = ServiceSetup::new("first".to_owned(), vec![socket], store);
    setup.shards = 4;
    setup.on_event = Some(Arc::new(move |_, event: &String| drop(tell.send(event.clone()))));
    (setup, far, events)
}

async fn filled(users: &[&str]) -> MemoryStore {
    let store = memory();
    let rows = users.iter().map(|user| Row {
        key: user.as_bytes().to_vec(),
        value: Some(format!("{user}=open").into_bytes()),
    });
    store.commit(rows.collect()).await.unwrap();
    store
}

#[tokio::test(start_paused = true)]
async fn rows_and_commands_come_to_the_shard_that_owns_them() {
    let users = ["alice", "bob", "carol", "dave", "erin", "frank"];
    let (setup, _far, _) = setup(filled(&users).await);
    let service = Service::start(setup).unwrap();
    for user in users {
        let command = ToyCommand::RunAs(user.into(), format!("put {user} closed"));
        service.command(command).await.unwrap();
    }
    let shards = service.inspect(|toy, _| (toy.rows.clone(), toy.inputs())).await;
    assert_eq!(shards.len(), 4);
    for user in users {
        let (rows, inputs) = &shards[shard_of(Slot::of_user(user), 4)];
        assert_eq!(rows[user], "closed");
        assert!(inputs.contains(&format!("put {user} closed")));
    }
    assert_eq!(shards.iter().map(|(rows, _)| rows.len()).sum::<usize>(), users.len());
}

#[tokio::test(start_paused = true)]
async fn a_datagram_comes_in_and_its_answer_leaves_by_the_same_door() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (mut setup, mut far, mut events) = setup(memory());
    let tap = seen.clone();
    setup.tap = Some(Tap::new(move |look: &Seen| tap.lock().unwrap().push(look.clone())));
    let service = Service::start(setup).unwrap();
    far.report(std::io::ErrorKind::ConnectionRefused);
    far.send(peer(7), b"send hello; tell done");
    assert_eq!(far.next().await, (7, "hello".into()));
    assert_eq!(events.recv().await.unwrap(), "done");

    let metrics = service.metrics();
    assert_eq!((metrics.datagrams_in.value(), metrics.bytes_in.value()), (1, 21));
    assert_eq!((metrics.datagrams_out.value(), metrics.bytes_out.value()), (1, 5));
    assert_eq!(metrics.receive_errors.value(), 1);
    let seen = seen.lock().unwrap();
    assert_eq!((seen[0].direction, &seen[0].bytes[..4]), (Direction::In, &b"send"[..]));
    assert_eq!((seen[1].direction, &seen[1].bytes[..]), (Direction::Out, &b"hello"[..]));
    assert_eq!(seen[1].peer, peer(7));
}

#[tokio::test(start_paused = true)]
async fn a_new_configuration_reaches_every_shard() {
    let (setup, _far, mut events) = setup(memory());
    let service = Service::start(setup).unwrap();
    service.reload("second".into()).await.unwrap();
    service.command(ToyCommand::Run("arm 0".into())).await.unwrap();
    for _ in 0..4 {
        assert_eq!(events.recv().await.unwrap(), "tick second");
    }
}

#[tokio::test(start_paused = true)]
async fn an_orderly_end_waits_until_every_shard_is_drained() {
    let (setup, _far, mut events) = setup(memory());
    let service = Service::start(setup).unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(service.shutdown(LONG).await, Ok(()));
    assert!(begun.elapsed() < LONG);
    for _ in 0..4 {
        assert_eq!(events.recv().await.unwrap(), "drained");
    }
    assert_eq!(service.command(ToyCommand::Shutdown).await, Err(Stopped));
    assert_eq!(service.join().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn patience_ends_and_a_second_call_ends_it_at_once() {
    let (mut stubborn, _far, _) = setup(memory());
    stubborn.config = "stubborn".into();
    let service = Service::start(stubborn).unwrap();
    let begun = tokio::time::Instant::now();
    assert_eq!(service.shutdown(Duration::from_secs(8)).await, Ok(()));
    assert_eq!(begun.elapsed(), Duration::from_secs(8));

    let (mut stubborn, _far, _) = setup(memory());
    stubborn.config = "stubborn".into();
    let service = Arc::new(Service::start(stubborn).unwrap());
    let begun = tokio::time::Instant::now();
    let first = tokio::spawn({
        let service = service.clone();
        async move { service.shutdown(LONG).await }
    });
    until(|| service.leaving.load(Ordering::SeqCst)).await;
    assert_eq!(service.shutdown(LONG).await, Ok(()));
    assert_eq!(first.await.unwrap(), Ok(()));
    assert!(begun.elapsed() < LONG);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_ends_the_service_with_its_reason() {
    let store = memory();
    store.fail(Some(io::ErrorKind::StorageFull));
    let (setup, mut far, _) = setup(store);
    let service = Service::start(setup).unwrap();
    service.command(ToyCommand::RunAs("bob".into(), "put bob x; send ok".into())).await.unwrap();
    let failure = service.join().await.unwrap_err();
    assert_eq!(failure, Failure::Store("simulated disk: no storage space".into()));
    assert!(far.so_far().is_empty(), "what was not stored was not acknowledged");
    assert_eq!(service.shutdown(LONG).await, Err(failure));
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_panics_ends_the_service() {
    let (setup, far, _) = setup(memory());
    let service = Service::start(setup).unwrap();
    far.send(peer(7), b"panic");
    let failure = service.join().await.unwrap_err();
    assert_eq!(failure, Failure::Panic("the toy was told to panic".into()));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_row_stops_the_start() {
    let store = memory();
    let row = Row { key: b"alice\0b".to_vec(), value: Some(b"\xff".to_vec()) };
    store.commit(vec![row]).await.unwrap();
    let (setup, ..) = setup(store);
    let error = Service::start(setup).unwrap_err();
    let line = "row \"alice\\0b\" is damaged or was written by another version";
    assert_eq!(error.to_string(), line);
}

#[tokio::test]
async fn wrong_numbers_stop_the_start() {
    for (shards, inbox) in [(0, 1), (4097, 1), (1, 0)] {
        let (mut setup, ..) = setup(memory());
        (setup.shards, setup.inbox) = (shards, inbox);
        assert_eq!(Service::start(setup).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
    let (mut setup, ..) = setup(memory());
    setup.sockets.clear();
    assert_eq!(Service::start(setup).unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn a_successor_finds_the_folder_free_and_everything_in_it() {
    let folder = tempfile::tempdir().unwrap();
    for boot in 1..4 {
        let store = DiskStore::open(folder.path()).unwrap();
        assert_eq!(store.boot(), boot);
        let (setup, mut far, _) = setup(store);
        let service = Service::start(setup).unwrap();
        let rows = service.inspect(|toy, _| toy.rows.len()).await;
        assert_eq!(rows.iter().sum::<usize>() as u64, boot - 1);
        let program = format!("put user{boot} x; send stored");
        service.command(ToyCommand::RunAs(format!("user{boot}"), program)).await.unwrap();
        assert_eq!(far.next().await.1, "stored");
        service.shutdown(LONG).await.unwrap();
    }
}
