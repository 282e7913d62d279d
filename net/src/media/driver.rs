//! A task for each media port: it reads sockets and the clock, and carries out what the port says.

#[cfg(test)]
mod tests;

use super::ends::Ends;
use super::flow::Chance;
use super::port::{Dropped, Keys, Order, Out, Port, Taken, Told};
use super::socket;
use super::stream::{Id, Stream};
use crate::clock::Clock;
use crate::gate::{Gate, behind};
use crate::udp::{Datagrams, LARGEST_DATAGRAM};
use bytes::Bytes;
use presently_engine::Instant;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant as Moment;

/// STUN that may wait for its owner; more of it at once is a flood.
const STUN: usize = 256;
/// Knocks that may wait for their owner.
const KNOCKS: usize = 16;
/// Seconds from the epoch of NTP to that of Unix.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// What happened to a flow, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Happening {
    /// When.
    pub at: Instant,
    /// Which flow.
    pub id: Id,
    /// What.
    pub told: Told,
}

/// A STUN datagram that came to a media port: `Command::MediaPacket` for the agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stun {
    /// Our port.
    pub port: u16,
    /// Who sent it.
    pub from: SocketAddr,
    /// The datagram.
    pub bytes: Bytes,
}

/// RTP of no flow came from a host that is welcome: `Command::MediaKnock` for the agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Knock {
    /// Our port.
    pub port: u16,
    /// Who sent it.
    pub from: SocketAddr,
    /// Its SSRC.
    pub ssrc: u32,
    /// Payload type.
    pub pt: u8,
}

