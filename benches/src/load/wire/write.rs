//! Requests as templates, and answers as copies of the lines that an answer repeats.

use super::{Branch, COOKIE};

/// Appends to a datagram.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

/// What all requests have, in the order of their lines.
pub(crate) struct Head<'a> {
    pub(crate) method: &'static str,
    /// The Request-URI.
    pub(crate) uri: &'a [u8],
    /// Our address.
    pub(crate) sent_by: &'a str,
    pub(crate) branch: Branch,
    /// The URI of From.
    pub(crate) from: &'a [u8],
    /// The URI of To.
    pub(crate) to: &'a [u8],
    /// The tag of To, empty outside of dialogs.
    pub(crate) to_tag: &'a [u8],
    pub(crate) call: Call,
    pub(crate) cseq: u32,
}

/// A Call-ID of ours, which is also the tag of From.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// What kind of call it is.
    pub(crate) letter: u8,
    pub(crate) number: u32,
    /// Sets this run apart from others, and one call of an entry from the next.
    pub(crate) run: u32,
}

impl Writer<'_> {
    pub(crate) fn put(&mut self, text: impl AsRef<[u8]>) -> &mut Self {
        self.0.extend_from_slice(text.as_ref());
        self
    }

    /// Eight hexadecimal digits.
    pub(crate) fn hex(&mut self, number: u32) -> &mut Self {
        let digit = |place: u32| b"0123456789abcdef"[(number >> (28 - 4 * place) & 15) as usize];
        let digits: [u8; 8] = std::array::from_fn(|place| digit(place as u32));
        self.put(digits)
    }

    /// A decimal number, padded with zeroes to `width`.
    pub(crate) fn number(&mut self, number: usize, width: usize) -> &mut Self {
        let mut digits = [b'0'; 20];
        let (mut rest, mut start) = (number, digits.len());
        while rest > 0 || start == digits.len() || digits.len() - start < width.min(20) {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.put(&digits[start..])
    }

    pub(crate) fn branch(&mut self, branch: Branch) -> &mut Self {
        self.put(COOKIE).hex(branch.operation).hex(branch.serial)
    }

    fn call(&mut self, call: Call) -> &mut Self {
        self.put([call.letter]).hex(call.number).put("-").hex(call.run)
    }

    /// The first lines.
    pub(crate) fn head(&mut self, head: &Head<'_>) -> &mut Self {
        self.put(head.method).put(" ").put(head.uri).put(" SIP/2.0\r\nVia: SIP/2.0/UDP ");
        self.put(head.sent_by).put(";branch=").branch(head.branch);
        self.put(";rport\r\nMax-Forwards: 70\r\nFrom: <").put(head.from).put(">;tag=");
        self.call(head.call).put("\r\nTo: <").put(head.to).put(">");
        if !head.to_tag.is_empty() {
            self.put(";tag=").put(head.to_tag);
        }
        self.put("\r\nCall-ID: ").call(head.call).put("\r\nCSeq: ");
        self.number(head.cseq as usize, 1).put(" ").put(head.method).put("\r\n")
    }

    /// The last line and the body.
    pub(crate) fn body(&mut self, kind: &str, body: &[u8]) {
        if !body.is_empty() {
            self.put("Content-Type: ").put(kind).put("\r\n");
        }
        self.put("Content-Length: ").number(body.len(), 1).put("\r\n\r\n").put(body);
    }
}

/// The user of our contact that stands for subscription `dialog`: what comes back in the
/// Request-URI of its NOTIFYs.
pub(crate) fn contact(dialog: u32) -> [u8; 9] {
    let mut user = Vec::with_capacity(9);
    Writer(&mut user).put("d").hex(dialog);
    user.try_into().unwrap_or([b'd'; 9])
}
