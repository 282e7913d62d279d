//! What the server does with its inputs, stores and sends; its crashes.

use super::{Content, Letter, Prompt, SERVER, Said, Serves, Sight, Step, Village, notes};
use crate::ghost::{
    Deed, Origin, Rows, born, comes_home, decided, ended, moves, registered, same_tables,
    stored_at_home,
};
use crate::print::{Held, print};
use crate::recall::{Made, ServerTurn};
use crate::world::World;
use presently_engine::message::{Message, Method, Response};
use presently_engine::server::{Event, Record, Tables};
use presently_engine::{Input, Instant, Output, Peer};
use std::sync::Arc;

/// What an input did, as seen from outside.
struct Done {
    /// Whether it was dealt with now; a copy only gets its old answer.
    fresh: bool,
    /// Whether a proven user's request was answered.
    executed: bool,
    /// Whether anybody but the sender was written to.
    others: bool,
    answer: Option<Response>,
}

impl<S: Serves> Village<S> {
    /// The server, one input: a letter, or nothing but the time.
    fn server_turn(&self, world: &World<S>, letter: Option<&Letter>) -> Arc<ServerTurn<S>> {
        let server = &world.server;
        let origin = letter.map(|letter| letter.print);
        let key = print(&(server.key(), world.boot, origin), Instant::default());
        self.memory.server.get(key, || {
            let (config, now) = (self.config(world.boot), server.at());
            let message = letter.and_then(|letter| Some((letter.from, letter.message()?)));
            let input = message.map_or(Input::Tick, |(from, message)| Input::Message {
                from: Peer::new(from),
                message: message.clone(),
            });
            let mut out = Vec::new();
            let mut after = server.clone();
            after.change(|server| server.handle(config, now, input, &mut out));
            let tables = Arc::new(after.get().tables(now));
            let answered = |it: &Output<Record, Event>| {
                matches!(it, Output::Event(Event::Answered { .. } | Event::Refused { .. }))
            };
            let proven = out.iter().find_map(|output| match output {
                Output::Event(Event::Answered { user: Some(user), .. }) => Some(user.clone()),
                _ => None,
            });
            let stores = out.iter().any(|output| matches!(output, Output::Record(_)));
            ServerTurn {
                moves: moves(&server.get().tables(now), &tables),
                fresh: out.iter().any(answered),
                executed: stores || proven.is_some(),
                proven,
                made: out.into_iter().map(made).collect(),
                tables,
                after,
            }
        })
    }

    /// Rows after one more put or delete.
    fn folded(&self, rows: &Held<Rows>, record: &Record, name: u64) -> Held<Rows> {
        let key = print(&(rows.key(), name), Instant::default());
        let after = self.memory.rows.get(key, || {
            let mut rows = rows.clone();
            rows.change(|rows| {
                if record.value().is_some() {
                    rows.insert(record.key(), record.clone());
                } else {
                    rows.remove(&record.key());
                }
            });
            rows
        });
        (*after).clone()
    }

    /// Whether a server made from the stored rows is the living one.
    pub(crate) fn recovers(&self, world: &World<S>) -> bool {
        let key = (world.server.key(), world.rows.key(), world.boot);
        let key = print(&key, Instant::default());
        *self.memory.recovers.get(key, || {
            let (config, now) = (self.config(world.boot), world.server.at());
            let rows: Vec<Record> = world.rows.get().values().cloned().collect();
            let again = S::recover(config, now, rows);
            same_tables(&world.server.get().tables(now), &again.tables(now))
        })
    }
}

fn made(output: Output<Record, Event>) -> Made {
    match output {
        Output::Record(record) => {
            let name = print(&record, Instant::default());
            let says = crate::drawing::record(&record).into();
            Made::Record(Box::new(record), name, says)
        }
        Output::Transmit { to, bytes } => Made::Letter(Letter::new(SERVER, to.addr, bytes)),
        Output::Event(_) => Made::Event,
    }
}

