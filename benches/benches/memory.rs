//! What the server keeps alive for one binding, one subscription, one finished transaction: bytes
//! asked of the allocator and not yet given back, over many of a kind.
//!
//! It counts what was asked for, not what the allocator adds to it.

use bytes::Bytes;
use presently_benches::{DAWN, answers, config, packet, phone, request};
use presently_engine::server::{Config, Event, Record, Server};
use presently_engine::{Input, Instant, Machine, Output};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use std::net::SocketAddr;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MANY: usize = 10_000;
const END: &str = "Content-Length: 0\r\n\r\n";
type Out = Vec<Output<Record, Event>>;

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// A server and the time it has.
struct Scene {
    config: Config,
    server: Server,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        Self { config: config(), server: Server::default(), now: DAWN }
    }

    /// Hands requests in, and the answers to what the server sends because of them. Returns the
    /// average size of the server's own answers.
    fn play(&mut self, asks: impl Iterator<Item = (SocketAddr, Bytes)>) -> usize {
        let (mut count, mut octets) = (0, 0);
        for (from, ask) in asks {
            let mut out = Out::new();
            packet(&mut self.server, &self.config, self.now, from, ask, &mut out);
            for (from, answer) in answers(&out) {
                let mut more = Out::new();
                packet(&mut self.server, &self.config, self.now, from, answer, &mut more);
            }
            count += 1;
            octets += out.iter().map(answer_size).sum::<usize>();
        }
        octets / count
    }

    /// Lets every transaction end.
    fn rest(&mut self) {
        self.now = self.now + Duration::from_secs(60);
        self.server.handle(&self.config, self.now, Input::Tick, &mut Out::new());
    }
}

fn answer_size(output: &Output<Record, Event>) -> usize {
    match output {
        Output::Transmit { bytes, .. } if bytes.starts_with(b"SIP/2.0 ") => bytes.len(),
        Output::Transmit { .. } | Output::Record(_) | Output::Event(_) => 0,
    }
}

/// REGISTERs: phone `n` of account `n % accounts`.
fn registers(accounts: usize, cseq: u32) -> impl Iterator<Item = (SocketAddr, Bytes)> {
    (0..MANY).map(move |n| {
        let user = format!("u{}", n % accounts);
        let head = format!("Expires: 3600\r\n{END}");
        (phone(n), request("REGISTER", &format!("sip:{user}@example.org"), &user, n, cseq, &head))
    })
}

/// A binding, with an account of its own or as one of ten.
fn binding(accounts: usize) -> usize {
    let mut scene = Scene::new();
    let before = live();
    scene.play(registers(accounts, 1));
    scene.rest();
    (live() - before) / MANY
}

/// A subscription of one of ten watchers of a presentity, watcher row included.
fn subscription() -> usize {
    let mut scene = Scene::new();
    let before = live();
    scene.play((0..MANY).map(|n| {
        let target = format!("sip:p{}@example.org", n % (MANY / 10));
        let head = format!("Event: presence\r\nExpires: 3600\r\n{END}");
        (phone(n), request("SUBSCRIBE", &target, &format!("w{n}"), n, 1, &head))
    }));
    scene.rest();
    (live() - before) / MANY
}

/// A finished transaction beside its final answer: refreshes of bindings that exist.
fn transaction() -> usize {
    let mut scene = Scene::new();
    scene.play(registers(MANY, 1));
    scene.rest();
    let before = live();
    let answer = scene.play(registers(MANY, 2));
    (live() - before) / MANY - answer
}

fn main() {
    println!("\n| live memory | bytes | goal |");
    println!("| --- | --- | --- |");
    println!("| a binding and its account | {} | 500 |", binding(MANY));
    println!("| a binding, ten to an account | {} | 500 |", binding(MANY / 10));
    println!("| an active subscription | {} | 1000 |", subscription());
    println!("| a finished transaction beside its answer | {} | 200 |", transaction());
}
