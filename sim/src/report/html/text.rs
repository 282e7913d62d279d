//! Text for the page. Everything that somebody else wrote goes through here.

/// Appends to a string, which cannot fail.
macro_rules! put {
    ($to:expr, $($text:tt)*) => {{
        use std::fmt::Write;
        let _ = write!($to, $($text)*);
    }};
}
pub(super) use put;

/// Text that is nothing but text in HTML, in content as in a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(visible(c)),
        }
    }
    escaped
}

/// Octets as text: line ends as they are, other controls as their pictures.
pub(super) fn octets(bytes: &[u8]) -> String {
    escape(&String::from_utf8_lossy(bytes).replace("\r\n", "\n"))
}

/// At most so many characters; nothing where that would say nothing.
pub(super) fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    if most < 3 {
        return String::new();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A control character as its picture (U+2400 block); a direction mark as what replaces it.
fn visible(c: char) -> char {
    match c {
        '\n' | '\t' => c,
        '\u{7f}' => '\u{2421}',
        c if c < ' ' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}
