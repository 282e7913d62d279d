//! The network of a run: mailboxes by address, and between them whatever the weather does.
//!
//! [`SimSocket`] is a [`Datagrams`] like the kernel's. Everything that can happen to a datagram on
//! its way is decided when it is sent, by chance that depends on the link and on how many
//! datagrams it has carried; so one fewer elsewhere changes nothing here.

use crate::chance::Chance;
use crate::plan::{Party, Weather};
use crate::record::{Fate, Recorder, What};
use bytes::Bytes;
use presently_net::Datagrams;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// How long a datagram that is to be overtaken is held back at most.
const HELD_BACK_MS: u64 = 400;

/// The network. Clones are the same network.
#[derive(Clone, Debug)]
pub struct Network {
    inner: Arc<Mutex<Inner>>,
    chance: Chance,
    recorder: Recorder,
    start: Instant,
}

#[derive(Debug, Default)]
struct Inner {
    weather: Weather,
    mailboxes: BTreeMap<SocketAddr, UnboundedSender<(Bytes, SocketAddr)>>,
    owners: BTreeMap<SocketAddr, Party>,
    /// Ways with a latency of their own, ms.
    ways: BTreeMap<(Party, Party), u64>,
    /// Directions that are cut, and how often.
    cuts: Vec<(Party, Party)>,
    links: BTreeMap<(SocketAddr, SocketAddr), Link>,
    /// Outside addresses by the inside address that they stand for.
    translations: BTreeMap<SocketAddr, SocketAddr>,
    next_outside_port: u16,
}

/// One direction between two addresses.
#[derive(Debug, Default)]
struct Link {
    carried: u64,
    /// When the last datagram that was not held back arrives, ms.
    latest_ms: u64,
}

impl Network {
    /// A network; call inside the run's runtime, whose clock is the time.
    pub fn new(weather: Weather, chance: Chance, recorder: Recorder) -> Self {
        let inner = Inner { weather, next_outside_port: 40_000, ..Inner::default() };
        Self { inner: Arc::new(Mutex::new(inner)), chance, recorder, start: Instant::now() }
    }

    /// Milliseconds since the start of the run.
    pub fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A socket of a party. An address that was bound before is taken over.
    pub fn bind(&self, party: &Party, address: SocketAddr) -> SimSocket {
        let (sender, mail) = unbounded_channel();
        let mut inner = self.lock();
        inner.mailboxes.insert(address, sender.clone());
        inner.owners.insert(address, party.clone());
        let mail = tokio::sync::Mutex::new(mail);
        SimSocket { network: self.clone(), address, mailbox: sender, mail }
    }

