//! The bodies printed in the RFCs, all of them, offered to every reader of bodies: each reader
//! takes exactly its own kind, refuses the rest with a line that exists, and loses nothing.

use presently_engine::body::XmlError;
use presently_engine::body::pidf::{Format, Pidf};
use presently_engine::body::presrules::Rules;
use presently_engine::body::winfo::WatcherInfo;
use std::fs;
use std::path::Path;

/// As printed, an end tag and a quote are wrong.
const ILL_FORMED: [&str; 2] = ["rfc4482-s4-01-presence.xml", "rfc4662-s6-01-list.xml"];
/// Well-formed, but it names telephone numbers, which are no addresses of record.
const FOREIGN_IDENTITIES: &str = "rfc4745-s7.1.2-01-ruleset.xml";

fn examples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/xml");
    let entries = fs::read_dir(folder).expect("the folder of examples");
    let mut examples: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("an example");
            let text = fs::read(entry.path()).expect("a readable example");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect();
    examples.sort();
    examples
}

fn read_again<T: PartialEq + std::fmt::Debug>(
    value: &T,
    written: &[u8],
    parse: fn(&[u8]) -> Result<T, XmlError>,
) {
    assert_eq!(&parse(written).expect("our own writing is read"), value);
}

#[test]
fn each_reader_takes_its_own_kind_and_nothing_else() {
    let mut taken = [0; 3];
    for (name, text) in examples() {
        let readable = !ILL_FORMED.contains(&&*name) && name != FOREIGN_IDENTITIES;
        let kind = |suffix: &str| readable && name.ends_with(suffix);
        let presence = Pidf::parse(&text);
        let watchers = WatcherInfo::parse(&text);
        let rules = Rules::parse(&text);
        assert_eq!(presence.is_ok(), kind("-presence.xml"), "{name}: {presence:?}");
        assert_eq!(watchers.is_ok(), kind("-watcherinfo.xml"), "{name}: {watchers:?}");
        assert_eq!(rules.is_ok(), kind("-ruleset.xml"), "{name}: {rules:?}");
        if let Ok(presence) = presence {
            read_again(&presence, &presence.write(Format::Pidf), Pidf::parse);
            read_again(&presence, &presence.write(Format::Cpim), Pidf::parse);
            taken[0] += 1;
        }
        if let Ok(watchers) = watchers {
            read_again(&watchers, &watchers.write(), WatcherInfo::parse);
            taken[1] += 1;
        }
        if let Ok(rules) = rules {
            read_again(&rules, &rules.write(), Rules::parse);
            taken[2] += 1;
        }
    }
    assert_eq!(taken, [12, 5, 4]);
}

#[test]
fn every_beginning_of_an_example_is_refused_without_a_panic() {
    for (name, text) in examples() {
        let end = text.trim_ascii_end().len();
        for cut in (0..end).step_by(11) {
            assert!(Pidf::parse(&text[..cut]).is_err(), "{name} cut at {cut}");
            assert!(WatcherInfo::parse(&text[..cut]).is_err(), "{name} cut at {cut}");
            assert!(Rules::parse(&text[..cut]).is_err(), "{name} cut at {cut}");
        }
    }
}
