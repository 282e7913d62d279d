//! What the server may do when it answers: what is durable by then, whose it is, and which shard
//! will get what follows.

use super::{Ghost, Notes, Rows};
use crate::law::Law;
use crate::wire::{Content, Letter};
use presently_engine::body::presrules::Rules;
use presently_engine::message::{Aor, Contacts, Headers, Message, Method, Name, Request, Uri};
use presently_engine::server::Record;
use presently_engine::slot::Slot;
use presently_engine::transaction::Branch;

impl Ghost {
    /// The server answers a request for the first time. `rows` is what is durable by then.
    pub(crate) fn answered(
        &mut self,
        notes: &mut Notes<'_>,
        rows: &Rows,
        letter: &Letter,
        answer: &Letter,
    ) {
        let Some(request) = letter.request() else { return };
        if notes.laws.has(Law::NeverLonger) {
            let seconds = |headers: &Headers| headers.seconds(Name::Expires);
            let (asked, granted) = (seconds(request), answer.headers().and_then(seconds));
            let longer = asked.zip(granted).is_some_and(|(asked, granted)| granted > asked);
            notes.demand(Law::NeverLonger, !longer || answer.facts.status >= 300);
        }
        let event = request.event().map(|event| event.package);
        match (request.method(), answer.facts.status) {
            (Method::Subscribe, 200..=299) => self.subscribe_accepted(notes, answer),
            (Method::Publish, 200..=299) if event == Some("x-presrules") => {
                notes.demand(Law::PolicySurvives, policy_is_stored(rows, request));
            }
            (Method::Message, 202) => {
                if let Some(id) = request.first(Name::DmMessageId) {
                    self.promises(id);
                }
            }
            _ => {}
        }
    }

    /// Carries out what copies must not: remembered until no copy can be under way.
    pub(crate) fn executed(
        &mut self,
        notes: &mut Notes<'_>,
        letter: &Letter,
        now: presently_engine::Instant,
    ) {
        if letter.asks(Method::Subscribe) && letter.facts.to_tag == 0 {
            self.subscribe_executed(notes, letter, now);
        }
    }
}

/// Whether the rules that a request brought are those that are stored.
fn policy_is_stored(rows: &Rows, request: &Request) -> bool {
    let body = request.body();
    let Ok(wanted) = Rules::parse(&body) else { return body.is_empty() };
    let owner = request.to().map_or("", |to| to.uri);
    let stored: Vec<_> = rows
        .values()
        .filter_map(|row| match row {
            Record::Decided(whose, about, Some(verdict)) if whose.as_str() == owner => {
                Some((about.clone(), *verdict))
            }
            _ => None,
        })
        .collect();
    stored.len() == wanted.verdicts.len()
        && stored.iter().all(|(about, verdict)| wanted.verdicts.get(about) == Some(verdict))
}

/// A row is stored because of a request, whose proven sender is `proven` (P1). What a timer or an
/// answer stores follows from what a request stored before.
pub(crate) fn born(notes: &mut Notes<'_>, cause: &Letter, proven: Option<&Aor>, record: &Record) {
    if cause.facts.status != 0 || !notes.laws.has(Law::NoStateBeforeAuth) {
        return;
    }
    let owner = match record {
        Record::Subscribed(_, _, row) => Some(&row.watcher),
        Record::Waiting(_, _, row) => Some(&row.watcher),
        Record::Kept(_, kept) => Some(&kept.from),
        Record::Bound(aor, ..)
        | Record::Unbound(aor, ..)
        | Record::Published(aor, ..)
        | Record::Withdrawn(aor, ..)
        | Record::Decided(aor, ..)
        | Record::Ruled(aor, ..)
        | Record::Unruled(aor) => Some(aor),
        // Consequences of the decision or registration beside them.
        Record::Ended(..) | Record::Released(..) | Record::Delivered(..) => None,
    };
    let decided = matches!(record, Record::Subscribed(aor, ..) | Record::Waiting(aor, ..)
        if proven == Some(aor));
    let named = cause.header(Name::Authorization).and_then(|header| {
        let rest = header.split("username=\"").nth(1)?;
        rest.split('"').next().map(str::to_owned)
    });
    let shown = proven.is_some_and(|aor| named.as_deref() == Some(aor.user()));
    let owned = decided || owner.is_none_or(|owner| Some(owner) == proven);
    notes.demand(Law::NoStateBeforeAuth, shown && owned);
}

/// Every shard gets what concerns it: rows are stored where the letter that caused them goes.
pub(crate) fn stored_at_home(notes: &mut Notes<'_>, cause: &Letter, record: &Record) {
    let home = Slot::of_aor(record.aor());
    notes.demand(Law::RoutesToOwner, home == cause.facts.slot);
}

/// The answer to what a shard sends, and whatever follows in its dialog, comes back to it.
pub(crate) fn comes_home(notes: &mut Notes<'_>, letter: &Letter, cause: Option<&Letter>) {
    if !notes.laws.has(Law::RoutesToOwner) {
        return;
    }
    let Content::Sip(message) = &letter.content else { return };
    let headers = message.headers();
    let of_user = |uri: &str| Uri::parse(uri).ok().and_then(|it| it.user.map(Slot::of_user));
    let contact = match headers.contacts() {
        Ok(Contacts::List(contacts)) => contacts.first().and_then(|it| of_user(it.uri)),
        _ => None,
    };
    let home = match (message, cause) {
        (Message::Request(request), _) if request.method() == Method::Notify => {
            request.from().ok().and_then(|from| of_user(from.uri))
        }
        // A stored or relayed request is at home with whom it is for.
        (Message::Request(request), None) => request.to().ok().and_then(|to| of_user(to.uri)),
        (Message::Request(_) | Message::Response(_), Some(cause)) => Some(cause.facts.slot),
        (Message::Response(_), None) => None,
    };
    let Some(home) = home else { return };
    if let Message::Request(_) = message {
        let branch = headers.via().ok().and_then(|via| Branch::parse(via.branch?));
        notes.demand(Law::RoutesToOwner, branch.is_some_and(|branch| branch.slot == home));
    }
    let forms_dialog = matches!(letter.facts.method, Method::Notify | Method::Subscribe);
    if forms_dialog && letter.facts.status < 300 {
        notes.demand(Law::RoutesToOwner, contact.is_none_or(|contact| contact == home));
    }
}
