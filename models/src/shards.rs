//! A server in shards, as `presence-server` runs it: each message goes to the shard that its slot
//! names, and to no other. What one shard starts, all others know nothing of.

use crate::world::Serves;
use presently_engine::message::Message;
use presently_engine::server::{Command, Config, Event, Record, Tables};
use presently_engine::slot::Slot;
use presently_engine::{Input, Instant, Machine, Output};

/// Three shards of one server.
#[derive(Clone, Hash, Debug, Default)]
pub struct Sharded<S> {
    shards: [S; 3],
}

fn home(slot: Slot) -> usize {
    usize::from(slot.0) % 3
}

impl<S: Serves> Machine for Sharded<S> {
    type Config = Config;
    type Command = Command;
    type Event = Event;
    type Record = Record;

    fn handle(
        &mut self,
        config: &Config,
        now: Instant,
        input: Input<Command>,
        out: &mut Vec<Output<Record, Event>>,
    ) {
        let slot = match &input {
            Input::Packet { bytes, .. } => Message::parse(bytes.clone())
                .map_or_else(|_| Slot::default(), |it| Slot::route(&it)),
            Input::Message { message, .. } => Slot::route(message),
            Input::Command(Command::Decide { presentity, .. }) => Slot::of_aor(presentity),
            Input::Command(Command::Remove(aor)) => Slot::of_aor(aor),
            Input::Command(Command::Shutdown) | Input::Lost { .. } | Input::Tick => {
                for shard in &mut self.shards {
                    shard.handle(config, now, input.clone(), out);
                }
                return;
            }
        };
        self.shards[home(slot)].handle(config, now, input, out);
    }

    fn deadline(&self) -> Option<Instant> {
        self.shards.iter().filter_map(S::deadline).min()
    }
}

impl<S: Serves> Serves for Sharded<S> {
    fn recover(config: &Config, now: Instant, rows: Vec<Record>) -> Self {
        let mut parts: [Vec<Record>; 3] = Default::default();
        for row in rows {
            parts[home(Slot::of_aor(row.aor()))].push(row);
        }
        Self { shards: parts.map(|rows| S::recover(config, now, rows)) }
    }

    fn transactions(&self) -> usize {
        self.shards.iter().map(S::transactions).sum()
    }

    fn tables(&self, now: Instant) -> Tables {
        let mut all = Tables::default();
        for shard in &self.shards {
            let Tables { pit, pst, wt, wst } = shard.tables(now);
            all.pit.extend(pit);
            all.pst.extend(pst);
            all.wt.extend(wt);
            all.wst.extend(wst);
        }
        all
    }
}
