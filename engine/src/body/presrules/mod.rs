//! The owner's decisions on the wire (D11): a subset of RFC 4745 / RFC 5025.
//!
//! Read RFC 4745 §7 and §10, RFC 5025 §3.2.1 first. A rule counts for the watchers its `identity`
//! names with `one`. Every other condition (`many`, `sphere`, `validity`, extensions, none at all)
//! is not supported and therefore false, as RFC 4745 §7 has it: such a rule grants nothing. An
//! identity that is no SIP address of record is an error, for its owner means somebody by it.

#[cfg(test)]
mod tests;

use super::pidf::DIRECT_MEDIA;
use super::xml::{Name, Reader, Writer};
use super::{XmlError, XmlLimits};
use crate::message::Aor;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const COMMON_POLICY: &str = "urn:ietf:params:xml:ns:common-policy";
const PRES_RULES: &str = "urn:ietf:params:xml:ns:pres-rules";

/// `application/auth-policy+xml`.
pub const AUTH_POLICY: &str = "application/auth-policy+xml";

/// `sub-handling` (RFC 5025 §3.2.1), in order of precedence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Handling {
    Block,
    Confirm,
    PoliteBlock,
    Allow,
}

impl Handling {
    const ALL: [Self; 4] = [Self::Block, Self::Confirm, Self::PoliteBlock, Self::Allow];

    /// The schema's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Confirm => "confirm",
            Self::PoliteBlock => "polite-block",
            Self::Allow => "allow",
        }
    }
}

/// What the owner decided about one watcher.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// How its subscriptions are treated.
    pub handling: Handling,
    /// Whether an allowed watcher also gets direct-media offers (X5).
    pub direct: bool,
}

/// A rule set: who is treated how. Watchers in no rule get the default policy.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rules {
    /// By watcher.
    pub verdicts: BTreeMap<Aor, Verdict>,
}

impl Rules {
    /// Reads a rule set; several rules for one identity combine to the highest handling (RFC 4745
    /// §10).
    pub fn parse(text: &[u8]) -> Result<Self, XmlError> {
        let (mut reader, root) = Reader::open(text, XmlLimits::default())?;
        if !root.is(COMMON_POLICY, "ruleset") {
            return Err(reader.error("not an authorisation rule set"));
        }
        let mut combined: BTreeMap<Aor, Actions> = BTreeMap::new();
        while let Some(name) = reader.child()? {
            if !name.is(COMMON_POLICY, "rule") {
                reader.skip()?;
                continue;
            }
            let (watchers, actions) = rule(&mut reader)?;
            for watcher in watchers {
                combined.entry(watcher).or_default().combine(actions);
            }
        }
        reader.finish()?;
        let verdicts = combined.into_iter().map(|(watcher, actions)| (watcher, actions.verdict()));
        Ok(Self { verdicts: verdicts.collect() })
    }

    /// Writes one rule per verdict.
    pub fn write(&self) -> Bytes {
        let mut out = Writer::document(256 + 384 * self.verdicts.len());
        out.raw("<cr:ruleset").attribute("xmlns:cr", COMMON_POLICY);
        out.attribute("xmlns:pr", PRES_RULES).attribute("xmlns:dm", DIRECT_MEDIA).raw(">\n");
        for (at, (watcher, verdict)) in self.verdicts.iter().enumerate() {
            out.raw("<cr:rule id=\"r").number(u32::try_from(at).unwrap_or(u32::MAX));
            out.raw("\"><cr:conditions><cr:identity><cr:one").attribute("id", watcher.as_str());
            out.raw("/></cr:identity></cr:conditions>\n<cr:actions>");
            out.element("pr:sub-handling", verdict.handling.as_str());
            out.element("dm:direct", if verdict.direct { "true" } else { "false" });
            out.raw("</cr:actions><cr:transformations/></cr:rule>\n");
        }
        out.raw("</cr:ruleset>\n");
        out.finish()
    }
}

/// What matching rules say together: the highest value of each action, separately.
#[derive(Clone, Copy, Default)]
struct Actions {
    handling: Option<Handling>,
    direct: Option<bool>,
}

impl Actions {
    fn combine(&mut self, other: Self) {
        self.handling = self.handling.max(other.handling);
        self.direct = self.direct.max(other.direct);
    }

    /// Without a word on handling it is `block` (RFC 5025 §3.2.1); without one on direct media,
    /// who is allowed gets it (X5).
    fn verdict(self) -> Verdict {
        let handling = self.handling.unwrap_or(Handling::Block);
        Verdict { handling, direct: self.direct.unwrap_or(handling == Handling::Allow) }
    }
}

fn rule(reader: &mut Reader<'_>) -> Result<(BTreeSet<Aor>, Actions), XmlError> {
    reader.required("id")?;
    let mut matching = None;
    let mut total = Actions::default();
    while let Some(name) = reader.child()? {
        match common(&name) {
            Some("conditions") => {
                let named = conditions(reader)?;
                matching = Some(intersect(matching, named));
            }
            Some("actions") => total.combine(actions(reader)?),
            _ => reader.skip()?,
        }
    }
    Ok((matching.unwrap_or_default(), total))
}

/// The local name of an element of RFC 4745.
fn common<'a>(name: &Name<'a>) -> Option<&'a str> {
    (name.namespace == COMMON_POLICY).then_some(name.local)
}

/// All conditions must hold (RFC 4745 §10.1), so whom all of them name.
fn conditions(reader: &mut Reader<'_>) -> Result<BTreeSet<Aor>, XmlError> {
    let mut matching = None;
    while let Some(name) = reader.child()? {
        let named = match common(&name) {
            Some("identity") => identity(reader)?,
            _ => {
                reader.skip()?;
                BTreeSet::new()
            }
        };
        matching = Some(intersect(matching, named));
    }
    Ok(matching.unwrap_or_default())
}

fn intersect(so_far: Option<BTreeSet<Aor>>, named: BTreeSet<Aor>) -> BTreeSet<Aor> {
    match so_far {
        None => named,
        Some(mut both) => {
            both.retain(|watcher| named.contains(watcher));
            both
        }
    }
}

/// Any of its children may hold (RFC 4745 §7.1.1), so whom one of them names.
fn identity(reader: &mut Reader<'_>) -> Result<BTreeSet<Aor>, XmlError> {
    let mut named = BTreeSet::new();
    while let Some(name) = reader.child()? {
        if common(&name) == Some("one") {
            let id = reader.required("id")?;
            let watcher = Aor::parse(id).map_err(|fault| {
                reader.error(["identity ", id, ": ", &fault.to_string()].concat())
            })?;
            named.insert(watcher);
        }
        reader.skip()?;
    }
    Ok(named)
}

fn actions(reader: &mut Reader<'_>) -> Result<Actions, XmlError> {
    let mut total = Actions::default();
    while let Some(name) = reader.child()? {
        if name.is(PRES_RULES, "sub-handling") {
            let word = reader.token()?;
            let handling = Handling::ALL.into_iter().find(|one| one.as_str() == word);
            let handling =
                handling.ok_or_else(|| reader.error("sub-handling of no known value"))?;
            total.combine(Actions { handling: Some(handling), direct: None });
        } else if name.is(DIRECT_MEDIA, "direct") {
            let direct = match &*reader.token()? {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return Err(reader.error("direct must be true or false")),
            };
            total.combine(Actions { handling: None, direct: Some(direct) });
        } else {
            reader.skip()?;
        }
    }
    Ok(total)
}