impl<S: Serves> Step<'_, S> {
    /// The server gets a letter; what it does with it is judged.
    pub(super) fn at_server(&mut self, letter: &Letter, origin: Origin) {
        if letter.facts.status > 0 {
            self.world.ghost.notify_answered(letter);
        }
        let (server, rows) = (self.world.server.print(), self.world.rows.clone());
        self.cause = Some(Prompt { call: letter.facts.call, status: letter.facts.status });
        let done = self.tell_server(Some((letter, origin)));
        self.cause = None;
        let Some(request) = letter.request() else { return };
        let village = self.village;
        let mut notes = notes(village, &mut self.world.broken);
        let absorbed = server == self.world.server.print();
        notes.saw(Sight::CopyAbsorbed, absorbed && !done.fresh);
        let deed = Deed {
            request,
            origin,
            boot: self.world.boot,
            before: rows.get(),
            after: self.world.rows.get(),
            answer: done.answer.as_ref().filter(|_| done.fresh),
            executed: done.executed,
            forgets: village.plan.replay_records.is_some(),
            effect: rows.print() != self.world.rows.print() || done.others,
        };
        self.world.ghost.dealt(&mut notes, &deed);
        if request.method() == Method::Register && done.fresh {
            registered(&mut notes, rows.get(), self.world.rows.get(), deed.answer);
        }
        if done.fresh && done.executed {
            self.world.ghost.executed(&mut notes, letter, self.world.now);
        }
        let gone = done.answer.as_ref().is_some_and(|answer| answer.status() == 481);
        notes.saw(Sight::Lost481, gone && request.method() == Method::Subscribe);
    }

    /// The server handles an input; its outputs are carried out in order, until a crash if one is
    /// to come.
    pub(super) fn tell_server_tick(&mut self) {
        self.tell_server(None);
    }

    fn tell_server(&mut self, cause: Option<(&Letter, Origin)>) -> Done {
        let village = self.village;
        let letter = cause.map(|(letter, _)| letter);
        let turn = village.server_turn(&self.world, letter);
        let before = std::mem::replace(&mut self.world.tables, Arc::clone(&turn.tables));
        self.world.server = turn.after.clone();
        let mut done =
            Done { fresh: turn.fresh, executed: turn.executed, others: false, answer: None };
        self.world.ghost.rows_touched(&notes(village, &mut self.world.broken), &turn.moves);
        // A crash before the first row is stored does not take back what left before it.
        let first = turn.made.iter().position(|made| matches!(made, Made::Record(..)));
        for (place, made) in turn.made.iter().enumerate() {
            let left = first.is_some_and(|first| place < first);
            match made {
                Made::Record(record, name, says) => {
                    if self.fuse == Some(0) {
                        return done;
                    }
                    if let Some((letter, origin)) = cause {
                        let mut notes = notes(village, &mut self.world.broken);
                        let proven = turn.proven.as_ref().filter(|_| origin != Origin::Forged);
                        born(&mut notes, letter, proven, record);
                        stored_at_home(&mut notes, letter, record);
                    }
                    self.world.said.push(Said::Stored(Arc::clone(says)));
                    self.store(&before, record, *name);
                    self.fuse = self.fuse.map(|left| left - 1);
                }
                Made::Letter(_) if self.fuse == Some(0) && !left => return done,
                Made::Letter(sent) => self.server_sends(&mut done, letter, sent),
                Made::Event => self.spoken = true,
            }
        }
        let by_subscribe = letter.is_some_and(|letter| letter.asks(Method::Subscribe));
        let mut notes = notes(village, &mut self.world.broken);
        self.world.ghost.watchers_moved(&mut notes, &turn.moves, by_subscribe);
        done
    }

    fn store(&mut self, before: &Tables, record: &Record, name: u64) {
        self.spoken = true;
        let mut notes = notes(self.village, &mut self.world.broken);
        decided(&mut notes, before, &self.world.tables, record);
        ended(&notes, self.world.rows.get(), record);
        if self.cause.is_none() {
            let rows = self.world.rows.get();
            self.world.ghost.ran_out(&mut notes, self.world.now, rows, record);
        }
        notes.saw(Sight::Stored, matches!(record, Record::Kept(..)));
        notes.saw(Sight::Withdrawn, matches!(record, Record::Withdrawn(..)));
        self.world.rows = self.village.folded(&self.world.rows, record, name);
    }

    fn server_sends(&mut self, done: &mut Done, cause: Option<&Letter>, letter: &Arc<Letter>) {
        let mut notes = notes(self.village, &mut self.world.broken);
        comes_home(&mut notes, letter, cause);
        let rows = self.world.rows.get();
        match &letter.content {
            Content::Sip(Message::Request(_)) => {
                done.others = true;
                if letter.asks(Method::Notify) {
                    self.world.ghost.notified(&mut notes, self.world.now, rows, letter);
                }
            }
            Content::Sip(Message::Response(response)) => {
                done.others |= cause.is_none_or(|cause| cause.from != letter.to);
                if let (true, Some(request)) = (done.fresh, cause) {
                    self.world.ghost.answered(&mut notes, rows, request, letter);
                }
                done.answer = Some(response.clone());
            }
            Content::Media(_) => {}
        }
        self.post(letter);
    }

    /// The server crashes while it deals with a letter.
    pub(super) fn crash_in(&mut self, print: u64, after: u8) -> Option<()> {
        self.world.left.crashes -= 1;
        let letter = self.world.wire.take(print)?;
        self.fuse = Some(after);
        self.at_server(&letter, Origin::Genuine);
        // With fewer rows this is the same as a crash afterwards.
        (self.fuse.take() == Some(0)).then_some(())?;
        self.restart();
        Some(())
    }

    pub(super) fn restart(&mut self) {
        self.world.boot += 1;
        self.spoken = true;
        let (village, now) = (self.village, self.world.now);
        let values = self.world.rows.get().values().filter_map(Record::value);
        let read =
            |row: Vec<u8>| Record::decode(&row).expect("rows read back as they were written");
        let rows = values.map(read).collect();
        let config = village.config(self.world.boot);
        self.world.server = Held::new(S::recover(config, now, rows), now);
        self.world.tables = Arc::new(self.world.server.get().tables(now));
        self.world.ghost.restarted();
        village.album.note(Sight::Restarted);
    }
}
