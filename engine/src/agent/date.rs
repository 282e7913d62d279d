//! The Date header (RFC 3261 §20.17): `Sat, 13 Nov 2010 23:29:00 GMT`, always GMT.

use crate::time::Instant;

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// 1970-01-01 counted from 0000-03-01, where leap days end a cycle instead of splitting it.
const EPOCH_DAY: u64 = 719_468;
const DAYS_PER_ERA: u64 = 146_097;

/// The header value for an instant.
pub(crate) fn write(at: Instant) -> String {
    let seconds = at.as_millis() / 1000;
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (weekday, month) = (DAYS[(days % 7) as usize], MONTHS[month]);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

/// The instant of a header value.
pub(crate) fn read(text: &str) -> Option<Instant> {
    let (_, rest) = text.split_once(',')?;
    let mut words = rest.split_ascii_whitespace();
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let year: u64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let sound = (1..=31).contains(&day) && (1970..=9999).contains(&year);
    if !sound || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(Instant::from_millis(seconds * 1000))
}

/// Year, month from 0, day from 1 of a count of days since 1970.
fn civil(days: u64) -> (u64, usize, u64) {
    let days = days + EPOCH_DAY;
    let (era, day) = (days / DAYS_PER_ERA, days % DAYS_PER_ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12;
    (era * 400 + year + u64::from(month < 2), month as usize, day)
}

/// The count of days since 1970; `month` from 0, `year` from 1970.
fn days(year: u64, month: usize, day: u64) -> u64 {
    let month = month as u64;
    let year = year - u64::from(month < 2);
    let (era, of_era) = (year / 400, year % 400);
    let from_march = (month + 10) % 12;
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAY
}
