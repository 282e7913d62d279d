//! What was acknowledged, and what of it was missing.

use std::collections::BTreeMap;
use std::fmt;

/// The accounts of one household, or of all.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Acknowledged operations by kind.
    acknowledged: BTreeMap<&'static str, u64>,
    /// Operations nobody ever answered.
    unanswered: u64,
    /// Times something acknowledged was looked for.
    looked: u64,
    /// NOTIFYs whose CSeq and version were compared.
    notified: u64,
    /// What was not as it has to be.
    pub(crate) losses: Vec<String>,
}

impl Ledger {
    pub(crate) fn acknowledge(&mut self, kind: &'static str) {
        *self.acknowledged.entry(kind).or_default() += 1;
    }

    pub(crate) fn unanswered(&mut self) {
        self.unanswered += 1;
    }

    pub(crate) fn notified(&mut self) {
        self.notified += 1;
    }

    /// Something was looked for; `found` says whether it was as it has to be.
    pub(crate) fn look(&mut self, found: bool, loss: impl FnOnce() -> String) {
        self.looked += 1;
        if !found {
            self.losses.push(loss());
        }
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.values().sum()
    }

    /// Both together.
    pub(crate) fn with(mut self, other: Self) -> Self {
        for (kind, count) in other.acknowledged {
            *self.acknowledged.entry(kind).or_default() += count;
        }
        self.unanswered += other.unanswered;
        self.looked += other.looked;
        self.notified += other.notified;
        self.losses.extend(other.losses);
        self
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} acknowledged (", self.acknowledged())?;
        for (index, (kind, count)) in self.acknowledged.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{kind} {count}")?;
        }
        write!(
            f,
            "), {} cut off, {} looked for, {} NOTIFYs compared, {} losses",
            self.unanswered,
            self.looked,
            self.notified,
            self.losses.len()
        )
    }
}
