//! The oracle: knows who published, subscribed, decided and sent what, and says what each user
//! must see and what no user may see (behaviour §5.2).
//!
//! It reads the plan and the record of the run, and nothing of the engine's insides but the tables
//! that anybody can look at. A property that waits for calm ("eventually") is judged only if the
//! plan left enough of it; so a smaller plan never fails for want of time.

mod agents;
mod calls;
pub(crate) mod decisions;
pub(crate) mod dialogs;
mod documents;
mod ending;
pub(crate) mod evidence;
pub(crate) mod exchanges;
pub(crate) mod expiry;
mod heard;
pub(crate) mod lives;
pub(crate) mod media;
mod messages;
mod outboxes;
mod paper;
mod privacy;
mod proof;
mod records;
#[cfg(test)]
mod rig;
mod spoken;
mod tables;
mod transactions;
mod watchers;

use crate::plan::Plan;
use crate::record::Record;
use evidence::Evidence;
use std::fmt;

/// A property that did not hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Violation {
    /// Its number in behaviour §5.2.
    pub property: &'static str,
    /// When, in ms.
    pub at_ms: u64,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, ms) = (self.at_ms / 1000, self.at_ms % 1000);
        write!(f, "{} at {s}.{ms:03} s: {}", self.property, self.what)
    }
}

/// Something that must hold in every run.
struct Property {
    id: &'static str,
    /// Looks for violations: when, and what was seen.
    check: fn(&Evidence<'_>) -> Vec<(u64, String)>,
    /// Whether it says nothing of a run in which the network changed octets: documents are not
    /// protected on the way to a watcher, so anybody may be shown anything.
    intact: bool,
}

const fn always(id: &'static str, check: fn(&Evidence<'_>) -> Vec<(u64, String)>) -> Property {
    Property { id, check, intact: false }
}

const fn intact(id: &'static str, check: fn(&Evidence<'_>) -> Vec<(u64, String)>) -> Property {
    Property { id, check, intact: true }
}

/// Everything that is checked.
const PROPERTIES: &[Property] = &[
    intact("P1", proof::served_only_with_proof),
    intact("P1", proof::nothing_without_a_request),
    always("P2", privacy::no_tuple_before_approval),
    always("P3", privacy::no_offer_without_permission),
    always("P13", privacy::policy_survives),
    always("P4", records::arcs_conform),
    always("P9", records::self_view_is_of_oneself),
    always("P11", records::partial_is_minimal),
    always("P5", dialogs::terminal_is_last),
    always("P6", dialogs::cseq_rises_by_one),
    intact("P6", dialogs::content_never_goes_back),
    intact("P6", agents::shown_never_goes_back),
    intact("P6", agents::takes_nothing_older),
    intact("P7", outboxes::one_at_a_time),
    intact("P8", outboxes::full_when_due),
    always("P8", dialogs::versions_form_a_chain),
    always("P8", dialogs::copies_are_identical),
    intact("P20", dialogs::cseq_rises),
    always("P43", dialogs::paced),
    always("P10", watchers::ids_are_never_reused),
    intact("P46", watchers::owner_knows_the_table),
    intact("P46", watchers::table_is_who_subscribed),
    always("P19", transactions::only_100_and_late),
    always("P15", transactions::never_longer_than_asked),
    intact("P18", transactions::one_final_answer),
    intact("P14", expiry::nothing_runs_out_early),
    intact("P14", expiry::nothing_is_forgotten),
    intact("P32", expiry::entity_tags_last),
    intact("P15", expiry::no_more_than_is_left),
    intact("P17", agents::subscribes_once),
    intact("P21", tables::every_row_has_a_reason),
    intact("P22", agents::nobody_believes_for_long),
    always("P23", proof::executed_once),
    always("P24", proof::replay_is_inert),
    intact("P31", agents::early_notify_is_taken),
    intact("P32", agents::publishes_in_order),
    intact("P34", documents::timestamps_rise),
    intact("P44", documents::one_tuple_of_a_name),
    intact("P45", documents::forwarded_as_it_came),
    intact("P42", proof::strangers_get_little),
    intact("M7", proof::honest_proof_is_taken),
    intact("M8", proof::counts_are_used_once),
    intact("M10", expiry::refreshed_in_time),
    intact("M15", agents::the_end_is_the_end),
    intact("isolation", outboxes::nobody_waits_for_others),
    intact("R47", expiry::recovery_tells_everybody),
    intact("P49", agents::tries_end),
    intact("P50", tables::undecided_ends),
    intact("P36", messages::shown_once),
    intact("P36", messages::shown_as_written),
    intact("P37", messages::promise_kept),
    always("P27", heard::only_who_may_be),
    always("P27", heard::silent_once_not_wanted),
    always("P27", heard::played_as_it_came),
    intact("P27", paper::heard_unchecked),
    intact("P28", spoken::only_where_somebody_agreed),
    intact("P29", spoken::only_at_a_word_of_the_user),
    intact("P30", spoken::only_what_was_offered),
    intact("P47", heard::the_speaker_stops),
    intact("P47", heard::nobody_unwanted_is_left),
    intact("P53", calls::flows_agree),
    intact("M6", calls::calls_agree),
    intact("M6", calls::nobody_rings_for_ever),
    intact("P48", ending::watchers_see_the_newest),
    intact("P49", ending::subscriptions_resolve),
    intact("P54", ending::all_registered),
    always("P55", ending::quiet_at_last),
    always("trouble", ending::no_trouble),
];

/// Holds every property against a run; what does not hold, in the order of time.
pub fn examine(plan: &Plan, record: &Record) -> Vec<Violation> {
    weigh(&Evidence::new(plan, record))
}

/// The same for evidence that is there already.
pub(crate) fn weigh(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut violations: Vec<Violation> = PROPERTIES
        .iter()
        .filter(|property| !(property.intact && evidence.corrupted))
        .flat_map(|property| {
            let found = (property.check)(evidence).into_iter();
            found.map(|(at_ms, what)| Violation { property: property.id, at_ms, what })
        })
        .collect();
    violations.sort_by_key(|violation| violation.at_ms);
    violations
}
