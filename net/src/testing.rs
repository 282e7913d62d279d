//! What the tests of this crate share: a machine that does what its input says, and a socket
//! without a network.

use crate::metrics::Metrics;
use crate::service::Sharded;
use crate::store::{Durable, Row};
use crate::udp::Datagrams;
use bytes::Bytes;
use presently_engine::slot::Slot;
use presently_engine::{Input, Instant, Machine, Output, Peer};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

/// A machine whose inputs are little programs, `;` between the steps:
/// `send TEXT`, `put USER TEXT`, `del USER`, `tell TEXT`, `arm MS`, `nag` (always due), `panic`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Toy {
    /// What was recovered and written since.
    pub(crate) rows: BTreeMap<String, String>,
    /// Every input with its time.
    pub(crate) log: Vec<(Instant, String)>,
    pub(crate) deadline: Option<Instant>,
    nagging: bool,
    /// Does not drain when it is told to shut down.
    stubborn: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ToyRecord(pub(crate) String, pub(crate) Option<String>);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum ToyCommand {
    Run(String),
    RunAs(String, String),
    Shutdown,
}

pub(crate) fn peer(port: u16) -> Peer {
    Peer::new(SocketAddr::from(([127, 0, 0, 1], port)))
}

pub(crate) fn packet<C>(from: Peer, program: &str) -> Input<C> {
    Input::Packet { from, bytes: Bytes::copy_from_slice(program.as_bytes()) }
}

impl Toy {
    pub(crate) fn due_since(at: Instant) -> Self {
        Self { deadline: Some(at), ..Self::default() }
    }

    /// The inputs as text, without their times.
    pub(crate) fn inputs(&self) -> Vec<String> {
        self.log.iter().map(|(_, input)| input.clone()).collect()
    }

    fn run(&mut self, now: Instant, from: Peer, program: &str, out: &mut Vec<ToyOutput>) {
        for step in program.split("; ") {
            let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
            match verb {
                "send" => {
                    out.push(Output::Transmit { to: from, bytes: Bytes::from(rest.to_owned()) });
                }
                "put" => {
                    let (user, text) = rest.split_once(' ').expect("put USER TEXT");
                    self.rows.insert(user.into(), text.into());
                    out.push(Output::Record(ToyRecord(user.into(), Some(text.into()))));
                }
                "del" => {
                    self.rows.remove(rest);
                    out.push(Output::Record(ToyRecord(rest.into(), None)));
                }
                "tell" => out.push(Output::Event(rest.into())),
                "arm" => {
                    let ms = rest.parse().expect("arm MS");
                    self.deadline = Some(now + Duration::from_millis(ms));
                }
                "nag" => self.nagging = true,
                "panic" => panic!("the toy was told to panic"),
                _ => {}
            }
        }
    }
}

type ToyOutput = Output<ToyRecord, String>;

impl Machine for Toy {
    type Config = String;
    type Command = ToyCommand;
    type Event = String;
    type Record = ToyRecord;

    fn handle(
        &mut self,
        config: &String,
        now: Instant,
        input: Input<ToyCommand>,
        out: &mut Vec<ToyOutput>,
    ) {
        let (from, program) = match input {
            Input::Packet { from, bytes } => (from, String::from_utf8_lossy(&bytes).into_owned()),
            Input::Message { from, message } => {
                let body = message.headers().body();
                (from, String::from_utf8_lossy(&body).into_owned())
            }
            Input::Lost { peer } => (peer, format!("lost {}", peer.addr.port())),
            Input::Command(ToyCommand::Run(program) | ToyCommand::RunAs(_, program)) => {
                (peer(9), program)
            }
            Input::Command(ToyCommand::Shutdown) if self.stubborn => (peer(9), "shutdown".into()),
            Input::Command(ToyCommand::Shutdown) => (peer(9), "tell drained".into()),
            Input::Tick => {
                self.deadline = None;
                (peer(9), format!("tell tick {config}"))
            }
        };
        self.log.push((now, program.clone()));
        self.run(now, from, &program, out);
    }

    fn is_beginning(&self, _: &String, input: &Input<ToyCommand>) -> bool {
        matches!(input, Input::Packet { bytes, .. } if bytes.starts_with(b"new"))
    }

    fn turn_away(
        &mut self,
        _: &String,
        _: Instant,
        input: Input<ToyCommand>,
        out: &mut Vec<ToyOutput>,
    ) {
        let Input::Packet { from, .. } = input else { panic!("{input:?} is nothing new") };
        out.push(Output::Transmit { to: from, bytes: Bytes::from_static(b"turned away") });
    }

