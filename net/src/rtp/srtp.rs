//! SRTP and SRTCP with AES-CM-128 and HMAC-SHA1-80 (RFC 3711), for keys that come from elsewhere.
//!
//! One profile, no MKI, key derivation rate 0: what RFC 4568 calls `AES_CM_128_HMAC_SHA1_80` and
//! what the `token` keys of behaviour §6.8 are for. A packet that was changed on its way or was
//! here before is refused, and changes nothing.
//!
//! Read first: RFC 3711 §3.3, §4.1.1, §4.3.

#[cfg(test)]
mod tests;

use aes::Aes128;
use ctr::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::{CtrCore, flavors};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use std::collections::BTreeMap;
use std::fmt;

/// A master key of 16 octets and its salt of 14.
pub type MasterKey = [u8; 30];

/// Octets of an authentication tag.
const TAG: usize = 10;
/// Octets of the index of an SRTCP packet.
const INDEX: usize = 4;
/// Says in that index that the packet is encrypted.
const ENCRYPTED: u32 = 1 << 31;
/// Octets of RTP's header before the list of sources.
const RTP_HEADER: usize = 12;
/// Octets of RTCP that are not encrypted.
const RTCP_HEADER: usize = 8;
/// Senders that one key is believed to have.
const SENDERS: usize = 16;

/// Why a packet is not believed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Unproved {
    /// Too short to be one.
    Short,
    /// Its tag is not what its octets make.
    Tampered,
    /// It was here before, or is so old that nobody knows.
    Replayed,
}

/// Both directions of one stream.
pub struct Srtp {
    send: Keys,
    send_rtcp: Keys,
    receive: Keys,
    receive_rtcp: Keys,
    /// Index of the last packet sent: roll-over counter and sequence number.
    sent: Option<u64>,
    sent_rtcp: u32,
    /// What came, by SSRC. Only who has the key gets in here.
    senders: BTreeMap<u32, Window>,
    senders_rtcp: BTreeMap<u32, Window>,
}

impl fmt::Debug for Srtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Srtp").field("senders", &self.senders).finish_non_exhaustive()
    }
}

impl Srtp {
    /// With the key we send with and the key we receive with.
    pub fn new(send: &MasterKey, receive: &MasterKey) -> Self {
        Self {
            send: Keys::derive(send, 0),
            send_rtcp: Keys::derive(send, 3),
            receive: Keys::derive(receive, 0),
            receive_rtcp: Keys::derive(receive, 3),
            sent: None,
            sent_rtcp: 0,
            senders: BTreeMap::new(),
            senders_rtcp: BTreeMap::new(),
        }
    }

    /// Encrypts an RTP packet of ours and appends its tag. Packets have to come in order.
    pub fn protect(&mut self, packet: &mut Vec<u8>) {
        let Some((header, sequence, ssrc)) = rtp_header(packet) else { return };
        let index = match self.sent {
            Some(last) => {
                let ahead = u64::from(sequence.wrapping_sub(last as u16));
                last + ahead
            }
            None => sequence.into(),
        };
        self.sent = Some(index);
        self.send.apply(ssrc, index, &mut packet[header..]);
        let tag = self.send.tag(packet, &roll_over(index));
        packet.extend_from_slice(&tag);
    }

    /// Checks and decrypts an RTP packet of the other side.
    ///
    /// # Errors
    /// It is not believed; nothing is remembered of it.
    pub fn unprotect(&mut self, packet: &mut Vec<u8>) -> Result<(), Unproved> {
        let length = packet.len().checked_sub(TAG).ok_or(Unproved::Short)?;
        let (body, tag) = packet.split_at(length);
        let (header, sequence, ssrc) = rtp_header(body).ok_or(Unproved::Short)?;
        let known = self.senders.get(&ssrc);
        let index = known.map_or(sequence.into(), |window| window.guess(sequence));
        if known.is_some_and(|window| window.has(index)) {
            return Err(Unproved::Replayed);
        }
        self.receive.check(body, &roll_over(index), tag)?;
        remember(&mut self.senders, ssrc, index)?;
        packet.truncate(length);
        self.receive.apply(ssrc, index, &mut packet[header..]);
        Ok(())
    }

    /// Encrypts a compound packet of ours and appends index and tag (RFC 3711 §3.4).
    pub fn protect_rtcp(&mut self, packet: &mut Vec<u8>) {
        let Some(ssrc) = rtcp_header(packet) else { return };
        let index = self.sent_rtcp;
        self.sent_rtcp = (index + 1) & !ENCRYPTED;
        self.send_rtcp.apply(ssrc, index.into(), &mut packet[RTCP_HEADER..]);
        packet.extend_from_slice(&(index | ENCRYPTED).to_be_bytes());
        let tag = self.send_rtcp.tag(packet, &[]);
        packet.extend_from_slice(&tag);
    }

