//! The strict reader under all documents: quick-xml events behind our own limits.

/// Why a document was refused.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct XmlError {
    /// What is wrong.
    pub what: Box<str>,
    /// 1-based line.
    pub line: u32,
}

impl std::fmt::Display for XmlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for XmlError {}

/// Limits of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct XmlLimits {
    /// Bytes.
    pub size: usize,
    /// Nesting.
    pub depth: usize,
    /// Elements and text nodes.
    pub nodes: usize,
    /// Attributes of one element.
    pub attributes: usize,
}

impl Default for XmlLimits {
    fn default() -> Self {
        Self { size: 65_536, depth: 16, nodes: 4096, attributes: 32 }
    }
}
