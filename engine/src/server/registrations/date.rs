//! `Date` (RFC 3261 §20.17): RFC 1123 form, always GMT.

use crate::time::Instant;

const DAYS: [&[u8; 3]; 7] = [b"Thu", b"Fri", b"Sat", b"Sun", b"Mon", b"Tue", b"Wed"];
const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// `Sat, 13 Nov 2010 23:29:00 GMT`, without going through `fmt`.
pub(super) struct Date([u8; 29]);

impl Date {
    pub(super) fn of(at: Instant) -> Self {
        let seconds = at.as_millis() / 1000;
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil(days);
        let mut text = *b"Day, 00 Mon 0000 00:00:00 GMT";
        text[..3].copy_from_slice(DAYS[index(days % 7)]);
        digits(&mut text[5..7], day);
        text[8..11].copy_from_slice(MONTHS[index(month - 1)]);
        digits(&mut text[12..16], year);
        digits(&mut text[17..19], second / 3600);
        digits(&mut text[20..22], second / 60 % 60);
        digits(&mut text[23..25], second % 60);
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a date is ASCII")
    }
}

/// Year, month and day of a day since 1970-01-01. Years are counted from March here, so that the
/// leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let since_march_of_0000 = days + 719_468;
    let (era, day) = (since_march_of_0000 / 146_097, since_march_of_0000 % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year, month + 3);
    if month > 12 { (year + 1, month - 12, day) } else { (year, month, day) }
}

fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b"0123456789"[index(number % 10)];
        number /= 10;
    }
}

fn index(small: u64) -> usize {
    usize::try_from(small).expect("an index of a short table is small")
}

#[cfg(test)]
mod tests;