    /// Checks and decrypts a compound packet of the other side.
    ///
    /// # Errors
    /// It is not believed; nothing is remembered of it.
    pub fn unprotect_rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Unproved> {
        let length = packet.len().checked_sub(TAG).ok_or(Unproved::Short)?;
        let (body, tag) = packet.split_at(length);
        let (compound, index) = body.split_last_chunk::<INDEX>().ok_or(Unproved::Short)?;
        let ssrc = rtcp_header(compound).ok_or(Unproved::Short)?;
        let word = u32::from_be_bytes(*index);
        let index = u64::from(word & !ENCRYPTED);
        if self.senders_rtcp.get(&ssrc).is_some_and(|window| window.has(index)) {
            return Err(Unproved::Replayed);
        }
        self.receive_rtcp.check(body, &[], tag)?;
        remember(&mut self.senders_rtcp, ssrc, index)?;
        packet.truncate(length - INDEX);
        if word & ENCRYPTED != 0 {
            self.receive_rtcp.apply(ssrc, index, &mut packet[RTCP_HEADER..]);
        }
        Ok(())
    }
}

/// Length of the header, sequence number and SSRC of a packet that is long enough for them.
fn rtp_header(packet: &[u8]) -> Option<(usize, u16, u32)> {
    let fixed: &[u8; RTP_HEADER] = packet.first_chunk()?;
    let mut length = RTP_HEADER + usize::from(fixed[0] & 0x0f) * 4;
    if fixed[0] & 0x10 != 0 {
        let words = packet.get(length + 2..length + 4)?;
        length += 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4;
    }
    let sequence = u16::from_be_bytes([fixed[2], fixed[3]]);
    let ssrc = u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]);
    (length <= packet.len()).then_some((length, sequence, ssrc))
}

fn rtcp_header(packet: &[u8]) -> Option<u32> {
    let [_, _, _, _, a, b, c, d] = packet.first_chunk::<RTCP_HEADER>()?;
    Some(u32::from_be_bytes([*a, *b, *c, *d]))
}

fn roll_over(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

fn remember(senders: &mut BTreeMap<u32, Window>, ssrc: u32, index: u64) -> Result<(), Unproved> {
    if !senders.contains_key(&ssrc) && senders.len() >= SENDERS {
        return Err(Unproved::Replayed);
    }
    senders.entry(ssrc).or_insert(Window { newest: index, seen: 0 }).add(index);
    Ok(())
}

/// Which of the last 128 indices came (RFC 3711 §3.3.2).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Window {
    newest: u64,
    /// Bit 0 is `newest`.
    seen: u128,
}

impl Window {
    /// The index that a sequence number most likely stands for (RFC 3711 §3.3.1).
    fn guess(&self, sequence: u16) -> u64 {
        let ahead = sequence.wrapping_sub(self.newest as u16) as i16;
        match self.newest.checked_add_signed(ahead.into()) {
            Some(index) => index,
            // Before the first wrap there is nothing before.
            None => sequence.into(),
        }
    }

    fn has(&self, index: u64) -> bool {
        match self.newest.checked_sub(index) {
            Some(behind) if behind < 128 => self.seen >> behind & 1 != 0,
            Some(_) => true,
            None => false,
        }
    }

    fn add(&mut self, index: u64) {
        if let Some(ahead) = index.checked_sub(self.newest) {
            self.seen = if ahead < 128 { self.seen << ahead } else { 0 };
            self.newest = index;
        }
        self.seen |= 1 << (self.newest - index).min(127);
    }
}

/// Adds AES in counter mode (RFC 3711 §4.1.1).
fn key_stream(cipher: &Aes128, iv: [u8; 16], octets: &mut [u8]) {
    let core = CtrCore::<_, flavors::Ctr128BE>::inner_iv_init(cipher.clone(), &iv.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(octets);
}

/// Session keys of one direction, for RTP or for RTCP.
struct Keys {
    cipher: Aes128,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
}

impl Keys {
    /// The keys of a master key (RFC 3711 §4.3.1); labels are three in a row from `label` on.
    fn derive(master: &MasterKey, label: u8) -> Self {
        let (key, master_salt) = master.split_first_chunk::<16>().expect("30 octets begin with 16");
        let master = Aes128::new(key.into());
        let stream = |label: u8, octets: &mut [u8]| {
            let mut iv = [0; 16];
            iv[..14].copy_from_slice(master_salt);
            iv[7] ^= label;
            key_stream(&master, iv, octets);
        };
        let (mut key, mut auth, mut salt) = ([0; 16], [0; 20], [0; 14]);
        stream(label, &mut key);
        stream(label + 1, &mut auth);
        stream(label + 2, &mut salt);
        let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&auth);
        let mac = mac.expect("HMAC takes keys of any length");
        Self { cipher: Aes128::new(&key.into()), salt, mac }
    }

    /// Encrypts or decrypts (RFC 3711 §4.1.1).
    fn apply(&self, ssrc: u32, index: u64, octets: &mut [u8]) {
        let mut iv = [0; 16];
        iv[..14].copy_from_slice(&self.salt);
        for (octet, with) in iv[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *octet ^= with;
        }
        for (octet, with) in iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *octet ^= with;
        }
        key_stream(&self.cipher, iv, octets);
    }

    fn mac(&self, octets: &[u8], more: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(octets);
        mac.update(more);
        mac
    }

    fn tag(&self, octets: &[u8], more: &[u8]) -> [u8; TAG] {
        let whole = self.mac(octets, more).finalize().into_bytes();
        *whole.first_chunk().expect("SHA-1 has 20 octets")
    }

    fn check(&self, octets: &[u8], more: &[u8], tag: &[u8]) -> Result<(), Unproved> {
        let mac = self.mac(octets, more);
        mac.verify_truncated_left(tag).map_err(|_| Unproved::Tampered)
    }
}
