//! Our own state as a presence document: one tuple of the device, one per media offer.
//!
//! Read behaviour §6.1–6.4 first. The secret of an offer leaves the house only when the presence
//! agent announced direct media (X4); until then, and while we are closed, every offer is `off`.

use super::Config;
use super::cx::{Cx, Timer, contact_uri};
use super::direct::OpenOffer;
use crate::body::pidf::{
    Basic, Candidate, Codec, Mode, Note, Offer, OfferSecret, Pidf, Tuple, timestamp,
};
use crate::mint::Label;
use crate::time::Instant;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::BTreeMap;
use std::time::Duration;

/// K15: how long one secret is used.
const EPOCH: Duration = Duration::from_secs(600);
/// So long before its end the next secret is published: the presence agent takes its time (K4),
/// and no watcher is to be without access meanwhile.
const OVERLAP: Duration = Duration::from_secs(30);
/// Most codecs of one offer (§6.3).
const CODECS: usize = 16;
/// Most media kinds a device offers.
const MEDIA: usize = 8;

/// What the user last said about itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Own {
    pub(crate) presence: Option<(Basic, Option<Box<str>>)>,
    pub(crate) offers: BTreeMap<Box<str>, OwnOffer>,
    changed_at: Instant,
    /// Rises with every change of the device; starts at the time of the first, in seconds, so
    /// that it rises over restarts too.
    seq: u32,
    epoch: Option<Epoch>,
}

/// One media kind we offer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct OwnOffer {
    pub(crate) port: u16,
    pub(crate) codecs: Vec<Codec>,
    /// What the user wants it to be.
    pub(crate) mode: Mode,
    /// Whether somebody is being heard on it just now.
    pub(crate) occupied: bool,
}

impl OwnOffer {
    /// X2: who is able and willing, but occupied, is busy.
    fn effective(&self) -> Mode {
        if self.occupied && self.mode == Mode::Ready { Mode::Busy } else { self.mode }
    }
}

/// The time of one secret. Its number is the second it began: no start of the agent repeats one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Epoch {
    number: u32,
    ends: Instant,
}

/// How offers are published that are more than `off`.
#[derive(Clone, Copy)]
enum Form {
    /// With the secret of this time.
    Token(Epoch),
    /// As the paper has it: there is none (§6.10).
    Paper,
}

impl Own {
    /// Whether there is anything to publish.
    pub(crate) fn has_state(&self) -> bool {
        self.presence.is_some() || !self.offers.is_empty()
    }

    /// Whether some offer would be published as more than `off`.
    pub(crate) fn wants_offers(&self) -> bool {
        self.basic() == Basic::Open && self.offers.values().any(|offer| offer.mode != Mode::Off)
    }

