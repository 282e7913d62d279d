//! Reading presence documents: by local name under any of the three namespaces, children in any
//! order, unknown elements of PIDF's own namespace ignored (RFC 3863 §4.2.3).
//!
//! `mustUnderstand` needs no code: what carries it is an extension, extensions are not interpreted
//! here but passed on whole, and the attribute with them. A direct-media block that breaks §6.3 is
//! dropped, never passed on: it may hold a secret.

use super::offer::{MOST_CANDIDATES, MOST_CODECS};
use super::timestamp::is_datetime;
use super::{
    Access, Basic, Candidate, Codec, DIRECT_MEDIA, Mode, NAMESPACES, Note, Offer, OfferSecret,
    Pidf, Tuple, XmlError, XmlLimits,
};
use crate::body::xml::{Name, Reader, XML_NAMESPACE};

impl Pidf {
    /// Reads a document of either type (by local name under any of the three namespaces).
    pub fn parse(text: &[u8]) -> Result<Self, XmlError> {
        Self::parse_within(text, XmlLimits::default())
    }

    /// Reads a document within `limits`.
    pub fn parse_within(text: &[u8], limits: XmlLimits) -> Result<Self, XmlError> {
        let (mut reader, root) = Reader::open(text, limits)?;
        if own(&root) != Some("presence") {
            return Err(reader.error("not a presence document"));
        }
        // The schema requires `entity`, yet RFC 4479 §7.1 itself prints a document without: whom
        // it is about is known from the request that carries it.
        let mut document = Self::empty(reader.attribute("entity").unwrap_or_default().trim());
        while let Some(name) = reader.child()? {
            match own(&name) {
                Some("tuple") => document.tuples.push(tuple(&mut reader)?),
                Some("note") => document.notes.push(note(&mut reader)?),
                Some(_) => reader.skip()?,
                None => foreign(&mut reader, name, &mut document.extra)?,
            }
        }
        reader.finish()?;
        Ok(document)
    }
}

/// The local name of an element of PIDF.
fn own<'a>(name: &Name<'a>) -> Option<&'a str> {
    NAMESPACES.contains(&&*name.namespace).then_some(name.local)
}

fn foreign<'a>(
    reader: &mut Reader<'a>,
    name: Name<'a>,
    kept: &mut Vec<Box<str>>,
) -> Result<(), XmlError> {
    if name.namespace.is_empty() || name.namespace == DIRECT_MEDIA {
        return reader.skip();
    }
    kept.push(reader.fragment(name, DIRECT_MEDIA)?);
    Ok(())
}

/// Fills `slot`, which must be empty: two readers of a doublet could see two things.
fn once<T>(reader: &Reader<'_>, slot: &mut Option<T>, value: T) -> Result<(), XmlError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(reader.error("an element that may occur once occurs again")),
    }
}

fn tuple(reader: &mut Reader<'_>) -> Result<Tuple, XmlError> {
    let mut tuple = Tuple::new(reader.required("id")?);
    let mut status_seen = None;
    while let Some(name) = reader.child()? {
        match own(&name) {
            Some("status") => {
                once(reader, &mut status_seen, ())?;
                status(reader, &mut tuple)?;
            }
            Some("contact") => {
                let priority = reader.attribute("priority").map(str::trim);
                let priority = priority.filter(|text| is_qvalue(text)).map(Box::from);
                let contact = reader.token()?;
                once(reader, &mut tuple.contact, contact.into())?;
                tuple.priority = priority;
            }
            Some("note") => tuple.notes.push(note(reader)?),
            Some("timestamp") => {
                let text = reader.token()?;
                if is_datetime(&text) {
                    once(reader, &mut tuple.timestamp, text.into())?;
                }
            }
            Some(_) => reader.skip()?,
            None => foreign(reader, name, &mut tuple.extra)?,
        }
    }
    Ok(tuple)
}

