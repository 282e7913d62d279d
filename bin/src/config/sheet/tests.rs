use super::*;

fn refused(text: &str, read: impl Fn(&mut Sheet<'_>) -> Result<(), Failure>) -> String {
    let mut sheet = match (Source { name: "a.toml", text }).sheet() {
        Ok(sheet) => sheet,
        Err(failure) => return failure.to_string(),
    };
    match read(&mut sheet).and_then(|()| sheet.finish()) {
        Ok(()) => panic!("was accepted: {text}"),
        Err(failure) => failure.to_string(),
    }
}

fn gap_and_digest(sheet: &mut Sheet<'_>) -> Result<(), Failure> {
    sheet.get("notify_gap", &Rule::number("seconds", 0..=60_u32))?;
    let mut digest = sheet.section("digest")?;
    digest.get("md5", &Rule::switch())?;
    digest.finish()
}

#[test]
fn a_value_out_of_range_is_named_with_its_key_and_place() {
    assert_eq!(
        refused("\nnotify_gap = 61", gap_and_digest),
        "a.toml:2:14: notify_gap = \"61\": must be seconds from 0 to 60"
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_shown_as_it_was_written() {
    assert_eq!(
        refused("[digest]\n  md5 = \"no\"", gap_and_digest),
        "a.toml:2:9: digest.md5 = \"\\\"no\\\"\": must be true or false"
    );
}

#[test]
fn an_unknown_key_is_named_together_with_the_nearest() {
    assert_eq!(
        refused("notify-gap = 1", gap_and_digest),
        "a.toml:1:1: unknown key notify-gap; did you mean notify_gap?"
    );
    assert_eq!(
        refused("[digest]\ncolour = 1", gap_and_digest),
        "a.toml:2:1: unknown key digest.colour; known keys: md5"
    );
}

#[test]
fn broken_toml_is_one_line_with_line_and_column() {
    let line = refused("domain = \"a\"\nlisten = [", gap_and_digest);
    assert!(line.starts_with("a.toml:2:"), "{line}");
    assert!(line.contains("not valid TOML"), "{line}");
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn a_table_where_a_value_belongs_is_refused() {
    assert_eq!(
        refused("digest = 3", gap_and_digest),
        "a.toml:1:10: digest: must be a table of keys"
    );
}

#[test]
fn one_text_counts_as_a_list_of_one() -> Result<(), Failure> {
    let rule = Rule::text("a word", |text| Some(text.to_owned()));
    let source = Source { name: "a.toml", text: "one = \"x\"\nmany = [\"y\", \"z\"]" };
    let mut sheet = source.sheet()?;
    assert_eq!(sheet.list("one", &rule)?, Some(vec!["x".to_owned()]));
    assert_eq!(sheet.list("many", &rule)?, Some(vec!["y".to_owned(), "z".to_owned()]));
    assert_eq!(sheet.list("none", &rule)?, None);
    sheet.finish()
}
