//! Where things stand in a scenario file, and what is said about what is wrong there.

use std::fmt;
use std::ops::Range;

/// What is wrong with a part of the file, and what would be right. Spans are bytes of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) what: String,
    /// Stands under the line, behind the caret.
    pub(super) help: String,
}

impl Fault {
    pub(super) fn new(
        span: Range<usize>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { span, what: what.into(), help: help.into() }
    }
}

/// One mistake in a scenario file, for people: prints as place, line and caret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// What was expected.
    pub help: String,
    width: usize,
    shown: String,
}

impl Mistake {
    pub(super) fn new(file: &str, text: &str, fault: Fault) -> Self {
        let start = floor(text, fault.span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let shown = text[line_start..line_end].trim_end();
        let column = text[line_start..start].chars().count() + 1;
        let end = floor(text, fault.span.end).clamp(start, line_end);
        Self {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column,
            what: fault.what,
            help: fault.help,
            width: text[start..end].trim_end().chars().count().max(1),
            // A tab is one column here, and one wide there.
            shown: shown.replace('\t', " "),
        }
    }
}

fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|place| text.is_char_boundary(*place)).unwrap_or(0)
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, what, help, width, shown } = self;
        let number = line.to_string();
        let gap = " ".repeat(number.len());
        let (before, carets) = (" ".repeat(column - 1), "^".repeat(*width));
        writeln!(f, "{file}:{line}:{column}: {what}")?;
        writeln!(f, "{gap} |")?;
        writeln!(f, "{number} | {shown}")?;
        write!(f, "{}", format!("{gap} | {before}{carets} {help}").trim_end())
    }
}

/// Every mistake that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// Text that a value of the file holds, every byte of which knows where it stands in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Said {
    pub(super) text: String,
    /// Offset in the file of each byte, and of the end.
    at: Vec<usize>,
}

impl Said {
    /// The string whose quoted form stands at `span` of the file.
    pub(super) fn of(file: &str, span: Range<usize>, value: &str) -> Self {
        let written = file.get(span.clone()).unwrap_or_default();
        let quotes = ["\"\"\"", "'''", "\"", "'"];
        let quote = quotes.into_iter().find(|quote| written.starts_with(quote)).unwrap_or("");
        let mut raw = written[quote.len()..].char_indices().peekable();
        // A line end behind the opening quotes is not part of the value.
        if quote.len() == 3 {
            raw.next_if(|(_, c)| *c == '\r');
            raw.next_if(|(_, c)| *c == '\n');
        }
        let origin = span.start + quote.len();
        let mut at = Vec::with_capacity(value.len() + 1);
        for c in value.chars() {
            skip_silence(&mut raw, quote, c);
            let place = raw.peek().map_or(span.end, |(offset, _)| origin + offset);
            skip_one(&mut raw, quote);
            at.extend(std::iter::repeat_n(place, c.len_utf8()));
        }
        at.push(raw.peek().map_or(span.end, |(offset, _)| origin + offset));
        Self { text: value.to_owned(), at }
    }

    /// The lines, without their ends.
    pub(super) fn lines(&self) -> impl Iterator<Item = Self> {
        let start = self.text.as_ptr() as usize;
        self.text.lines().map(move |line| {
            let from = line.as_ptr() as usize - start;
            self.part(from..from + line.len())
        })
    }

    /// A part of it.
    pub(super) fn part(&self, range: Range<usize>) -> Self {
        let at = self.at[range.start..=range.end].to_vec();
        Self { text: self.text[range].to_owned(), at }
    }

    /// The same with a part replaced; what is new stands where the old part stood.
    pub(super) fn replaced(&self, range: Range<usize>, with: &str) -> Self {
        let text = format!("{}{with}{}", &self.text[..range.start], &self.text[range.end..]);
        let mut at = self.at[..range.start].to_vec();
        at.extend(std::iter::repeat_n(self.at[range.start], with.len()));
        at.extend_from_slice(&self.at[range.end..]);
        Self { text, at }
    }

    /// Where a part of it stands in the file.
    pub(super) fn span(&self, range: Range<usize>) -> Range<usize> {
        let from = self.at[range.start];
        // The end of the last byte's character rather than the start of what follows.
        let until = range.end.checked_sub(1).map_or(from, |last| self.at[last] + 1);
        from..until.max(from)
    }
}

type Raw<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

/// Skips what is written and means nothing: a folded line end, a carriage return.
fn skip_silence(raw: &mut Raw<'_>, quote: &str, wanted: char) {
    if wanted != '\r' {
        raw.next_if(|(_, c)| *c == '\r');
    }
    let mut ahead = raw.clone();
    let folded = quote.starts_with('"')
        && ahead.next().is_some_and(|(_, c)| c == '\\')
        && ahead.next().is_some_and(|(_, c)| c.is_whitespace());
    if folded {
        raw.next();
        while raw.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    }
}

/// Skips what one character of the value is written as.
fn skip_one(raw: &mut Raw<'_>, quote: &str) {
    let Some((_, first)) = raw.next() else { return };
    if first != '\\' || !quote.starts_with('"') {
        return;
    }
    let digits = match raw.next() {
        Some((_, 'x')) => 2,
        Some((_, 'u')) => 4,
        Some((_, 'U')) => 8,
        _ => 0,
    };
    for _ in 0..digits {
        raw.next();
    }
}
