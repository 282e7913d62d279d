//! The lines of a timeline: `TIME WHO WHAT`, and expectations under them.

use super::cast::Cast;
use super::claim;
use super::crowd;
use super::place::{Fault, Said};
use super::weather;
use super::words::{Word, Words, read_time};
use crate::plan::{Act, DeviceName, Expectation, Party, Step, Weather};
use crate::server::DOMAIN;
use presently::nearest::nearest;
use presently::ua::{Asked, Ordered, order};
use presently_engine::agent::Command;
use presently_engine::message::Aor;

/// What can be done to a device, beside what it can be told.
const HANDLING: [&str; 6] = ["login", "crash", "start", "stalls", "clock", "nat"];

/// Orders of `presence-ua` that make sense in a scenario.
const ORDERS: [&str; 21] = [
    "presence", "watch", "unwatch", "fetch", "winfo", "allow", "block", "polite", "ask", "message",
    "offer", "direct", "paper", "stop", "call", "answer", "hold", "resume", "dial", "hangup",
    "quit",
];

/// Words that a line can begin with where a user does not.
const OTHERS: [&str; 7] = ["server", "cut", "mend", "weather", "disk", "replay", "stranger"];

/// A timeline being read.
pub(super) struct Timeline<'a> {
    cast: &'a Cast,
    /// What `weather clear` goes back to.
    usual: &'a Weather,
    weather: Weather,
    end_ms: Option<u64>,
    now_ms: u64,
    steps: Vec<Step>,
    expectations: Vec<Expectation>,
    faults: Vec<Fault>,
}

