//! Bodies: whatever is read is written so that it reads back as the same value.

use presently_engine::body::XmlError;
use presently_engine::body::pidf::{Format, Pidf};
use presently_engine::body::presrules::Rules;
use presently_engine::body::winfo::WatcherInfo;
use presently_engine::message::Aor;
use std::fmt::Debug;

fn survives<T: PartialEq + Debug>(
    value: &T,
    written: &[u8],
    parse: fn(&[u8]) -> Result<T, XmlError>,
) {
    match parse(written) {
        Ok(again) => assert_eq!(&again, value, "{}", String::from_utf8_lossy(written)),
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(written)),
    }
}

/// A presence document, in both formats and as a watcher sees it.
pub fn pidf(data: &[u8]) {
    let Ok(document) = Pidf::parse(data) else { return };
    survives(&document, &document.write(Format::Pidf), Pidf::parse);
    survives(&document, &document.write(Format::Cpim), Pidf::parse);
    let watcher = Aor::new("alice", "example.org");
    for direct in [true, false] {
        let seen = document.for_watcher(&watcher, direct, |_| 7);
        survives(&seen, &seen.write(Format::Pidf), Pidf::parse);
        let secret = seen.tuples.iter().filter_map(|tuple| tuple.offer.as_ref()?.secret.as_ref());
        assert_eq!(secret.count(), 0, "the secret of an offer is for nobody (P3)");
    }
}

/// A watcher-information document.
pub fn watcherinfo(data: &[u8]) {
    let Ok(document) = WatcherInfo::parse(data) else { return };
    survives(&document, &document.write(), WatcherInfo::parse);
}

/// An owner's rules.
pub fn auth_policy(data: &[u8]) {
    let Ok(rules) = Rules::parse(data) else { return };
    survives(&rules, &rules.write(), Rules::parse);
}