fn status(reader: &mut Reader<'_>, tuple: &mut Tuple) -> Result<(), XmlError> {
    let mut paper = Paper::default();
    while let Some(name) = reader.child()? {
        match own(&name) {
            Some("basic") => {
                let basic = match &*reader.token()? {
                    "open" => Basic::Open,
                    "closed" => Basic::Closed,
                    _ => return Err(reader.error("basic must be open or closed")),
                };
                once(reader, &mut tuple.basic, basic)?;
            }
            Some(local) => paper.element(reader, local)?,
            None if name.namespace.is_empty() => paper.element(reader, name.local)?,
            None if name.is(DIRECT_MEDIA, "direct-media") => {
                let offer = Block::read(reader)?.offer();
                // A tuple has one offer; what a second one says is anybody's guess.
                tuple.offer = tuple.offer.take().or(offer);
            }
            None => foreign(reader, name, &mut tuple.status_extra)?,
        }
    }
    tuple.offer = tuple.offer.take().or(paper.offer());
    Ok(())
}

fn note(reader: &mut Reader<'_>) -> Result<Note, XmlError> {
    let lang = reader.attribute_in(XML_NAMESPACE, "lang").filter(|text| is_language(text));
    let lang = lang.map(Box::from);
    Ok(Note { lang, text: reader.text()?.into() })
}

/// A decimal between 0 and 1 with at most three digits (RFC 3863 §4.1.5).
pub(super) fn is_qvalue(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = match whole {
        "0" => b'0'..=b'9',
        "1" => b'0'..=b'0',
        _ => return false,
    };
    fraction.len() <= 3 && fraction.bytes().all(|byte| digits.contains(&byte))
}

