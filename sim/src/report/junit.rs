//! The verdicts for CI systems: one test case for each expectation.

use super::words;
use crate::judge::Verdict;
use crate::plan::Plan;
use crate::record::Record;
use std::fmt::Write;

/// How many of the last messages stand in the text of a failure.
const MESSAGES: usize = 12;

/// The file in the form that Jenkins, GitLab and GitHub's reporters read.
pub(super) fn write(plan: &Plan, record: &Record, verdicts: &[Verdict]) -> String {
    let failed = verdicts.iter().filter(|verdict| !verdict.held).count();
    let counts = format!(
        "tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{}\"",
        verdicts.len(),
        words::seconds(record.ended_ms)
    );
    let title = escape(&plan.title);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <testsuites name=\"presence-sim\" {counts}>\n<testsuite name=\"{title}\" {counts}>\n\
         <properties>\n<property name=\"seed\" value=\"{}\"/>\n</properties>\n",
        plan.seed
    );
    for verdict in verdicts {
        case(&mut text, &title, record, verdict);
    }
    text.push_str("</testsuite>\n</testsuites>\n");
    text
}

fn case(text: &mut String, title: &str, record: &Record, verdict: &Verdict) {
    let at = words::seconds(super::moment(verdict, record));
    let name = escape(&verdict.expectation.text);
    // Writing to a String cannot fail.
    let _ = write!(text, "<testcase classname=\"{title}\" name=\"{name}\" time=\"{at}\"");
    if verdict.held {
        text.push_str("/>\n");
        return;
    }
    let instead = escape(&super::outcome(verdict));
    let _ = write!(text, ">\n<failure message=\"{instead}\" type=\"expectation\">{instead}\n");
    for line in super::last_messages(verdict, record, MESSAGES) {
        text.push_str(&escape(&line));
        text.push('\n');
    }
    text.push_str("</failure>\n</testcase>\n");
}

/// Text for XML: what XML 1.0 cannot hold at all is replaced.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
