//! Digest, entity-tags and bindings: what a request may do, and how often.

use super::{Ghost, Notes, Rows};
use crate::law::{Law, Sight};
use crate::print::mark;
use presently_engine::message::{Method, Name, Request, Response};
use presently_engine::server::Record;
use std::collections::{BTreeMap, BTreeSet};

/// What was seen of credentials and entity-tags.
#[derive(Clone, Hash, Debug, Default)]
pub(super) struct Access {
    /// Nonce and count of executed requests, with the boot.
    executed: BTreeSet<(u64, u32)>,
    /// Highest count executed, by nonce.
    highest: BTreeMap<u64, u32>,
    /// The boot in which a nonce was given out.
    nonces: BTreeMap<u64, u8>,
    /// Every entity-tag ever given out.
    tags: BTreeSet<u64>,
    /// Those that were replaced or withdrawn.
    outdated: BTreeSet<u64>,
    /// Nonce and count of forgeries.
    forged: BTreeSet<(u64, u32)>,
}

/// How a request came to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Origin {
    /// From the agent that wrote it.
    Genuine,
    /// Captured, and sent again under another branch.
    Replayed,
    /// Captured, with a changed digest.
    Forged,
}

/// What a request did to the server.
pub(crate) struct Deed<'a> {
    pub(crate) request: &'a Request,
    pub(crate) origin: Origin,
    pub(crate) boot: u8,
    /// What was stored before and after.
    pub(crate) before: &'a Rows,
    pub(crate) after: &'a Rows,
    /// The answer, if one was made now, and not repeated.
    pub(crate) answer: Option<&'a Response>,
    /// Whether the request was carried out, successfully or not.
    pub(crate) executed: bool,
    /// Whether the server may have to forget what was executed: then it refuses to be safe.
    pub(crate) forgets: bool,
    /// Whether something durable changed, or anybody but the sender was written to.
    pub(crate) effect: bool,
}

/// The value of a parameter of a digest header.
fn param<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let parts = header.split([',', ' ']).map(str::trim);
    let value = parts.filter_map(|part| part.split_once('=')).find(|(key, _)| *key == name)?.1;
    Some(value.trim_matches('"'))
}

impl Ghost {
    /// The server dealt with a request.
    pub(crate) fn dealt(&mut self, notes: &mut Notes<'_>, deed: &Deed<'_>) {
        let has = |name| deed.answer.is_some_and(|answer| answer.first(name).is_some());
        let concerns = deed.request.first(Name::Authorization).is_some()
            || has(Name::WwwAuthenticate)
            || has(Name::AuthenticationInfo)
            || deed.request.method() == Method::Publish && deed.answer.is_some();
        if concerns {
            self.access.change(|access| {
                access.note_nonce(deed);
                access.note_credentials(notes, deed);
                access.note_tags(notes, deed);
            });
        }
    }
}

impl Access {
    fn note_nonce(&mut self, deed: &Deed<'_>) {
        let Some(answer) = deed.answer else { return };
        for name in [Name::WwwAuthenticate, Name::AuthenticationInfo] {
            for header in answer.lines(name) {
                let nonce = param(header, "nonce").or_else(|| param(header, "nextnonce"));
                if let Some(nonce) = nonce {
                    self.nonces.entry(mark(nonce)).or_insert(deed.boot);
                }
            }
        }
    }

