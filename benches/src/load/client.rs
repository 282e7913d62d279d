//! All users at once, as a value without sockets and without a clock: told what to do, handed what
//! came and what time it is, it says what to send and what became of what it was told.
//!
//! An operation is one request of a user until its final answer, and where a subscription is
//! concerned until the NOTIFY that has to follow (RFC 6665 §4.2.1.2). A challenge is met within the
//! operation, and a request without an answer is sent again.

mod arrivals;
mod requests;

use super::Nanos;
use super::crowd::{Dialog, House, Package, User};
use super::tally::Tally;
use super::timers::{PATIENCE, T1, Timers};
use super::wire::Branch;

/// What somebody is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    /// REGISTER our socket.
    Register { user: u32 },
    /// REGISTER with Expires: 0.
    Unregister { user: u32 },
    /// SUBSCRIBE, for the first time or again.
    Subscribe { dialog: u32 },
    /// SUBSCRIBE with Expires: 0.
    End { dialog: u32 },
    /// PUBLISH something new.
    Publish { user: u32 },
    /// PUBLISH with Expires: 0.
    Unpublish { user: u32 },
    /// MESSAGE to somebody else.
    Message { from: u32, to: u32 },
    /// A datagram for a bare echo.
    Echo { size: u32, answer: u32 },
}

/// What became of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) deed: Deed,
    pub(crate) end: End,
    /// When it ended.
    pub(crate) at: Nanos,
    /// How long that was after it was due.
    pub(crate) time: Nanos,
}

/// How an operation ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Done,
    /// Another final answer; whether it said when to come back (RFC 3261 §21.5.4).
    Refused {
        status: u16,
        retry_after: bool,
    },
    /// No final answer, or no NOTIFY, until Timer F.
    TimedOut,
}

/// A NOTIFY that had not come before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    pub(crate) dialog: u32,
    pub(crate) at: Nanos,
    /// The number in its body, if [`Client::look`] asks for one.
    pub(crate) number: Option<u32>,
}

/// What is looked for in the body of a NOTIFY.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Look {
    Nowhere,
    /// The number of a publication of ours.
    AtPublication,
    /// The version of a watcherinfo document (RFC 3858 §4.1).
    AtVersion,
}

/// Somebody doing something.
struct Operation {
    deed: Deed,
    /// The transaction that is out now.
    serial: u32,
    due: Nanos,
    begun: Nanos,
    /// The request, as it is sent again.
    bytes: Vec<u8>,
    stage: Stage,
    /// How often credentials were asked for.
    challenges: u8,
    /// Of a MESSAGE: whether it has arrived.
    is_delivered: bool,
}

impl Operation {
    /// `bytes` is room from an earlier operation.
    fn new(now: Nanos, due: Nanos, deed: Deed, bytes: Vec<u8>) -> Self {
        let waits = matches!(deed, Deed::Subscribe { .. } | Deed::End { .. });
        let stage =
            Stage { is_answered: false, is_notified: !waits, is_proceeding: false, is_over: false };
        let (serial, challenges, is_delivered) = (0, 0, false);
        Self { deed, serial, due, begun: now, bytes, stage, challenges, is_delivered }
    }
}

/// How far an operation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stage {
    is_answered: bool,
    is_notified: bool,
    /// A provisional answer came: the server has it, and need not be asked every second.
    is_proceeding: bool,
    /// Over: the entry is free.
    is_over: bool,
}

/// All users.
pub(crate) struct Client {
    pub(crate) house: House,
    pub(crate) users: Vec<User>,
    pub(crate) dialogs: Vec<Dialog>,
    pub(crate) tally: Tally,
    pub(crate) look: Look,
    /// What to send, in order.
    pub(crate) out: Outbox,
    /// What ended, in order; whoever drives takes it.
    pub(crate) outcomes: Vec<Outcome>,
    /// What we were told, in order; whoever drives takes it.
    pub(crate) notices: Vec<Notice>,
    operations: Vec<Operation>,
    free: Vec<u32>,
    serial: u32,
    timers: Timers,
}

impl Client {
    pub(crate) fn new(house: House) -> Self {
        Self {
            // Branches and Call-IDs of MESSAGEs come from it: those of an earlier run must not
            // be seen again by the same server.
            serial: house.run.rotate_left(16),
            house,
            users: Vec::new(),
            dialogs: Vec::new(),
            tally: Tally::default(),
            look: Look::Nowhere,
            out: Outbox::default(),
            outcomes: Vec::new(),
            notices: Vec::new(),
            operations: Vec::new(),
            free: Vec::new(),
            timers: Timers::default(),
        }
    }

    /// How many operations are under way.
    pub(crate) fn outstanding(&self) -> usize {
        self.operations.len() - self.free.len()
    }

    /// Adds a subscription that nobody has asked for yet, and gives its number.
    pub(crate) fn dialog(&mut self, watcher: u32, presentity: u32, package: Package) -> u32 {
        self.dialogs.push(Dialog::new(watcher, presentity, package));
        self.dialogs.len() as u32 - 1
    }

