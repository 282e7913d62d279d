//! RFC 3339 times, as far as presence documents need them.

#[cfg(test)]
mod tests;

use crate::time::{Instant, civil};

const DAY_MS: u64 = 86_400_000;

/// RFC 3339 in UTC with milliseconds: `2026-05-04T09:30:12.001Z`.
pub fn timestamp(at: Instant) -> String {
    let ms = at.as_millis();
    let (year, month, day) = civil(ms / DAY_MS);
    let (ms, seconds) = (ms % 1000, ms % DAY_MS / 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut out = String::with_capacity(24);
    for (number, width, after) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (hour, 2, ':'),
        (minute, 2, ':'),
        (second, 2, '.'),
        (ms, 3, 'Z'),
    ] {
        push_padded(&mut out, number, width);
        out.push(after);
    }
    out
}

fn push_padded(out: &mut String, number: u64, width: u32) {
    if number >= 10 {
        push_padded(out, number / 10, width.saturating_sub(1));
    } else {
        out.extend((1..width).map(|_| '0'));
    }
    out.push(char::from(b'0' + (number % 10) as u8));
}

/// Whether `text` has the form of an RFC 3339 time; XML Schema's `dateTime` additionally allows it
/// to have no offset, which is tolerated.
pub(super) fn is_datetime(text: &str) -> bool {
    let Some((date, rest)) = text.split_at_checked(19) else { return false };
    let shape = date.bytes().zip(*b"dddd-dd-ddTdd:dd:dd");
    let date_good = shape.into_iter().all(|(byte, form)| match form {
        b'd' => byte.is_ascii_digit(),
        _ => byte == form,
    });
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let fraction_good = !rest.starts_with('.') || rest.len() - offset.len() > 1;
    date_good && fraction_good && is_offset(offset)
}

fn is_offset(text: &str) -> bool {
    match text.as_bytes() {
        [] | [b'Z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => {
            [h1, h2, m1, m2].into_iter().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}
