//! The words of a line, each with its place in the file.

use super::place::{Fault, Said};
use presently::nearest::nearest;
use std::ops::Range;

/// A word, or a quoted text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word {
    /// As written, without quotes; empty behind the last word.
    pub(super) text: String,
    /// Where it stands in the file.
    pub(super) span: Range<usize>,
    /// Whether it was in quotes.
    pub(super) quoted: bool,
}

impl Word {
    /// Says that this word is not what was expected.
    pub(super) fn refused(&self, what: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault::new(self.span.clone(), what, help)
    }

    /// Says that this word is none of those that can stand here.
    pub(super) fn unknown(&self, kind: &str, known: &[&str]) -> Fault {
        let all = || format!("expected {}", one_of(known));
        if self.text.is_empty() {
            return self.refused(format!("{kind} is missing"), all());
        }
        let help = match nearest(&self.text, known.iter().copied()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => all(),
        };
        self.refused(format!("`{}` is no {}", self.text, kind.trim_start_matches("the ")), help)
    }

    /// The word read as a time.
    pub(super) fn time(&self) -> Result<u64, Fault> {
        let wrong = || {
            let what = match &*self.text {
                "" => "the time is missing".to_owned(),
                text => format!("`{text}` is no time"),
            };
            self.refused(what, "expected a time like 20ms, 1.5s, 1m30s or 2h")
        };
        read_time(&self.text).ok_or_else(wrong)
    }
}

/// Words as one reads a choice out: `a`, `a or b`, `a, b or c`.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Milliseconds of `20ms`, `1.5s`, `1m30s`, `2h`, `7d`.
pub(super) fn read_time(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ms" => 1.0,
            "s" => 1000.0,
            "m" => 60_000.0,
            "h" => 3_600_000.0,
            "d" => 86_400_000.0,
            _ => return None,
        };
        sum += number * unit;
        rest = &rest[letters..];
    }
    // A year is longer than any run; beyond that timers have no meaning.
    let fits = !text.is_empty() && sum <= 366.0 * 86_400_000.0;
    fits.then(|| sum.round() as u64)
}

/// A line that is read word by word.
#[derive(Clone, Debug)]
pub(super) struct Words<'a> {
    said: &'a Said,
    place: usize,
}

impl<'a> Words<'a> {
    pub(super) fn of(said: &'a Said) -> Self {
        Self { said, place: 0 }
    }

    /// The next word, which stays.
    pub(super) fn peek(&self) -> Word {
        self.clone().next()
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Word {
        let range = self.next_range();
        self.place = range.end;
        let text = &self.said.text[range.clone()];
        let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        Word {
            text: inside.unwrap_or(text).to_owned(),
            span: self.said.span(range),
            quoted: inside.is_some(),
        }
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let next = self.peek();
        let found = next.text == word && !next.quoted;
        if found {
            self.next();
        }
        found
    }

    /// The next word has to be this one.
    pub(super) fn expect(&mut self, word: &str) -> Result<(), Fault> {
        let next = self.next();
        match next.text == word && !next.quoted {
            true => Ok(()),
            false if next.text.is_empty() => {
                Err(next.refused(format!("`{word}` is missing"), format!("expected {word}")))
            }
            false => Err(next.refused(
                format!("`{}` stands where `{word}` belongs", next.text),
                format!("expected {word}"),
            )),
        }
    }

    /// Takes everything up to the first of `end`, which is included.
    pub(super) fn until(&mut self, end: char) -> Option<Said> {
        let start = self.next_range().start;
        let length = self.said.text[start..].find(end)? + end.len_utf8();
        self.place = start + length;
        Some(self.said.part(start..start + length))
    }

    /// All that is left.
    pub(super) fn rest(&self) -> Word {
        let start = self.next_range().start;
        let text = self.said.text[start..].trim_end();
        let span = self.said.span(start..start + text.len());
        Word { text: text.to_owned(), span, quoted: false }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Fault> {
        let rest = self.rest();
        match &*rest.text {
            "" => Ok(()),
            text => Err(rest.refused(format!("`{text}` is too much"), "the line should end here")),
        }
    }

    /// Where in the line the next word stands, with its quotes.
    pub(super) fn next_range(&self) -> Range<usize> {
        let left = &self.said.text[self.place..];
        let start = self.place + left.len() - left.trim_start().len();
        let left = &self.said.text[start..];
        let length = match left.strip_prefix('"').and_then(|inside| inside.find('"')) {
            Some(inside) => inside + 2,
            None => left.find(char::is_whitespace).unwrap_or(left.len()),
        };
        start..start + length
    }
}
