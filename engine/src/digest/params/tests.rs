use super::*;

fn read(line: &str) -> Vec<Result<Vec<(Param, String)>, Unreadable>> {
    let all = [
        Param::Algorithm,
        Param::Cnonce,
        Param::Nc,
        Param::NextNonce,
        Param::Nonce,
        Param::Opaque,
        Param::Qop,
        Param::Realm,
        Param::Response,
        Param::RspAuth,
        Param::Stale,
        Param::Uri,
        Param::Username,
        Param::UsernameExtended,
    ];
    let show = |scheme: Scheme<'_>| {
        let given = all.into_iter().filter_map(|param| Some((param, scheme.get(param)?)));
        given.map(|(param, value)| (param, value.into_owned())).collect()
    };
    Schemes::of(line).map(|scheme| scheme.map(show)).collect()
}

fn one(line: &str) -> Vec<(Param, String)> {
    match &mut read(line)[..] {
        [Ok(params)] => std::mem::take(params),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn values_are_read_quoted_or_not_and_with_any_white_space() {
    let params = one("Digest  NC=1 , qop=\"two, three\",nonce = \"\" ,, strange=x, uri=x/y==");
    let expected =
        [(Param::Nc, "1"), (Param::Nonce, ""), (Param::Qop, "two, three"), (Param::Uri, "x/y==")];
    assert_eq!(params, expected.map(|(param, value)| (param, value.to_owned())));
}

#[test]
fn every_parameter_is_known_by_its_name_alone() {
    let line = "Digest username=a, uri=b, stale=c, rspauth=d, response=e, realm=f, qop=g, \
                opaque=h, nonce=i, nextnonce=j, nc=k, cnonce=l, algorithm=m, username*=n, userhash=o";
    let values: Vec<_> = one(line).into_iter().map(|(_, value)| value).collect();
    assert_eq!(values.concat(), "mlkjihgfedcban");
}

#[test]
fn escapes_are_undone_and_an_escaped_quote_does_not_end_a_string() {
    let params = one(r#"Digest username="b\"ob\\", realm="x""#);
    assert_eq!(params, [(Param::Realm, "x".to_owned()), (Param::Username, r#"b"ob\"#.to_owned())]);
}

#[test]
fn several_challenges_may_share_a_line() {
    let line = r#"Digest realm="a", algorithm=SHA-256, Digest realm="b", Basic realm="c""#;
    let realms: Vec<_> = Schemes::of(line)
        .map(|scheme| scheme.expect("readable").get(Param::Realm).map(Cow::into_owned))
        .collect();
    assert_eq!(realms, ["a", "b", "c"].map(|realm| Some(realm.to_owned())));
}

#[test]
fn a_digest_that_breaks_the_grammar_is_unreadable() {
    for line in [
        "Digest",
        "Digest realm",
        "Digest realm=\"open",
        "Digest realm=\"open\\",
        "Digest realm=\"a\"nonce=\"b\"",
        "Digest realm=\"a\", realm=\"b\"",
        "Digest realm=a b",
        "Digest =a",
        "Digest realm=",
        "=a",
    ] {
        assert!(matches!(read(line)[..], [.., Err(Unreadable)]), "{line}");
    }
    let many: String = (0..=MOST_PARAMS).map(|n| format!("p{n}=v,")).collect();
    assert_eq!(read(&format!("Digest {many}")), [Err(Unreadable)]);
}

#[test]
fn other_schemes_end_the_line_silently_when_they_follow_another_grammar() {
    assert_eq!(read("Bearer eyJhbGciOi.J9.e30"), []);
    assert_eq!(read("Basic QWxhZGRpbjpvcGVu"), []);
    assert_eq!(read(""), []);
}

#[test]
fn quoting_and_reading_are_inverse() {
    for text in ["", "plain", r#"b"ob"#, r"back\slash", "Jäsøn Doe", r#"\""#] {
        let line = format!("Digest username={}", quote(text));
        assert_eq!(one(&line), [(Param::Username, text.to_owned())]);
    }
}
