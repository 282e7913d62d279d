//! Rows that are NOTIFYs: how they follow each other in a dialog and what becomes of them.

use super::{Coverage, Row};
use crate::oracle::dialogs::{dialogs, pairs};
use crate::oracle::evidence::{Evidence, Notify, Phase};
use crate::record::Fate;
use presently_engine::body::pidf::Pidf;
use presently_engine::body::presrules::Handling;
use presently_engine::body::winfo::{Status, Watcher, WatcherInfo};
use presently_engine::message::Method;
use std::collections::{BTreeMap, BTreeSet};

/// How often a NOTIFY leaves before its time is up.
const SENDS: usize = 11;

pub(super) fn read(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    for notify in &evidence.notifies {
        fate(evidence, notify, coverage);
    }
    let asked = asked(evidence);
    for (before, after) in pairs(evidence) {
        let forced = asked
            .get(&*after.dialog.0)
            .is_some_and(|places| places.range(before.place..after.place).next().is_some());
        let pair = Pair { evidence, before, after, forced };
        pair.outbox(coverage);
        if after.winfo {
            pair.winfo(coverage);
        } else {
            pair.presence(coverage);
        }
    }
    for of_dialog in dialogs(evidence).values() {
        documents(of_dialog, coverage);
    }
    replaced(evidence, coverage);
}

/// Where the successes of SUBSCRIBEs stand, by Call-ID.
fn asked<'a>(evidence: &'a Evidence<'_>) -> BTreeMap<&'a str, BTreeSet<usize>> {
    let mut asked: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (exchange, _, request) in evidence.exchanges.asked(&evidence.letters) {
        if request.method() == Method::Subscribe {
            let call = request.call_id().unwrap_or_default();
            asked.entry(call).or_default().extend(exchange.success(&evidence.letters));
        }
    }
    asked
}

/// What became of a NOTIFY.
fn fate(evidence: &Evidence<'_>, notify: &Notify, coverage: &mut Coverage) {
    let letters = &evidence.letters;
    let exchange = evidence.exchanges.of(notify.place);
    let over = notify.phase == Phase::Terminated;
    let heard = exchange.heard(letters);
    match heard {
        Some((_, 200..=299)) if over => coverage.reach(Row::EndAnswered),
        Some((_, 200..=299)) => coverage.reach(Row::NotifyAnswered),
        Some((_, 481)) => coverage.reach(if over { Row::LateNotify } else { Row::NotifyFatal }),
        Some((_, 500..=599)) => coverage.reach(Row::NotifyFailed),
        Some(_) | None => {}
    }
    let sent = exchange.asked.iter().filter(|at| !letters[**at].is_copy()).count();
    let lost = heard.is_none() && sent >= SENDS;
    let fatal = heard.is_some_and(|(_, status)| status == 481);
    if lost {
        coverage.reach(if notify.winfo { Row::WinfoLost } else { Row::NotifyUnanswered });
    }
    if (lost || fatal) && !notify.winfo {
        match notify.phase {
            Phase::Pending => coverage.reach(Row::PendingLost),
            Phase::Active => coverage.reach(Row::ActiveLost),
            Phase::Terminated => {}
        }
    }
    if over && matches!(letters[notify.place].fate, Fate::Lost | Fate::Cut) {
        coverage.reach(Row::TerminalLost);
    }
    restarted(evidence, notify, fatal, coverage);
    let refused = exchange
        .answered
        .iter()
        .any(|at| letters[*at].response().is_some_and(|response| response.status() == 500));
    if refused {
        coverage.reach(Row::NotifyReordered);
    }
}

/// A device that has started anew refuses what its former life asked for.
fn restarted(evidence: &Evidence<'_>, notify: &Notify, fatal: bool, coverage: &mut Coverage) {
    let answers = &evidence.exchanges.of(notify.place).answered;
    let Some(answer) = answers.first().map(|at| &evidence.letters[*at]) else { return };
    let Some(device) = evidence.device(answer.from).filter(|_| fatal) else { return };
    let asked = evidence.letters.iter().find(|letter| {
        letter.request().is_some_and(|it| it.call_id().is_ok_and(|call| call == notify.dialog.0))
    });
    let life = |at_ms| evidence.lives.of(device, at_ms).map(|life| life.from_ms);
    if asked.is_some_and(|asked| life(asked.at_ms) != life(answer.at_ms)) {
        coverage.reach(Row::RestartedWatcher);
    }
}

