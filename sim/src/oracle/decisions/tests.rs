//! Doctored answers to decisions.

use crate::oracle::rig::*;
use crate::record::{Fate, Record, What};
use presently_engine::agent::Event;

/// Damages the first datagram that was sent since some moment.
fn damage(record: &mut Record, since_ms: u64) {
    let sent = record.entries.iter_mut().filter(|entry| entry.at_ms >= since_ms);
    let mut fates = sent.filter_map(|entry| match &mut entry.what {
        What::Datagram { fate: Fate::Arrives { corrupted, .. }, .. } => Some(corrupted),
        _ => None,
    });
    *fates.next().expect("a datagram") = true;
}

/// bob allows alice at 5 s.
#[test]
fn what_was_refused_has_no_effect_unless_its_octets_were_changed() {
    let (plan, mut record) = played();
    for entry in &mut record.entries {
        if let What::Told { event: Event::Decided { status, .. }, .. } = &mut entry.what {
            *status = 400;
        }
    }
    let approves_anyway = |record: &Record| {
        let broken = broken(&plan, record);
        ["P2", "P13"].iter().all(|id| broken.contains(id))
    };
    assert!(approves_anyway(&record));
    let mut before = record.clone();
    damage(&mut before, 2000);
    assert!(approves_anyway(&before), "that was something else");
    damage(&mut record, 5000);
    assert!(!broken(&plan, &record).contains(&"P13"));
    assert!(!broken(&plan, &record).contains(&"P2"));
}
