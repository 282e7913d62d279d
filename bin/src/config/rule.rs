//! A rule says how one setting is written and what is allowed; flags and keys share it.

use super::sheet::Place;
use crate::failure::Failure;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// How a value is spelled in TOML.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// `"quoted"`.
    Text,
    /// `123`.
    Number,
    /// `true` or `false`.
    Switch,
}

/// From what was written to a value, if it is allowed.
type Read<T> = Box<dyn Fn(&str) -> Option<T>>;

/// How one setting is read, and what to tell somebody who wrote it wrongly.
pub(crate) struct Rule<T> {
    pub(crate) kind: Kind,
    /// Completes "must be …".
    pub(crate) allowed: String,
    /// Whether the value may never be shown.
    secret: bool,
    read: Read<T>,
}

impl<T> Rule<T> {
    /// A rule for quoted text.
    pub(crate) fn text(
        allowed: impl Into<String>,
        read: impl Fn(&str) -> Option<T> + 'static,
    ) -> Self {
        Self { kind: Kind::Text, allowed: allowed.into(), secret: false, read: Box::new(read) }
    }

    /// The same for a value that no message may repeat.
    pub(crate) fn secret(
        allowed: impl Into<String>,
        read: impl Fn(&str) -> Option<T> + 'static,
    ) -> Self {
        Self { secret: true, ..Self::text(allowed, read) }
    }

    /// Reads what was given for `flag` on the command line.
    pub(crate) fn flag(&self, flag: &str, given: &str) -> Result<T, Failure> {
        self.read(given).ok_or_else(|| {
            Failure::usage(format!("{flag} {}: must be {}", self.shown(given), self.allowed))
        })
    }

    /// Reads what was given for `key` at `place` of a file.
    pub(crate) fn key(&self, key: &str, given: &str, place: &Place<'_>) -> Result<T, Failure> {
        self.read(given).ok_or_else(|| self.refusal(key, given, place))
    }

    /// What to say about a value that is not allowed.
    pub(crate) fn refusal(&self, key: &str, given: &str, place: &Place<'_>) -> Failure {
        let (given, allowed) = (self.shown(given), &self.allowed);
        Failure::usage(format!("{place}: {key} = {given}: must be {allowed}"))
    }

    fn read(&self, given: &str) -> Option<T> {
        (self.read)(given)
    }

    fn shown(&self, given: &str) -> String {
        if self.secret { "\"…\"".to_owned() } else { shown(given) }
    }
}

impl<T: FromStr + PartialOrd + Display + Copy + 'static> Rule<T> {
    /// A whole number in `range`; `what` says of what.
    pub(crate) fn number(what: &str, range: RangeInclusive<T>) -> Self {
        Self {
            kind: Kind::Number,
            secret: false,
            allowed: format!("{what} from {} to {}", range.start(), range.end()),
            read: Box::new(move |given| {
                let number = given.parse().ok()?;
                range.contains(&number).then_some(number)
            }),
        }
    }
}

impl Rule<bool> {
    /// `true` or `false`.
    pub(crate) fn switch() -> Self {
        Self {
            kind: Kind::Switch,
            allowed: "true or false".to_owned(),
            secret: false,
            read: Box::new(|given| given.parse().ok()),
        }
    }

    /// A switch that has to be on under the circumstances that `allowed` names.
    pub(crate) fn on(allowed: &str) -> Self {
        Self {
            allowed: allowed.to_owned(),
            read: Box::new(|given| given.parse().ok().filter(|on| *on)),
            ..Self::switch()
        }
    }
}

/// A value as it is quoted in an error: without control characters and not without end.
fn shown(given: &str) -> String {
    const LONGEST: usize = 60;
    let mut text: String = given.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if given.chars().nth(LONGEST).is_some() {
        text.push('…');
    }
    format!("\"{text}\"")
}
