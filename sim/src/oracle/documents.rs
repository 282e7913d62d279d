//! Presence documents (P34, P44) and forwarded messages (P45).

use super::dialogs::whose;
use super::evidence::{Evidence, Origin, user};
use presently_engine::body::pidf::{Pidf, Tuple};
use presently_engine::body::presrules::Handling;
use presently_engine::message::{Method, Name, Request, Uri};
use std::collections::{BTreeMap, BTreeSet};

type Found = Vec<(u64, String)>;

/// P34: of two documents of a presentity the later one has the later timestamps where it says
/// something else, and never earlier ones.
pub(super) fn timestamps_rise(evidence: &Evidence<'_>) -> Found {
    let mut last: BTreeMap<(&str, Box<str>), Tuple> = BTreeMap::new();
    let mut found = Vec::new();
    // A server that starts with a clock that went back forgets what it wrote last.
    if evidence.lives.clock_is_odd() {
        return found;
    }
    for notify in evidence.notifies.iter().filter(|notify| !notify.winfo) {
        let thought = evidence.decisions.certain(&notify.owner, &notify.watcher, notify.at_ms);
        if thought != Some(Handling::Allow) {
            continue;
        }
        let Ok(document) = Pidf::parse(&notify.body) else { continue };
        for tuple in document.tuples {
            let key = (&*notify.owner, tuple.id.clone());
            let Some(before) = last.insert(key, tuple.clone()) else { continue };
            let (Some(earlier), Some(later)) = (&before.timestamp, &tuple.timestamp) else {
                continue;
            };
            let same = before.basic == tuple.basic && before.notes == tuple.notes;
            if later < earlier || (!same && later == earlier) {
                found.push((notify.at_ms, format!("{} is as of {later}", whose(notify))));
            }
        }
    }
    found
}

/// P44: a document is its owner's and has each tuple once.
pub(super) fn one_tuple_of_a_name(evidence: &Evidence<'_>) -> Found {
    let mut found = Vec::new();
    for notify in evidence.notifies.iter().filter(|notify| !notify.winfo) {
        let Ok(document) = Pidf::parse(&notify.body) else { continue };
        let ids: BTreeSet<&str> = document.tuples.iter().map(|tuple| &*tuple.id).collect();
        if ids.len() < document.tuples.len() {
            found.push((notify.at_ms, format!("{} has a tuple twice", whose(notify))));
        }
        let entity = super::lives::user_of(document.entity.trim_start_matches("pres:"));
        if entity != notify.owner {
            found.push((notify.at_ms, format!("{} is about {entity}", whose(notify))));
        }
    }
    found
}

/// What a message has in common with its copies on the way.
fn identity(request: &Request) -> Option<(String, u32)> {
    Some((request.call_id().ok()?.to_owned(), request.cseq().ok()?.number))
}

/// P45: a message is forwarded to a contact of its receiver, as it came but for the way it has
/// gone.
pub(super) fn forwarded_as_it_came(evidence: &Evidence<'_>) -> Found {
    let mut came: BTreeMap<(String, u32), &Request> = BTreeMap::new();
    let mut contacts: BTreeSet<(String, String)> = BTreeSet::new();
    let mut found = Vec::new();
    for letter in &evidence.letters {
        let Some(request) = letter.request() else { continue };
        match (letter.origin, request.method()) {
            (Origin::Server, Method::Message) => {
                let to = request.to().map(|to| user(&to)).unwrap_or_default();
                if !contacts.contains(&(to.clone(), request.uri().to_owned())) {
                    let what = format!("a message for {to} goes to {}", request.uri());
                    found.push((letter.at_ms, what));
                }
                let before = identity(request).and_then(|identity| came.get(&identity));
                if before.is_some_and(|before| !is_one_hop_on(before, request)) {
                    found.push((letter.at_ms, format!("a message for {to} is altered")));
                }
            }
            (_, Method::Message) => {
                identity(request).map(|identity| came.entry(identity).or_insert(request));
            }
            (_, Method::Register) => {
                let name = request.to().map(|to| user(&to)).unwrap_or_default();
                let line = request.first(Name::Contact).unwrap_or_default();
                let uri = line.split('>').next().unwrap_or_default().trim_start_matches('<');
                contacts.insert((name, uri.to_owned()));
            }
            _ => {}
        }
    }
    found
}

/// Whether a proxy may have made the one of the other (RFC 3261 §16.6).
fn is_one_hop_on(before: &Request, after: &Request) -> bool {
    let branches = |request: &Request| -> Vec<Option<String>> {
        let vias = request.vias().filter_map(Result::ok);
        vias.map(|via| via.branch.map(str::to_owned)).collect()
    };
    let hops = |request: &Request| request.seconds(Name::MaxForwards);
    let same = |name| before.first(name) == after.first(name);
    let is_user = Uri::parse(after.uri()).is_ok_and(|uri| uri.user.is_some());
    branches(after).get(1..) == Some(&branches(before)[..])
        && hops(before) == hops(after).map(|hops| hops + 1)
        && before.body() == after.body()
        && [Name::From, Name::To, Name::ContentType, Name::DmMessageId].into_iter().all(same)
        && is_user
}

#[cfg(test)]
mod tests;
