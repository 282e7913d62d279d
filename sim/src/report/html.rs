//! The page: one file, nothing from elsewhere, readable without scripts; with them a message opens
//! beside the ladder.

mod choice;
mod ladder;
mod overview;
mod tables;
mod text;

use super::{line, spans, words};
use crate::judge::Verdict;
use crate::plan::{DeviceName, Party, Plan};
use crate::record::{Entry, Fate, Record, What};
use choice::Choice;
use std::io;
use text::{escape, put};

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// The last messages that are shown with a failed expectation.
const MESSAGES: usize = 8;

/// The whole page.
pub(super) fn page(plan: &Plan, record: &Record, verdicts: &[Verdict]) -> io::Result<String> {
    let spans = spans::of(plan, record);
    let choice = Choice::of(plan, record, verdicts);
    let mut page = String::new();
    let failed = verdicts.iter().filter(|verdict| !verdict.held).count();
    let title = escape(&plan.title);
    put!(page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put!(page, "<meta name=\"viewport\" content=\"width=device-width\">\n");
    put!(page, "<title>{} {title}</title>\n", if failed == 0 { "✓" } else { "✗" });
    put!(page, "<style>\n{STYLE}</style>\n</head>\n<body>\n");
    head(&mut page, plan, record, verdicts);
    expectations(&mut page, record, verdicts);
    overview::draw(&mut page, plan, record, verdicts, (&choice, &spans));
    put!(page, "<section id=\"ladder\">\n<div class=\"text\"><h2>Ladder</h2>\n");
    hint(&mut page, record, &choice);
    put!(page, "</div>\n");
    ladder::draw(&mut page, record, &choice, &spans);
    put!(page, "</section>\n");
    tables::draw(&mut page, record)?;
    devices(&mut page, record, &choice);
    messages(&mut page, plan, record, &choice);
    put!(page, "<aside id=\"panel\" hidden></aside>\n<script>\n{SCRIPT}</script>\n");
    put!(page, "</body>\n</html>\n");
    Ok(page)
}

fn head(page: &mut String, plan: &Plan, record: &Record, verdicts: &[Verdict]) {
    let held = verdicts.iter().filter(|verdict| verdict.held).count();
    let (class, word) = match (held == verdicts.len(), verdicts.is_empty()) {
        (_, true) => ("none", "nothing was expected".to_owned()),
        (true, _) => ("held", format!("all {held} expectations held")),
        (false, _) => ("fell", format!("{} of {} fell", verdicts.len() - held, verdicts.len())),
    };
    put!(page, "<header class=\"{class}\">\n<p class=\"brand\">presence-sim</p>\n");
    put!(page, "<h1>{}</h1>\n<p class=\"badge\">{word}</p>\n", escape(&plan.title));
    if !plan.story.trim().is_empty() {
        put!(page, "<p class=\"story\">{}</p>\n", escape(plan.story.trim()));
    }
    put!(page, "<dl>\n");
    let devices = plan.users.iter().map(|user| user.devices.len().max(1)).sum::<usize>();
    fact(page, "users", plan.users.len());
    if devices != plan.users.len() {
        fact(page, "devices", devices);
    }
    fact(page, "timeline", format!("{} s", words::seconds(plan.duration_ms)));
    fact(page, "quiet at", format!("{} s", words::seconds(record.ended_ms)));
    fact(page, "network", words::sky(&plan.network));
    let mut fates = [0_usize; 5];
    for entry in &record.entries {
        if let What::Datagram { fate, .. } = &entry.what {
            for (count, counts) in fates.iter_mut().zip(counted(*fate)) {
                *count += usize::from(counts);
            }
        }
    }
    for (count, name) in fates.into_iter().zip(["datagrams", "lost", "cut", "copies", "corrupted"])
    {
        if count > 0 || name == "datagrams" {
            fact(page, name, count);
        }
    }
    fact(page, "seed", plan.seed);
    fact(page, "hash", format!("{:016x}", record.hash()));
    put!(page, "</dl>\n</header>\n");
}

/// Which counters a fate counts for: all, lost, cut, copies, corrupted.
fn counted(fate: Fate) -> [bool; 5] {
    match fate {
        Fate::Arrives { corrupted, copy, .. } => [true, false, false, copy, corrupted],
        Fate::Cut => [true, false, true, false, false],
        Fate::Lost | Fate::TooLarge | Fate::NobodyThere => [true, true, false, false, false],
    }
}

fn fact(page: &mut String, name: &str, value: impl std::fmt::Display) {
    put!(page, "<div><dt>{name}</dt><dd>{}</dd></div>\n", escape(&value.to_string()));
}

fn expectations(page: &mut String, record: &Record, verdicts: &[Verdict]) {
    if verdicts.is_empty() {
        return;
    }
    put!(page, "<section id=\"verdicts\" class=\"text\">\n<h2>Expectations</h2>\n<ol>\n");
    for verdict in verdicts {
        let class = if verdict.held { "held" } else { "fell" };
        let text = escape(&verdict.expectation.text);
        let outcome = escape(&super::outcome(verdict));
        put!(page, "<li class=\"{class}\"><b>{text}</b> <span>{outcome}</span>");
        if !verdict.held {
            let lines = super::last_messages(verdict, record, MESSAGES);
            put!(page, "<pre>{}</pre>", escape(&lines.join("\n")));
        }
        put!(page, "</li>\n");
    }
    put!(page, "</ol>\n</section>\n");
}

fn hint(page: &mut String, record: &Record, choice: &Choice) {
    put!(
        page,
        "<p class=\"hint\">Select an arrow to read the message, a name to see only what concerns it. \
         <span class=\"key\"><i class=\"request\"></i>request <i class=\"success\"></i>success \
         <i class=\"refusal\"></i>challenge or refusal <i class=\"bad\"></i>did not arrive \
         <i class=\"copy\"></i>second copy</span></p>\n"
    );
    let (all, drawn) = (record.entries.len(), choice.marks.len());
    if drawn < all {
        put!(page, "<p class=\"hint\">{drawn} of {all} entries are drawn");
        if !choice.others.is_empty() {
            put!(page, ", for {} of the devices", choice.devices.len());
        }
        put!(page, "; all are in <code>trace.jsonl</code>.</p>\n");
    }
}

/// What each device showed its user, over time.
fn devices(page: &mut String, record: &Record, choice: &Choice) {
    put!(page, "<section id=\"devices\" class=\"text\">\n<h2>What the users were told</h2>\n");
    cards(page, record, &choice.devices);
    if !choice.others.is_empty() {
        put!(page, "<details><summary>{} others</summary>\n", choice.others.len());
        cards(page, record, &choice.others);
        put!(page, "</details>\n");
    }
    put!(page, "</section>\n");
}

fn cards(page: &mut String, record: &Record, devices: &[Party]) {
    const MOST: usize = 400;
    put!(page, "<div class=\"cards\">\n");
    for party in devices {
        put!(page, "<article><h3>{}</h3>\n<ol>\n", escape(&party.to_string()));
        let theirs = |device: &DeviceName| matches!(party, Party::Device(name) if name == device);
        let told: Vec<_> = record.told().filter(|(_, whose, _)| theirs(whose)).collect();
        for (at, _, event) in told.iter().take(MOST) {
            let text = escape(&words::told(event));
            put!(page, "<li><time>{}</time> {text}</li>\n", words::seconds(*at));
        }
        put!(page, "</ol>\n");
        let more = told.len().saturating_sub(MOST);
        if more > 0 {
            put!(page, "<p>and {more} more, in <code>trace.jsonl</code></p>\n");
        }
        put!(page, "</article>\n");
    }
    put!(page, "</div>\n");
}

/// Every drawn message with its text, to be opened.
fn messages(page: &mut String, plan: &Plan, record: &Record, choice: &Choice) {
    put!(page, "<section id=\"messages\" class=\"text\">\n<h2>Messages</h2>\n");
    for &mark in &choice.marks {
        let entry = &record.entries[mark];
        let Some(line) = line::line(entry, record) else { continue };
        put!(page, "<details id=\"d{mark}\"><summary>{}</summary>", escape(&line));
        put!(page, "<p>{}</p>", escape(&journey(entry, record)));
        put!(page, "<pre id=\"m{mark}\">{}</pre></details>\n", raw(entry, mark, plan.seed));
    }
    put!(page, "</section>\n");
}

/// From where to where a datagram went, and what became of it.
fn journey(entry: &Entry, record: &Record) -> String {
    let What::Datagram { from, to, bytes, fate } = &entry.what else { return String::new() };
    let end = match fate {
        Fate::Arrives { after_ms, .. } => {
            format!("arrived at {} s", words::seconds(entry.at_ms + after_ms))
        }
        Fate::Lost | Fate::Cut | Fate::TooLarge | Fate::NobodyThere => "never arrived".to_owned(),
    };
    let what = words::fate(*fate).map(|what| format!(" ({what})")).unwrap_or_default();
    let (sender, receiver) = (words::who(*from, record), words::who(*to, record));
    format!(
        "{sender} {from} → {receiver} {to}, {} bytes, sent at {} s, {end}{what}",
        bytes.len(),
        words::seconds(entry.at_ms)
    )
}

/// The octets for reading; of a corrupted one as they arrived, with the changed one marked.
fn raw(entry: &Entry, mark: usize, seed: u64) -> String {
    let What::Datagram { bytes, fate, .. } = &entry.what else { return String::new() };
    if !matches!(fate, Fate::Arrives { corrupted: true, .. }) {
        return text::octets(bytes);
    }
    let arrived = super::arrived(bytes, mark, seed);
    let Some(place) = bytes.iter().zip(&arrived).position(|(sent, got)| sent != got) else {
        return text::octets(bytes);
    };
    format!(
        "{}<mark title=\"0x{:02x} was sent, 0x{:02x} arrived\">{}</mark>{}",
        text::octets(&arrived[..place]),
        bytes[place],
        arrived[place],
        text::octets(&arrived[place..=place]),
        text::octets(&arrived[place + 1..])
    )
}
