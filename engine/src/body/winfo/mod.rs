//! Watcher information documents.
//!
//! Read RFC 3858 §4 first. Attributes and elements this version does not know are ignored, as its
//! §3 demands; values outside the enumerations of its schema are errors, since a row whose state
//! is unknown cannot be merged. What versions mean is the business of who keeps the table.

#[cfg(test)]
mod tests;

use super::xml::{Reader, Writer};
use super::{XmlError, XmlLimits};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// `application/watcherinfo+xml`.
pub const WATCHERINFO: &str = "application/watcherinfo+xml";

const NAMESPACE: &str = "urn:ietf:params:xml:ns:watcherinfo";

/// A full document holds a presentity's every watcher, so it may be larger than others.
const LIMITS: XmlLimits = XmlLimits { size: 1 << 20, depth: 16, nodes: 65_536, attributes: 32 };

/// State of a watcher's subscription (RFC 3858 §3, RFC 3857 §4.7.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Status {
    Pending,
    Active,
    Waiting,
    Terminated,
}

/// What caused the state (RFC 3858 §3): the eight values of the schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Cause {
    Subscribe,
    Approved,
    Deactivated,
    Probation,
    Rejected,
    Timeout,
    Giveup,
    Noresource,
}

impl Status {
    const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Waiting, Self::Terminated];

    /// The schema's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Terminated => "terminated",
        }
    }
}

impl Cause {
    const ALL: [Self; 8] = [
        Self::Subscribe,
        Self::Approved,
        Self::Deactivated,
        Self::Probation,
        Self::Rejected,
        Self::Timeout,
        Self::Giveup,
        Self::Noresource,
    ];

    /// The cause a `reason` or `event` names.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The schema's word, which is also the `reason` of a terminal Subscription-State.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribe",
            Self::Approved => "approved",
            Self::Deactivated => "deactivated",
            Self::Probation => "probation",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Giveup => "giveup",
            Self::Noresource => "noresource",
        }
    }
}

/// One `<watcher>`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Watcher {
    /// Unique id of the subscription.
    pub id: Box<str>,
    /// URI of the watcher.
    pub uri: Box<str>,
    /// Status.
    pub status: Status,
    /// Cause.
    pub event: Cause,
    /// Display name.
    pub display_name: Option<Box<str>>,
    /// Seconds until the subscription expires.
    pub expiration: Option<u32>,
    /// Seconds since it began.
    pub duration: Option<u32>,
}

/// One `<watcher-list>`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WatcherList {
    /// The watched resource.
    pub resource: Box<str>,
    /// The package, `presence`.
    pub package: Box<str>,
    /// Rows.
    pub watchers: Vec<Watcher>,
}

/// A document.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WatcherInfo {
    /// Version, from 0.
    pub version: u32,
    /// `state="full"` or `"partial"`.
    pub full: bool,
    /// Lists.
    pub lists: Vec<WatcherList>,
}

/// One `<watcher>` about to be written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WatcherRef<'a> {
    /// Unique id of the subscription.
    pub id: &'a str,
    /// URI of the watcher.
    pub uri: &'a str,
    /// Status.
    pub status: Status,
    /// Cause.
    pub event: Cause,
    /// Display name.
    pub display_name: Option<&'a str>,
    /// Seconds until the subscription expires.
    pub expiration: Option<u32>,
    /// Seconds since it began.
    pub duration: Option<u32>,
}

impl Watcher {
    /// The same row, borrowed.
    pub fn as_ref(&self) -> WatcherRef<'_> {
        WatcherRef {
            id: &self.id,
            uri: &self.uri,
            status: self.status,
            event: self.event,
            display_name: self.display_name.as_deref(),
            expiration: self.expiration,
            duration: self.duration,
        }
    }
}