    /// Puts a translator before an inside address of a party; it takes another port each time.
    pub fn translate(&self, party: &Party, inside: SocketAddr) {
        let mut inner = self.lock();
        let port = inner.next_outside_port;
        inner.next_outside_port += 1;
        let outside = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)), port);
        inner.translations.insert(inside, outside);
        inner.owners.insert(outside, party.clone());
        self.recorder.address(party.clone(), outside);
    }

    /// Changes the weather.
    pub fn weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    /// From now on so many ms lie between two parties, whatever the weather says.
    pub fn lay(&self, one: &Party, other: &Party, latency_ms: u64) {
        let mut inner = self.lock();
        inner.ways.insert((one.clone(), other.clone()), latency_ms);
        inner.ways.insert((other.clone(), one.clone()), latency_ms);
    }

    /// Cuts the way from one party to another.
    pub fn cut(&self, from: &Party, to: &Party) {
        self.lock().cuts.push((from.clone(), to.clone()));
    }

    /// Mends every cut.
    pub fn mend(&self) {
        self.lock().cuts.clear();
    }

    /// Sends a datagram on its way. Called by sockets, and by whoever forges a sender.
    pub fn send(&self, inside: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let now = self.now_ms();
        let bytes = Bytes::copy_from_slice(bytes);
        let (from, copies) = {
            let mut inner = self.lock();
            let from = inner.translations.get(&inside).copied().unwrap_or(inside);
            (from, inner.fates(self.chance, now, from, to, bytes.len()))
        };
        for fate in copies {
            let mark = self.recorder.mark();
            self.recorder.add(now, What::Datagram { from, to, bytes: bytes.clone(), fate });
            if let Fate::Arrives { after_ms, corrupted, .. } = fate {
                let bytes = match corrupted {
                    true => corrupt(self.chance, &bytes, mark),
                    false => bytes.clone(),
                };
                let network = self.clone();
                let arrival = Instant::now() + Duration::from_millis(after_ms);
                tokio::spawn(async move {
                    tokio::time::sleep_until(arrival).await;
                    if !network.lock().deliver(from, to, bytes) {
                        network.recorder.amend(mark, Fate::NobodyThere);
                    }
                });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // One thread runs everything; a panic of it ends the run anyway.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The datagram with one byte changed, as it arrives; `mark` is its place in the record.
pub fn corrupt(chance: Chance, bytes: &Bytes, mark: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    if let Some(last) = bytes.len().checked_sub(1) {
        let place = chance.between(0, last as u64, "corrupted byte", mark);
        let flip = chance.between(1, 255, "corruption", mark);
        bytes[usize::try_from(place).unwrap_or(0)] ^= u8::try_from(flip).unwrap_or(1);
    }
    bytes.into()
}

impl Inner {
    /// What becomes of the next datagram of a link: one fate, or two if it is doubled.
    fn fates(
        &mut self,
        chance: Chance,
        now: u64,
        from: SocketAddr,
        to: SocketAddr,
        length: usize,
    ) -> Vec<Fate> {
        let Weather { latency_ms, jitter_ms, loss, duplicate, reorder, corrupt, mtu } =
            self.weather;
        let cut = self.is_cut(from, to);
        let latency_ms = self.way(from, to).unwrap_or(latency_ms);
        let link = self.links.entry((from, to)).or_default();
        link.carried += 1;
        let which = (from, to, link.carried);
        if cut {
            return vec![Fate::Cut];
        }
        if length > mtu {
            return vec![Fate::TooLarge];
        }
        if chance.happens(loss, "loss", which) {
            return vec![Fate::Lost];
        }
        let mut fate = |copy: bool| {
            let which = (which, copy);
            let mut arrival = now + latency_ms + chance.between(0, jitter_ms, "jitter", which);
            if chance.happens(reorder, "reorder", which) {
                arrival += chance.between(1, HELD_BACK_MS, "held back", which);
            } else {
                arrival = arrival.max(link.latest_ms);
                link.latest_ms = arrival;
            }
            let corrupted = chance.happens(corrupt, "corrupt", which);
            Fate::Arrives { after_ms: arrival - now, corrupted, copy }
        };
        let first = fate(false);
        if chance.happens(duplicate, "duplicate", which) {
            return vec![first, fate(true)];
        }
        vec![first]
    }

    /// The latency of a way of its own.
    fn way(&self, from: SocketAddr, to: SocketAddr) -> Option<u64> {
        if self.ways.is_empty() {
            return None;
        }
        let ends = (self.owners.get(&from)?.clone(), self.owners.get(&to)?.clone());
        self.ways.get(&ends).copied()
    }

    fn is_cut(&self, from: SocketAddr, to: SocketAddr) -> bool {
        let (from, to) = (self.owners.get(&from), self.owners.get(&to));
        self.cuts.iter().any(|(a, b)| Some(a) == from && Some(b) == to)
    }

    /// Puts a datagram into a mailbox; whether somebody has one there.
    fn deliver(&self, from: SocketAddr, to: SocketAddr, bytes: Bytes) -> bool {
        let translated = || {
            let known = self.translations.iter().find(|(_, outside)| **outside == to);
            known.map(|(inside, _)| *inside)
        };
        let outside_only = self.translations.contains_key(&to);
        let place = match self.mailboxes.contains_key(&to) {
            true if outside_only => None,
            true => Some(to),
            false => translated(),
        };
        let mailbox = place.and_then(|place| self.mailboxes.get(&place));
        mailbox.is_some_and(|mailbox| mailbox.send((bytes, from)).is_ok())
    }
}

/// A socket on the network. Its mail is gone when it is dropped.
#[derive(Debug)]
pub struct SimSocket {
    network: Network,
    address: SocketAddr,
    /// The other end, to know whether the address has been taken over.
    mailbox: UnboundedSender<(Bytes, SocketAddr)>,
    mail: tokio::sync::Mutex<UnboundedReceiver<(Bytes, SocketAddr)>>,
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        let mut inner = self.network.lock();
        let ours = inner.mailboxes.get(&self.address);
        if ours.is_some_and(|mailbox| mailbox.same_channel(&self.mailbox)) {
            inner.mailboxes.remove(&self.address);
        }
    }
}

impl Datagrams for SimSocket {
    async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let Some((bytes, from)) = self.mail.lock().await.recv().await else {
            return std::future::pending().await;
        };
        let length = bytes.len().min(buffer.len());
        buffer[..length].copy_from_slice(&bytes[..length]);
        Ok((length, from))
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.try_send_to(bytes, to)
    }

    fn try_send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.network.send(self.address, to, bytes);
        Ok(bytes.len())
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
