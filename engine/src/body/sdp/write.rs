//! [`Description`] to text.

use super::{Description, Stream};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use std::fmt::Write;
use std::net::IpAddr;

impl Description {
    /// Writes it in the order of RFC 8866 §5. Each stream has a `c=` line of its own.
    pub fn write(&self) -> Bytes {
        let mut out = String::with_capacity(128 + 384 * self.streams.len());
        let origin = &self.origin;
        let _ = write!(
            out,
            "v=0\r\no={} {} {} IN {} {}\r\ns=-\r\nt=0 0\r\n",
            origin.username,
            origin.session,
            origin.version,
            // A name has no colon, an IPv6 address has.
            if origin.address.contains(':') { "IP6" } else { "IP4" },
            origin.address,
        );
        for stream in &self.streams {
            stream.write(&mut out);
        }
        out.into()
    }
}

impl Stream {
    /// The `m=` line and what belongs to it. Writing to a String cannot fail.
    fn write(&self, out: &mut String) {
        let _ = write!(out, "m={} {} {}", self.media, self.port, self.transport);
        // A stream that is refused names no codecs, so its formats stay as they were asked for.
        if self.codecs.is_empty() || self.port == 0 {
            let _ = write!(out, " {}", self.formats);
        } else {
            for codec in &self.codecs {
                let _ = write!(out, " {}", codec.pt);
            }
        }
        out.push_str("\r\n");
        let address = self.address.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
        let family = if address.is_ipv6() { "IP6" } else { "IP4" };
        let _ = write!(out, "c=IN {family} {address}\r\n");
        // Nothing is said of a stream that is refused.
        if self.port == 0 {
            return;
        }
        for codec in &self.codecs {
            let _ = write!(out, "a=rtpmap:{} {}\r\n", codec.pt, codec.rtpmap);
            if let Some(fmtp) = &codec.fmtp {
                let _ = write!(out, "a=fmtp:{} {fmtp}\r\n", codec.pt);
            }
        }
        if let Some(ptime) = self.ptime {
            let _ = write!(out, "a=ptime:{ptime}\r\n");
        }
        if self.rtcp_mux {
            out.push_str("a=rtcp-mux\r\n");
        }
        for crypto in &self.crypto {
            let key = STANDARD.encode(crypto.key);
            let suite = "AES_CM_128_HMAC_SHA1_80";
            let _ = write!(out, "a=crypto:{} {suite} inline:{key}\r\n", crypto.tag);
        }
        let _ = write!(out, "a={}\r\n", self.direction.as_str());
    }
}