/// Two NOTIFYs of a dialog that follow each other.
struct Pair<'a> {
    evidence: &'a Evidence<'a>,
    before: &'a Notify,
    after: &'a Notify,
    /// Whether a SUBSCRIBE was answered in between.
    forced: bool,
}

impl Pair<'_> {
    fn thought(&self, notify: &Notify) -> Option<Handling> {
        self.evidence.decisions.certain(&notify.owner, &notify.watcher, notify.at_ms)
    }

    /// Rows of M14.
    fn outbox(&self, coverage: &mut Coverage) {
        let (before, after) = (self.before, self.after);
        if before.boot != after.boot {
            coverage.reach(Row::Recovered);
            return;
        }
        let letters = &self.evidence.letters;
        let answered = self.evidence.exchanges.of(before.place).heard(letters);
        let gap = self.evidence.plan.server.notify_gap_ms;
        let at_answer = answered.is_some_and(|(at_ms, _)| at_ms == after.at_ms);
        if self.forced {
            coverage.reach(Row::NotifyForced);
        } else if gap > 0 && after.at_ms == before.at_ms + gap {
            coverage.reach(Row::NotifyPaced);
        }
        if at_answer && !self.forced {
            coverage.reach(Row::NotifyAfterAnswer);
        }
        if at_answer && after.phase == Phase::Terminated && before.phase != after.phase {
            coverage.reach(Row::EndAfterAnswer);
        }
    }

    /// Rows of M13.
    fn presence(&self, coverage: &mut Coverage) {
        let (before, after) = (self.before.phase, self.after.phase);
        let reason = self.after.reason.as_deref().unwrap_or_default();
        let polite = |notify| self.thought(notify) == Some(Handling::PoliteBlock);
        let allowed = |notify| self.thought(notify) == Some(Handling::Allow);
        let row = match (before, after, reason) {
            (Phase::Pending, Phase::Active, _) if polite(self.after) => Row::ApprovedPolitely,
            (Phase::Pending, Phase::Active, _) => Row::Approved,
            (Phase::Active, Phase::Pending, _) => Row::Withdrawn,
            (Phase::Pending, Phase::Terminated, "rejected") => Row::RejectedPending,
            (Phase::Active, Phase::Terminated, "rejected") => Row::RejectedActive,
            (Phase::Pending, Phase::Terminated, "timeout") if !self.forced => Row::PendingTimedOut,
            (Phase::Active, Phase::Terminated, "timeout") if !self.forced => Row::ActiveTimedOut,
            (Phase::Pending, Phase::Terminated, "giveup") => Row::GaveUp,
            (Phase::Pending, Phase::Terminated, "deactivated") => Row::DeactivatedPending,
            (Phase::Active, Phase::Terminated, "deactivated") => Row::DeactivatedActive,
            (Phase::Active, Phase::Active, _) => return self.content(coverage),
            _ => return,
        };
        coverage.reach(row);
        if (polite(self.before) && allowed(self.after))
            || (allowed(self.before) && polite(self.after))
        {
            coverage.reach(Row::TurnedPolite);
        }
    }

    /// Rows of M13 in which an active subscription stays one.
    fn content(&self, coverage: &mut Coverage) {
        let thoughts = (self.thought(self.before), self.thought(self.after));
        match thoughts {
            (Some(Handling::Allow), Some(Handling::PoliteBlock))
            | (Some(Handling::PoliteBlock), Some(Handling::Allow)) => {
                coverage.reach(Row::TurnedPolite);
            }
            _ => {}
        }
        let read = |notify: &Notify| Pidf::parse(&notify.body).ok();
        let (Some(before), Some(after)) = (read(self.before), read(self.after)) else { return };
        if !self.forced && self.before.body != self.after.body {
            coverage.reach(Row::Changed);
        }
        let news = self.published();
        if news > 1 {
            coverage.reach(Row::Coalesced);
        }
        let gone = before.tuples.iter().any(|tuple| {
            !tuple.notes.is_empty() && after.tuples.iter().all(|other| other.id != tuple.id)
        });
        let allowed = thoughts == (Some(Handling::Allow), Some(Handling::Allow));
        if gone && allowed && news == 0 && self.before.boot == self.after.boot {
            coverage.reach(Row::PublicationExpired);
        }
    }

    /// How many documents the owner published between the two.
    fn published(&self) -> usize {
        let letters = &self.evidence.letters[self.before.place..self.after.place];
        let answers = letters.iter().filter(|letter| {
            let good = letter.response().is_some_and(|response| response.status() == 200);
            good && letter.is_new && letter.cseq().1 == "PUBLISH"
        });
        let owners = answers.filter(|letter| {
            let from = letter.message.headers().from();
            from.is_ok_and(|from| crate::oracle::evidence::user(&from) == self.after.owner)
        });
        owners.count()
    }

    /// Rows of M16.
    fn winfo(&self, coverage: &mut Coverage) {
        let letters = &self.evidence.letters;
        let full = WatcherInfo::parse(&self.after.body).is_ok_and(|document| document.full);
        let heard = self.evidence.exchanges.of(self.before.place).heard(letters);
        if full && !self.forced && heard.is_some_and(|(_, status)| status >= 300) {
            coverage.reach(Row::FullAfterFailure);
        }
        if self.after.phase == Phase::Terminated && !self.forced {
            coverage.reach(Row::WinfoEnded);
        }
    }
}

