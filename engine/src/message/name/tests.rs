//! Tokens and their numbers.

use super::{COMPACT, Method, Name};

#[test]
fn every_name_is_found_in_any_case() {
    for name in Name::ALL {
        assert_eq!(Name::of(name.as_str()), *name);
        assert_eq!(Name::of(&name.as_str().to_lowercase()), *name);
        assert_eq!(Name::of(&name.as_str().to_uppercase()), *name);
        assert_eq!(Name::of(&format!("{}x", name.as_str())), Name::Other);
    }
}

#[test]
fn compact_forms_are_the_same_names() {
    for (compact, name) in COMPACT {
        assert_eq!((Name::of(compact), Name::of(&compact.to_uppercase())), (*name, *name));
    }
    for other in ["", "s", "x", "z", "C%6Fntact", "Subject", "Vía", "\u{130}"] {
        assert_eq!(Name::of(other), Name::Other, "{other}");
    }
}

#[test]
fn methods_are_case_sensitive() {
    assert_eq!(Method::of("SUBSCRIBE"), Method::Subscribe);
    assert_eq!(Method::Subscribe.as_str(), "SUBSCRIBE");
    assert_eq!(Method::of("subscribe"), Method::Other);
    assert_eq!(Method::of("RE%47IST%45R"), Method::Other);
    assert_eq!(Method::Other.as_str(), "");
}
