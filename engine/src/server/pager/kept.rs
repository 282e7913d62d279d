//! A stored message: from the request that brought it, to the request that delivers it.

use crate::message::{Aor, Method, Name, Request, Uri, Writer};
use crate::mint::{Id, Label};
use crate::server::Config;
use crate::server::cx::Cx;
use crate::server::relay::Target;
use crate::time::Date;
use crate::time::Instant;
use crate::transaction::Branch;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Headers that say how to read a body and are stored with it, beside Content-Type.
const ABOUT_THE_BODY: [Name; 2] = [Name::ContentEncoding, Name::ContentDisposition];
const ALSO_ABOUT_THE_BODY: [&str; 4] =
    ["Content-Language", "MIME-Version", "Subject", "In-Reply-To"];

/// A stored message (K11).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// Row id; rises with the order of arrival.
    pub id: Id,
    /// The sender.
    pub from: Aor,
    /// From header value as received, without tag.
    pub from_text: Box<str>,
    /// `DM-Message-ID`, or what stands for it.
    pub message_id: Box<str>,
    /// Identity of the message for the dedupe set: derived from sender and message id (D14).
    pub mark: Id,
    /// When it was sent by its Date, at the latest when it arrived.
    pub date: Instant,
    /// When it is worthless.
    pub expires: Instant,
    /// Content-Type.
    pub content_type: Box<str>,
    /// Other headers about the body, name and value.
    pub about: Box<[(Box<str>, Box<str>)]>,
    /// Body.
    pub body: Bytes,
}

/// The identity of a message: sender and `DM-Message-ID`, without it sender, Call-ID and CSeq.
pub(crate) fn mark(config: &Config, sender: &Aor, request: &Request) -> Id {
    let id = message_id(config, request);
    config.secret.derive64(Label::Message, &[sender.as_str().as_bytes(), id.as_bytes()])
}

fn message_id(config: &Config, request: &Request) -> Box<str> {
    if let Some(id) = request.first(Name::DmMessageId).filter(|id| !id.is_empty()) {
        return id.into();
    }
    let call_id = request.call_id().unwrap_or("").as_bytes();
    let number = request.cseq().map_or(0, |cseq| cseq.number).to_be_bytes();
    config.secret.derive64(Label::Message, &[call_id, &number]).to_string().into()
}

impl Kept {
    /// What there is to store of `request` from `sender`, which arrived at `now`.
    pub(super) fn of(
        config: &Config,
        now: Instant,
        sender: &Aor,
        request: &Request,
        id: Id,
    ) -> Self {
        let date = request.first(Name::Date).and_then(Date::read).unwrap_or(now).min(now);
        let ends = now + config.limits.offline_ttl;
        // RFC 3428 §7: Expires counts from Date if there is one.
        let expires = request
            .seconds(Name::Expires)
            .map_or(ends, |seconds| ends.min(date + Duration::from_secs(u64::from(seconds))));
        Self {
            id,
            from: sender.clone(),
            from_text: from_text(sender, request),
            message_id: message_id(config, request),
            mark: mark(config, sender, request),
            date,
            expires,
            content_type: request.first(Name::ContentType).unwrap_or("text/plain").into(),
            about: about(request),
            body: request.body(),
        }
    }

    /// The MESSAGE that brings it to one binding. Call-ID and From tag are those of the row, CSeq
    /// counts the attempts, so that even a device that knows no `DM-Message-ID` can see a copy.
    /// No Contact (RFC 3428 §4).
    pub(super) fn deliver(
        &self,
        cx: &Cx<'_>,
        aor: &Aor,
        attempt: u32,
        to: &Target<'_>,
        branch: Branch,
    ) -> Bytes {
        let row = [aor.as_str().as_bytes(), &self.id.0.to_be_bytes()];
        let derive = |label| cx.config.secret.derive64(label, &row).to_string();
        let sent_by = cx.sent_by(to.peer);
        let via = ["SIP/2.0/UDP ", sent_by, ";branch=", &branch.to_string(), ";rport"];
        let mut message = Writer::request(Method::Message, &Uri::for_request_line(to.uri));
        message
            .pieces(Name::Via, &via)
            .number(Name::MaxForwards, 70)
            .pieces(Name::From, &[&self.from_text, ";tag=", &derive(Label::Tag)])
            .pieces(Name::To, &["<", aor.as_str(), ">"])
            .header(Name::CallId, &derive(Label::CallId))
            .format(Name::CSeq, format_args!("{attempt} MESSAGE"))
            .header(Name::Date, Date::of(self.date).as_str())
            .number(Name::Expires, self.seconds_valid())
            .header(Name::DmMessageId, &self.message_id)
            .header(Name::DmStored, "yes");
        for (name, value) in &self.about {
            message.other(name, value);
        }
        message.finish_with(&self.content_type, &self.body)
    }

    /// Expires of the delivery. It counts from the Date that stands beside it (RFC 3428 §7), not
    /// from the time of delivery.
    fn seconds_valid(&self) -> u32 {
        let valid = self.expires.since(self.date).as_millis().div_ceil(1000);
        u32::try_from(valid).unwrap_or(u32::MAX)
    }
}

/// Display name and URI of From; its parameters belong to the transaction it came in.
fn from_text(sender: &Aor, request: &Request) -> Box<str> {
    match request.from() {
        Ok(from) if from.display.is_empty() => format!("<{}>", from.uri).into(),
        Ok(from) => format!("{} <{}>", from.display, from.uri).into(),
        Err(_) => format!("<{sender}>").into(),
    }
}

fn about(request: &Request) -> Box<[(Box<str>, Box<str>)]> {
    let known = ABOUT_THE_BODY.iter().map(|name| (name.as_str(), request.first(*name)));
    let others = ALSO_ABOUT_THE_BODY.iter().map(|name| (*name, request.other(name)));
    let present = known.chain(others).filter_map(|(name, value)| Some((name, value?)));
    present.map(|(name, value)| (name.into(), value.into())).collect()
}