    /// Takes an offer over, or says why it is none (§6.3).
    pub(crate) fn offer(
        &mut self,
        media: Box<str>,
        mut offer: OwnOffer,
    ) -> Result<(), &'static str> {
        let is_token = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        match () {
            () if !is_token(&media) => return Err("a media kind is a word such as audio"),
            () if offer.port < 1024 => return Err("the RTP port must be 1024 or higher"),
            () if offer.codecs.is_empty() => return Err("an offer needs a codec"),
            () if offer.codecs.len() > CODECS => return Err("an offer has at most 16 codecs"),
            () if offer.codecs.iter().any(|codec| codec.pt > 127) => {
                return Err("payload types end at 127");
            }
            () if self.offers.len() >= MEDIA && !self.offers.contains_key(&media) => {
                return Err("a device offers at most 8 media kinds");
            }
            () => {}
        }
        offer.occupied = self.offers.get(&media).is_some_and(|old| old.occupied);
        self.offers.insert(media, offer);
        Ok(())
    }

    /// Somebody is heard on the port of an offer, or not any more. False if that is no news.
    pub(crate) fn occupy(&mut self, media: &str, occupied: bool) -> bool {
        let offer = self.offers.get_mut(media);
        offer.is_some_and(|offer| std::mem::replace(&mut offer.occupied, occupied) != occupied)
    }

    /// The offers whose secret was published, to be checked against it.
    pub(crate) fn open_offers(&self, config: &Config, now: Instant) -> Vec<OpenOffer> {
        let Some(epoch) = self.epoch.filter(|_| !config.direct.paper_offers) else {
            return Vec::new();
        };
        let open = self.open(config).map(|offer| OpenOffer {
            secret: Some(epoch.secret(config, now, &offer.media)),
            ends: epoch.ends,
            srtp: !config.direct.plain,
            ..offer
        });
        open.collect()
    }

    /// The offers that are published in the paper's form.
    pub(crate) fn paper_offers(&self, config: &Config) -> Vec<OpenOffer> {
        match config.direct.paper_offers {
            true => self.open(config).collect(),
            false => Vec::new(),
        }
    }

    /// The offers that are more than `off`, as far as they have no secret.
    fn open(&self, config: &Config) -> impl Iterator<Item = OpenOffer> {
        let device = device_id(&config.device);
        let wants = self.wants_offers();
        let open = self.offers.iter().filter(move |(_, own)| wants && own.mode != Mode::Off);
        open.map(move |(media, own)| OpenOffer {
            media: media.clone(),
            tuple: format!("{device}-{media}").into(),
            port: own.port,
            codecs: own.codecs.clone(),
            secret: None,
            ends: Instant::default(),
            srtp: false,
            busy: own.mode == Mode::Busy,
        })
    }

    /// Withdraws an offer; watchers see it as `off`. False if there is none.
    pub(crate) fn withdraw(&mut self, media: &str) -> bool {
        self.offers.get_mut(media).map(|offer| offer.mode = Mode::Off).is_some()
    }

    /// Something changed. No two states have the same time (RFC 3863 §4.1.7).
    pub(crate) fn touch(&mut self, now: Instant) {
        self.changed_at = now.max(self.changed_at + Duration::from_millis(1));
        self.seq = (self.seq + 1).max(seconds(now));
    }

    /// The document to publish now. `secret_safe`: the presence agent keeps secrets (X4).
    pub(crate) fn document(&mut self, cx: &mut Cx<'_>, secret_safe: bool) -> Pidf {
        let device = device_id(&cx.config.device);
        let mut tuples = vec![self.device_tuple(cx.config, &device)];
        let form = match secret_safe && self.wants_offers() {
            true if cx.config.direct.paper_offers => Some(Form::Paper),
            true => Some(Form::Token(self.current_epoch(cx))),
            false => None,
        };
        for (media, own) in &self.offers {
            let offer = self.block(cx.config, cx.now, &device, media, own, form);
            let id = format!("{device}-{media}");
            let mut tuple = self.device_tuple(cx.config, &id);
            tuple.offer = Some(offer);
            tuple.notes.clear();
            tuple.extra.extend(capability(media));
            tuples.push(tuple);
        }
        Pidf { entity: cx.config.aor.as_str().into(), tuples, notes: Vec::new(), extra: Vec::new() }
    }

    fn basic(&self) -> Basic {
        self.presence.as_ref().map_or(Basic::Open, |(basic, _)| *basic)
    }

    fn device_tuple(&self, config: &Config, id: &str) -> Tuple {
        let note = self.presence.as_ref().and_then(|(_, note)| note.clone());
        Tuple {
            id: id.into(),
            basic: Some(self.basic()),
            offer: None,
            status_extra: Vec::new(),
            extra: Vec::new(),
            contact: Some(contact_uri(config).into()),
            priority: None,
            notes: note.map(|text| Note { lang: None, text }).into_iter().collect(),
            timestamp: Some(timestamp(self.changed_at).into()),
        }
    }

    fn block(
        &self,
        config: &Config,
        now: Instant,
        device: &str,
        media: &str,
        own: &OwnOffer,
        form: Option<Form>,
    ) -> Offer {
        let form = form.filter(|_| own.mode != Mode::Off);
        let plain = config.direct.plain || config.direct.paper_offers;
        Offer {
            version: 1,
            seq: self.seq,
            device: Some(device.into()),
            media: media.into(),
            port: own.port,
            codecs: own.codecs.clone(),
            mode: if form.is_some() { own.effective() } else { Mode::Off },
            candidates: vec![Candidate {
                kind: "host".into(),
                addr: host(&config.contact).into(),
                port: own.port,
            }],
            srtp: Some(if plain { "none" } else { "token" }.into()),
            fingerprint: None,
            secret: match form {
                Some(Form::Token(epoch)) => Some(epoch.secret(config, now, media)),
                Some(Form::Paper) | None => None,
            },
            access: None,
        }
    }

    /// The epoch that holds now; a new one if the last is over.
    fn current_epoch(&mut self, cx: &mut Cx<'_>) -> Epoch {
        match self.epoch {
            Some(epoch) if cx.now + OVERLAP < epoch.ends => epoch,
            _ => {
                let ends = cx.now + EPOCH;
                let epoch = Epoch { number: seconds(cx.now), ends };
                cx.arm(Timer::Epoch, cx.now + EPOCH.saturating_sub(OVERLAP));
                *self.epoch.insert(epoch)
            }
        }
    }
}

impl Epoch {
    fn secret(self, config: &Config, now: Instant, media: &str) -> OfferSecret {
        let number = self.number.to_be_bytes();
        let half = |part: &[u8]| {
            let parts = [config.device.as_bytes(), media.as_bytes(), &number, part];
            config.secret.derive(Label::Media, &parts).to_be_bytes()
        };
        OfferSecret {
            text: URL_SAFE_NO_PAD.encode([half(b"0"), half(b"1")].concat()).into(),
            epoch: self.number,
            expires: self.ends.seconds_since(now),
        }
    }
}

/// The tuple id of a device: an XML name that stays the same over restarts.
fn device_id(device: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' };
    let name: String = device.chars().map(keep).take(64).collect();
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("d{name}") }
}

/// The host part of `HOST:PORT`, brackets of IPv6 undone.
fn host(contact: &str) -> &str {
    let host = match contact.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => contact,
    };
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// `servcaps` says the kind of media to those who do not know our block (RFC 5196 §3.2).
fn capability(media: &str) -> Option<Box<str>> {
    const NS: &str = "urn:ietf:params:xml:ns:pidf:caps";
    let known = matches!(media, "audio" | "video");
    known.then(|| {
        let inner = format!("<caps:{media}>true</caps:{media}>");
        format!("<caps:servcaps xmlns:caps=\"{NS}\">{inner}</caps:servcaps>").into()
    })
}

fn seconds(now: Instant) -> u32 {
    now.seconds_since(Instant::default())
}