impl WatcherInfo {
    /// Reads a document.
    pub fn parse(text: &[u8]) -> Result<Self, XmlError> {
        let (mut reader, root) = Reader::open(text, LIMITS)?;
        if !root.is(NAMESPACE, "watcherinfo") {
            return Err(reader.error("not a watcher information document"));
        }
        let version = number(&reader, "version")?;
        let version = version.ok_or_else(|| reader.error("attribute version is missing"))?;
        let full = match reader.required("state")? {
            "full" => true,
            "partial" => false,
            _ => return Err(reader.error("state must be full or partial")),
        };
        let mut lists = Vec::new();
        while let Some(name) = reader.child()? {
            match name.is(NAMESPACE, "watcher-list") {
                true => lists.push(list(&mut reader)?),
                false => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(Self { version, full, lists })
    }

    /// Writes the document in the order of the schema.
    pub fn write(&self) -> Bytes {
        let rows = self.lists.iter().map(|list| list.watchers.len()).sum();
        let mut out = begin(self.version, self.full, rows);
        for list in &self.lists {
            let rows = list.watchers.iter().map(Watcher::as_ref);
            write_list(&mut out, &list.resource, &list.package, rows);
        }
        end(out)
    }
}

/// Writes a document with one list, straight from the rows.
pub fn write_document<'a>(
    version: u32,
    full: bool,
    resource: &str,
    package: &str,
    rows: impl Iterator<Item = WatcherRef<'a>>,
) -> Bytes {
    let mut out = begin(version, full, rows.size_hint().0);
    write_list(&mut out, resource, package, rows);
    end(out)
}

fn list(reader: &mut Reader<'_>) -> Result<WatcherList, XmlError> {
    let resource = reader.required("resource")?.into();
    let package = reader.required("package")?.into();
    let mut watchers = Vec::new();
    while let Some(name) = reader.child()? {
        match name.is(NAMESPACE, "watcher") {
            true => watchers.push(watcher(reader)?),
            false => reader.skip()?,
        }
    }
    Ok(WatcherList { resource, package, watchers })
}

fn watcher(reader: &mut Reader<'_>) -> Result<Watcher, XmlError> {
    let status = reader.required("status")?;
    let status = Status::ALL.into_iter().find(|one| one.as_str() == status);
    let event = Cause::read(reader.required("event")?);
    Ok(Watcher {
        id: reader.required("id")?.into(),
        status: status.ok_or_else(|| reader.error("a watcher status of no known value"))?,
        event: event.ok_or_else(|| reader.error("a watcher event of no known value"))?,
        display_name: reader.attribute("display-name").map(Box::from),
        expiration: number(reader, "expiration")?,
        duration: number(reader, "duration-subscribed")?,
        uri: reader.token()?.into(),
    })
}

/// A numeric attribute. What is too large for us is as good as the largest.
fn number(reader: &Reader<'_>, local: &str) -> Result<Option<u32>, XmlError> {
    let Some(text) = reader.attribute(local).map(str::trim) else { return Ok(None) };
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(reader.error(["attribute ", local, " is not a number"].concat()));
    }
    Ok(Some(text.parse().unwrap_or(u32::MAX)))
}

fn begin(version: u32, full: bool, rows: usize) -> Writer {
    let mut out = Writer::document(256 + 192 * rows);
    out.raw("<watcherinfo").attribute("xmlns", NAMESPACE).number_attribute("version", version);
    out.attribute("state", if full { "full" } else { "partial" }).raw(">\n");
    out
}

fn end(mut out: Writer) -> Bytes {
    out.raw("</watcherinfo>\n");
    out.finish()
}

fn write_list<'a>(
    out: &mut Writer,
    resource: &str,
    package: &str,
    rows: impl Iterator<Item = WatcherRef<'a>>,
) {
    out.raw("<watcher-list").attribute("resource", resource);
    out.attribute("package", package).raw(">\n");
    for row in rows {
        out.raw("<watcher").attribute("id", row.id).attribute("status", row.status.as_str());
        out.attribute("event", row.event.as_str());
        if let Some(name) = row.display_name {
            out.attribute("display-name", name);
        }
        if let Some(seconds) = row.expiration {
            out.number_attribute("expiration", seconds);
        }
        if let Some(seconds) = row.duration {
            out.number_attribute("duration-subscribed", seconds);
        }
        out.raw(">").text(row.uri).raw("</watcher>\n");
    }
    out.raw("</watcher-list>\n");
}
