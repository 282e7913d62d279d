//! What lasts: a process that is down, a way that is cut, rough weather, a disk that does not work.

use super::words;
use crate::plan::{Act, Party, Plan, Step, Weather};
use crate::record::{Record, What};

/// What is the matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Matter {
    /// The process does not run.
    Down,
    /// Somebody is not reached, or does not reach.
    Cut,
    /// The network does more than carry.
    Rough,
    /// The disk holds writes back or refuses them.
    Disk,
    /// The process stands still.
    Stalled,
}

impl Matter {
    /// As a class of the page's style.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Cut => "cut",
            Self::Rough => "rough",
            Self::Disk => "disk",
            Self::Stalled => "stalled",
        }
    }
}

/// Something that lasts from one moment to another.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Span {
    pub(super) matter: Matter,
    /// Whose matter; nobody is the network.
    pub(super) party: Option<Party>,
    pub(super) text: String,
    pub(super) from_ms: u64,
    pub(super) until_ms: u64,
    /// Places of the beginning and of the end in the record.
    pub(super) from_mark: usize,
    pub(super) until_mark: usize,
}

impl Span {
    fn stalls(&self) -> bool {
        self.matter == Matter::Stalled
    }
}

/// All spans, by their beginnings.
pub(super) fn of(plan: &Plan, record: &Record) -> Vec<Span> {
    let mut book = Book::default();
    for party in parties(plan) {
        if party != Party::Server {
            book.open((0, 0), Matter::Down, Some(party), "not started".to_owned());
        }
    }
    book.weather((0, 0), &plan.network);
    for (mark, entry) in record.entries.iter().enumerate() {
        if let What::Step(Step { act, .. }) = &entry.what {
            book.wake((entry.at_ms, mark), record);
            book.follow((entry.at_ms, mark), act);
        }
    }
    book.wake((record.ended_ms, record.entries.len()), record);
    // At the end of the timeline the network becomes as it should be.
    let mark = record.entries.partition_point(|entry| entry.at_ms < plan.duration_ms);
    let end = (plan.duration_ms, mark);
    book.close(end, |span| matches!(span.matter, Matter::Cut | Matter::Rough));
    book.close((record.ended_ms, record.entries.len()), |_| true);
    book.done.sort_by_key(|span| (span.from_mark, span.until_mark));
    book.done
}

/// Everybody in the plan: the server, then the devices in the plan's order.
pub(super) fn parties(plan: &Plan) -> Vec<Party> {
    let devices = plan.users.iter().flat_map(|user| user.device_names()).map(Party::Device);
    std::iter::once(Party::Server).chain(devices).collect()
}

type Moment = (u64, usize);

#[derive(Default)]
struct Book {
    open: Vec<Span>,
    done: Vec<Span>,
}

impl Book {
    fn follow(&mut self, now: Moment, act: &Act) {
        let text = super::step_text(act);
        match act {
            Act::Login(name) => self.up(now, &Party::Device(name.clone())),
            Act::Start(party) => self.up(now, party),
            Act::Crash(party) => {
                self.close(now, |span| span.stalls() && span.party.as_ref() == Some(party));
                self.open(now, Matter::Down, Some(party.clone()), text);
            }
            Act::Stall(party, ms) => {
                self.open(now, Matter::Stalled, Some(party.clone()), text);
                // What it is until then is known already; see `wake`.
                if let Some(span) = self.open.last_mut() {
                    span.until_ms = now.0 + ms;
                }
            }
            Act::Stop => self.open(now, Matter::Down, Some(Party::Server), text),
            Act::Cut { from, to, .. } => {
                let party = if *from == Party::Server { to } else { from };
                self.open(now, Matter::Cut, Some(party.clone()), text);
            }
            Act::Mend => self.close(now, |span| span.matter == Matter::Cut),
            Act::Weather(weather) => self.weather(now, weather),
            Act::HoldDisk(true) | Act::FailDisk(true) => {
                self.open(now, Matter::Disk, Some(Party::Server), text);
            }
            Act::HoldDisk(false) | Act::FailDisk(false) => {
                self.close(now, |span| span.matter == Matter::Disk);
            }
            Act::Order(..)
            | Act::ClockStep(..)
            | Act::Rebind(_)
            | Act::Replay(_)
            | Act::Flood(_) => {}
        }
    }

    /// Closes the stalls that are over by now, at their ends.
    fn wake(&mut self, now: Moment, record: &Record) {
        let over = |span: &Span| span.stalls() && span.until_ms <= now.0;
        let ends: Vec<u64> =
            self.open.iter().filter(|span| over(span)).map(|span| span.until_ms).collect();
        for end in ends {
            let mark = record.entries.partition_point(|entry| entry.at_ms < end);
            self.close((end, mark), |span| span.stalls() && span.until_ms == end);
        }
    }

    fn weather(&mut self, now: Moment, weather: &Weather) {
        self.close(now, |span| span.matter == Matter::Rough);
        if words::is_rough(weather) {
            self.open(now, Matter::Rough, None, words::sky(weather));
        }
    }

    fn up(&mut self, now: Moment, party: &Party) {
        self.close(now, |span| span.matter == Matter::Down && span.party.as_ref() == Some(party));
    }

    fn open(&mut self, now: Moment, matter: Matter, party: Option<Party>, text: String) {
        let (from_ms, from_mark) = now;
        self.open.push(Span {
            matter,
            party,
            text,
            from_ms,
            until_ms: from_ms,
            from_mark,
            until_mark: from_mark,
        });
    }

    fn close(&mut self, now: Moment, which: impl Fn(&Span) -> bool) {
        let (ended, open) = std::mem::take(&mut self.open).into_iter().partition(|s| which(s));
        self.open = open;
        let ended: Vec<Span> = ended;
        self.done.extend(ended.into_iter().map(|mut span| {
            (span.until_ms, span.until_mark) = now;
            span
        }));
    }
}
