//! A table of the file that is read key by key; a key that nobody asked for is a mistake.

use super::place::{Fault, Said};
use super::words::{Word, one_of};
use presently::nearest::nearest;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A table being read.
pub(super) struct Sheet<'a> {
    file: &'a str,
    pub(super) span: Range<usize>,
    table: DeTable<'a>,
    asked: Vec<&'static str>,
    /// Whether it is the file itself.
    whole: bool,
}

/// Keys of the file that TOML would give to the table above them.
const TOP: [&str; 6] = ["title", "story", "seed", "duration", "timeline", "always"];

type Value<'a> = Spanned<DeValue<'a>>;

impl<'a> Sheet<'a> {
    /// The table that the whole file is.
    pub(super) fn of(file: &'a str) -> Result<Self, Fault> {
        let table = DeTable::parse(file).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            Fault::new(span, format!("not valid TOML: {}", error.message()), "")
        })?;
        let span = table.span();
        Ok(Self { file, span, table: table.into_inner(), asked: Vec::new(), whole: true })
    }

    /// Text that has to be there.
    pub(super) fn needed_text(&mut self, key: &'static str, of: &str) -> Result<Said, Fault> {
        // A whole file has nothing to point at but its beginning.
        let start = self.span.start;
        let span = start..start + self.file[start..].find('\n').unwrap_or(0);
        self.text(key)?.ok_or_else(|| {
            Fault::new(span, format!("{of} has no {key}"), format!("expected {key} = \"…\""))
        })
    }

    /// Quoted text.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<Said>, Fault> {
        self.take(key).map(|value| self.read_text(key, &value)).transpose()
    }

    /// A list of quoted texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<Vec<Said>, Fault> {
        let Some(value) = self.take(key) else { return Ok(Vec::new()) };
        let DeValue::Array(items) = value.get_ref() else {
            return Err(self.wrong(key, &value, "a list like [\"…\", \"…\"]"));
        };
        items.iter().map(|item| self.read_text(key, item)).collect()
    }

    /// A time, quoted, in ms.
    pub(super) fn time(&mut self, key: &'static str) -> Result<Option<u64>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let DeValue::String(text) = value.get_ref() else {
            return Err(self.wrong(
                key,
                &value,
                "a time in quotes, like \"20ms\", \"1.5s\" or \"2m\"",
            ));
        };
        let word = Word { text: text.to_string(), span: value.span(), quoted: true };
        word.time().map(Some)
    }

    /// A whole number.
    pub(super) fn number<T: FromStr + PartialOrd + Display>(
        &mut self,
        key: &'static str,
        range: RangeInclusive<T>,
    ) -> Result<Option<T>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        let allowed = || format!("a number from {} to {}", range.start(), range.end());
        number.map(Some).ok_or_else(|| self.wrong(key, &value, &allowed()))
    }

    /// `true` or `false`.
    pub(super) fn switch(&mut self, key: &'static str) -> Result<Option<bool>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Boolean(on) => Ok(Some(*on)),
            _ => Err(self.wrong(key, &value, "true or false")),
        }
    }

    /// One of some words, quoted.
    pub(super) fn choice(
        &mut self,
        key: &'static str,
        words: &[&str],
    ) -> Result<Option<String>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::String(text) if words.contains(&&**text) => Ok(Some(text.to_string())),
            DeValue::String(text) => {
                let help = nearest(text, words.iter().copied());
                let help = help.map(|meant| format!("did you mean \"{meant}\"?"));
                let help = help.unwrap_or_else(|| format!("expected {}", one_of(words)));
                Err(Fault::new(value.span(), format!("{key} cannot be \"{text}\""), help))
            }
            _ => Err(self.wrong(key, &value, &format!("{}, in quotes", one_of(words)))),
        }
    }

    /// Any text or number, as written, with its place.
    pub(super) fn scalar(&mut self, key: &'static str) -> Result<Option<Word>, Fault> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let (text, quoted) = match value.get_ref() {
            DeValue::String(text) => (text.to_string(), true),
            DeValue::Integer(number) => (number.as_str().to_owned(), false),
            DeValue::Float(number) => (number.as_str().to_owned(), false),
            _ => return Err(self.wrong(key, &value, "a number or a time in quotes")),
        };
        Ok(Some(Word { text, span: value.span(), quoted }))
    }

    /// The table `key`, if it is there.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Option<Self>, Fault> {
        self.take(key).map(|value| self.nested(key, value)).transpose()
    }

    /// Every table of `[[key]]`.
    pub(super) fn sections(&mut self, key: &'static str) -> Result<Vec<Self>, Fault> {
        let Some(value) = self.take(key) else { return Ok(Vec::new()) };
        if !matches!(value.get_ref(), DeValue::Array(_)) {
            return Err(self.wrong(key, &value, &format!("[[{key}]] for each")));
        }
        let DeValue::Array(items) = value.into_inner() else { return Ok(Vec::new()) };
        items.into_iter().map(|item| self.nested(key, item)).collect()
    }

    /// Ends the reading.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        let Some(unknown) = self.table.keys().min_by_key(|key| key.span().start) else {
            return Ok(());
        };
        let word =
            Word { text: unknown.get_ref().to_string(), span: unknown.span(), quoted: false };
        if !self.whole && TOP.contains(&&*word.text) {
            let what = format!("`{}` belongs to the file, not to this table", word.text);
            return Err(word.refused(what, "expected above the first [table]"));
        }
        Err(word.unknown("key that can stand here", &self.asked))
    }

    fn take(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.asked.push(key);
        self.table.remove(key)
    }

    fn read_text(&self, key: &str, value: &Value<'a>) -> Result<Said, Fault> {
        match value.get_ref() {
            DeValue::String(text) => Ok(Said::of(self.file, value.span(), text)),
            _ => Err(self.wrong(key, value, "text in quotes")),
        }
    }

    fn wrong(&self, key: &str, value: &Value<'a>, allowed: &str) -> Fault {
        let written = self.file.get(value.span()).unwrap_or_default();
        let what = match written.len() < 40 && !written.contains('\n') {
            true => format!("{key} cannot be {written}"),
            false => format!("{key} cannot be this"),
        };
        Fault::new(value.span(), what, format!("expected {allowed}"))
    }

    fn nested(&self, key: &str, value: Value<'a>) -> Result<Self, Fault> {
        let span = value.span();
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            return Err(self.wrong(key, &value, "a table of keys"));
        }
        let table = match value.into_inner() {
            DeValue::Table(table) => table,
            _ => DeTable::new(),
        };
        Ok(Self { file: self.file, span, table, asked: Vec::new(), whole: false })
    }
}
