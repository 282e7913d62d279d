//! A line on stdin becomes an order: the language of `presence-ua`.
//!
//! Reads words and nothing else: whether an order can be carried out is found out elsewhere.

use super::media::Repertoire;
use super::ordered::Asked;
use crate::nearest::nearest;
use presently_engine::agent::{CallId, FlowId};
use presently_engine::body::pidf::{Basic, Mode};
use presently_engine::body::presrules::{Handling, Verdict};
use presently_engine::message::Aor;
use std::time::Duration;

/// What `help` prints, one command a line.
pub(crate) const HELP: [&str; 21] = [
    "presence open|closed [note]         own state",
    "watch AOR [seconds]                 subscribe to somebody's presence",
    "unwatch AOR                         end that subscription",
    "fetch AOR                           ask once",
    "winfo [AOR] [seconds]               who watches me (or AOR, as far as I may see); 0 ends it",
    "allow|block|polite|ask AOR          decide about a watcher; ask takes the decision back",
    "message AOR text…                   send a message",
    "offer audio|video ready|off         direct media that others may send me",
    "direct AOR [audio|video]            speak to somebody who offers that, without a call",
    "paper AOR [on|off]                  direct with AOR without check and encryption (see --paper)",
    "stop [FLOW]                         end a direct flow, or all of them",
    "call AOR [audio|video|both] [LIST]  call somebody by INVITE, with codecs like PCMU,G722",
    "answer [CALL]                       lift the phone that rings",
    "hold [CALL], resume [CALL]          let a call wait, and take it back",
    "dial KEYS                           press 0-9, *, #, A-D in a call",
    "hangup [CALL]                       end or refuse a call, or all of them",
    "tables                              what I know, under the names PIT, PST, WT, WST",
    "wait EVENT [field=value…] [seconds] until such an event came after the last command or wait",
    "help                                this list",
    "quit                                log out and end; so does the end of input",
    "AOR: bob (own domain), bob@example.org or sip:bob@example.org",
];

/// Every command word.
const WORDS: [&str; 25] = [
    "presence", "watch", "unwatch", "fetch", "winfo", "allow", "block", "polite", "ask", "message",
    "offer", "direct", "paper", "stop", "call", "answer", "hold", "resume", "dial", "hangup",
    "tables", "wait", "quit", "help", "exit",
];

/// How long `wait` waits when it is not told.
const USUAL_WAIT: Duration = Duration::from_secs(30);

/// One command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    Presence {
        basic: Basic,
        note: Option<Box<str>>,
    },
    Watch {
        target: Aor,
        seconds: Option<u32>,
    },
    Unwatch {
        target: Aor,
    },
    Fetch {
        target: Aor,
    },
    Winfo {
        target: Aor,
        seconds: Option<u32>,
    },
    Decide {
        watcher: Aor,
        verdict: Option<Verdict>,
    },
    Mark {
        peer: Aor,
        paper: bool,
    },
    Message {
        target: Aor,
        text: Box<str>,
    },
    /// Calls and direct media.
    Media(Asked),
    Tables,
    Wait(Wanted),
    Help,
    Quit,
}

/// What `wait` waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    /// Name of the event.
    pub(crate) event: Box<str>,
    /// Fields that must have these values.
    pub(crate) fields: Vec<(Box<str>, Box<str>)>,
    /// How long.
    pub(crate) patience: Duration,
}

/// A line that is no order: which word, and what helps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Misread {
    pub(crate) what: String,
    pub(crate) why: String,
}

impl Order {
    /// Reads one line said by `own`; `None` for an empty line or a `#` comment.
    pub(crate) fn parse(line: &str, own: &Aor) -> Result<Option<Self>, Misread> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (word, rest) = split(line);
        Reader { word, rest, own }.order().map(Some)
    }
}

/// The rest of a line behind its command word.
struct Reader<'a> {
    word: &'a str,
    rest: &'a str,
    own: &'a Aor,
}