    fn deadline(&self) -> Option<Instant> {
        if self.nagging { Some(Instant::from_millis(0)) } else { self.deadline }
    }
}

impl Durable for ToyRecord {
    fn row(&self) -> Row {
        let value = self.1.as_ref().map(|text| format!("{}={text}", self.0).into_bytes());
        Row { key: self.0.clone().into_bytes(), value }
    }

    fn read(value: &[u8]) -> Option<Self> {
        let (user, text) = std::str::from_utf8(value).ok()?.split_once('=')?;
        Some(Self(user.into(), Some(text.into())))
    }
}

impl Sharded for Toy {
    fn recover(
        config: &String,
        records: impl Iterator<Item = ToyRecord>,
        _: impl FnOnce() -> Instant,
    ) -> Self {
        let rows = records.filter_map(|ToyRecord(user, text)| Some((user, text?)));
        Self { rows: rows.collect(), stubborn: config == "stubborn", ..Self::default() }
    }

    fn slot(record: &ToyRecord) -> Slot {
        Slot::of_user(&record.0)
    }

    fn owner(command: &ToyCommand) -> Option<Slot> {
        match command {
            ToyCommand::RunAs(user, _) => Some(Slot::of_user(user)),
            ToyCommand::Run(_) | ToyCommand::Shutdown => None,
        }
    }

    fn shutdown() -> ToyCommand {
        ToyCommand::Shutdown
    }

    fn is_drained(event: &String) -> bool {
        event == "drained"
    }

    fn note(_: &String, metrics: &Metrics) {
        metrics.refused.add(1);
    }
}

type Received = io::Result<(SocketAddr, Vec<u8>)>;

/// A bound socket whose network is two channels and a list of peers that cannot be reached.
#[derive(Debug)]
pub(crate) struct FakeSocket {
    local: SocketAddr,
    incoming: tokio::sync::Mutex<mpsc::UnboundedReceiver<Received>>,
    sent: mpsc::UnboundedSender<(SocketAddr, String)>,
    refused: Arc<Mutex<BTreeSet<SocketAddr>>>,
}

/// The far end of a [`FakeSocket`].
#[derive(Debug)]
pub(crate) struct Far {
    to_us: mpsc::UnboundedSender<Received>,
    pub(crate) from_us: mpsc::UnboundedReceiver<(SocketAddr, String)>,
    refused: Arc<Mutex<BTreeSet<SocketAddr>>>,
}

impl FakeSocket {
    pub(crate) fn new() -> (Self, Far) {
        let (to_us, incoming) = mpsc::unbounded_channel();
        let (sent, from_us) = mpsc::unbounded_channel();
        let refused = Arc::default();
        let far = Far { to_us, from_us, refused: Arc::clone(&refused) };
        (Self { local: peer(5060).addr, incoming: incoming.into(), sent, refused }, far)
    }
}

impl Far {
    pub(crate) fn send(&self, from: Peer, bytes: &[u8]) {
        self.to_us.send(Ok((from.addr, bytes.to_vec()))).expect("the socket is there");
    }

    pub(crate) fn report(&self, error: io::ErrorKind) {
        self.to_us.send(Err(error.into())).expect("the socket is there");
    }

    pub(crate) fn refuse(&self, peer: Peer) {
        self.refused.lock().expect("no panic").insert(peer.addr);
    }

    /// The next datagram that left, waiting for it.
    pub(crate) async fn next(&mut self) -> (u16, String) {
        let (to, text) = self.from_us.recv().await.expect("the socket is there");
        (to.port(), text)
    }

    /// The datagrams that have left so far.
    pub(crate) fn so_far(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.from_us.try_recv().ok()).map(|(_, text)| text).collect()
    }
}

impl Datagrams for FakeSocket {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self.incoming.lock().await.recv().await {
            Some(Ok((from, bytes))) => {
                buffer[..bytes.len()].copy_from_slice(&bytes);
                Ok((bytes.len(), from))
            }
            Some(Err(error)) => Err(error),
            None => std::future::pending().await,
        }
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        // The far end may have seen enough.
        let _ = self.sent.send((to, String::from_utf8_lossy(bytes).into_owned()));
        Ok(bytes.len())
    }

    fn try_send_to(&self, _: &[u8], to: SocketAddr) -> io::Result<usize> {
        let refused = self.refused.lock().expect("no panic").contains(&to);
        // Never at once: so the waiting way is taken by every test.
        let kind = io::ErrorKind::WouldBlock;
        Err(if refused { io::ErrorKind::ConnectionRefused.into() } else { kind.into() })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

/// Lets the other tasks of this thread run until something is so.
pub(crate) async fn until(what: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if what() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to be");
}