/// The pattern of `xs:language`.
pub(super) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let sized = |part: &str| (1..=8).contains(&part.len());
    parts.next().is_some_and(|part| sized(part) && part.bytes().all(|b| b.is_ascii_alphabetic()))
        && parts.all(|part| sized(part) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// A direct-media block as far as it has been read. `broken` once anything in it cannot be used.
#[derive(Default)]
struct Block {
    broken: bool,
    version: Option<u8>,
    seq: Option<u32>,
    device: Option<Box<str>>,
    media: Option<Box<str>>,
    port: Option<u16>,
    codecs: Vec<Codec>,
    mode: Option<Mode>,
    candidates: Vec<Candidate>,
    srtp: Option<Box<str>>,
    fingerprint: Option<Box<str>>,
    secret: Option<OfferSecret>,
    access: Option<Access>,
}

impl Block {
    fn read(reader: &mut Reader<'_>) -> Result<Self, XmlError> {
        let mut block = Self {
            version: number(reader, "version"),
            seq: number(reader, "seq"),
            device: word(reader, "device"),
            ..Self::default()
        };
        while let Some(name) = reader.child()? {
            if name.namespace == DIRECT_MEDIA {
                block.element(reader, name.local)?;
            } else {
                reader.skip()?;
            }
        }
        Ok(block)
    }

    fn element(&mut self, reader: &mut Reader<'_>, local: &str) -> Result<(), XmlError> {
        match local {
            "media" => {
                let media = reader.token()?.into();
                self.set(|block| &mut block.media, Some(media));
            }
            "port" => {
                let port = reader.token()?.parse().ok();
                self.set(|block| &mut block.port, port);
            }
            "direct_mode" => {
                let mode = Mode::read(&reader.token()?);
                self.set(|block| &mut block.mode, Some(mode));
            }
            "srtp" => {
                let srtp = reader.token()?.into();
                self.set(|block| &mut block.srtp, Some(srtp));
            }
            "fingerprint" => {
                let fingerprint = reader.token()?.into();
                self.set(|block| &mut block.fingerprint, Some(fingerprint));
            }
            "codec" => self.codec(reader)?,
            "candidate" => self.candidate(reader)?,
            "secret" => {
                let (epoch, expires) = (number(reader, "epoch"), number(reader, "expires"));
                let text = reader.token()?.into();
                let secret = epoch.zip(expires);
                let secret = secret.map(|(epoch, expires)| OfferSecret { text, epoch, expires });
                self.set(|block| &mut block.secret, secret);
            }
            "access" => self.access(reader)?,
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn codec(&mut self, reader: &mut Reader<'_>) -> Result<(), XmlError> {
        let (pt, fmtp) = (number(reader, "pt"), reader.attribute("fmtp").map(Box::from));
        let rtpmap = reader.token()?.into();
        match pt {
            Some(pt) if self.codecs.len() < MOST_CODECS => {
                self.codecs.push(Codec { pt, rtpmap, fmtp });
            }
            _ => self.broken = true,
        }
        Ok(())
    }

    fn candidate(&mut self, reader: &mut Reader<'_>) -> Result<(), XmlError> {
        let parts = (word(reader, "type"), word(reader, "addr"), number(reader, "port"));
        reader.skip()?;
        match parts {
            (Some(kind), Some(addr), Some(port)) if self.candidates.len() < MOST_CANDIDATES => {
                self.candidates.push(Candidate { kind, addr, port });
            }
            _ => self.broken = true,
        }
        Ok(())
    }

    fn access(&mut self, reader: &mut Reader<'_>) -> Result<(), XmlError> {
        let numbers = (number(reader, "epoch"), number(reader, "expires"));
        let key_id = word(reader, "key-id");
        let token = reader.token()?.into();
        let access = match (numbers, key_id) {
            ((Some(epoch), Some(expires)), Some(key_id)) => {
                Some(Access { token, key_id, epoch, expires })
            }
            _ => None,
        };
        self.set(|block| &mut block.access, access);
        Ok(())
    }

    /// Fills a part once; a second time, or with nothing, breaks the block.
    fn set<T>(&mut self, part: impl Fn(&mut Self) -> &mut Option<T>, value: Option<T>) {
        self.broken |= value.is_none() || part(self).is_some();
        *part(self) = value;
    }

    /// The offer, if the block is complete and in range.
    fn offer(self) -> Option<Offer> {
        let offer = Offer {
            version: self.version?,
            seq: self.seq?,
            device: self.device,
            media: self.media?,
            port: self.port?,
            codecs: self.codecs,
            mode: self.mode?,
            candidates: self.candidates,
            srtp: self.srtp,
            fingerprint: self.fingerprint,
            secret: self.secret,
            access: self.access,
        };
        (!self.broken && offer.is_valid()).then_some(offer)
    }
}

/// A numeric attribute of the element just opened.
fn number<T: std::str::FromStr>(reader: &Reader<'_>, local: &str) -> Option<T> {
    reader.attribute(local)?.trim().parse().ok()
}

/// A one-word attribute of the element just opened.
fn word(reader: &Reader<'_>, local: &str) -> Option<Box<str>> {
    reader.attribute(local).map(str::trim).filter(|text| !text.is_empty()).map(Box::from)
}

/// The four elements of the paper's Fig 10, as a peer of that time writes them into `<status>`.
#[derive(Default)]
struct Paper {
    media: Option<Box<str>>,
    port: Option<u16>,
    codecs: Vec<Codec>,
    mode: Option<Mode>,
}

impl Paper {
    fn element(&mut self, reader: &mut Reader<'_>, local: &str) -> Result<(), XmlError> {
        match local {
            "media" => self.media = Some(reader.token()?.into()),
            "port" => self.port = reader.token()?.parse().ok(),
            "codec" => {
                let list = reader.token()?;
                let codecs = list.split(',').filter_map(|name| static_codec(name.trim()));
                self.codecs = codecs.take(MOST_CODECS).collect();
            }
            "direct_mode" => self.mode = Some(Mode::read(&reader.token()?)),
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn offer(self) -> Option<Offer> {
        let offer = Offer {
            version: 1,
            seq: 0,
            device: None,
            media: self.media?,
            port: self.port?,
            codecs: self.codecs,
            mode: self.mode?,
            candidates: Vec::new(),
            srtp: None,
            fingerprint: None,
            secret: None,
            access: None,
        };
        offer.is_valid().then_some(offer)
    }
}

/// The codec a bare name means: those with a payload type of their own (RFC 3551 §6).
fn static_codec(name: &str) -> Option<Codec> {
    const STATIC: [(u8, &str); 12] = [
        (0, "PCMU/8000"),
        (3, "GSM/8000"),
        (4, "G723/8000"),
        (7, "LPC/8000"),
        (8, "PCMA/8000"),
        (9, "G722/8000"),
        (15, "G728/8000"),
        (18, "G729/8000"),
        (26, "JPEG/90000"),
        (31, "H261/90000"),
        (32, "MPV/90000"),
        (34, "H263/90000"),
    ];
    let named =
        |rtpmap: &str| rtpmap.split('/').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
    let (pt, rtpmap) = STATIC.into_iter().find(|(_, rtpmap)| named(rtpmap))?;
    Some(Codec { pt, rtpmap: rtpmap.into(), fmtp: None })
}
