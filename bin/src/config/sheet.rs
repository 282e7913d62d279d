//! A TOML table that is read key by key: every value by its rule, and what nobody asked for is
//! an error that names the key, its line, and the key that was probably meant.

use super::rule::{Kind, Rule};
use crate::failure::Failure;
use crate::nearest::nearest;
use std::fmt;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A whole file: its name for messages, and its text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
}

/// Where in a file something stands; prints as `name:line:column`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Place<'a> {
    name: &'a str,
    line: usize,
    column: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.name, self.line, self.column)
    }
}

impl<'a> Source<'a> {
    /// The table that the whole file is.
    pub(crate) fn sheet(self) -> Result<Sheet<'a>, Failure> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let place = self.place(error.span().unwrap_or(0..0));
            Failure::usage(format!("{place}: not valid TOML: {}", error.message()))
        })?;
        let span = table.span();
        Ok(Sheet {
            source: self,
            path: String::new(),
            span,
            table: table.into_inner(),
            asked: vec![],
        })
    }

    /// The place where `span` begins.
    fn place(self, span: Range<usize>) -> Place<'a> {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            name: self.name,
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// A table being read.
pub(crate) struct Sheet<'a> {
    source: Source<'a>,
    /// Dotted name of the table with a trailing dot; empty for the file itself.
    path: String,
    span: Range<usize>,
    table: DeTable<'a>,
    asked: Vec<&'static str>,
}

/// A value that was read, and where it stood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found<'a, T> {
    pub(crate) value: T,
    pub(crate) place: Place<'a>,
}

impl<'a> Sheet<'a> {
    /// Where the table begins.
    pub(crate) fn place(&self) -> Place<'a> {
        self.source.place(self.span.clone())
    }

    /// The value of `key`, if it is there.
    pub(crate) fn get<T>(
        &mut self,
        key: &'static str,
        rule: &Rule<T>,
    ) -> Result<Option<T>, Failure> {
        Ok(self.find(key, rule)?.map(|found| found.value))
    }

    /// The value of `key` and where it stands, if it is there.
    pub(crate) fn find<T>(
        &mut self,
        key: &'static str,
        rule: &Rule<T>,
    ) -> Result<Option<Found<'a, T>>, Failure> {
        let Some(value) = self.take(key) else { return Ok(None) };
        self.read(key, &value, rule).map(Some)
    }

    /// The values of `key`, a list; one value alone counts as a list of one.
    pub(crate) fn list<T>(
        &mut self,
        key: &'static str,
        rule: &Rule<T>,
    ) -> Result<Option<Vec<T>>, Failure> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let DeValue::Array(items) = value.get_ref() else {
            return Ok(Some(vec![self.read(key, &value, rule)?.value]));
        };
        let read = items.iter().map(|item| Ok(self.read(key, item, rule)?.value));
        read.collect::<Result<Vec<T>, Failure>>().map(Some)
    }

    /// The table `key`; an empty one if it is absent.
    pub(crate) fn section(&mut self, key: &'static str) -> Result<Sheet<'a>, Failure> {
        let span = self.span.clone();
        let value =
            self.take(key).unwrap_or_else(|| Spanned::new(span, DeValue::Table(DeTable::new())));
        self.nested(key, value)
    }

    /// Every table of the array of tables `key` (`[[key]]`).
    pub(crate) fn sections(&mut self, key: &'static str) -> Result<Vec<Sheet<'a>>, Failure> {
        let Some(value) = self.take(key) else { return Ok(vec![]) };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            let place = self.source.place(span);
            return Err(Failure::usage(format!("{place}: {key}: must be written as [[{key}]]")));
        };
        items.into_iter().map(|item| self.nested(key, item)).collect()
    }

    /// Ends the reading: a key that nobody asked for is an error.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let Some(unknown) = self.table.keys().min_by_key(|key| key.span().start) else {
            return Ok(());
        };
        let (path, name) = (&self.path, unknown.get_ref());
        let place = self.source.place(unknown.span());
        let hint = match nearest(name, self.asked.iter().copied()) {
            Some(meant) => format!("did you mean {path}{meant}?"),
            None => format!("known keys: {}", self.asked.join(", ")),
        };
        Err(Failure::usage(format!("{place}: unknown key {path}{name}; {hint}")))
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'a>>> {
        self.asked.push(key);
        self.table.remove(key)
    }

    fn nested(&self, key: &str, value: Spanned<DeValue<'a>>) -> Result<Sheet<'a>, Failure> {
        let span = value.span();
        let DeValue::Table(table) = value.into_inner() else {
            let place = self.source.place(span);
            return Err(Failure::usage(format!("{place}: {key}: must be a table of keys")));
        };
        let path = format!("{}{key}.", self.path);
        Ok(Sheet { source: self.source, path, span, table, asked: vec![] })
    }

    fn read<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'a>>,
        rule: &Rule<T>,
    ) -> Result<Found<'a, T>, Failure> {
        let place = self.source.place(value.span());
        let key = format!("{}{key}", self.path);
        let written = self.source.text.get(value.span()).unwrap_or_default();
        let value = match (rule.kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) => rule.key(&key, text, &place)?,
            (Kind::Number, DeValue::Integer(number)) if number.radix() == 10 => {
                rule.key(&key, number.as_str(), &place)?
            }
            (Kind::Switch, DeValue::Boolean(on)) => rule.key(&key, &on.to_string(), &place)?,
            _ => return Err(rule.refusal(&key, written, &place)),
        };
        Ok(Found { value, place })
    }
}

#[cfg(test)]
mod tests;
