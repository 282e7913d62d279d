//! What a datagram is about, at a glance: for whoever has more of them than time to parse them.

use memchr::memchr_iter;

/// Whether a datagram may go on with something that is there: a response, a request within a
/// dialog (RFC 3261 §12.2), a REGISTER, an ACK, a CANCEL, or a publication that names the one
/// before it (RFC 3903 §4.1). All else wants something new, or is no message.
///
/// A guess from the bytes, and a message that is folded or mangled may be misjudged: it decides
/// who waits, never what is done.
pub fn may_continue(datagram: &[u8]) -> bool {
    const KNOWN: [&[u8]; 4] = [b"SIP/2.0 ", b"REGISTER ", b"ACK ", b"CANCEL "];
    if KNOWN.iter().any(|start| datagram.starts_with(start)) {
        return true;
    }
    let mut start = 0;
    for end in memchr_iter(b'\n', datagram) {
        let line = datagram[start..end].trim_ascii_end();
        if line.is_empty() {
            return false;
        }
        if continues(line) {
            return true;
        }
        start = end + 1;
    }
    false
}

/// Whether a header line says so.
fn continues(line: &[u8]) -> bool {
    // Most lines are done with here.
    if !matches!(line[0], b'T' | b't' | b'S' | b's') {
        return false;
    }
    let Some(colon) = line.iter().position(|byte| *byte == b':') else { return false };
    let (name, value) = line.split_at(colon);
    let is = |known: &str| name.trim_ascii_end().eq_ignore_ascii_case(known.as_bytes());
    let has_tag = || value.windows(4).any(|four| four.eq_ignore_ascii_case(b"tag="));
    is("SIP-If-Match") || (is("To") || is("t")) && has_tag()
}

#[cfg(test)]
mod tests;