/// The documents of one dialog of watcher information.
fn documents(notifies: &[&Notify], coverage: &mut Coverage) {
    let mut before: BTreeMap<Box<str>, Status> = BTreeMap::new();
    let winfo = notifies.iter().filter(|notify| notify.winfo);
    for (number, notify) in winfo.enumerate() {
        let Ok(document) = WatcherInfo::parse(&notify.body) else { continue };
        coverage.reach(match (document.full, number) {
            (true, 0) => Row::WinfoFirst,
            (true, _) => Row::WinfoFull,
            (false, _) => Row::WinfoChanged,
        });
        if notify.watcher != notify.owner {
            coverage.reach(Row::SelfView);
        }
        let rows: Vec<Watcher> =
            document.lists.into_iter().flat_map(|list| list.watchers).collect();
        let of = |status: Status| rows.iter().filter(move |row| row.status == status);
        if number == 0 && document.full && of(Status::Waiting).count() > 0 {
            coverage.reach(Row::WaitedForOwner);
        }
        let live = |row: &&Watcher| matches!(row.status, Status::Pending | Status::Active);
        let uris: Vec<&str> = rows.iter().filter(live).map(|row| &*row.uri).collect();
        if uris.iter().collect::<BTreeSet<_>>().len() < uris.len() {
            coverage.reach(Row::TwoRows);
        }
        for row in &rows {
            waiting(before.insert(row.id.clone(), row.status), row, &rows, coverage);
        }
    }
}

/// The end of a waiting record.
fn waiting(before: Option<Status>, row: &Watcher, rows: &[Watcher], coverage: &mut Coverage) {
    if before != Some(Status::Waiting) || row.status != Status::Terminated {
        return;
    }
    let anew = rows.iter().any(|other| other.uri == row.uri && other.id != row.id);
    match row.event.as_str() {
        "approved" => coverage.reach(Row::WaitingApproved),
        "rejected" => coverage.reach(Row::WaitingRejected),
        "giveup" if anew => coverage.reach(Row::GaveUpBySubscribing),
        "giveup" => coverage.reach(Row::WaitingGaveUp),
        _ => {}
    }
}

/// Dialogs that another one with the same Call-ID replaced (R20).
fn replaced(evidence: &Evidence<'_>, coverage: &mut Coverage) {
    let mut tags: BTreeMap<&str, &str> = BTreeMap::new();
    for notify in &evidence.notifies {
        let tag = tags.insert(&notify.dialog.0, &notify.dialog.1);
        if tag.is_some_and(|tag| tag != notify.dialog.1) {
            coverage.reach(Row::DialogReplaced);
        }
    }
}
