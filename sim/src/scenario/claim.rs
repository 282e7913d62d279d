//! Expectations: what somebody has to see, or must not see, in the words of users.

use super::cast::Cast;
use super::place::{Fault, Said};
use super::timeline::seconds;
use super::words::{Word, Words};
use crate::plan::{Claim, DeviceName, Expectation, When};

/// Words that begin an expectation.
pub(super) const MOODS: [&str; 3] = ["expect", "never", "eventually"];

/// Whether a word begins an expectation.
pub(super) fn begins(word: &Word) -> bool {
    MOODS.contains(&&*word.text)
}

/// Reads an expectation of the timeline, whose time is that of the line above.
pub(super) fn anchored(
    cast: &Cast,
    line: &Said,
    now_ms: u64,
    end_ms: Option<u64>,
) -> Result<Vec<Expectation>, Fault> {
    let mut words = Words::of(line);
    let mood = words.next();
    let found = claims(cast, &mut words)?;
    let when = match &*mood.text {
        "never" => When::Never { from_ms: now_ms },
        "eventually" => When::Eventually,
        _ if words.take("within") => {
            let word = words.next();
            let until_ms = now_ms + word.time()?;
            if let Some(end) = end_ms.filter(|end| until_ms > *end) {
                let help = format!("the scenario ends at {} (duration)", seconds(end));
                return Err(word.refused("this ends behind the end of the scenario", help));
            }
            When::Within { from_ms: now_ms, until_ms }
        }
        // A count is about the whole run; anything else is about this very moment.
        _ if found.counts() => When::Eventually,
        _ => When::Within { from_ms: now_ms, until_ms: now_ms },
    };
    words.end().map_err(|fault| match &*mood.text {
        "expect" => Fault { help: "expected within TIME, or the end of the line".into(), ..fault },
        _ => fault,
    })?;
    found.expectations(line, when)
}

/// Reads an expectation of `always`.
pub(super) fn always(cast: &Cast, line: &Said) -> Result<Vec<Expectation>, Fault> {
    let mut words = Words::of(line);
    let first = words.peek();
    let when = match &*first.text {
        "never" => {
            words.next();
            When::Never { from_ms: 0 }
        }
        "eventually" => {
            words.next();
            When::Eventually
        }
        "expect" => {
            let help = "begin with never, eventually or exactly; expect belongs into the timeline";
            return Err(first.refused("`expect` is about a moment", help));
        }
        _ => When::Eventually,
    };
    let known = cast.devices(&first).is_ok() || first.text.ends_with("'s");
    if !begins(&first) && !known && !is_number(&first) {
        return Err(cast.nobody(&first, &["never", "eventually", "exactly"]));
    }
    let found = claims(cast, &mut words)?;
    if !found.counts() && !begins(&first) {
        let help = "expected never, eventually or exactly … message at the beginning";
        return Err(first.refused("this does not say when it has to hold", help));
    }
    words.end()?;
    found.expectations(line, when)
}

/// What a line claims: the same for each device that it is about.
struct Found {
    claims: Vec<Claim>,
}

impl Found {
    fn counts(&self) -> bool {
        self.claims.iter().any(|claim| matches!(claim, Claim::Messages { .. }))
    }

    /// A number of messages also says that there is never one more.
    fn expectations(self, line: &Said, when: When) -> Result<Vec<Expectation>, Fault> {
        let text = line.text.trim().to_owned();
        let new = |when, claim| Expectation { text: text.clone(), when, claim };
        let mut all = Vec::new();
        for claim in self.claims {
            let Claim::Messages { reader, text, count } = claim else {
                all.push(new(when, claim));
                continue;
            };
            let holds =
                |count| Claim::Messages { reader: reader.clone(), text: text.clone(), count };
            if !matches!(when, When::Never { .. }) {
                all.push(new(when, holds(count)));
                all.push(new(When::Never { from_ms: 0 }, holds(count + 1)));
            } else {
                all.push(new(when, holds(count)));
            }
        }
        Ok(all)
    }
}

fn claims(cast: &Cast, words: &mut Words<'_>) -> Result<Found, Fault> {
    let first = words.peek();
    let claims = if is_number(&first) {
        messages(cast, words)?
    } else if let Some(name) = first.text.strip_suffix("'s") {
        let span = first.span.start..first.span.end - 2;
        let name = Word { text: name.to_owned(), span, quoted: false };
        words.next();
        watchers(cast, &name, words)?
    } else {
        seen(cast, words)?
    };
    Ok(Found { claims })
}

/// `WHO sees …`, `WHO hears …` and `WHO is …`.
fn seen(cast: &Cast, words: &mut Words<'_>) -> Result<Vec<Claim>, Fault> {
    let devices = cast.devices(&words.next())?;
    let verb = words.next();
    match &*verb.text {
        "sees" => sees(cast, words, devices),
        "hears" => {
            let whom = cast.user(&words.next())?.name.clone();
            let hears = |listener| Claim::Hears { listener, whom: whom.clone() };
            Ok(devices.into_iter().map(hears).collect())
        }
        "is" => is(cast, words, devices),
        _ => Err(verb.unknown("the verb", &["sees", "hears", "is"])),
    }
}

