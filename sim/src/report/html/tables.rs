//! The server's four tables over time, with a slider. What stands in a row is said once, however
//! long it stands there.

use super::super::words;
use super::text::put;
use crate::record::{Record, Snapshot};
use presently::facts::user_of;
use presently_engine::server::Tables;
use serde::Serialize;
use std::collections::BTreeMap;

const PIT: &[&str] = &["entity", "id", "status", "note", "contact", "media", "timestamp", "etag"];
const SUBSCRIPTIONS: &[&str] =
    &["target", "from", "state", "version", "cseq", "until s", "contact", "callid", "id"];
const WT: &[&str] = &["target", "watcher", "status", "event", "package", "id"];

/// What the page's script draws from.
#[derive(Serialize)]
struct Reel<'a> {
    tables: [Head<'a>; 4],
    rows: Vec<Vec<String>>,
    frames: Vec<Frame>,
}

#[derive(Serialize)]
struct Head<'a> {
    name: &'a str,
    about: &'a str,
    columns: &'a [&'a str],
}

/// One moment: the numbers of the rows of each table; none while the server is down.
#[derive(Serialize)]
struct Frame {
    at: String,
    tables: Option<[Vec<usize>; 4]>,
}

/// Draws the panel; nothing if nobody looked at the tables.
pub(super) fn draw(page: &mut String, record: &Record) -> serde_json::Result<()> {
    if record.tables.is_empty() {
        return Ok(());
    }
    let mut pool = BTreeMap::new();
    let frames = record.tables.iter().map(|snapshot| frame(snapshot, &mut pool)).collect();
    let mut rows: Vec<(usize, Vec<String>)> = pool.into_iter().map(|(row, n)| (n, row)).collect();
    rows.sort();
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    let head = |name, about, columns| Head { name, about, columns };
    let tables = [
        head("PIT", "presence information", PIT),
        head("PST", "presence subscriptions", SUBSCRIPTIONS),
        head("WT", "watchers", WT),
        head("WST", "watcher information subscriptions", SUBSCRIPTIONS),
    ];
    let reel = serde_json::to_string(&Reel { tables, rows, frames })?;
    let last = record.tables.len() - 1;
    put!(page, "<section id=\"tables\" class=\"text\">\n<h2>Tables of the server</h2>\n");
    put!(page, "<noscript><p class=\"hint\">The tables need scripts.</p></noscript>\n");
    put!(page, "<p class=\"slider\"><button>‹</button><input type=\"range\" min=\"0\" ");
    put!(page, "max=\"{last}\" value=\"{last}\"><button>›</button> <output></output></p>\n");
    put!(page, "<div class=\"frames\"></div>\n");
    put!(page, "<div id=\"reel\" hidden>{}</div>\n</section>\n", super::text::escape(&reel));
    Ok(())
}

fn frame(snapshot: &Snapshot, pool: &mut BTreeMap<Vec<String>, usize>) -> Frame {
    let mut number = |rows: Vec<Vec<String>>| -> Vec<usize> {
        let numbers = rows.into_iter().map(|row| {
            let next = pool.len();
            *pool.entry(row).or_insert(next)
        });
        numbers.collect()
    };
    let tables = snapshot.tables.as_ref().map(|tables| {
        let [pit, pst, wt, wst] = cells(tables, snapshot.at_ms);
        [number(pit), number(pst), number(wt), number(wst)]
    });
    Frame { at: words::seconds(snapshot.at_ms), tables }
}

/// The cells of PIT, PST, WT and WST, under the heads above.
fn cells(tables: &Tables, at_ms: u64) -> [Vec<Vec<String>>; 4] {
    let pit = tables.pit.iter().map(|row| {
        let media = match &*row.media {
            "" => String::new(),
            media => format!("{media} {} {} {}", row.port, row.codec, row.direct_mode),
        };
        let user = user_of(&row.entity).to_owned();
        let [id, status, note] = [&row.id, &row.status, &row.note].map(Clone::clone);
        let [contact, timestamp, etag] =
            [&row.contact, &row.timestamp, &row.etag].map(Clone::clone);
        vec![user, id, status, note, contact, media, timestamp, etag]
    });
    let subscriptions = |rows: &[presently_engine::server::SubscriptionTableRow]| {
        let rows = rows.iter().map(|row| {
            let until = at_ms.div_ceil(1000) + u64::from(row.remaining);
            vec![
                user_of(&row.target).to_owned(),
                user_of(&row.from).to_owned(),
                row.state.clone(),
                row.version.to_string(),
                row.cseq.to_string(),
                until.to_string(),
                row.contact.clone(),
                row.callid.clone(),
                row.sub_id.clone(),
            ]
        });
        rows.collect()
    };
    let wt = tables.wt.iter().map(|row| {
        let (target, watcher) = (user_of(&row.target), user_of(&row.watcher));
        let rest = [&row.status, &row.event, &row.package, &row.id];
        [target, watcher].into_iter().chain(rest.map(|cell| &**cell)).map(str::to_owned).collect()
    });
    [pit.collect(), subscriptions(&tables.pst), wt.collect(), subscriptions(&tables.wst)]
}