impl<'a> Timeline<'a> {
    pub(super) fn new(cast: &'a Cast, usual: &'a Weather, end_ms: Option<u64>) -> Self {
        Self {
            cast,
            usual,
            weather: usual.clone(),
            end_ms,
            now_ms: 0,
            steps: Vec::new(),
            expectations: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Reads one line; what is wrong with it is kept until the end.
    pub(super) fn line(&mut self, line: &Said) {
        let text = line.text.trim();
        if text.is_empty() || text.starts_with('#') {
            return;
        }
        if let Err(fault) = self.read(line) {
            self.faults.push(fault);
        }
    }

    /// Reads one line of `always`.
    pub(super) fn always(&mut self, line: &Said) {
        let each = crowd::each(self.cast, line);
        let each = each.and_then(|each| {
            let read = each.iter().map(|(_, line)| claim::always(self.cast, line));
            read.collect::<Result<Vec<_>, Fault>>()
        });
        match each {
            Ok(each) => self.expectations.extend(each.into_iter().flatten()),
            Err(fault) => self.faults.push(fault),
        }
    }

    pub(super) fn finish(self) -> (Vec<Step>, Vec<Expectation>, Vec<Fault>) {
        (self.steps, self.expectations, self.faults)
    }

    fn read(&mut self, line: &Said) -> Result<(), Fault> {
        let mut words = Words::of(line);
        let first = words.peek();
        if !claim::begins(&first) {
            self.tick(&words.next())?;
        }
        let start = words.next_range().start;
        let rest = line.part(start..line.text.len());
        for (later, line) in crowd::each(self.cast, &rest)? {
            let words = Words::of(&line);
            let first = words.peek();
            if claim::begins(&first) {
                let read = claim::anchored(self.cast, &line, self.now_ms, self.end_ms)?;
                self.expectations.extend(read);
            } else {
                self.acts(words, self.now_ms + later)?;
            }
        }
        Ok(())
    }

    /// The time of a line: of the run, or with `+` behind the line before.
    fn tick(&mut self, word: &Word) -> Result<(), Fault> {
        let plain = word.text.strip_prefix('+');
        let time = Word { text: plain.unwrap_or(&word.text).to_owned(), ..word.clone() };
        let time = time.time().map_err(|fault| match plain {
            Some(_) => fault,
            None if nearest(&word.text, claim::MOODS).is_some() => {
                let meant = nearest(&word.text, claim::MOODS).unwrap_or_default();
                Fault { help: format!("did you mean {meant}?"), ..fault }
            }
            None => {
                let help = "a line begins with a time like 20ms, 1.5s or +2s, or with expect, \
                            never or eventually";
                Fault { help: help.to_owned(), ..fault }
            }
        })?;
        let at_ms = if plain.is_some() { self.now_ms + time } else { time };
        if at_ms < self.now_ms {
            let what = format!("`{}` is before the line above", word.text);
            let help = format!("expected {} or later", seconds(self.now_ms));
            return Err(word.refused(what, help));
        }
        if let Some(end) = self.end_ms.filter(|end| at_ms > *end) {
            let what = format!("`{}` is behind the end of the scenario", word.text);
            let help = format!("expected {} (duration) or earlier", seconds(end));
            return Err(word.refused(what, help));
        }
        self.now_ms = at_ms;
        Ok(())
    }

    fn acts(&mut self, mut words: Words<'_>, at_ms: u64) -> Result<(), Fault> {
        let who = words.next();
        let acts = match &*who.text {
            "server" => vec![self.server(&mut words)?],
            "cut" => self.cut(&mut words)?,
            "mend" => vec![Act::Mend],
            "weather" => vec![self.weather(&mut words)?],
            "disk" => vec![disk(&mut words)?],
            "replay" => {
                let parties = self.cast.parties(&words.next())?;
                parties.into_iter().map(Act::Replay).collect()
            }
            "stranger" => vec![stranger(&mut words)?],
            name if !self
                .cast
                .users
                .iter()
                .any(|user| name.split('/').next() == Some(&user.name)) =>
            {
                return Err(self.cast.nobody(&who, &OTHERS));
            }
            _ => return self.user(&who, words, at_ms),
        };
        words.end()?;
        self.steps.extend(acts.into_iter().map(|act| Step { at_ms, act }));
        Ok(())
    }

    /// Something that a user does, or that is done to a user's device.
    fn user(&mut self, who: &Word, mut words: Words<'_>, at_ms: u64) -> Result<(), Fault> {
        let (what, order) = (words.rest(), words.clone());
        let verb = words.next();
        let each = |act: fn(DeviceName) -> Act| -> Result<Vec<Act>, Fault> {
            Ok(self.cast.devices(who)?.into_iter().map(act).collect())
        };
        let acts = match &*verb.text {
            "login" => each(Act::Login)?,
            "crash" => each(|device| Act::Crash(Party::Device(device)))?,
            "start" => each(|device| Act::Start(Party::Device(device)))?,
            "stalls" => self.each_party(who, stall(&mut words)?)?,
            "clock" => self.each_party(who, clock(&mut words)?)?,
            "nat" => {
                words.expect("rebinds")?;
                let user = self.cast.user(who)?;
                if !user.nat {
                    let what = format!("{} is not behind a translator", user.name);
                    return Err(who.refused(what, "expected nat = true in [[user]]"));
                }
                vec![Act::Rebind(user.name.clone())]
            }
            text if ORDERS.contains(&text) => {
                let device = self.cast.device(who)?;
                self.check_order(&device, order)?;
                self.steps.push(Step { at_ms, act: Act::Order(device, what.text) });
                return Ok(());
            }
            _ => {
                let known: Vec<&str> = ORDERS.iter().chain(&HANDLING).copied().collect();
                return Err(verb.unknown("thing that a user can do", &known));
            }
        };
        words.end()?;
        self.steps.extend(acts.into_iter().map(|act| Step { at_ms, act }));
        Ok(())
    }

    /// The same for every device that a word means.
    fn each_party(&self, who: &Word, act: impl Fn(Party) -> Act) -> Result<Vec<Act>, Fault> {
        Ok(self.cast.devices(who)?.into_iter().map(|device| act(Party::Device(device))).collect())
    }

    /// An order has to be one, and about somebody who takes part.
    fn check_order(&self, device: &DeviceName, mut words: Words<'_>) -> Result<(), Fault> {
        let own = Aor::new(&device.user, DOMAIN);
        let line = words.rest();
        let ordered = order(&line.text, &own, &mut 0).map_err(|why| {
            let why = why.split_once(": ").map_or(&*why, |(_, why)| why);
            line.refused("this is no order that presence-ua understands", why)
        })?;
        let about = match &ordered {
            Some(
                Ordered::Command(
                    Command::Subscribe { target, .. }
                    | Command::Unsubscribe { target, .. }
                    | Command::Fetch { target }
                    | Command::SendMessage { target, .. }
                    | Command::Decide { watcher: target, .. },
                )
                | Ordered::Media(Asked::Direct { target, .. } | Asked::Call { target, .. }),
            ) => target,
            _ => return Ok(()),
        };
        words.next();
        let word = words.next();
        // Written in full it may be anybody: to call a nobody is a scenario too.
        match *about == own || word.text.contains(['@', ':']) {
            true => Ok(()),
            false => self.cast.user(&word).map(drop),
        }
    }

    fn server(&self, words: &mut Words<'_>) -> Result<Act, Fault> {
        let verb = words.next();
        match &*verb.text {
            "crash" => Ok(Act::Crash(Party::Server)),
            "start" => Ok(Act::Start(Party::Server)),
            "stop" => Ok(Act::Stop),
            "stalls" => Ok(stall(words)?(Party::Server)),
            "clock" => Ok(clock(words)?(Party::Server)),
            _ => {
                let known = ["crash", "start", "stop", "stalls", "clock"];
                Err(verb.unknown("thing that the server can do", &known))
            }
        }
    }

    /// `cut A from B` both ways, `cut A to B` one way.
    fn cut(&self, words: &mut Words<'_>) -> Result<Vec<Act>, Fault> {
        let sources = self.cast.parties(&words.next())?;
        let how = words.next();
        let both = match &*how.text {
            "from" => true,
            "to" => false,
            _ => {
                let help = "expected from (both ways) or to (one way)";
                return Err(how.refused("what is cut is not complete", help));
            }
        };
        let targets = self.cast.parties(&words.next())?;
        let pair = |from: &Party| {
            let from = from.clone();
            let cut = move |to: &Party| Act::Cut { from: from.clone(), to: to.clone(), both };
            targets.iter().map(cut).collect::<Vec<_>>()
        };
        Ok(sources.iter().flat_map(pair).collect())
    }

    fn weather(&mut self, words: &mut Words<'_>) -> Result<Act, Fault> {
        if words.take("clear") {
            self.weather = self.usual.clone();
            return Ok(Act::Weather(self.weather.clone()));
        }
        if words.rest().text.is_empty() {
            return Err(words
                .rest()
                .refused("the weather is missing", "expected clear or loss=0.2"));
        }
        while !words.rest().text.is_empty() {
            let word = words.next();
            let Some((key, value)) = word.text.split_once('=') else {
                let what = format!("`{}` says nothing about the weather", word.text);
                return Err(word.refused(what, "expected clear, or KEY=VALUE like loss=0.2"));
            };
            let middle = word.span.start + key.len();
            let named = Word { text: key.into(), span: word.span.start..middle, quoted: false };
            if !weather::KEYS.contains(&key) {
                return Err(named.unknown("the kind of weather", &weather::KEYS));
            }
            let span = middle + 1..word.span.end;
            let value = Word { text: value.to_owned(), span, quoted: false };
            weather::set(&mut self.weather, key, &value)?;
        }
        Ok(Act::Weather(self.weather.clone()))
    }
}

fn stall(words: &mut Words<'_>) -> Result<impl Fn(Party) -> Act + use<>, Fault> {
    let ms = words.next().time()?;
    Ok(move |party| Act::Stall(party, ms))
}

/// A jump of a clock: a time with its sign.
fn clock(words: &mut Words<'_>) -> Result<impl Fn(Party) -> Act + use<>, Fault> {
    let word = words.next();
    let by_ms = match word.text.split_at_checked(1) {
        Some(("+", time)) => read_time(time).and_then(|ms| i64::try_from(ms).ok()),
        Some(("-", time)) => read_time(time).and_then(|ms| i64::try_from(ms).ok()).map(|ms| -ms),
        _ => None,
    };
    let by_ms = by_ms.ok_or_else(|| {
        let what = match &*word.text {
            "" => "how far the clock jumps is missing".to_owned(),
            text => format!("`{text}` is no jump of a clock"),
        };
        word.refused(what, "expected a time with its sign, like +1h or -90s")
    })?;
    Ok(move |party| Act::ClockStep(party, by_ms))
}

fn disk(words: &mut Words<'_>) -> Result<Act, Fault> {
    let verb = words.next();
    match &*verb.text {
        "holds" => Ok(Act::HoldDisk(true)),
        "syncs" => Ok(Act::HoldDisk(false)),
        "fails" => Ok(Act::FailDisk(true)),
        "works" => Ok(Act::FailDisk(false)),
        _ => {
            let known = ["holds", "syncs", "fails", "works"];
            Err(verb.unknown("thing that the disk can do", &known))
        }
    }
}

fn stranger(words: &mut Words<'_>) -> Result<Act, Fault> {
    words.expect("floods")?;
    let number = words.next();
    let requests = number.text.parse().ok().filter(|requests| (1..=1_000_000).contains(requests));
    requests.map(Act::Flood).ok_or_else(|| {
        let what = format!("`{}` is no number of requests", number.text);
        number.refused(what, "expected a number from 1 to 1000000")
    })
}

/// A time as the language writes it.
pub(super) fn seconds(ms: u64) -> String {
    match ms % 1000 {
        0 => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}
