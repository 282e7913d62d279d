//! The sections `[limits]`, `[digest]` and `[timing]`: the constants of the protocol under their
//! own names, so that a laboratory can shorten them and an operator can bound them.

use crate::config::rule::Rule;
use crate::config::sheet::Sheet;
use crate::failure::Failure;
use presently_engine::digest::NonceLimits;
use presently_engine::server::Limits;
use presently_engine::transaction::Timing;
use std::time::Duration;

/// Ten years: longer than any soft state should live.
const LONGEST: u32 = 315_360_000;

/// `[timing]`: the base times of RFC 3261 table 4.
pub(crate) fn timing(sheet: &mut Sheet<'_>) -> Result<Timing, Failure> {
    let mut timing = Timing::default();
    milliseconds(sheet, "t1_ms", &mut timing.t1)?;
    milliseconds(sheet, "t2_ms", &mut timing.t2)?;
    milliseconds(sheet, "t4_ms", &mut timing.t4)?;
    sheet.finish()?;
    Ok(timing)
}

/// `[digest]`: algorithms, nonces and their replay records.
pub(crate) fn nonces(sheet: &mut Sheet<'_>) -> Result<NonceLimits, Failure> {
    let mut nonces = NonceLimits::default();
    set(sheet, "sha256", &Rule::switch(), &mut nonces.sha256)?;
    set(sheet, "md5", &algorithm_beside(nonces.sha256), &mut nonces.md5)?;
    seconds(sheet, "nonce_life", &mut nonces.life)?;
    let window = Rule::number("a number of requests", 1..=64);
    set(sheet, "nonce_window", &window, &mut nonces.window)?;
    count(sheet, "nonce_table", &mut nonces.table)?;
    set(sheet, "legacy_no_qop", &Rule::switch(), &mut nonces.legacy_no_qop)?;
    sheet.finish()?;
    Ok(nonces)
}

/// Whether MD5 is offered; it may only be switched off where SHA-256 is on.
fn algorithm_beside(sha256: bool) -> Rule<bool> {
    if sha256 { Rule::switch() } else { Rule::on("true where sha256 = false") }
}

/// `[limits]`: how long soft state lives and how much of it there may be.
pub(crate) fn limits(sheet: &mut Sheet<'_>, timing: &Timing) -> Result<Limits, Failure> {
    let mut limits = Limits { msg_branch_timeout: timing.t1 * 16, ..Limits::default() };
    subscriptions(sheet, &mut limits)?;
    registrations(sheet, &mut limits)?;
    publications(sheet, &mut limits)?;
    messages(sheet, &mut limits)?;
    milliseconds(sheet, "expiry_grace_ms", &mut limits.expiry_grace)?;
    count(sheet, "transactions", &mut limits.transactions)?;
    sheet.finish()?;
    Ok(limits)
}

fn subscriptions(sheet: &mut Sheet<'_>, limits: &mut Limits) -> Result<(), Failure> {
    let asked = (&mut limits.sub_min, &mut limits.sub_default, &mut limits.sub_max);
    expiry(sheet, ["sub_min", "sub_default", "sub_max"], asked)?;
    seconds(sheet, "giveup_pending", &mut limits.giveup_pending)?;
    seconds(sheet, "giveup_waiting", &mut limits.giveup_waiting)?;
    count(sheet, "waiting_per_watcher", &mut limits.waiting_per_watcher)?;
    count(sheet, "waiting_per_presentity", &mut limits.waiting_per_presentity)?;
    count(sheet, "subscriptions_per_presentity", &mut limits.subscriptions_per_presentity)?;
    count(sheet, "subscriptions_per_watcher", &mut limits.subscriptions_per_watcher)?;
    let rate = Rule::number("subscriptions per second", 1..=1_000_000);
    set(sheet, "subscribe_rate", &rate, &mut limits.subscribe_rate)
}

fn registrations(sheet: &mut Sheet<'_>, limits: &mut Limits) -> Result<(), Failure> {
    let asked = (&mut limits.reg_min, &mut limits.reg_default, &mut limits.reg_max);
    expiry(sheet, ["reg_min", "reg_default", "reg_max"], asked)?;
    count(sheet, "bindings", &mut limits.bindings)
}

fn publications(sheet: &mut Sheet<'_>, limits: &mut Limits) -> Result<(), Failure> {
    let asked = (&mut limits.pub_min, &mut limits.pub_default, &mut limits.pub_max);
    expiry(sheet, ["pub_min", "pub_default", "pub_max"], asked)?;
    set(sheet, "pub_max_ready", &span(), &mut limits.pub_max_ready)?;
    count(sheet, "publications", &mut limits.publications)?;
    count(sheet, "publication_size", &mut limits.publication_size)
}

fn messages(sheet: &mut Sheet<'_>, limits: &mut Limits) -> Result<(), Failure> {
    count(sheet, "message_size", &mut limits.message_size)?;
    count(sheet, "offline_quota", &mut limits.offline_quota)?;
    seconds(sheet, "offline_ttl", &mut limits.offline_ttl)?;
    seconds(sheet, "dedupe_ttl", &mut limits.dedupe_ttl)?;
    milliseconds(sheet, "msg_branch_timeout_ms", &mut limits.msg_branch_timeout)
}

/// A least, usual and longest expiry. The usual one follows the bounds unless it was written.
fn expiry(
    sheet: &mut Sheet<'_>,
    keys: [&'static str; 3],
    (least, usual, longest): (&mut u32, &mut u32, &mut u32),
) -> Result<(), Failure> {
    set(sheet, keys[0], &span(), least)?;
    let written = sheet.find(keys[1], &span())?;
    set(sheet, keys[2], &span(), longest)?;
    if least > longest {
        return Err(Failure::usage(format!(
            "{}: limits.{} = {least}: must be at most limits.{} ({longest})",
            sheet.place(),
            keys[0],
            keys[2]
        )));
    }
    *usual = (*usual).clamp(*least, *longest);
    let Some(written) = written else { return Ok(()) };
    let bounds = Rule::number("a number of seconds", *least..=*longest);
    let key = format!("limits.{}", keys[1]);
    *usual = bounds.key(&key, &written.value.to_string(), &written.place)?;
    Ok(())
}

fn span() -> Rule<u32> {
    Rule::number("a whole number of seconds", 1..=LONGEST)
}

fn set<T>(
    sheet: &mut Sheet<'_>,
    key: &'static str,
    rule: &Rule<T>,
    slot: &mut T,
) -> Result<(), Failure> {
    if let Some(value) = sheet.get(key, rule)? {
        *slot = value;
    }
    Ok(())
}

fn count(sheet: &mut Sheet<'_>, key: &'static str, slot: &mut usize) -> Result<(), Failure> {
    set(sheet, key, &Rule::number("a whole number", 1..=1_000_000_000), slot)
}

fn seconds(sheet: &mut Sheet<'_>, key: &'static str, slot: &mut Duration) -> Result<(), Failure> {
    if let Some(value) = sheet.get(key, &span())? {
        *slot = Duration::from_secs(value.into());
    }
    Ok(())
}

fn milliseconds(
    sheet: &mut Sheet<'_>,
    key: &'static str,
    slot: &mut Duration,
) -> Result<(), Failure> {
    if let Some(value) = sheet.get(key, &Rule::number("a number of milliseconds", 1..=3_600_000))? {
        *slot = Duration::from_millis(value);
    }
    Ok(())
}
