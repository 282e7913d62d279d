//! The check on the wire (behaviour §6.5): a STUN Binding request with short-term credentials
//! (RFC 8489 §9.1) that carries what the paper's tuple cannot: who starts which flow, and how.
//!
//! The text of a watcher's token is the password, so only who was given it by the presence agent
//! can write a request, and only the owner of the offer an answer.

use crate::mint::Id;
use bytes::Bytes;
use std::net::SocketAddr;
use stun_types::attribute::{
    AttributeType, AttributeWrite, ErrorCode, RawAttribute, Username, XorMappedAddress,
};
use stun_types::message::{
    BINDING, IntegrityAlgorithm, Message, MessageClass, MessageIntegrityCredentials, MessageType,
    MessageWrite, MessageWriteExt, MessageWriteVec, ShortTermCredentials, TransactionId,
};

/// The attribute DM-INFO, from the range that a receiver may ignore (RFC 8489 §18.3).
const DM_INFO: AttributeType = AttributeType::new(0xC0D1);
/// Version of DM-INFO.
const VERSION: u8 = 1;
const INFO_LENGTH: usize = 16;
const RECEIVES: u8 = 1;
const SRTP: u8 = 2;

/// DM-INFO: what one end says about the flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Info {
    /// Whether it would also hear (X13).
    pub receives: bool,
    /// Whether media is SRTP with keys of the token (§6.8).
    pub srtp: bool,
    /// Payload type that will be sent, of the receiver's list.
    pub pt: u8,
    /// The media kind, as [`kind_of`] numbers it.
    pub kind: u8,
    /// SSRC of its RTP and RTCP.
    pub ssrc: u32,
    /// Fresh for this flow; a part of the SRTP keys.
    pub nonce: [u8; 8],
}

/// A check.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Check {
    /// 96 bits (RFC 8489 §5).
    pub transaction: u128,
    /// Whose token this claims to be.
    pub key_id: Box<str>,
    /// Names the flow.
    pub sid: u64,
    /// What its sender says.
    pub info: Info,
}

/// The answer to a check.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Reply {
    /// That of the check.
    pub transaction: u128,
    /// What the owner says, or the code of its refusal.
    pub outcome: Result<Info, u16>,
    /// Whether it was proven with the token; a 401 never is.
    pub proven: bool,
}

/// The number of a media kind in DM-INFO.
pub fn kind_of(media: &str) -> u8 {
    match media {
        "audio" => 1,
        "video" => 2,
        _ => 0,
    }
}

impl Info {
    fn write(self) -> [u8; INFO_LENGTH] {
        let flags = (u8::from(self.receives) * RECEIVES) | (u8::from(self.srtp) * SRTP);
        let mut octets = [0; INFO_LENGTH];
        octets[..4].copy_from_slice(&[VERSION, flags, self.pt, self.kind]);
        octets[4..8].copy_from_slice(&self.ssrc.to_be_bytes());
        octets[8..].copy_from_slice(&self.nonce);
        octets
    }

    fn read(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; INFO_LENGTH] = octets.try_into().ok()?;
        let [version, flags, pt, kind, s0, s1, s2, s3, nonce @ ..] = *octets;
        (version == VERSION && pt < 128).then_some(Self {
            receives: flags & RECEIVES != 0,
            srtp: flags & SRTP != 0,
            pt,
            kind,
            ssrc: u32::from_be_bytes([s0, s1, s2, s3]),
            nonce,
        })
    }
}

impl Check {
    /// The request, proven with `token`.
    pub fn write(&self, token: &str) -> Bytes {
        let name = format!("{}:{}", self.key_id, Id(self.sid));
        let mut writer = begin(MessageClass::Request, self.transaction);
        let name = Username::new(&name).expect("a key id and a sid are short");
        add(&mut writer, &name);
        add_info(&mut writer, self.info);
        seal(writer, Some(token))
    }

