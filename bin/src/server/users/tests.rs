use super::*;

const HA1_SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn read(text: &str) -> Result<Users, Failure> {
    parse(Source { name: "users.toml", text }, "example.org")
}

fn refusal(text: &str) -> String {
    let failure = read(text).expect_err("the file is wrong");
    assert_eq!(failure.code(), 2);
    failure.to_string()
}

#[test]
fn a_password_becomes_the_hashes_of_this_domain_and_is_not_kept() -> Result<(), Failure> {
    let users = read("[[user]]\nname = \"alice\"\npassword = \"wonderland\"")?;
    assert_eq!(users.named.get("alice"), Some(&user("alice", "example.org", "wonderland")));
    assert!(!format!("{users:?}").contains("wonderland"));
    Ok(())
}

#[test]
fn hashes_are_taken_as_they_are_and_one_of_the_two_is_enough() -> Result<(), Failure> {
    let users = read(&format!("[[user]]\nname = \"bob\"\nha1_sha256 = \"{HA1_SHA256}\""))?;
    let bob = &users.named["bob"];
    assert_eq!(bob.sha256.as_ref().map(Ha1::as_str), Some(HA1_SHA256));
    assert_eq!(bob.md5, None);
    Ok(())
}

#[test]
fn the_star_stands_for_every_name() -> Result<(), Failure> {
    let users = read("[[user]]\nname = \"*\"\npassword = \"x\"")?;
    assert!(users.exists("whoever"));
    assert_eq!(
        refusal(&format!("[[user]]\nname = \"*\"\nha1_sha256 = \"{HA1_SHA256}\"")),
        "users.toml:2:8: user \"*\" must have password: a hash holds for one name only"
    );
    Ok(())
}

#[test]
fn mistakes_are_named_with_line_and_column() {
    assert_eq!(
        refusal(
            "[[user]]\nname = \"a\"\npassword = \"x\"\n[[user]]\nname = \"a\"\npassword = \"y\""
        ),
        "users.toml:5:8: user \"a\" is in the file twice"
    );
    assert_eq!(refusal("[[user]]\npassword = \"x\""), "users.toml:1:1: user: name is missing");
    assert_eq!(
        refusal("[[user]]\nname = \"a\"\npasword = \"x\"\npassword = \"x\""),
        "users.toml:3:1: unknown key user.pasword; did you mean user.password?"
    );
    assert_eq!(
        refusal("[[user]]\nname = \"a@b\"\npassword = \"x\""),
        "users.toml:2:8: user.name = \"a@b\": must be a user part without domain, \
         for example alice, or * for every name"
    );
    assert_eq!(
        refusal("[user]\nname = \"a\""),
        "users.toml:1:1: user: must be written as [[user]]"
    );
    assert!(refusal("[[user]\n").starts_with("users.toml:1:"));
    assert!(refusal("[[user]]\nname = \"a\"").contains("user \"a\" has no password"));
}

#[test]
fn no_message_repeats_a_password_or_a_hash() {
    let number = refusal("[[user]]\nname = \"a\"\npassword = 271828");
    assert_eq!(
        number,
        "users.toml:3:12: user.password = \"…\": must be quoted text that is not empty"
    );
    let short = refusal("[[user]]\nname = \"a\"\nha1_md5 = \"c0ffee\"");
    assert_eq!(short, "users.toml:3:11: user.ha1_md5 = \"…\": must be 32 hex digits");
}

#[test]
fn who_is_no_longer_in_the_file_is_removed() -> Result<(), Failure> {
    let entry = |name: &str| format!("[[user]]\nname = \"{name}\"\npassword = \"x\"\n");
    let old = read(&(entry("alice") + &entry("bob")))?;
    let new = read(&entry("bob"))?;
    assert_eq!(removed(&old, &new).collect::<Vec<_>>(), ["alice"]);
    assert_eq!(removed(&new, &old).count(), 0);
    Ok(())
}

#[test]
fn hash_prints_both_algorithms_over_user_domain_and_password() -> Result<(), Failure> {
    let mut printed = Vec::new();
    hash("sip:alice@example.org", &mut &b"wonderland\r\n"[..], &mut printed)?;
    // printf 'alice:example.org:wonderland' | sha256sum; | md5sum
    let expected = "[[user]]\nname = \"alice\"\n\
        ha1_sha256 = \"f0c3ae808cef897043f79de49549776f1f58cb7c5364e03ab40abac620459848\"\n\
        ha1_md5 = \"72f86f2053703faa0f521ce71cfe6f59\"\n";
    assert_eq!(String::from_utf8_lossy(&printed), expected);
    let users = read(&String::from_utf8_lossy(&printed))?;
    assert_eq!(users.named["alice"], user("alice", "example.org", "wonderland"));
    Ok(())
}

#[test]
fn hash_refuses_what_is_no_address_or_no_password() {
    let refused = |aor: &str, input: &[u8]| {
        let mut input = input;
        hash(aor, &mut input, &mut Vec::new()).expect_err("was wrong").to_string()
    };
    assert!(refused("tel:123", b"x\n").starts_with("AOR \"tel:123\": "));
    assert_eq!(
        refused("sip:alice@example.org", b"\n"),
        "no password: write it as one line to stdin"
    );
}

/// RFC 7616 §4: the name is written plainly, and its account is found under the name's form in a
/// URI.
#[test]
fn a_name_may_have_any_letters() -> Result<(), Failure> {
    let users = read("[[user]]\nname = \"jäsøn\"\npassword = \"wonderland\"")?;
    assert!(users.exists("j%C3%A4s%C3%B8n") && !users.exists("j%C3%A4son"));
    assert_eq!(users.named["j%C3%A4s%C3%B8n"], user("jäsøn", "example.org", "wonderland"));
    let mut lines = Vec::new();
    hash("sip:j%C3%A4s%C3%B8n@example.org", &mut "wonderland\n".as_bytes(), &mut lines)?;
    let lines = String::from_utf8(lines).expect("text");
    assert!(lines.contains("name = \"jäsøn\""), "{lines}");
    assert_eq!(read(&lines)?.named, users.named);
    let twice =
        "[[user]]\nname = \"é\"\npassword = \"x\"\n[[user]]\nname = \"%C3%A9\"\npassword = \"y\"";
    assert!(refusal(twice).contains("is in the file twice"));
    Ok(())
}
