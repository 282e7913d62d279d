//! Session descriptions (RFC 8866), as far as offers and answers of calls need them (RFC 3264).
//!
//! The text is `sdp-types`' business; this file keeps what a call decides by: one [`Stream`] for
//! each `m=` line, in their order, for an answer has to have as many (RFC 3264 §6). What we do not
//! understand of a stream is not kept, since it is never sent back.

mod read;
#[cfg(test)]
mod tests;
mod write;

use super::pidf::Codec;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// `application/sdp`.
pub const SDP: &str = "application/sdp";

/// A session description.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Description {
    /// Who made it, and which version of it this is.
    pub origin: Origin,
    /// The streams, in the order of their `m=` lines.
    pub streams: Vec<Stream>,
}

/// The `o=` line (RFC 8866 §5.2). `version` rises by one with every change (RFC 3264 §8).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// User name, `-` if there is none.
    pub username: Box<str>,
    /// Session id.
    pub session: Box<str>,
    /// Session version.
    pub version: u64,
    /// Address of the host that made it.
    pub address: Box<str>,
}

/// One media stream.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stream {
    /// `audio`, `video` or another media type.
    pub media: Box<str>,
    /// Port for RTP; 0 is a stream that is refused or over (RFC 3264 §6, §8.2).
    pub port: u16,
    /// Address from the stream's `c=` line, else the session's. `None` if it is a host name.
    pub address: Option<IpAddr>,
    /// Transport: `RTP/AVP`, `RTP/SAVP`, …
    pub transport: Box<str>,
    /// Formats in order of preference; of RTP only.
    pub codecs: Vec<Codec>,
    /// The formats as written; what a refusal repeats, since an `m=` line needs one.
    pub formats: Box<str>,
    /// Who sends, from the point of view of who wrote it.
    pub direction: Direction,
    /// Whether RTCP may share the port (RFC 5761).
    pub rtcp_mux: bool,
    /// Keys for SRTP (RFC 4568), most wanted first; suites we do not know are left out.
    pub crypto: Vec<Crypto>,
    /// Wanted length of a packet in ms.
    pub ptime: Option<u16>,
}

/// Who sends (RFC 8866 §6.7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[allow(missing_docs)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// One `a=crypto` line with the suite AES_CM_128_HMAC_SHA1_80 (RFC 4568 §6.2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Crypto {
    /// The line's number, which an answer repeats (RFC 4568 §5.1.2).
    pub tag: u32,
    /// Master key, 16 octets, and master salt, 14 octets.
    pub key: [u8; 30],
}

impl fmt::Debug for Crypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crypto({})", self.tag)
    }
}

/// Why a text is no session description that can be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SdpError(pub(super) Box<str>);

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SdpError {}

impl Direction {
    /// The attribute's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// From whether we send and whether we receive.
    pub fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether who wrote it sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether who wrote it receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

impl Stream {
    /// Whether it is RTP with audio-visual profile, with or without feedback, secured or not
    /// (RFC 3551, 4585, 3711, 5124).
    pub fn is_rtp(&self) -> bool {
        matches!(&*self.transport, "RTP/AVP" | "RTP/AVPF" | "RTP/SAVP" | "RTP/SAVPF")
    }

    /// Whether the profile wants SRTP.
    pub fn is_secure(&self) -> bool {
        matches!(&*self.transport, "RTP/SAVP" | "RTP/SAVPF")
    }

    /// Where RTP goes; `None` for a stream that is refused or has no address. An address of zeros
    /// is hold as RFC 2543 had it: nothing is sent there (RFC 3264 §8.4).
    pub fn rtp(&self) -> Option<SocketAddr> {
        let address = self.address.filter(|address| !address.is_unspecified())?;
        (self.port != 0).then(|| SocketAddr::new(address, self.port))
    }
}
