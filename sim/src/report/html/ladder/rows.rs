//! Which entry stands at which height.

use crate::record::{Entry, Fate, Record, What};
use presently::facts;
use presently_engine::message::Message;

/// From this on, a silence is drawn as one.
const SILENCE_MS: u64 = 1500;

/// An entry in the ladder.
pub(super) struct Row {
    pub(super) mark: usize,
    /// Its upper edge.
    pub(super) y: f64,
    /// How far below it the arrow is.
    pub(super) arrow: f64,
    /// Whether there are words under the arrow.
    pub(super) tall: bool,
    /// The time, if it differs from that of the row above.
    pub(super) time: Option<u64>,
    /// The silence before it.
    pub(super) idle_ms: Option<u64>,
}

/// All rows, in the order of the record.
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    pub(super) height: f64,
}

impl Rows {
    pub(super) fn of(record: &Record, marks: &[usize]) -> Self {
        let (mut rows, mut y) = (Vec::new(), 10.0);
        let mut before = None;
        for &mark in marks {
            let entry = &record.entries[mark];
            let at_ms = entry.at_ms;
            let idle_ms = before.map(|before| at_ms - before).filter(|idle| *idle >= SILENCE_MS);
            if idle_ms.is_some() {
                y += 24.0;
            }
            let (tall, height) = size(entry);
            let time = (before != Some(at_ms)).then_some(at_ms);
            rows.push(Row { mark, y, arrow: 18.0, tall, time, idle_ms });
            y += height;
            before = Some(at_ms);
        }
        Self { rows, height: y + 16.0 }
    }

    /// The upper edge of an entry's row; of the nearest one if it is not drawn.
    pub(super) fn y_of(&self, mark: usize) -> f64 {
        let index = self.rows.partition_point(|row| row.mark < mark);
        match self.rows.get(index) {
            Some(_) if mark == 0 => 0.0,
            Some(row) => row.y,
            None => self.height,
        }
    }
}

fn size(entry: &Entry) -> (bool, f64) {
    match &entry.what {
        What::Datagram { bytes, fate, .. } => {
            let plain = matches!(fate, Fate::Arrives { corrupted: false, copy: false, .. });
            let message = Message::parse(bytes.clone());
            let tall = !plain || message.is_ok_and(|message| !facts::of(&message).is_empty());
            (tall, if tall { 37.0 } else { 26.0 })
        }
        What::Told { .. } | What::Stream { .. } => (false, 20.0),
        What::Step(_) | What::Trouble { .. } => (false, 22.0),
    }
}

/// The last datagram of the same way that was sent later and arrived earlier, if there is one.
pub(super) fn is_overtaken(record: &Record, mark: usize, after_ms: u64) -> Option<usize> {
    let entry = &record.entries[mark];
    let What::Datagram { from, to, .. } = &entry.what else { return None };
    let arrival = entry.at_ms + after_ms;
    let later = record.entries.iter().enumerate().skip(mark + 1);
    let in_time = later.take_while(|(_, later)| later.at_ms < arrival);
    let overtaking = in_time.filter(|(_, later)| match &later.what {
        What::Datagram { from: a, to: b, fate: Fate::Arrives { after_ms, .. }, .. } => {
            a == from && b == to && later.at_ms + after_ms < arrival
        }
        What::Datagram { .. }
        | What::Told { .. }
        | What::Stream { .. }
        | What::Step(_)
        | What::Trouble { .. } => false,
    });
    overtaking.map(|(mark, _)| mark).last()
}
