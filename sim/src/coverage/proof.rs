//! Rows of digest (M7, M8) and races about who proves what.

use super::requests::Asked;
use super::{Coverage, Row};
use crate::oracle::evidence::{Evidence, Origin};
use crate::oracle::exchanges::{Credentials, is_asked_of_server, nonces};
use presently_engine::message::{Method, Name};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// How long a nonce is good for (K9).
const NONCE_LIFE_MS: u64 = 300_000;

/// What is known of a nonce.
#[derive(Default)]
struct Nonce {
    /// When it was given away first, and in which life of the server.
    issued: Option<(u64, usize)>,
    /// Whether it was given away as the next one.
    next: bool,
    /// The highest count taken.
    highest: Option<u32>,
    taken: BTreeSet<u32>,
    /// Until when the last request with it was out.
    out_until: Option<(SocketAddr, u64)>,
}

pub(super) fn read(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let mut known = issued(evidence);
    let mut stale: BTreeSet<(&str, Method)> = BTreeSet::new();
    // In the order in which the server dealt with them.
    let mut all: Vec<Asked<'_>> = Asked::all(evidence).collect();
    all.sort_by_key(|asked| asked.answer.map_or(usize::MAX, |(place, _)| place));
    for asked in all.into_iter().filter(|asked| is_asked_of_server(asked.letter)) {
        absorbed(&asked, coverage);
        let key = (asked.call, asked.request.method());
        match Credentials::of(asked.request) {
            None => unproven(&asked, coverage),
            Some(shown) => {
                let count = u32::from_str_radix(shown.count, 16).unwrap_or(0);
                let nonce = known.entry(shown.nonce).or_default();
                asking(&asked, nonce, count, coverage);
                if asked.succeeded() {
                    taken(nonce, count, coverage);
                    if stale.remove(&key) {
                        coverage.reach(Row::StaleRecovered);
                    }
                } else if refused(&asked, nonce, count, coverage) {
                    stale.insert(key);
                }
            }
        }
        let info =
            asked.reply().and_then(|it| it.message.headers().first(Name::AuthenticationInfo));
        if info.is_some_and(|info| info.contains("nextnonce")) {
            coverage.reach(Row::NextNonce);
        }
    }
}

/// Every nonce that the server gave away.
fn issued<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<&'a str, Nonce> {
    let mut known: BTreeMap<&str, Nonce> = BTreeMap::new();
    for letter in evidence.letters.iter().filter(|letter| letter.origin == Origin::Server) {
        let Some(response) = letter.response() else { continue };
        for nonce in nonces(response) {
            let first = known.entry(nonce).or_default();
            first.issued.get_or_insert((letter.at_ms, evidence.lives.boots_by(letter.at_ms)));
            first.next |= response.first(Name::AuthenticationInfo).is_some();
        }
    }
    known
}

/// A request without credentials.
fn unproven(asked: &Asked<'_>, coverage: &mut Coverage) {
    if matches!(asked.status(), 401 | 407) {
        coverage.reach(Row::Challenged);
        match (asked.letter.origin, asked.request.method()) {
            (Origin::Stranger, _) => coverage.reach(Row::Flooded),
            (_, Method::Message) => coverage.reach(Row::MessageChallenged),
            (_, Method::Subscribe) => coverage.reach(Row::SubscribeChallenged),
            _ => {}
        }
    }
}

/// A device shows what it knows.
fn asking(asked: &Asked<'_>, nonce: &mut Nonce, count: u32, coverage: &mut Coverage) {
    if !asked.is_from_device() {
        return;
    }
    coverage.reach(if count > 1 { Row::CountsOn } else { Row::AnswersChallenge });
    let from = asked.letter.from;
    let out = asked.heard_ms().unwrap_or(asked.letter.at_ms);
    let before = nonce.out_until.replace((from, out));
    if before.is_some_and(|(whose, until)| whose == from && until > asked.letter.at_ms) {
        coverage.reach(Row::Parallel);
    }
}

/// A request was carried out.
fn taken(nonce: &mut Nonce, count: u32, coverage: &mut Coverage) {
    coverage.reach(match nonce.highest {
        None => Row::Proven,
        Some(highest) if highest < count => Row::CountRises,
        Some(_) => Row::OvertakenCount,
    });
    if nonce.next {
        coverage.reach(Row::TakesNextNonce);
    }
    nonce.highest = nonce.highest.max(Some(count));
    nonce.taken.insert(count);
}

/// A request with credentials was challenged; whether its nonce only was too old.
fn refused(asked: &Asked<'_>, nonce: &Nonce, count: u32, coverage: &mut Coverage) -> bool {
    let (true, Some(reply)) = (matches!(asked.status(), 401 | 407), asked.reply()) else {
        return false;
    };
    let headers = reply.message.headers();
    let lines = [Name::WwwAuthenticate, Name::ProxyAuthenticate].into_iter();
    let stale = lines.flat_map(|name| headers.lines(name)).any(|line| line.contains("stale=true"));
    if !stale {
        coverage.reach(Row::ProofFails);
        return false;
    }
    let boot = asked.evidence.lives.boots_by(reply.at_ms);
    let age = nonce.issued.map(|(at_ms, of)| (reply.at_ms - at_ms, of));
    match age {
        Some((_, of)) if of != boot => coverage.reach(Row::Restarted),
        Some((age, _)) if age > NONCE_LIFE_MS => coverage.reach(Row::NonceTooOld),
        Some(_) if nonce.taken.contains(&count) => coverage.reach(Row::Replayed),
        Some(_) | None => {}
    }
    true
}

/// Copies of a request: answered alike, refused when the answer is forgotten, or sent to two lives
/// of the server.
fn absorbed(asked: &Asked<'_>, coverage: &mut Coverage) {
    let letters = &asked.evidence.letters;
    let lives = &asked.evidence.lives;
    let answers = asked.exchange.answered.iter().map(|place| &letters[*place]);
    let mut answers = answers.filter(|letter| letter.is_new || !letter.is_copy());
    let Some(first) = answers.next().filter(|_| asked.succeeded()) else {
        let arrived = asked.exchange.asked.iter().filter_map(|at| letters[*at].arrived_ms);
        let boots: BTreeSet<usize> = arrived.map(|at_ms| lives.boots_by(at_ms)).collect();
        if boots.len() > 1 && matches!(asked.status(), 401 | 407) {
            coverage.reach(Row::SentAcrossRestart);
        }
        return;
    };
    for later in answers {
        let again = later.response().is_some_and(|response| response.status() < 300);
        let same_life = lives.boots_by(first.at_ms) == lives.boots_by(later.at_ms);
        coverage.reach(match (again, same_life) {
            (true, _) => Row::Absorbed,
            (false, true) => Row::Replayed,
            (false, false) => Row::ReplayedLater,
        });
    }
}
