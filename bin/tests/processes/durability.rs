//! R47: what was answered with 2xx survives `kill -9`.
//!
//! Households keep a server busy; it is killed at random moments and started again on the same
//! data. After every start each household looks for everything that was acknowledged to it. What
//! was on its way without an answer may have happened or not, and the household finds out which.

mod household;
mod ledger;

use crate::rig::{House, Server};
use household::Household;
use ledger::Ledger;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Everything may happen as often as a household likes.
const PLENTY: &str = "[limits]\nsubscribe_rate = 1000000\noffline_quota = 100000\n\
                      publications = 10000\nwaiting_per_watcher = 100\n";

const HOUSEHOLDS: u32 = 4;

/// Numbers that look random and are the same for the same seed (xorshift64*).
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

/// What households know about the server: it is up in even eras and down in odd ones.
#[derive(Default)]
pub(crate) struct Eras {
    now: AtomicU32,
    door: Mutex<()>,
    opened: Condvar,
}

/// The era after which nobody goes on.
const OVER: u32 = u32::MAX;

impl Eras {
    pub(crate) fn now(&self) -> u32 {
        self.now.load(Ordering::SeqCst)
    }

    fn begin(&self, era: u32) {
        let _door = self.door.lock().expect("no household panics with the door in its hand");
        self.now.store(era, Ordering::SeqCst);
        self.opened.notify_all();
    }

    /// Waits for an era after `era` in which the server is up, or for the end.
    fn next(&self, era: u32) -> u32 {
        let mut door = self.door.lock().expect("no household panics with the door in its hand");
        loop {
            let now = self.now();
            if now == OVER || (now > era && now.is_multiple_of(2)) {
                return now;
            }
            door = self.opened.wait(door).expect("no household panics with the door in its hand");
        }
    }
}

/// One household's life: load until the server is killed, look for everything after each start.
fn live(mut household: Household, eras: &Eras, looked: &Sender<()>) -> Ledger {
    let mut era = eras.now();
    household.move_in();
    looked.send(()).expect("the test waits");
    loop {
        while eras.now() == era {
            household.act(&|| eras.now() != era);
        }
        era = eras.next(era);
        if era == OVER {
            household.converge();
            return household.into_ledger();
        }
        household.look();
        looked.send(()).expect("the test waits");
    }
}

/// Kills and restarts the server this often, with all households at home.
fn storm(kills: u32, seed: u64) -> Ledger {
    let mut house = House::new(PLENTY);
    let mut server = house.open();
    let eras = Arc::new(Eras::default());
    let (looked, all) = mpsc::channel();
    let homes: Vec<_> = (0..HOUSEHOLDS)
        .map(|number| {
            let dice = Dice::new(seed ^ u64::from(number + 1) << 32);
            let household = Household::new(number, server.address, dice);
            let (eras, looked) = (eras.clone(), looked.clone());
            std::thread::spawn(move || live(household, &eras, &looked))
        })
        .collect();
    drop(looked);
    everybody(&all);
    let mut dice = Dice::new(seed);
    for kill in 0..kills {
        let load = Duration::from_millis(60 + dice.below(300));
        assert_eq!(all.recv_timeout(load), Err(RecvTimeoutError::Timeout));
        server = restart(server, &mut house, &eras, kill);
        everybody(&all);
    }
    eras.begin(OVER);
    let ledgers = homes.into_iter().map(|home| home.join().expect("a household ends well"));
    let whole = ledgers.fold(Ledger::default(), Ledger::with);
    drop(server);
    whole
}

fn restart(server: Server, house: &mut House, eras: &Eras, kill: u32) -> Server {
    server.kill();
    eras.begin(2 * kill + 1);
    let server = house.open();
    eras.begin(2 * kill + 2);
    server
}

/// Waits until every household has looked for what is its own.
fn everybody(all: &Receiver<()>) {
    for _ in 0..HOUSEHOLDS {
        all.recv_timeout(2 * crate::rig::PATIENCE).expect("every household finds out in time");
    }
}

fn survive(kills: u32, seed: u64) {
    let began = Instant::now();
    let ledger = storm(kills, seed);
    // Not captured: this is what the test is for.
    let _ = writeln!(
        std::io::stderr(),
        "durability: seed {seed}, {kills} kills in {:.1} s: {ledger}",
        began.elapsed().as_secs_f64()
    );
    assert!(ledger.losses.is_empty(), "seed {seed}: {:#?}", ledger.losses);
    assert!(ledger.acknowledged() > u64::from(kills) * 10, "hardly any load: {ledger}");
}

/// Fifty kills. `DURABILITY_SEED` and `DURABILITY_KILLS` choose another storm.
#[test]
fn what_was_acknowledged_survives_fifty_kills() {
    let number =
        |name, usual| std::env::var(name).map_or(usual, |text| text.parse().expect("a number"));
    let kills = number("DURABILITY_KILLS", 50);
    survive(u32::try_from(kills).expect("a small number"), number("DURABILITY_SEED", 47));
}
