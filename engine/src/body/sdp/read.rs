//! Text to [`Description`].

use super::{Crypto, Description, Direction, Origin, SdpError, Stream};
use crate::body::pidf::Codec;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sdp_types::{Attribute, Connection, CryptoSuite, Media, RtpMap, Session};
use std::net::IpAddr;

/// Longest description read, octets.
const LONGEST: usize = 16 * 1024;
/// Most streams of a description.
const MOST_STREAMS: usize = 16;
/// Most formats of a stream.
const MOST_FORMATS: usize = 64;

impl Description {
    /// Reads a description.
    ///
    /// # Errors
    /// Not a session description, or one larger than calls need; the text says line and field.
    pub fn parse(text: &[u8]) -> Result<Self, SdpError> {
        if text.len() > LONGEST {
            return Err(error("a session description of more than 16 KiB"));
        }
        let session = Session::parse(text).map_err(|why| error(&why.to_string()))?;
        if session.medias.len() > MOST_STREAMS {
            return Err(error("more than 16 streams"));
        }
        let origin = &session.origin;
        let origin = Origin {
            username: origin.username.as_deref().unwrap_or("-").into(),
            session: origin.sess_id.as_str().into(),
            version: origin.sess_version,
            address: origin.unicast_address.as_str().into(),
        };
        let streams = session.medias.iter().map(|media| stream(&session, media));
        Ok(Self { origin, streams: streams.collect::<Result<_, _>>()? })
    }
}

fn error(what: &str) -> SdpError {
    SdpError(what.into())
}

fn stream(session: &Session, media: &Media) -> Result<Stream, SdpError> {
    let connection = media.connections.first().or(session.connection.as_ref());
    let mut stream = Stream {
        media: media.media.as_str().into(),
        port: media.port,
        address: connection.and_then(address),
        transport: media.proto.as_str().into(),
        codecs: Vec::new(),
        formats: media.fmt.as_str().into(),
        direction: direction(&media.attributes)
            .or_else(|| direction(&session.attributes))
            .unwrap_or_default(),
        rtcp_mux: value(&media.attributes, "rtcp-mux").is_some(),
        crypto: Vec::new(),
        ptime: value(&media.attributes, "ptime").and_then(|ms| ms.trim().parse().ok()),
    };
    if stream.is_rtp() {
        stream.codecs = codecs(media)?;
        stream.crypto = crypto(media);
    }
    Ok(stream)
}

fn address(connection: &Connection) -> Option<IpAddr> {
    // A group address ("224.2.1.1/127") is nobody we could call.
    connection.connection_address.parse().ok()
}

fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|one| one.attribute.eq_ignore_ascii_case(name))?;
    Some(found.value.as_deref().unwrap_or_default())
}

fn direction(attributes: &[Attribute]) -> Option<Direction> {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    let all = [SendRecv, SendOnly, RecvOnly, Inactive];
    all.into_iter().find(|one| value(attributes, one.as_str()).is_some())
}

/// The formats with their names, in the order of the `m=` line; formats without a name are left
/// out (RFC 8866 §6.6).
fn codecs(media: &Media) -> Result<Vec<Codec>, SdpError> {
    let maps: Vec<RtpMap> = media.attributes_typed().filter_map(Result::ok).collect();
    let formats: Vec<&str> = media.fmt.split_ascii_whitespace().collect();
    if formats.len() > MOST_FORMATS {
        return Err(error("more than 64 formats in one stream"));
    }
    let mut codecs = Vec::new();
    for format in formats {
        let pt = format.parse().ok().filter(|pt| *pt < 128);
        let pt = pt.ok_or_else(|| error(&format!("`{format}` is no payload type of RTP")))?;
        let named = maps.iter().find(|map| map.payload_type == pt).map(named);
        let Some(rtpmap) = named.or_else(|| assigned(pt).map(Into::into)) else { continue };
        codecs.push(Codec { pt, rtpmap, fmtp: fmtp(media, format) });
    }
    Ok(codecs)
}

fn named(map: &RtpMap) -> Box<str> {
    match map.encoding_params.as_deref() {
        // One channel is what it means without (RFC 8866 §6.6).
        None | Some("1") => format!("{}/{}", map.encoding_name, map.clock_rate).into(),
        Some(channels) => format!("{}/{}/{channels}", map.encoding_name, map.clock_rate).into(),
    }
}

/// Payload types that need no `rtpmap` (RFC 3551 §6); those that anybody still sends.
fn assigned(pt: u8) -> Option<&'static str> {
    Some(match pt {
        0 => "PCMU/8000",
        3 => "GSM/8000",
        8 => "PCMA/8000",
        9 => "G722/8000",
        18 => "G729/8000",
        26 => "JPEG/90000",
        34 => "H263/90000",
        _ => return None,
    })
}

fn fmtp(media: &Media, format: &str) -> Option<Box<str>> {
    media.attributes.iter().filter(|one| one.attribute.eq_ignore_ascii_case("fmtp")).find_map(
        |one| {
            let (of, text) = one.value.as_deref()?.split_once(' ')?;
            (of == format).then(|| text.trim().into())
        },
    )
}

/// The lines whose suite, key and form we know: one key, no master key identifier, no session
/// parameters (RFC 4568 §6.3 lets a receiver refuse those).
fn crypto(media: &Media) -> Vec<Crypto> {
    let lines = media.attributes_typed::<sdp_types::Crypto>().filter_map(Result::ok);
    let known = lines.filter_map(|line| {
        let [key] = &*line.key_params else { return None };
        let simple = key.mki_and_length.is_none() && line.session_params.is_empty();
        let suite = line.crypto_suite == CryptoSuite::AesCm128HmacSha1_80;
        let octets = STANDARD.decode(&key.key_and_salt).ok()?;
        let key = octets.try_into().ok().filter(|_| simple && suite)?;
        Some(Crypto { tag: line.tag, key })
    });
    known.collect()
}
