use super::*;

fn covered(line: &str) -> String {
    let message = format!("REGISTER sip:example.org SIP/2.0\r\n{line}\r\nCSeq: 1 REGISTER\r\n\r\n");
    let text = redact(message.as_bytes());
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines.first(), Some(&"REGISTER sip:example.org SIP/2.0"));
    assert!(text.ends_with("CSeq: 1 REGISTER\r\n\r\n"), "{text}");
    lines[1].to_owned()
}

#[test]
fn a_message_without_secrets_is_shown_as_it_is() {
    let text = "MESSAGE sip:bob@example.org SIP/2.0\r\nTo: <sip:bob@[2001:db8::1]:5070>\r\n\r\nhi";
    assert!(matches!(redact(text.as_bytes()), Cow::Borrowed(shown) if shown == text));
}

#[test]
fn of_credentials_only_what_is_harmless_is_shown() {
    let line = "Authorization: Digest username=\"alice\", realm=\"example.org\", \
        nonce=\"K1secret\", uri=\"sip:example.org\", response=\"K2secret\", algorithm=SHA-256, \
        cnonce=\"K3secret\", opaque=\"boot1\", qop=auth, nc=00000001";
    assert_eq!(
        covered(line),
        "Authorization: Digest username=\"alice\", realm=\"example.org\", nonce=\"…\", \
         uri=\"sip:example.org\", response=\"…\", algorithm=SHA-256, cnonce=\"…\", \
         opaque=\"boot1\", qop=auth, nc=00000001"
    );
}

#[test]
fn challenges_and_infos_are_covered_alike() {
    for (line, shown) in [
        (
            "WWW-Authenticate: Digest realm=\"r\",nonce=\"K1\",stale=true",
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"…\", stale=true",
        ),
        ("proxy-authenticate : digest nonce=K1", "proxy-authenticate: digest nonce=…"),
        (
            "Authentication-Info: nextnonce=\"K1\", rspauth=\"K2\", qop=auth",
            "Authentication-Info: nextnonce=\"…\", rspauth=\"…\", qop=auth",
        ),
        ("Proxy-Authorization: Basic YWxpY2U6cGFzc3dvcmQ=", "Proxy-Authorization: Basic …"),
        ("Authorization: YWxpY2U6cGFzc3dvcmQ=", "Authorization: …"),
    ] {
        assert_eq!(covered(line), shown);
    }
}

#[test]
fn a_header_that_is_written_oddly_hides_nothing() {
    for line in [
        "Authorization: Digest\r\n response=\"K1secret\",\r\n\tnonce=\"K2secret\"",
        "AUTHORIZATION\t:Digest response=K1secret",
        "Authorization: Digest username=\"alice, response=\"K1secret\"",
        "Authorization: Digest username=\"a\\\", response=\"K1secret",
        "Authorization: Digest realm=\"a\" response=\"K1secret\"",
        "Authorization: Digest username=alice response=K1secret",
        "Authorization: Digest K1secret",
        "Authorization: Digest uri=\"sip:alice:K1secret@example.org\"",
        "X: y\rAuthorization: Digest response=K1secret",
        "X: y\nAuthorization: Digest response=K1secret",
        "X: y\r\n\r\nAuthorization: Digest response=K1secret",
        "Authorization: Digest realm=\"a\",\n response=K1secret",
    ] {
        let message = format!("OPTIONS sip:a@b SIP/2.0\r\n{line}\r\n\r\n");
        let text = redact(message.as_bytes());
        assert!(!text.contains("secret"), "{line:?} became {text:?}");
    }
}

#[test]
fn a_password_in_a_uri_is_covered() {
    let line = "To: \"A\" <sips:alice:K1@example.org:5061>, <sip:bob@b:5060>;x=\"SIP:c:K2@d\"";
    let shown = "To: \"A\" <sips:alice:…@example.org:5061>, <sip:bob@b:5060>;x=\"SIP:c:…@d\"";
    assert_eq!(covered(line), shown);
    assert_eq!(redact_uri("sip:alice:K1@example.org"), "sip:alice:…@example.org");
}

#[test]
fn keys_of_direct_media_are_covered_whatever_their_prefix() {
    for (body, shown) in [
        (
            "<dm:secret epoch=\"5\" expires=\"600\">K1</dm:secret><a/>",
            "<dm:secret epoch=\"5\" expires=\"600\">…</dm:secret><a/>",
        ),
        ("<access key-id=\"k\">K1<b>K2</b></access >", "<access key-id=\"k\">…</access >"),
        ("<x:secret a='>/>'><![CDATA[K1</y>]]></x:secret>", "<x:secret a='>/>'>…</x:secret>"),
        ("<secret/><b>open</b>", "<secret/><b>open</b>"),
        ("<secret>K1", "<secret>…"),
        ("<secret a=\"K1", "…"),
        ("<secretary>Ann</secretary>", "<secretary>Ann</secretary>"),
    ] {
        let message = format!("NOTIFY sip:a@b SIP/2.0\r\n\r\n{body}");
        assert_eq!(redact(message.as_bytes()), format!("NOTIFY sip:a@b SIP/2.0\r\n\r\n{shown}"));
    }
}

#[test]
fn an_srtp_key_is_covered() {
    let message = "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:K1|2^20\r\nm=audio 4 x 0\r\n";
    let shown = "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…|2^20\r\nm=audio 4 x 0\r\n";
    assert_eq!(redact(message.as_bytes()), shown);
}

#[test]
fn what_is_no_text_is_shown_as_far_as_it_is() {
    assert_eq!(redact(b"\xffAuthorization: x"), "\u{fffd}Authorization: x");
    assert_eq!(redact(b""), "");
}
