//! Which prefix means which namespace at the place being read (Namespaces in XML 1.0 §3–§6).

use super::XML_NAMESPACE;
use std::borrow::Cow;

const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

#[derive(Debug)]
struct Binding<'a> {
    prefix: &'a str,
    namespace: Cow<'a, str>,
    depth: usize,
}

/// The bindings in force, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    bindings: Vec<Binding<'a>>,
    depth: usize,
}

impl<'a> Scope<'a> {
    /// How many elements are open.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// An element begins; what is declared from here on is its own.
    pub(super) fn enter(&mut self) {
        self.depth += 1;
    }

    /// The innermost element ends, and its declarations with it.
    pub(super) fn leave(&mut self) {
        while self.bindings.last().is_some_and(|last| last.depth == self.depth) {
            self.bindings.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    /// Binds `prefix` (empty: the default) to `namespace` for the innermost element.
    pub(super) fn declare(
        &mut self,
        prefix: &'a str,
        namespace: Cow<'a, str>,
    ) -> Result<(), &'static str> {
        let reserved = namespace == XML_NAMESPACE || namespace == XMLNS_NAMESPACE;
        match prefix {
            "xml" if namespace == XML_NAMESPACE => return Ok(()),
            "xml" | "xmlns" => return Err("a reserved prefix is declared"),
            _ if reserved => return Err("a reserved namespace is declared"),
            "" => {}
            _ if namespace.is_empty() => return Err("a prefix is bound to nothing"),
            _ => {}
        }
        let mut own = self.bindings.iter().rev().take_while(|one| one.depth == self.depth);
        if own.any(|one| one.prefix == prefix) {
            return Err("a namespace is declared twice");
        }
        self.bindings.push(Binding { prefix, namespace, depth: self.depth });
        Ok(())
    }

    /// The namespace of `prefix`; empty for an undeclared default.
    pub(super) fn resolve(&self, prefix: &str) -> Result<Cow<'a, str>, &'static str> {
        let mut inner = self.bindings.iter().rev();
        let found = match prefix {
            "" => inner.find(|one| one.prefix.is_empty()),
            _ => inner.find(|one| one.prefix == prefix),
        };
        match (found, prefix) {
            (Some(binding), _) => Ok(binding.namespace.clone()),
            (None, "") => Ok(Cow::Borrowed("")),
            (None, "xml") => Ok(Cow::Borrowed(XML_NAMESPACE)),
            (None, _) => Err("a prefix is not bound to a namespace"),
        }
    }
}

/// `prefix:local` in its two halves, the prefix empty if there is none.
pub(super) fn split_name(name: &str) -> Result<(&str, &str), &'static str> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let good = is_ncname(local) && (prefix.is_empty() != name.contains(':'));
    let good = good && (prefix.is_empty() || is_ncname(prefix));
    if good { Ok((prefix, local)) } else { Err("not a name XML allows") }
}

/// A name without a colon.
pub(super) fn is_ncname(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(begins_name) && chars.all(continues_name)
}

fn begins_name(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '_'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn continues_name(c: char) -> bool {
    begins_name(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{b7}'
            | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