impl Reader<'_> {
    fn order(mut self) -> Result<Order, Misread> {
        let order = match self.word {
            "presence" => return self.presence(),
            "message" => return self.message(),
            "paper" => Order::Mark { peer: self.aor()?, paper: self.switch()? },
            "wait" => return self.wait(),
            "watch" => Order::Watch { target: self.aor()?, seconds: self.seconds(1)? },
            "unwatch" => Order::Unwatch { target: self.aor()? },
            "fetch" => Order::Fetch { target: self.aor()? },
            "winfo" => Order::Winfo { target: self.aor_or_own()?, seconds: self.seconds(0)? },
            "allow" => self.decide(Some(Handling::Allow))?,
            "block" => self.decide(Some(Handling::Block))?,
            "polite" => self.decide(Some(Handling::PoliteBlock))?,
            "ask" => self.decide(None)?,
            "tables" => Order::Tables,
            "help" | "?" => Order::Help,
            "quit" | "exit" => Order::Quit,
            word => Order::Media(self.media()?.ok_or_else(|| unknown(word))?),
        };
        self.end()?;
        Ok(order)
    }

    /// What has to do with calls and direct media; `None` if the word is none of theirs.
    fn media(&mut self) -> Result<Option<Asked>, Misread> {
        Ok(Some(match self.word {
            "offer" => self.offer()?,
            "direct" => Asked::Direct { target: self.aor()?, media: self.kind()? },
            "stop" => Asked::Stop { flow: self.number()?.map(FlowId) },
            "call" => {
                Asked::Call { target: self.aor()?, media: self.kinds()?, codecs: self.codecs()? }
            }
            "answer" => Asked::Answer { call: self.call()? },
            "hold" => Asked::Hold { call: self.call()?, hold: true },
            "resume" => Asked::Hold { call: self.call()?, hold: false },
            "dial" => self.dial()?,
            "hangup" => Asked::Hangup { call: self.call()? },
            _ => return Ok(None),
        }))
    }

    fn presence(mut self) -> Result<Order, Misread> {
        let basic = match self.next() {
            Some("open") => Basic::Open,
            Some("closed") => Basic::Closed,
            _ => return Err(self.usage("presence open|closed [note]")),
        };
        let note = (!self.rest.is_empty()).then(|| self.rest.into());
        Ok(Order::Presence { basic, note })
    }

    fn message(mut self) -> Result<Order, Misread> {
        let target = self.aor()?;
        if self.rest.is_empty() {
            return Err(self.usage("message AOR text…"));
        }
        Ok(Order::Message { target, text: self.rest.into() })
    }

    fn wait(mut self) -> Result<Order, Misread> {
        const USAGE: &str = "wait EVENT [field=value…] [seconds]";
        let Some(event) = self.next() else { return Err(self.usage(USAGE)) };
        if !super::report::NAMES.contains(&event) {
            let hint = hint(event, &super::report::NAMES);
            return Err(Misread {
                what: format!("wait {event}"),
                why: format!("there is no event of that name; {hint}"),
            });
        }
        let mut wanted = Wanted { event: event.into(), fields: vec![], patience: USUAL_WAIT };
        while let Some(word) = self.next() {
            if let Some((field, value)) = word.split_once('=') {
                wanted.fields.push((field.into(), value.into()));
            } else {
                let seconds: f64 = word.parse().map_err(|_| self.usage(USAGE))?;
                wanted.patience =
                    Duration::try_from_secs_f64(seconds).map_err(|_| self.usage(USAGE))?;
                self.end()?;
            }
        }
        Ok(Order::Wait(wanted))
    }

    fn decide(&mut self, handling: Option<Handling>) -> Result<Order, Misread> {
        let verdict =
            handling.map(|handling| Verdict { handling, direct: handling == Handling::Allow });
        Ok(Order::Decide { watcher: self.aor()?, verdict })
    }

    fn offer(&mut self) -> Result<Asked, Misread> {
        const USAGE: &str = "offer audio|video ready|off";
        let media = match self.next() {
            Some(media @ ("audio" | "video")) => media.into(),
            _ => return Err(self.usage(USAGE)),
        };
        let mode = match self.next() {
            Some("ready") => Mode::Ready,
            Some("off") => Mode::Off,
            _ => return Err(self.usage(USAGE)),
        };
        Ok(Asked::Offer { media, mode })
    }

    /// Whether something is to be; it is unless that is denied.
    fn switch(&mut self) -> Result<bool, Misread> {
        match self.next() {
            None | Some("on") => Ok(true),
            Some("off") => Ok(false),
            Some(_) => Err(self.usage("paper AOR [on|off]")),
        }
    }

    /// The media kind that comes next; audio if nothing does.
    fn kind(&mut self) -> Result<Box<str>, Misread> {
        match self.next() {
            None => Ok("audio".into()),
            Some(media @ ("audio" | "video")) => Ok(media.into()),
            Some(_) => Err(self.usage("direct AOR [audio|video]")),
        }
    }

    /// The media kinds of a call; audio if nothing is said.
    fn kinds(&mut self) -> Result<Vec<Box<str>>, Misread> {
        match self.next() {
            None => Ok(vec!["audio".into()]),
            Some(media @ ("audio" | "video")) => Ok(vec![media.into()]),
            Some("both") => Ok(vec!["audio".into(), "video".into()]),
            Some(_) => Err(self.usage("call AOR [audio|video|both]")),
        }
    }

    fn dial(&mut self) -> Result<Asked, Misread> {
        let keys = self.next().unwrap_or_default().to_ascii_uppercase();
        let known = |key: char| matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
        match !keys.is_empty() && keys.chars().all(known) {
            true => Ok(Asked::Dial { keys: keys.into() }),
            false => Err(self.usage("dial KEYS, of 0-9, *, # and A-D")),
        }
    }

    /// A list of codecs, if one comes.
    fn codecs(&mut self) -> Result<Option<Repertoire>, Misread> {
        let word = self.word;
        let Some(text) = self.next() else { return Ok(None) };
        let codecs = Repertoire::parse(text);
        codecs.map(Some).ok_or_else(|| Misread {
            what: format!("{word} … {text}"),
            why: format!("must be {}", Repertoire::allowed()),
        })
    }

    fn call(&mut self) -> Result<Option<CallId>, Misread> {
        Ok(self.number()?.map(CallId))
    }

    /// The number of a call or flow, as its events tell it.
    fn number(&mut self) -> Result<Option<u64>, Misread> {
        let word = self.word;
        let Some(text) = self.next() else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Misread {
            what: format!("{word} {text}"),
            why: format!("{word} takes the id that the events tell, a number"),
        })
    }

    /// The next word.
    fn next(&mut self) -> Option<&str> {
        let (word, rest) = split(self.rest);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// The address of record that comes next, if it may be left out.
    fn aor_or_own(&mut self) -> Result<Aor, Misread> {
        let (word, _) = split(self.rest);
        // A number alone is a time: `winfo 60` is about oneself.
        if word.is_empty() || word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(self.own.clone());
        }
        self.aor()
    }

    fn aor(&mut self) -> Result<Aor, Misread> {
        let (command, own) = (self.word, self.own);
        let word = self.next().unwrap_or_default();
        aor(word, own.domain()).ok_or_else(|| Misread {
            what: format!("{command} {word}").trim_end().to_owned(),
            why: format!(
                "{command} needs an address like bob, bob@{0} or sip:bob@{0}",
                own.domain()
            ),
        })
    }

    fn seconds(&mut self, least: u32) -> Result<Option<u32>, Misread> {
        let word = self.word;
        let Some(text) = self.next() else { return Ok(None) };
        match text.parse() {
            Ok(seconds) if seconds >= least => Ok(Some(seconds)),
            _ => Err(Misread {
                what: format!("{word} {text}"),
                why: format!("seconds must be a whole number from {least}"),
            }),
        }
    }

    fn end(&mut self) -> Result<(), Misread> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Misread {
            what: self.word.to_owned(),
            why: format!("\"{}\" is too much; see help", self.rest),
        })
    }

    fn usage(&self, usage: &str) -> Misread {
        Misread { what: self.word.to_owned(), why: format!("must be {usage}") }
    }
}

/// The address that `word` names for somebody at home in `domain`.
pub(crate) fn aor(word: &str, domain: &str) -> Option<Aor> {
    if word.is_empty() {
        return None;
    }
    if word.starts_with("sip:") || word.starts_with("sips:") {
        return Aor::parse(word).ok();
    }
    let full =
        if word.contains('@') { format!("sip:{word}") } else { format!("sip:{word}@{domain}") };
    Aor::parse(&full).ok()
}

fn unknown(word: &str) -> Misread {
    Misread {
        what: word.chars().take(40).collect(),
        why: format!("there is no such command; {}", hint(word, &WORDS)),
    }
}

fn hint(word: &str, known: &[&'static str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("known are {}", known.join(", ")),
    }
}

/// The first word of `text` and what follows it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests;