fn sees(cast: &Cast, words: &mut Words<'_>, devices: Vec<DeviceName>) -> Result<Vec<Claim>, Fault> {
    let mut whom = words.next();
    if let Some(name) = whom.text.strip_suffix("'s") {
        whom = Word { text: name.to_owned(), span: whom.span.start..whom.span.end - 2, ..whom };
        let whom = cast.user(&whom)?.name.clone();
        let media = words.next();
        if !["audio", "video"].contains(&&*media.text) {
            return Err(media.unknown("the kind of offer", &["audio", "video"]));
        }
        words.expect("offer")?;
        let offer = |watcher| {
            let media = media.text.clone();
            Claim::Offer { watcher, whom: whom.clone(), media }
        };
        return Ok(devices.into_iter().map(offer).collect());
    }
    let whom = cast.user(&whom)?.name.clone();
    let basic = words.next();
    if !["open", "closed", "nothing"].contains(&&*basic.text) {
        return Err(basic.unknown("the state", &["open", "closed", "nothing"]));
    }
    let note = words.peek().quoted.then(|| words.next().text);
    let sees = |watcher| {
        let (whom, basic, note) = (whom.clone(), basic.text.clone(), note.clone());
        Claim::Sees { watcher, whom, basic, note }
    };
    Ok(devices.into_iter().map(sees).collect())
}

/// `is pending at`, `is active at`, `is refused by`, `is terminated at`, `is [not] registered`,
/// `is in a call with`.
fn is(cast: &Cast, words: &mut Words<'_>, devices: Vec<DeviceName>) -> Result<Vec<Claim>, Fault> {
    let registered = !words.take("not");
    let state = words.next();
    if state.text == "registered" {
        let claim = |device| Claim::Registered { device, registered };
        return Ok(devices.into_iter().map(claim).collect());
    }
    if !registered {
        return Err(state.unknown("the state", &["registered"]));
    }
    if state.text == "in" {
        words.expect("a")?;
        words.expect("call")?;
        words.expect("with")?;
        let whom = cast.user(&words.next())?.name.clone();
        let claim = |device| Claim::Calls { device, whom: whom.clone() };
        return Ok(devices.into_iter().map(claim).collect());
    }
    let (phase, preposition) = match &*state.text {
        "pending" => ("pending", "at"),
        "active" => ("active", "at"),
        "terminated" => ("terminated", "at"),
        "refused" => ("terminated", "by"),
        _ => {
            let known = ["pending", "active", "refused", "terminated", "registered", "not", "in"];
            return Err(state.unknown("the state", &known));
        }
    };
    words.expect(preposition)?;
    let whom = cast.user(&words.next())?.name.clone();
    let claim = |watcher| {
        let (whom, state) = (whom.clone(), phase.to_owned());
        Claim::Subscribed { watcher, whom, state }
    };
    Ok(devices.into_iter().map(claim).collect())
}

/// `WHO's watchers are [alice active, carol pending]`.
fn watchers(cast: &Cast, name: &Word, words: &mut Words<'_>) -> Result<Vec<Claim>, Fault> {
    let owners = cast.devices(name)?;
    words.expect("watchers")?;
    words.expect("are")?;
    let list = words.peek();
    let wrong = |list: &Word| {
        list.refused("the watchers are no list", "expected [alice active, carol pending] or []")
    };
    if !list.text.starts_with('[') {
        return Err(wrong(&list));
    }
    let Some(list) = words.until(']') else { return Err(wrong(&list)) };
    let mut rows = Vec::new();
    let mut place = 1;
    let inside = &list.text[1..list.text.len() - 1];
    for item in inside.split(',').filter(|_| !inside.trim().is_empty()) {
        let part = list.part(place..place + item.len());
        place += item.len() + 1;
        let mut words = Words::of(&part);
        let watcher = cast.user(&words.next())?.name.clone();
        let status = words.next();
        if !["active", "pending", "waiting"].contains(&&*status.text) {
            return Err(status.unknown("the status", &["active", "pending", "waiting"]));
        }
        words.end()?;
        rows.push((watcher, status.text));
    }
    rows.sort();
    let claim = |owner| Claim::Watchers { owner, rows: rows.clone() };
    Ok(owners.into_iter().map(claim).collect())
}

/// `exactly one message "…" at WHO`, `2 messages "…" at WHO`, `no message "…" at WHO`.
fn messages(cast: &Cast, words: &mut Words<'_>) -> Result<Vec<Claim>, Fault> {
    words.take("exactly");
    let word = words.next();
    let Some(count) = number(&word.text) else {
        return Err(word.refused(
            format!("`{}` is no number of messages", word.text),
            "expected no, one, two, three, or a number",
        ));
    };
    words.expect(if count == 1 || word.text == "no" { "message" } else { "messages" })?;
    let text = words.next();
    if !text.quoted {
        return Err(text.refused("the text of the message is missing", "expected \"…\""));
    }
    words.expect("at")?;
    let readers = cast.devices(&words.next())?;
    let claim = |reader| Claim::Messages { reader, text: text.text.clone(), count };
    Ok(readers.into_iter().map(claim).collect())
}

fn is_number(word: &Word) -> bool {
    word.text == "exactly" || number(&word.text).is_some()
}

fn number(word: &str) -> Option<usize> {
    match word {
        "no" => Some(0),
        "one" => Some(1),
        "two" => Some(2),
        "three" => Some(3),
        digits => digits.parse().ok().filter(|number| *number <= 1_000_000),
    }
}