    /// The user with this number, who exists from now on.
    pub(crate) fn user(&mut self, number: u32) -> &mut User {
        let number = number as usize;
        if number >= self.users.len() {
            self.users.resize_with(number + 1, User::default);
        }
        &mut self.users[number]
    }

    /// Begins what was due at `due`.
    pub(crate) fn begin(&mut self, now: Nanos, due: Nanos, deed: Deed) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.operations.push(Operation::new(now, due, deed, Vec::new()));
            self.operations.len() as u32 - 1
        });
        let entry = &mut self.operations[index as usize];
        let bytes = std::mem::take(&mut entry.bytes);
        *entry = Operation::new(now, due, deed, bytes);
        if let Deed::Subscribe { dialog } | Deed::End { dialog } = deed {
            self.dialogs[dialog as usize].operation = Some(index);
        }
        if self.house.forgets_nonces
            && let Some(user) = self.actor(deed)
        {
            self.user(user).login = None;
        }
        self.send(now, index);
    }

    /// Who does it, where somebody must prove who he is.
    fn actor(&self, deed: Deed) -> Option<u32> {
        match deed {
            Deed::Register { user }
            | Deed::Unregister { user }
            | Deed::Publish { user }
            | Deed::Unpublish { user } => Some(user),
            Deed::Message { from, .. } => Some(from),
            Deed::Subscribe { dialog } | Deed::End { dialog } => {
                Some(self.dialogs[dialog as usize].watcher)
            }
            Deed::Echo { .. } => None,
        }
    }

    /// Sends the request of an operation as a new transaction.
    fn send(&mut self, now: Nanos, index: u32) {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let operation = &mut self.operations[index as usize];
        operation.serial = serial;
        let (deed, mut bytes) = (operation.deed, std::mem::take(&mut operation.bytes));
        bytes.clear();
        self.write(deed, Branch { operation: index, serial }, &mut bytes);
        self.out.add(&bytes);
        self.operations[index as usize].bytes = bytes;
        self.tally.sent.requests += 1;
        self.timers.wait(now, index, serial, 0);
    }

    /// When [`Client::tick`] has something to do.
    pub(crate) fn next_tick(&self) -> Option<Nanos> {
        self.timers.next()
    }

    /// Sends again what has waited for long, and gives up what has waited for too long.
    pub(crate) fn tick(&mut self, now: Nanos) {
        while let Some(wait) = self.timers.due(now) {
            let operation = &self.operations[wait.operation as usize];
            if operation.serial != wait.serial || operation.stage.is_over {
                continue;
            }
            // The last Timer E comes 500 ms before Timer F: nothing sent then could be answered.
            if now - operation.begun + T1 >= PATIENCE {
                self.tally.timeouts += 1;
                self.end(now, wait.operation, End::TimedOut);
                continue;
            }
            let stage = operation.stage;
            if !stage.is_answered && !stage.is_proceeding {
                self.out.add(&operation.bytes);
                self.tally.sent.retransmissions += 1;
            }
            self.timers.wait(now, wait.operation, wait.serial, wait.again + 1);
        }
    }

    /// Ends an operation if nothing is missing any more.
    fn settle(&mut self, now: Nanos, index: u32) {
        let stage = self.operations[index as usize].stage;
        if stage.is_answered && stage.is_notified {
            self.end(now, index, End::Done);
        }
    }

    fn end(&mut self, now: Nanos, index: u32, end: End) {
        let operation = &mut self.operations[index as usize];
        operation.stage.is_over = true;
        let (deed, time) = (operation.deed, now.saturating_sub(operation.due));
        self.free.push(index);
        if let Deed::Subscribe { dialog } | Deed::End { dialog } = deed {
            self.dialogs[dialog as usize].operation = None;
        }
        if let (Deed::End { dialog }, End::Done) = (deed, end) {
            self.dialogs[dialog as usize].remote = None;
        }
        match end {
            End::Done => {
                self.tally.done += 1;
                self.tally.times.add(time);
            }
            End::Refused { status, .. } => {
                self.tally.surprise(super::tally::Surprise::Status(status));
            }
            End::TimedOut => {}
        }
        self.outcomes.push(Outcome { deed, end, at: now, time });
    }

    /// The operation whose transaction this is, unless it has ended.
    fn find(&self, branch: Branch) -> Option<&Operation> {
        let operation = self.operations.get(branch.operation as usize)?;
        let is_it = operation.serial == branch.serial && !operation.stage.is_over;
        is_it.then_some(operation)
    }
}

/// Datagrams to send, one behind the other in one buffer.
#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// How many have left.
    gone: usize,
}

impl Outbox {
    fn add(&mut self, datagram: &[u8]) {
        self.bytes.extend_from_slice(datagram);
        self.ends.push(self.bytes.len());
    }

    /// Begins a datagram; [`Outbox::close`] ends it.
    fn open(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    fn close(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// What still has to leave.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &[u8]> {
        (self.gone..self.ends.len()).map(|place| {
            let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.bytes[start..self.ends[place]]
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.gone == self.ends.len()
    }

    /// So many have left.
    pub(crate) fn leave(&mut self, count: usize) {
        self.gone += count;
        if self.is_empty() {
            self.bytes.clear();
            self.ends.clear();
            self.gone = 0;
        }
    }
}
