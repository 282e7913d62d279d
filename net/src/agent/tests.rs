use super::*;
use crate::testing::{FakeSocket, Toy, ToyCommand, peer};

#[tokio::test(start_paused = true)]
async fn an_agent_obeys_hears_and_tells() {
    let (socket, mut far) = FakeSocket::new();
    let config = "first".to_owned();
    let setup = AgentSetup { config, socket, clock: Clock::new(), tap: None, gate: None };
    let mut agent = AgentHandle::drive(Toy::default(), setup).unwrap();
    assert_eq!(agent.address(), peer(5060).addr);
    agent.command(ToyCommand::Run("send register; tell started".into())).await.unwrap();
    assert_eq!(far.next().await, (9, "register".into()));
    assert_eq!(agent.events.recv().await.unwrap().1, "started");

    far.send(peer(7), b"send ok; tell message");
    assert_eq!(far.next().await, (7, "ok".into()));
    assert_eq!(agent.events.recv().await.unwrap().1, "message");
    assert_eq!(agent.inspect(|toy, _| toy.log.len()).await, Ok(2));
    assert_eq!(agent.metrics().datagrams_in.value(), 1);

    assert_eq!(agent.stop().await, Ok(()));
    assert_eq!(agent.events.recv().await, None);
    assert_eq!(agent.remote().command(ToyCommand::Shutdown).await, Err(Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_is_behind_does_not_hold_the_agent_up() {
    let (socket, mut far) = FakeSocket::new();
    let config = String::new();
    let setup = AgentSetup { config, socket, clock: Clock::new(), tap: None, gate: None };
    let mut agent = AgentHandle::drive(Toy::default(), setup).unwrap();
    for _ in 0..10_000 {
        agent.command(ToyCommand::Run("tell more".into())).await.unwrap();
    }
    agent.command(ToyCommand::Run("send done".into())).await.unwrap();
    assert_eq!(far.next().await.1, "done");
    for _ in 0..10_000 {
        assert_eq!(agent.events.recv().await.unwrap().1, "more");
    }
}
