//! The numbers, as a table that fits a README.

use super::{Keyword, Rfc, Status};
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many keywords have which status. A row that has none counts nowhere; the list's test fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Shown by tests.
    pub tested: u32,
    /// Does not apply.
    pub not_applicable: u32,
    /// Deliberately otherwise.
    pub deliberately_not: u32,
}

impl Totals {
    /// The sums over an RFC's rows whose keyword passes.
    pub fn of(rfc: &Rfc, passes: impl Fn(Keyword) -> bool) -> Self {
        let mut totals = Self::default();
        for (_, row) in rfc.rows.iter().filter(|(_, row)| passes(row.keyword)) {
            match row.status() {
                Ok(Status::Tested) => totals.tested += row.count,
                Ok(Status::NotApplicable) => totals.not_applicable += row.count,
                Ok(Status::DeliberatelyNot) => totals.deliberately_not += row.count,
                Err(_) => {}
            }
        }
        totals
    }

    fn add(&mut self, other: Self) {
        self.tested += other.tested;
        self.not_applicable += other.not_applicable;
        self.deliberately_not += other.deliberately_not;
    }

    /// Tested, of those that apply.
    fn percentage(&self) -> String {
        match self.tested + self.deliberately_not {
            0 => "–".into(),
            applying => format!("{:.0} %", f64::from(100 * self.tested) / f64::from(applying)),
        }
    }

    fn cells(&self) -> String {
        format!(
            "{} | {} | {} | {}",
            self.tested,
            self.deliberately_not,
            self.not_applicable,
            self.percentage()
        )
    }
}

/// The table of all RFCs, with a line of sums.
pub fn render(rfcs: &BTreeMap<u32, Rfc>) -> String {
    let mut text = String::from(
        "| RFC | MUST: tested | deliberately not | not applicable | tested of applicable \
         | SHOULD: tested | deliberately not | not applicable | tested of applicable |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut sums = (Totals::default(), Totals::default());
    for (number, rfc) in rfcs {
        let must = Totals::of(rfc, Keyword::is_must);
        let should = Totals::of(rfc, Keyword::is_should);
        let line = format!("| {number} {} | {} | {} |", rfc.title, must.cells(), should.cells());
        writeln!(text, "{line}").expect("a String takes all");
        sums.0.add(must);
        sums.1.add(should);
    }
    writeln!(text, "| **all** | {} | {} |", sums.0.cells(), sums.1.cells())
        .expect("a String takes all");
    text
}
