//! Characters: what XML 1.0 §2.2 allows, how references (§4.1) and line ends (§2.11) read, and
//! how attributes (§3.3.3) are taken from a tag.

use super::XmlError;
use std::borrow::Cow;

type Fault = &'static str;

/// White space of XML, which is less than Unicode's.
pub(super) fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The text of a document that is small enough, is UTF-8 and has no forbidden character; without
/// its byte order mark.
pub(super) fn admit(bytes: &[u8], size: usize) -> Result<&str, XmlError> {
    if bytes.len() > size {
        return Err(XmlError::at(b"", 0, "the document is too large"));
    }
    if bytes.starts_with(b"\xfe\xff") || bytes.starts_with(b"\xff\xfe") {
        return Err(XmlError::at(b"", 0, "UTF-16 is not supported, only UTF-8"));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|fault| XmlError::at(bytes, fault.valid_up_to(), "not valid UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.starts_with('\u{feff}') {
        return Err(XmlError::at(b"", 0, "two byte order marks"));
    }
    match forbidden(text.as_bytes()) {
        Some(at) => Err(XmlError::at(text.as_bytes(), at, "a forbidden character")),
        None => Ok(text),
    }
}

/// Where UTF-8 `text` first has a character outside XML 1.0 §2.2: a control character, or U+FFFE
/// or U+FFFF, which are EF BF BE and EF BF BF.
fn forbidden(text: &[u8]) -> Option<usize> {
    let control = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let is_last = |at: &usize| matches!(text[*at..], [0xef, 0xbf, 0xbe..=0xbf, ..]);
    // Without an early end the common case, none, is decided many bytes at a time.
    if text.iter().fold(false, |found, byte| found | control(*byte)) {
        return text.iter().position(|byte| control(*byte));
    }
    memchr::memchr_iter(0xef, text).find(is_last)
}

/// Checks `<?xml …?>`: version 1.0 and, if it says so, UTF-8 or its subset ASCII.
pub(super) fn check_declaration(raw: &str) -> Result<(), String> {
    let inner = raw.strip_prefix("<?xml").and_then(|raw| raw.strip_suffix("?>"));
    let mut rest = inner.ok_or("the XML declaration is malformed")?;
    let mut expected: &[&str] = &["version", "encoding", "standalone"];
    while let Some((name, value, after)) = attribute(rest)? {
        rest = after;
        let at = expected.iter().position(|one| *one == name);
        let at = at.ok_or("the XML declaration is malformed")?;
        if expected.len() == 3 && name != "version" {
            return Err("the XML declaration must begin with the version".to_owned());
        }
        expected = &expected[at + 1..];
        match name {
            "version" if value != "1.0" => {
                return Err(["XML version ", value, " is not supported, only 1.0"].concat());
            }
            "encoding" if !is_utf8_name(value) => {
                return Err(["encoding ", value, " is not supported, only UTF-8"].concat());
            }
            "standalone" if value != "yes" && value != "no" => {
                return Err("standalone must be yes or no".to_owned());
            }
            _ => {}
        }
    }
    if expected.len() == 3 {
        return Err("the XML declaration must begin with the version".to_owned());
    }
    Ok(())
}

fn is_utf8_name(name: &str) -> bool {
    ["UTF-8", "UTF8", "US-ASCII", "ASCII"].iter().any(|one| one.eq_ignore_ascii_case(name))
}

/// The next attribute in the inside of a tag: name, raw value and what follows.
pub(super) fn attribute(inside: &str) -> Result<Option<(&str, &str, &str)>, Fault> {
    let rest = trim_start(inside);
    if rest.is_empty() {
        return Ok(None);
    }
    if rest.len() == inside.len() {
        return Err("attributes must be separated by white space");
    }
    let equals = memchr::memchr(b'=', rest.as_bytes()).ok_or("an attribute has no value")?;
    let (name, rest) = (rest[..equals].trim_end_matches(is_white), trim_start(&rest[equals + 1..]));
    let quote = match rest.as_bytes().first() {
        Some(quote @ (b'"' | b'\'')) => *quote,
        _ => return Err("an attribute value is not quoted"),
    };
    let end = memchr::memchr(quote, &rest.as_bytes()[1..]).ok_or("a quoted value does not end")?;
    Ok(Some((name, &rest[1..=end], &rest[end + 2..])))
}

fn trim_start(text: &str) -> &str {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    &text[text.bytes().take_while(white).count()..]
}

/// An attribute value with its references resolved and its white space turned into blanks.
pub(super) fn attribute_value(raw: &str) -> Result<Cow<'_, str>, Fault> {
    let special = |byte: u8| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r');
    let Some(mut at) = raw.bytes().position(special) else { return Ok(Cow::Borrowed(raw)) };
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        value.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('&') {
            let (name, after) = after.split_once(';').ok_or("a reference does not end")?;
            value.push(reference(name)?);
            rest = after;
        } else if rest.starts_with('<') {
            return Err("an attribute value contains <");
        } else {
            let step = if rest.starts_with("\r\n") { 2 } else { 1 };
            value.push(' ');
            rest = &rest[step..];
        }
        match rest.bytes().position(special) {
            Some(next) => at = next,
            None => break,
        }
    }
    value.push_str(rest);
    Ok(Cow::Owned(value))
}

/// Character data between markup and references.
pub(super) fn character_data(raw: &str) -> Result<Cow<'_, str>, Fault> {
    if raw.contains("]]>") {
        return Err("]]> in text");
    }
    Ok(line_ends(raw))
}

/// What a CDATA section says.
pub(super) fn cdata(raw: &str) -> Cow<'_, str> {
    let inner = raw.strip_prefix("<![CDATA[").and_then(|raw| raw.strip_suffix("]]>"));
    line_ends(inner.unwrap_or_default())
}

/// Every line end of a document reads as a line feed.
fn line_ends(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', raw.as_bytes()).is_none() {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.replace("\r\n", "\n").replace('\r', "\n"))
}

/// The character that the reference `&name;` stands for: one of five, or a number.
pub(super) fn reference(name: &str) -> Result<char, Fault> {
    let code = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => name.strip_prefix('#').ok_or("an entity that is not predefined")?,
    };
    let (digits, radix) = match code.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (code, 10),
    };
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("a character reference is malformed");
    }
    let code = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    code.filter(|c| is_allowed(*c)).ok_or("a reference to a forbidden character")
}

/// The characters of XML 1.0 §2.2.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..)
}
