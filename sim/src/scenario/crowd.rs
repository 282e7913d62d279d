//! A line about `every` one of a crowd becomes a line for each.

use super::cast::Cast;
use super::place::{Fault, Said};
use super::words::Words;

/// A line for one of a crowd, and how much later than the line says.
pub(super) type One = (u64, Said);

/// The lines that a line stands for: itself, or one for each of the crowd that it is about.
pub(super) fn each(cast: &Cast, line: &Said) -> Result<Vec<One>, Fault> {
    let mut words = Words::of(line);
    let every = loop {
        let range = words.next_range();
        let word = words.next();
        match &*word.text {
            "" => return Ok(vec![(0, line.clone())]),
            "every" if !word.quoted => break range,
            // What a user is told to do may have any words in it.
            _ if !may_precede(&word.text, word.quoted) => return Ok(vec![(0, line.clone())]),
            _ => {}
        }
    };
    let mut end = words.next_range().end;
    let name = words.next();
    let count = cast.crowd(&name)?;
    let mut spread = 0;
    if words.take("over") {
        end = words.next_range().end;
        spread = words.next().time()?;
    }
    let one = |number: u32| {
        let line = line.replaced(every.start..end, &format!("{}{number}", name.text));
        let later = spread * u64::from(number - 1) / u64::from(count);
        Ok((later, numbered(line, number, count)?))
    };
    (1..=count).map(one).collect()
}

/// Whether `every` may come behind a word: a time, or what expectations are made of.
fn may_precede(word: &str, quoted: bool) -> bool {
    const BEFORE: [&str; 13] = [
        "expect",
        "never",
        "eventually",
        "exactly",
        "no",
        "one",
        "two",
        "three",
        "message",
        "messages",
        "at",
        "cut",
        "replay",
    ];
    quoted || BEFORE.contains(&word) || word.starts_with(|c: char| c.is_ascii_digit() || c == '+')
}

/// Writes `{n}`, `{n+1}` and `{n-1}` as numbers of the crowd; behind the last comes the first.
fn numbered(mut line: Said, number: u32, count: u32) -> Result<Said, Fault> {
    while let Some(start) = line.text.find("{n") {
        let wrong = |end: usize| {
            let what = format!("`{}` is no number of a crowd", &line.text[start..end]);
            Fault::new(line.span(start..end), what, "expected {n}, {n+1} or {n-1}")
        };
        let Some(length) = line.text[start..].find('}') else {
            return Err(wrong(line.text.len()));
        };
        let end = start + length + 1;
        let inside = &line.text[start + 2..end - 1];
        let step: i64 = match inside {
            "" => 0,
            _ if !inside.starts_with(['+', '-']) => return Err(wrong(end)),
            signed => signed.parse().map_err(|_| wrong(end))?,
        };
        let meant = (i64::from(number) - 1 + step).rem_euclid(i64::from(count)) + 1;
        line = line.replaced(start..end, &meant.to_string());
    }
    Ok(line)
}