/// What media is made with.
pub struct Setup {
    /// The time.
    pub clock: Clock,
    /// Where ports are opened.
    pub address: IpAddr,
    /// Where random numbers come from.
    pub chance: Box<dyn FnMut() -> u64 + Send>,
    /// What makes it stand still (simulation, tests).
    pub gate: Option<Gate>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Setup {
    /// In real time, with the host's random numbers.
    pub fn new(address: IpAddr) -> Self {
        let chance = || getrandom::u64().expect("the host has random numbers");
        Self { clock: Clock::new(), address, chance: Box::new(chance), gate: None }
    }
}

/// Media that has begun, and what it tells its owner.
#[derive(Debug)]
pub struct Begun {
    /// The media.
    pub media: Media,
    /// What happens to flows. Without bound: a flow says a few words a second.
    pub happenings: mpsc::UnboundedReceiver<Happening>,
    /// STUN. Bounded: anybody can send it.
    pub stun: mpsc::Receiver<Stun>,
    /// Knocks. Bounded, and few: each host that is welcome knocks five times a second at most.
    pub knocks: mpsc::Receiver<Knock>,
}

/// Ports and flows. Dropping it ends them at once, without a BYE.
#[derive(Debug)]
pub struct Media {
    setup: Setup,
    cname: Box<str>,
    ports: BTreeMap<u16, Handle>,
    /// Where each flow is.
    flows: BTreeMap<Id, u16>,
    happenings: mpsc::UnboundedSender<Happening>,
    stun: mpsc::Sender<Stun>,
    knocks: mpsc::Sender<Knock>,
}

#[derive(Debug)]
struct Handle {
    orders: mpsc::UnboundedSender<Order>,
    dropped: Arc<Mutex<Dropped>>,
    task: JoinHandle<()>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Media {
    /// Media without ports.
    pub fn begin(mut setup: Setup) -> Begun {
        let (happenings, told) = mpsc::unbounded_channel();
        let (stun, asked) = mpsc::channel(STUN);
        let (knocks, knocked) = mpsc::channel(KNOCKS);
        // RFC 7022 §4.2: a name that says nothing about anybody.
        let cname = format!("{:016x}", (setup.chance)()).into();
        let (ports, flows) = (BTreeMap::new(), BTreeMap::new());
        let media = Self { setup, cname, ports, flows, happenings, stun, knocks };
        Begun { media, happenings: told, stun: asked, knocks: knocked }
    }

    /// Opens a pair of ports, any even one if none is named, and tells the even one. Call inside a
    /// tokio runtime.
    ///
    /// # Errors
    /// One line for a person.
    pub fn open(&mut self, port: Option<u16>) -> io::Result<u16> {
        let (rtp, rtcp) = socket::open(self.setup.address, port)?;
        self.adopt(Sockets { rtp, rtcp: Some(rtcp), refused: socket::refused })
    }

    /// Takes sockets that somebody else opened, real or simulated, and tells the port of the first.
    ///
    /// # Errors
    /// The socket has no address.
    pub fn adopt<D: Datagrams>(&mut self, sockets: Sockets<D>) -> io::Result<u16> {
        let number = sockets.rtp.local_addr()?.port();
        let unix = self.setup.clock.now().as_millis();
        let ntp = ((unix / 1000 + NTP_TO_UNIX) << 32) + ((unix % 1000) << 32) / 1000;
        let (orders, asked) = mpsc::unbounded_channel();
        let dropped = Arc::new(Mutex::new(Dropped::default()));
        let task = Task {
            number,
            port: Port::new(ntp, &self.cname),
            sockets,
            began: Moment::now(),
            clock: self.setup.clock,
            happenings: self.happenings.clone(),
            stun: self.stun.clone(),
            knocks: self.knocks.clone(),
            dropped: dropped.clone(),
            out: Vec::new(),
        };
        let task = tokio::spawn(behind(self.setup.gate.as_ref(), task.run(asked)));
        self.ports.insert(number, Handle { orders, dropped, task });
        Ok(number)
    }

    /// Closes a port: its flows say BYE, then it is free, which is when the future ends.
    pub fn close(&mut self, port: u16) -> impl Future<Output = ()> + Send + use<> {
        self.flows.retain(|_, at| *at != port);
        let handle = self.ports.remove(&port);
        async move {
            let Some(mut handle) = handle else { return };
            // Without orders the task ends by itself.
            handle.orders = mpsc::unbounded_channel().0;
            // One that panicked is closed as well.
            let _ = (&mut handle.task).await;
        }
    }

    /// Closes all ports.
    pub async fn finish(&mut self) {
        while let Some(port) = self.ports.keys().next().copied() {
            self.close(port).await;
        }
    }

    /// Starts a flow, in the place of one with the same name.
    ///
    /// # Errors
    /// The port is not open.
    pub fn start(&mut self, id: Id, stream: Stream, ends: Ends) -> io::Result<()> {
        let port = stream.port;
        if !self.ports.contains_key(&port) {
            return Err(io::Error::other(format!("no media port {port} is open")));
        }
        let (one, two) = ((self.setup.chance)(), (self.setup.chance)());
        let chance = Chance {
            ssrc: one as u32,
            timestamp: (one >> 32) as u32,
            sequence: two as u16,
            dice: two,
        };
        if self.flows.insert(id, port).is_some_and(|before| before != port) {
            self.order(id, Order::Stop(id, false));
            self.flows.insert(id, port);
        }
        self.order(id, Order::Start(id, Box::new(stream), ends, chance));
        Ok(())
    }

    /// Changes where a flow goes, or its directions.
    pub fn change(&mut self, id: Id, stream: Stream) {
        self.order(id, Order::Change(id, Box::new(stream)));
    }

    /// Stops sending in a flow, or goes on.
    pub fn hold(&mut self, id: Id, hold: bool) {
        self.order(id, Order::Hold(id, hold));
    }

    /// Presses keys of a telephone in a flow.
    pub fn dial(&mut self, id: Id, keys: &str) {
        self.order(id, Order::Dial(id, keys.into()));
    }

    /// Ends a flow, with RTCP BYE or without.
    pub fn stop(&mut self, id: Id, bye: bool) {
        self.order(id, Order::Stop(id, bye));
        self.flows.remove(&id);
    }

    /// Says RTCP BYE: `Event::MediaBye` of the agent. A flow of it that still runs ends.
    pub fn bye(&self, port: u16, to: SocketAddr, ssrc: u32, keys: Keys) {
        self.hand(port, Order::Bye { to, ssrc, keys });
    }

    /// Sends a datagram from a port: `Event::MediaPacket` of the agent.
    pub fn send(&self, port: u16, to: SocketAddr, bytes: Bytes) {
        self.hand(port, Order::Send(to, bytes));
    }

    /// From these hosts a port may be asked for a flow by RTP alone: `Event::MediaWelcome`.
    pub fn welcome(&self, port: u16, from: BTreeSet<IpAddr>) {
        self.hand(port, Order::Welcome(from));
    }

    /// What was thrown away at a port.
    pub fn dropped(&self, port: u16) -> Dropped {
        let known = self.ports.get(&port);
        known.map(|port| *lock(&port.dropped)).unwrap_or_default()
    }

    fn order(&self, id: Id, order: Order) {
        if let Some(port) = self.flows.get(&id) {
            self.hand(*port, order);
        }
    }

    fn hand(&self, port: u16, order: Order) {
        if let Some(port) = self.ports.get(&port) {
            // A task that has ended has nothing to carry it out with.
            let _ = port.orders.send(order);
        }
    }
}

/// The sockets of a port.
#[derive(Debug)]
pub struct Sockets<D> {
    /// Media, and control packets if they share it.
    pub rtp: D,
    /// Control packets that have a socket of their own.
    pub rtcp: Option<D>,
    /// The next address where nobody listens, if the network said so.
    pub refused: fn(&D) -> Option<SocketAddr>,
}

impl<D> Sockets<D> {
    /// One socket for everything, without word of what the network refuses.
    pub fn shared(rtp: D) -> Self {
        Self { rtp, rtcp: None, refused: |_| None }
    }
}

struct Task<D> {
    number: u16,
    port: Port,
    sockets: Sockets<D>,
    began: Moment,
    clock: Clock,
    happenings: mpsc::UnboundedSender<Happening>,
    stun: mpsc::Sender<Stun>,
    knocks: mpsc::Sender<Knock>,
    dropped: Arc<Mutex<Dropped>>,
    out: Vec<Out>,
}

impl<D: Datagrams> Task<D> {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut buffer = vec![0; LARGEST_DATAGRAM];
        let mut above = vec![0; if self.sockets.rtcp.is_some() { LARGEST_DATAGRAM } else { 0 }];
        let mut open = true;
        let alarm = tokio::time::sleep_until(self.began);
        tokio::pin!(alarm);
        while open || !self.port.is_idle() {
            let due = self.port.due().map(|due| self.began + due);
            if let Some(due) = due.filter(|due| *due != alarm.deadline()) {
                alarm.as_mut().reset(due);
            }
            // Orders and the clock go first: a flood must not stop what is said.
            tokio::select! {
                biased;
                order = orders.recv(), if open => match order {
                    Some(order) => self.port.order(self.began.elapsed(), order, &mut self.out),
                    None => {
                        open = false;
                        self.port.stop_all(self.began.elapsed(), &mut self.out);
                    }
                },
                () = &mut alarm, if due.is_some() => {
                    self.port.run(self.began.elapsed(), &mut self.out);
                }
                came = self.sockets.rtp.recv_from(&mut buffer) => self.take(came, &buffer),
                came = receive(self.sockets.rtcp.as_ref(), &mut above) => self.take(came, &above),
            }
            self.carry_out().await;
        }
    }

