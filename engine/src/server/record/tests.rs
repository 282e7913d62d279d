use super::*;

fn bob() -> Aor {
    Aor::new("bob", "example.org")
}

#[test]
fn a_row_reads_back() {
    let watcher = Aor::new("alice", "example.org");
    let verdict = Some(Verdict { handling: crate::body::presrules::Handling::Allow, direct: true });
    for record in [Record::Ruled(bob(), Id(7)), Record::Decided(bob(), watcher, verdict)] {
        let value = record.value().expect("a row");
        assert_eq!(Record::decode(&value), Ok(record));
    }
}

#[test]
fn a_row_of_another_format_is_told_from_a_good_one() {
    let good = Record::Ruled(bob(), Id(7)).value().expect("a row");
    let other = [&[FORMAT + 1], &good[1..]].concat();
    for bad in [&other[..], &good[..good.len() - 1], &[FORMAT], &[]] {
        assert_eq!(Record::decode(bad), Err(BadRow));
    }
    let told = "a stored row is damaged or was written by another version";
    assert_eq!(BadRow.to_string(), told);
}

#[test]
fn a_delete_has_the_key_of_its_put_and_no_value() {
    let watcher = Aor::new("alice", "example.org");
    let verdict = Some(Verdict { handling: crate::body::presrules::Handling::Allow, direct: true });
    let put = Record::Decided(bob(), watcher.clone(), verdict);
    let delete = Record::Decided(bob(), watcher, None);
    assert_eq!(put.key(), b"sip:bob@example.org\0dsip:alice@example.org");
    assert_eq!(put.key(), delete.key());
    assert_eq!(delete.value(), None);
    assert_eq!(Record::Ruled(bob(), Id(7)).key(), Record::Unruled(bob()).key());
    let deletes = [
        Record::Unbound(bob(), Id(7)),
        Record::Withdrawn(bob(), Id(7)),
        Record::Ended(bob(), Id(7), Cause::Timeout),
        Record::Released(bob(), Id(7), Cause::Timeout),
        Record::Delivered(bob(), Id(7)),
        Record::Unruled(bob()),
    ];
    let keys: std::collections::BTreeSet<Vec<u8>> = deletes.iter().map(Record::key).collect();
    assert_eq!(keys.len(), deletes.len(), "rows of different kinds never meet");
    assert!(deletes.iter().all(|record| record.value().is_none() && *record.aor() == bob()));
}