    fn note_credentials(&mut self, notes: &mut Notes<'_>, deed: &Deed<'_>) {
        let proves = deed.request.first(Name::Authorization).is_some();
        let honest = proves && deed.origin != Origin::Forged;
        notes.demand(Law::NoStateBeforeAuth, honest || !deed.executed);
        let Some(header) = deed.request.first(Name::Authorization) else { return };
        let Some(nonce) = param(header, "nonce").map(mark) else { return };
        let nc = param(header, "nc").and_then(|nc| u32::from_str_radix(nc, 16).ok()).unwrap_or(0);
        let known = self.executed.contains(&(nonce, nc));
        let refused = deed.answer.is_some_and(|answer| answer.status() == 401);
        if deed.origin == Origin::Forged {
            notes.demand(Law::FailureFree, !deed.executed && !deed.effect);
            notes.saw(Sight::ForgeryRefused, refused);
            self.forged.insert((nonce, nc));
            return;
        }
        if deed.origin == Origin::Replayed && known {
            notes.demand(Law::ReplayInert, !deed.effect && !deed.executed);
            notes.saw(Sight::ReplayRejected, refused);
        }
        if deed.executed {
            notes.demand(Law::ExecuteAtMostOnce, !known);
            notes.demand(Law::NonceDomain, self.nonces.get(&nonce) == Some(&deed.boot));
            let highest = self.highest.entry(nonce).or_default();
            notes.saw(Sight::ReorderedNc, nc < *highest);
            *highest = nc.max(*highest);
            self.executed.insert((nonce, nc));
        }
        let stale = deed.answer.and_then(|answer| answer.first(Name::WwwAuthenticate));
        let stale = stale.is_some_and(|header| header.contains("stale=true"));
        notes.saw(Sight::Stale, refused && stale && deed.origin == Origin::Genuine);
        let mine = self.nonces.get(&nonce) == Some(&deed.boot);
        let first = deed.origin == Origin::Genuine && !known && mine;
        let spoiled = self.forged.contains(&(nonce, nc)) && !deed.forgets;
        notes.demand(Law::FailureFree, !(first && refused && (!stale || spoiled)));
    }

    /// A publication has run out (P32).
    pub(super) fn ran_out(&mut self, tag: u64) {
        self.outdated.insert(tag);
    }

    /// Entity-tags of presence publications (P32).
    fn note_tags(&mut self, notes: &mut Notes<'_>, deed: &Deed<'_>) {
        let event = deed.request.event().map(|event| event.package);
        if deed.request.method() != Method::Publish || event != Some("presence") {
            return;
        }
        let Some(answer) = deed.answer else { return };
        let asked = deed.request.first(Name::SipIfMatch).map(mark);
        notes.saw(Sight::StaleTag, answer.status() == 412);
        if answer.status() >= 300 {
            return;
        }
        if let Some(asked) = asked {
            let known = self.tags.contains(&asked) && !self.outdated.contains(&asked);
            let valid = known && is_published(deed.before, asked);
            notes.demand(Law::EtagDiscipline, valid && !is_published(deed.after, asked));
            self.outdated.insert(asked);
        }
        if let Some(tag) = answer.first(Name::SipEtag).map(mark) {
            notes.demand(Law::EtagDiscipline, self.tags.insert(tag));
        }
    }
}

/// Whether a publication is stored under this entity-tag.
fn is_published(rows: &Rows, tag: u64) -> bool {
    rows.values().any(|row| match row {
        Record::Published(_, id, _) => mark(&id.to_string()) == tag,
        _ => false,
    })
}

/// What a REGISTER did to the bindings (P35).
pub(crate) fn registered(
    notes: &mut Notes<'_>,
    before: &Rows,
    after: &Rows,
    answer: Option<&Response>,
) {
    let bindings = |rows: &Rows| -> BTreeMap<Vec<u8>, Record> {
        let bound = rows.iter().filter(|(_, row)| matches!(row, Record::Bound(..)));
        bound.map(|(key, row)| (key.clone(), row.clone())).collect()
    };
    let (before, after) = (bindings(before), bindings(after));
    // A crash leaves no answer: then nothing was promised.
    if answer.is_some_and(|answer| answer.status() >= 300) {
        notes.demand(Law::RegisterAtomic, before == after);
    }
    for (key, row) in &after {
        if let (Record::Bound(_, _, new), Some(Record::Bound(_, _, old))) = (row, before.get(key)) {
            let newer = new == old || new.call_id != old.call_id || new.cseq > old.cseq;
            notes.demand(Law::RegisterAtomic, newer);
        }
    }
}
