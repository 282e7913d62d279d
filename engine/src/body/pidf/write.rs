//! Writing presence documents in the order of the schema (RFC 3863 §4.4).

use super::{Basic, DIRECT_MEDIA, Format, Note, Offer, Pidf, Tuple};
use crate::body::xml::Writer;
use bytes::Bytes;

impl Pidf {
    /// Writes the document in the order of the schema. What is in it is written, a secret too: for
    /// a watcher, write its [`Pidf::for_watcher`].
    pub fn write(&self, format: Format) -> Bytes {
        self.written(format, |_| false)
    }

    /// Writes what a watcher sees of `published` for a peer of the paper's time (§6.2, §6.10): in
    /// the old media type, and each offer that was published without a secret also as four elements
    /// without namespace. One that has a secret is nothing for such a peer, which could not prove
    /// itself, so of that these elements never tell.
    pub fn write_for_paper(&self, published: &Self) -> Bytes {
        self.written(Format::Cpim, |tuple| {
            let mut all = published.tuples.iter();
            all.any(|one| one.id == tuple.id && one.is_in_paper_form())
        })
    }

    /// `elements` says of which tuples the offer is also written as the paper has it.
    fn written(&self, format: Format, elements: impl Fn(&Tuple) -> bool) -> Bytes {
        let mut out = Writer::document(256 + 512 * self.tuples.len());
        out.raw("<presence").attribute("xmlns", format.namespace());
        if self.has_offer() {
            out.attribute("xmlns:dm", DIRECT_MEDIA);
        }
        out.attribute("entity", &self.entity).raw(">\n");
        for tuple in &self.tuples {
            write_tuple(&mut out, tuple, elements(tuple));
        }
        write_notes(&mut out, &self.notes);
        for fragment in &self.extra {
            out.raw(fragment).raw("\n");
        }
        out.raw("</presence>\n");
        out.finish()
    }
}

fn write_tuple(out: &mut Writer, tuple: &Tuple, elements: bool) {
    out.raw("<tuple").attribute("id", &tuple.id).raw(">\n<status>");
    match tuple.basic {
        Some(Basic::Open) => _ = out.raw("<basic>open</basic>"),
        Some(Basic::Closed) => _ = out.raw("<basic>closed</basic>"),
        None => {}
    }
    if let Some(offer) = &tuple.offer {
        write_offer(out, offer);
        if elements {
            write_paper_elements(out, offer);
        }
    }
    for fragment in &tuple.status_extra {
        out.raw(fragment);
    }
    out.raw("</status>\n");
    for fragment in &tuple.extra {
        out.raw(fragment).raw("\n");
    }
    if let Some(contact) = &tuple.contact {
        out.raw("<contact");
        if let Some(priority) = &tuple.priority {
            out.attribute("priority", priority);
        }
        out.raw(">").text(contact).raw("</contact>\n");
    }
    write_notes(out, &tuple.notes);
    if let Some(timestamp) = &tuple.timestamp {
        out.element("timestamp", timestamp).raw("\n");
    }
    out.raw("</tuple>\n");
}

fn write_notes(out: &mut Writer, notes: &[Note]) {
    for note in notes {
        out.raw("<note");
        if let Some(lang) = &note.lang {
            out.attribute("xml:lang", lang);
        }
        out.raw(">").text(&note.text).raw("</note>\n");
    }
}

fn write_offer(out: &mut Writer, offer: &Offer) {
    out.raw("\n<dm:direct-media").number_attribute("version", offer.version.into());
    out.number_attribute("seq", offer.seq);
    if let Some(device) = &offer.device {
        out.attribute("device", device);
    }
    out.raw(">").element("dm:media", &offer.media);
    out.raw("<dm:port>").number(offer.port.into()).raw("</dm:port>");
    for codec in &offer.codecs {
        out.raw("<dm:codec").number_attribute("pt", codec.pt.into());
        if let Some(fmtp) = &codec.fmtp {
            out.attribute("fmtp", fmtp);
        }
        out.raw(">").text(&codec.rtpmap).raw("</dm:codec>");
    }
    out.element("dm:direct_mode", offer.mode.as_str());
    for candidate in &offer.candidates {
        out.raw("<dm:candidate").attribute("type", &candidate.kind);
        out.attribute("addr", &candidate.addr);
        out.number_attribute("port", candidate.port.into()).raw("/>");
    }
    if let Some(srtp) = &offer.srtp {
        out.element("dm:srtp", srtp);
    }
    if let Some(fingerprint) = &offer.fingerprint {
        out.element("dm:fingerprint", fingerprint);
    }
    if let Some(secret) = &offer.secret {
        out.raw("<dm:secret").number_attribute("epoch", secret.epoch);
        out.number_attribute("expires", secret.expires).raw(">");
        out.text(&secret.text).raw("</dm:secret>");
    }
    if let Some(access) = &offer.access {
        out.raw("<dm:access").number_attribute("epoch", access.epoch);
        out.attribute("key-id", &access.key_id).number_attribute("expires", access.expires);
        out.raw(">").text(&access.token).raw("</dm:access>");
    }
    out.raw("</dm:direct-media>");
}

fn write_paper_elements(out: &mut Writer, offer: &Offer) {
    out.raw("<media xmlns=\"\">").text(&offer.media).raw("</media>");
    out.raw("<port xmlns=\"\">").number(offer.port.into()).raw("</port>");
    out.raw("<codec xmlns=\"\">");
    for (at, codec) in offer.codecs.iter().enumerate() {
        let name = codec.rtpmap.split('/').next().unwrap_or_default();
        out.raw(if at == 0 { "" } else { "," }).text(name);
    }
    out.raw("</codec><direct_mode xmlns=\"\">").text(offer.mode.as_str()).raw("</direct_mode>");
}