    fn take(&mut self, came: io::Result<(usize, SocketAddr)>, buffer: &[u8]) {
        let Ok((length, from)) = came else { return self.refusals() };
        let datagram = &buffer[..length];
        match self.port.receive(self.began.elapsed(), from, datagram, &mut self.out) {
            Taken::Done => *lock(&self.dropped) = self.port.dropped(),
            Taken::Stun => {
                let bytes = Bytes::copy_from_slice(datagram);
                // More than somebody can look at is a flood, and who asks for a reason asks again.
                let _ = self.stun.try_send(Stun { port: self.number, from, bytes });
            }
            Taken::Knock { ssrc, pt } => {
                // Who speaks on knocks again.
                let _ = self.knocks.try_send(Knock { port: self.number, from, ssrc, pt });
            }
        }
    }

    /// Asks the network what it could not deliver.
    fn refusals(&mut self) {
        while let Some(to) = (self.sockets.refused)(&self.sockets.rtp) {
            self.port.refused(self.began.elapsed(), to, &mut self.out);
        }
    }

    async fn carry_out(&mut self) {
        for one in std::mem::take(&mut self.out) {
            match one {
                Out::Send { control, to, bytes } => self.send(control, to, &bytes).await,
                Out::Tell(id, told) => {
                    let at = self.clock.now();
                    // An owner who has gone hears nothing.
                    let _ = self.happenings.send(Happening { at, id, told });
                }
            }
        }
    }

    async fn send(&mut self, control: bool, to: SocketAddr, bytes: &[u8]) {
        let above = self.sockets.rtcp.as_ref().filter(|_| control);
        let socket = above.unwrap_or(&self.sockets.rtp);
        let mut sent = socket.try_send_to(bytes, to);
        if sent.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            sent = socket.send_to(bytes, to).await;
        }
        if sent.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            // That was about a datagram before; this one has not been tried.
            let _ = socket.try_send_to(bytes, to);
            self.refusals();
        }
    }
}

/// Waits for a datagram at a socket, for ever if there is none.
async fn receive<D: Datagrams>(
    socket: Option<&D>,
    buffer: &mut [u8],
) -> io::Result<(usize, SocketAddr)> {
    match socket {
        Some(socket) => socket.recv_from(buffer).await,
        None => std::future::pending().await,
    }
}

fn lock(dropped: &Mutex<Dropped>) -> std::sync::MutexGuard<'_, Dropped> {
    // Counters are whole whoever panicked.
    dropped.lock().unwrap_or_else(PoisonError::into_inner)
}
