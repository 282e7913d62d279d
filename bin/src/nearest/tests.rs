use super::nearest;

#[test]
fn a_slip_of_the_finger_is_recognised() {
    let words = ["watch", "unwatch", "winfo", "wait"];
    assert_eq!(nearest("wtach", words), Some("watch"));
    assert_eq!(nearest("WATCH", words), Some("watch"));
    assert_eq!(nearest("wiat", words), Some("wait"));
    assert_eq!(nearest("unwathc", words), Some("unwatch"));
}

#[test]
fn a_word_that_is_like_nothing_gets_no_suggestion() {
    assert_eq!(nearest("zebra", ["watch", "winfo"]), None);
    assert_eq!(nearest("domain", []), None);
}
