//! Dates of the Gregorian calendar and the Date header (RFC 3261 §20.17): RFC 1123 form, always
//! GMT.

#[cfg(test)]
mod tests;

use super::Instant;

const DAY: u64 = 86_400;
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days from 0000-03-01 to 1970-01-01. Years are counted from March, so that the leap day is the
/// last of its year, and in eras of 400 years, which all have the same length.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_PER_ERA: u64 = 146_097;

/// `Sat, 13 Nov 2010 23:29:00 GMT`, without going through `fmt`.
pub(crate) struct Date([u8; 29]);

impl Date {
    /// The header value for an instant, in whole seconds.
    pub(crate) fn of(at: Instant) -> Self {
        let seconds = at.as_millis() / 1000;
        let (days, second) = (seconds / DAY, seconds % DAY);
        let (year, month, day) = civil(days);
        let mut text = *b"Day, 00 Mon 0000 00:00:00 GMT";
        text[..3].copy_from_slice(DAYS[index(days % 7)].as_bytes());
        digits(&mut text[5..7], day);
        text[8..11].copy_from_slice(MONTHS[index(month - 1)].as_bytes());
        digits(&mut text[12..16], year);
        digits(&mut text[17..19], second / 3600);
        digits(&mut text[20..22], second / 60 % 60);
        digits(&mut text[23..25], second % 60);
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a date is ASCII")
    }

    /// The instant of a header value; `None` if it is none, names another zone than GMT, or lies
    /// before 1970.
    pub(crate) fn read(text: &str) -> Option<Instant> {
        let (weekday, rest) = text.split_once(", ")?;
        let rest = rest.strip_suffix(" GMT").filter(|_| DAYS.contains(&weekday))?;
        let mut words = rest.split(' ');
        let day = number(words.next()?, 1, 31)?;
        let month = words.next()?;
        let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
        let year = number(words.next()?, 1970, 9999)?;
        let mut clock = words.next()?.split(':');
        let hour = number(clock.next()?, 0, 23)?;
        let minute = number(clock.next()?, 0, 59)?;
        let second = number(clock.next()?, 0, 60)?;
        if clock.next().or(words.next()).is_some() {
            return None;
        }
        let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second;
        Some(Instant::from_millis(seconds * 1000))
    }
}

/// Year, month and day of a day since 1970-01-01.
pub(crate) fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1970;
    let (era, day) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year, month + 3);
    if month > 12 { (year + 1, month - 12, day) } else { (year, month, day) }
}

/// Days from 1970-01-01 to a date: the inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    year * 365 + leaps + (153 * month + 2) / 5 + day - 1 - DAYS_TO_1970
}

fn number(text: &str, least: u64, most: u64) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    (least..=most).contains(&number).then_some(number)
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
