use super::super::fixture::{BOOT, REALM, key, request};
use super::*;
use proptest::prelude::*;
use std::time::Duration;

/// Characters of a nonce on the wire.
const CHARACTERS: usize = 40;

fn cause() -> Request {
    request("REGISTER", "sip:example.org", "", "")
}

#[test]
fn a_nonce_carries_its_time_of_issue() {
    let now = BOOT + Duration::from_millis(123_456);
    let nonce = key(1).issue(now, REALM, &cause());
    assert_eq!(nonce.len(), CHARACTERS);
    assert_eq!(key(1).open(&nonce, REALM).map(|nonce| nonce.t), Some(123_456));
}

#[test]
fn requests_challenged_in_the_same_millisecond_get_different_nonces() {
    let other = request("PUBLISH", "sip:alice@example.org", "", "");
    let again = key(1).issue(BOOT, REALM, &cause());
    assert_eq!(again, key(1).issue(BOOT, REALM, &cause()));
    // The method is not part of the cause, Call-ID, CSeq and From tag are.
    assert_eq!(again, key(1).issue(BOOT, REALM, &other));
    let text = String::from_utf8(cause().bytes().to_vec()).expect("text");
    let next = text.replace("1826", "1827");
    let next = crate::message::Message::parse(next.into()).expect("a request");
    let crate::message::Message::Request(next) = next else { panic!("a request") };
    let next = key(1).issue(BOOT, REALM, &next);
    assert_ne!(again, next);
    let [again, next] = [again, next].map(|nonce| key(1).open(&nonce, REALM).expect("ours"));
    assert_eq!((again.t, next.t), (0, 0));
    assert_ne!(again.r, next.r, "they are told apart when they come back, too");
}

#[test]
fn the_boot_id_is_part_of_the_key_and_of_nothing_that_is_printed_secretly() {
    let nonce = key(1).issue(BOOT, REALM, &cause());
    assert_eq!(key(2).open(&nonce, REALM), None);
    assert_eq!(format!("{:?}", key(0xabc)), "NonceKey(boot 0000000000000abc)");
}

proptest! {
    /// P25: a nonce of server i, boot j, realm r is accepted only there.
    #[test]
    fn a_nonce_is_good_for_one_server_one_boot_and_one_realm(
        server in any::<[u8; 32]>(), other_server in any::<[u8; 32]>(),
        boot in any::<u64>(), other_boot in any::<u64>(),
        realm in "[a-z]{1,12}", other_realm in "[a-z]{1,12}",
        ms in 0_u64..1 << 40,
    ) {
        let home = NonceKey::new(server, boot, BOOT);
        let nonce = home.issue(BOOT + Duration::from_millis(ms), &realm, &cause());
        prop_assert_eq!(home.open(&nonce, &realm).map(|nonce| nonce.t), Some(ms));
        prop_assert_eq!(home.open(&nonce, &other_realm).is_some(), realm == other_realm);
        let same = (server, boot) == (other_server, other_boot);
        let abroad = NonceKey::new(other_server, other_boot, BOOT);
        prop_assert_eq!(abroad.open(&nonce, &realm).is_some(), same);
        let rebooted = NonceKey::new(server, other_boot, BOOT);
        prop_assert_eq!(rebooted.open(&nonce, &realm).is_some(), boot == other_boot);
    }

    #[test]
    fn a_nonce_with_any_character_changed_is_not_ours(
        place in 0..CHARACTERS, letter in "[A-Za-z0-9_=+/-]",
    ) {
        let nonce = key(1).issue(BOOT, REALM, &cause());
        let mut forged = nonce.clone();
        forged.replace_range(place..=place, &letter);
        prop_assert_eq!(key(1).open(&forged, REALM).is_some(), forged == nonce);
    }

    #[test]
    fn no_text_is_a_nonce_by_chance(text in ".{0,64}") {
        prop_assert_eq!(key(1).open(&text, REALM), None);
    }
}
