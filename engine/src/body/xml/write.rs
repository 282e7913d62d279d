//! Writing: one buffer, no formatting machinery, everything escaped. Characters that XML 1.0
//! forbids are dropped, since no escape can express them.

use bytes::Bytes;

/// A document being written. Elements are opened and closed by the caller, who knows the schema.
pub(crate) struct Writer {
    out: String,
}

impl Writer {
    /// Begins a document of about `capacity` bytes with the XML declaration.
    pub(crate) fn document(capacity: usize) -> Self {
        let mut out = String::with_capacity(capacity);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        Self { out }
    }

    /// Markup as it is.
    pub(crate) fn raw(&mut self, markup: &str) -> &mut Self {
        self.out.push_str(markup);
        self
    }

    /// Character data.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        push_text(&mut self.out, text);
        self
    }

    /// ` name="value"` in the start tag being written.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        self.attribute_start(name);
        push_attribute_value(&mut self.out, value);
        self.out.push('"');
        self
    }

    /// ` name="number"` in the start tag being written.
    pub(crate) fn number_attribute(&mut self, name: &str, number: u32) -> &mut Self {
        self.attribute_start(name);
        self.number(number);
        self.out.push('"');
        self
    }

    /// A number in decimal.
    pub(crate) fn number(&mut self, mut number: u32) -> &mut Self {
        let mut digits = [0; 10];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
        self
    }

    /// `<tag>text</tag>`.
    pub(crate) fn element(&mut self, tag: &str, text: &str) -> &mut Self {
        self.raw("<").raw(tag).raw(">").text(text).raw("</").raw(tag).raw(">")
    }

    /// The finished document.
    pub(crate) fn finish(self) -> Bytes {
        Bytes::from(self.out)
    }

    fn attribute_start(&mut self, name: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
    }
}

/// Appends character data.
pub(super) fn push_text(out: &mut String, text: &str) {
    push_escaped(out, text, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'\r' => Some("&#13;"),
        b'\t' | b'\n' => None,
        0..0x20 => Some(""),
        _ => None,
    });
}

/// Appends the inside of a double-quoted attribute value, white space protected.
pub(super) fn push_attribute_value(out: &mut String, value: &str) {
    push_escaped(out, value, |byte| match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\r' => Some("&#13;"),
        b'\t' => Some("&#9;"),
        b'\n' => Some("&#10;"),
        0..0x20 => Some(""),
        _ => None,
    });
}

fn push_escaped(out: &mut String, text: &str, escape: impl Fn(u8) -> Option<&'static str>) {
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let (instead, width) = match escape(byte) {
            Some(instead) => (instead, 1),
            // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
            None if byte == 0xef && !text[at..].starts_with(|c| c < '\u{fffe}') => ("", 3),
            None => continue,
        };
        out.push_str(&text[plain..at]);
        out.push_str(instead);
        plain = at + width;
    }
    out.push_str(&text[plain..]);
}
