//! Slots: which shard owns a message is a pure function of the message.
//!
//! REGISTER goes by To, every other request by the user of its Request-URI (the one that a strict
//! router put elsewhere), a response by the slot in *our* branch. A digest covers exactly these
//! (behaviour decisions §2.7), so a replay always meets the replay record it would have to meet.

use crate::message::{Aor, Message, Name, NameAddr, Request, Response, Uri};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// One of [`Slot::COUNT`] virtual shards.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
pub struct Slot(pub u16);

impl Slot {
    /// How many slots there are.
    pub const COUNT: u16 = 4096;

    /// The slot of a user part, canonical or as written: `%61lice` and `alice` share one.
    pub fn of_user(user: &str) -> Self {
        let mut hasher = SipHasher13::new_with_keys(0, 0);
        hasher.write(&crate::message::canonical_user(user));
        Self((hasher.finish() % u64::from(Self::COUNT)) as u16)
    }

    /// The slot of an address of record.
    pub fn of_aor(aor: &Aor) -> Self {
        Self::of_user(aor.user())
    }

    /// The slot that owns a message.
    pub fn route(message: &Message) -> Self {
        match message {
            Message::Request(request) => Self::of_request(request),
            Message::Response(response) => Self::of_response(response),
        }
    }

    fn of_request(request: &Request) -> Self {
        if request.method() == crate::message::Method::Register {
            let user = request.to().ok().and_then(|to| Uri::parse(to.uri).ok()?.user);
            return Self::of_user(user.unwrap_or(""));
        }
        let uri = Uri::parse(request.uri()).ok();
        let user = uri.and_then(|uri| uri.user.or_else(|| behind_strict_router(request, &uri)));
        Self::of_user(user.unwrap_or(""))
    }

    fn of_response(response: &Response) -> Self {
        let via = response.via().ok();
        via.and_then(|via| crate::transaction::Branch::parse(via.branch?))
            .map_or_else(Self::default, |branch| branch.slot)
    }
}

/// The user that a request is for which a strict router sent on to us: the last Route is its
/// real Request-URI (RFC 3261 §16.4).
fn behind_strict_router<'a>(request: &'a Request, uri: &Uri<'_>) -> Option<&'a str> {
    uri.param("lr")?;
    Uri::parse(NameAddr::parse(request.list(Name::Route).last()?)?.uri).ok()?.user
}

#[cfg(test)]
mod tests;