    /// Reads a request; `None` if it is something else. Nothing is proven yet.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let message = Message::from_bytes(bytes).ok()?;
        if !message.has_class(MessageClass::Request) || !message.has_method(BINDING) {
            return None;
        }
        let name = message.attribute::<Username>().ok()?;
        let (key_id, sid) = name.username().split_once(':')?;
        let Id(sid) = Id::parse(sid)?;
        let transaction = number(message.transaction_id());
        Some(Self { transaction, key_id: key_id.into(), sid, info: info_of(&message)? })
    }

    /// Whether these octets of a check were written by who has `token`.
    pub fn is_proven(bytes: &[u8], token: &str) -> bool {
        Message::from_bytes(bytes).is_ok_and(|message| proves(&message, token))
    }

    /// The answer that lets media come from `source`.
    pub fn accept(&self, token: &str, source: SocketAddr, info: Info) -> Bytes {
        let mut writer = begin(MessageClass::Success, self.transaction);
        add(&mut writer, &XorMappedAddress::new(source, self.transaction.into()));
        add_info(&mut writer, info);
        seal(writer, Some(token))
    }

    /// A refusal; proven if the one who asked has proven itself.
    pub fn refuse(&self, token: Option<&str>, status: u16) -> Bytes {
        let mut writer = begin(MessageClass::Error, self.transaction);
        let code = ErrorCode::new(status, "").expect("a status between 300 and 699");
        add(&mut writer, &code);
        seal(writer, token)
    }
}

impl Reply {
    /// Reads an answer; `None` if it is something else.
    pub fn read(bytes: &[u8], token: &str) -> Option<Self> {
        let message = Message::from_bytes(bytes).ok()?;
        if !message.has_method(BINDING) {
            return None;
        }
        let outcome = match message.class() {
            MessageClass::Success => Ok(info_of(&message)?),
            MessageClass::Error => Err(message.attribute::<ErrorCode>().ok()?.code()),
            MessageClass::Request | MessageClass::Indication => return None,
        };
        let proven = proves(&message, token);
        Some(Self { transaction: number(message.transaction_id()), outcome, proven })
    }

    /// What it says, if that is proven.
    pub fn believed(self) -> Option<Result<Info, u16>> {
        self.proven.then_some(self.outcome)
    }

    /// The transaction of an answer, to find whose it is.
    pub fn transaction(bytes: &[u8]) -> Option<u128> {
        let head = bytes.get(4..20)?;
        let is_response = bytes.first()? & 1 == 1;
        let id = u128::from_be_bytes(head.try_into().ok()?);
        is_response.then_some(number(id.into()))
    }
}

fn number(id: TransactionId) -> u128 {
    id.into()
}

fn credentials(token: &str) -> MessageIntegrityCredentials {
    ShortTermCredentials::new(token.to_owned()).into()
}

/// Whether the message has MESSAGE-INTEGRITY-SHA256 with this password; the older SHA-1 is not
/// good enough.
fn proves(message: &Message<'_>, token: &str) -> bool {
    matches!(message.validate_integrity(&credentials(token)), Ok(IntegrityAlgorithm::Sha256))
}

fn info_of(message: &Message<'_>) -> Option<Info> {
    Info::read(&message.raw_attribute(DM_INFO)?.value)
}

fn begin(class: MessageClass, transaction: u128) -> MessageWriteVec {
    let kind = MessageType::from_class_method(class, BINDING);
    Message::builder(kind, transaction.into(), MessageWriteVec::with_capacity(160))
}

fn add(writer: &mut MessageWriteVec, attribute: &dyn AttributeWrite) {
    let fits = writer.add_attribute(attribute);
    fits.expect("before integrity and fingerprint, each attribute once");
}

fn add_info(writer: &mut MessageWriteVec, info: Info) {
    let octets = info.write();
    add(writer, &RawAttribute::new(DM_INFO, &octets));
}

fn seal(mut writer: MessageWriteVec, token: Option<&str>) -> Bytes {
    if let Some(token) = token {
        let done = writer.add_message_integrity(&credentials(token), IntegrityAlgorithm::Sha256);
        done.expect("integrity is added once, before the fingerprint");
    }
    writer.add_fingerprint().expect("the fingerprint is added once, at the end");
    writer.finish().into()
}
