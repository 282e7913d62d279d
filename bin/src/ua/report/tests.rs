use super::*;
use presently_engine::body::winfo::{Cause, Status};
use serde_json::from_str;

fn aor(text: &str) -> Aor {
    Aor::parse(text).expect("an address")
}

fn alice() -> Aor {
    aor("sip:alice@example.org")
}

fn bob() -> Aor {
    aor("sip:bob@example.org")
}

/// Text and JSON of an event.
fn told(event: &Event) -> (String, Value) {
    let report = Report::of(event, &alice()).expect("something for users");
    assert!(NAMES.contains(&report.name), "{}", report.name);
    let json = report.to_json(1_700_000_000_123);
    assert!(!json.contains('\n'), "{json}");
    (report.to_text(), from_str(&json).expect("one JSON object"))
}

#[test]
fn a_registration_tells_who_and_for_how_long() {
    let (text, json) = told(&Event::Registered { expires: 3600 });
    assert_eq!(text, "registered aor=sip:alice@example.org expires=3600");
    assert_eq!(
        json,
        json!({
            "event": "registered", "at_ms": 1_700_000_000_123_u64,
            "aor": "sip:alice@example.org", "expires": 3600
        })
    );
}

#[test]
fn a_failed_registration_tells_whether_it_is_tried_again() {
    let reason = "Forbidden".into();
    let (text, json) = told(&Event::RegisterFailed { status: 403, reason, retry_ms: None });
    assert_eq!(text, "register-failed aor=sip:alice@example.org status=403 reason=Forbidden");
    assert_eq!(json["retry_ms"], Value::Null);
}

#[test]
fn presence_tells_the_whole_and_every_tuple() {
    let document = Pidf::parse(
        br#"<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:bob@example.org">
        <tuple id="t1"><status><basic>open</basic></status>
        <contact priority="0.8">sip:bob@192.0.2.7</contact><note>in a meeting</note>
        <timestamp>2026-05-04T09:30:12.001Z</timestamp></tuple></presence>"#,
    )
    .expect("a document");
    let (text, json) = told(&Event::Presence { aor: bob(), document });
    assert!(
        text.starts_with("presence aor=sip:bob@example.org basic=open note=\"in a meeting\""),
        "{text}"
    );
    assert_eq!(json["tuples"][0]["status"], "open");
    assert_eq!(json["tuples"][0]["contact"], "sip:bob@192.0.2.7");
    assert_eq!(json["tuples"][0]["note"], json!(["in a meeting"]));
}

#[test]
fn a_document_without_a_tuple_is_neither_open_nor_closed() {
    let document = Pidf::neutral("pres:bob@example.org", "waiting for approval");
    let (text, json) = told(&Event::Presence { aor: bob(), document });
    assert_eq!(json["basic"], Value::Null);
    assert_eq!(json["note"], "waiting for approval");
    assert!(!text.contains("basic"), "{text}");
}

#[test]
fn an_offer_tells_the_first_codec_that_we_know() {
    let codecs = vec!["opus/48000/2".into(), "PCMA/8000".into()];
    let offer = Event::Offer {
        aor: bob(),
        tuple: "t1".into(),
        media: "audio".into(),
        address: Some("192.0.2.7:4000".into()),
        codecs,
        mode: Some(Mode::Ready),
    };
    let (_, json) = told(&offer);
    assert_eq!(json["event"], "offer");
    assert_eq!(json["mode"], "ready");
    assert_eq!(json["port"], 4000);
    assert_eq!(json["usable_codec"], "PCMA/8000");
}

#[test]
fn subscriptions_watchers_and_decisions_use_the_words_of_the_rfcs() {
    let (text, _) = told(&Event::Subscription {
        target: bob(),
        package: Package::Winfo,
        phase: SubscriptionPhase::Terminated,
        reason: Some("deactivated".into()),
        expires: None,
    });
    assert_eq!(
        text,
        "subscription target=sip:bob@example.org package=presence.winfo state=terminated \
         reason=deactivated"
    );
    let (_, json) = told(&Event::Watcher {
        resource: alice(),
        id: "77ajsyy76".into(),
        uri: "sip:bob@example.org".into(),
        status: Status::Waiting,
        cause: Cause::Timeout,
        name: Some("Bob".into()),
    });
    assert_eq!(json["event"], "watcher");
    assert_eq!((&json["status"], &json["cause"]), (&json!("waiting"), &json!("timeout")));
    let (text, _) = told(&Event::Decided { watcher: bob(), status: 200 });
    assert_eq!(text, "decided watcher=sip:bob@example.org status=200");
}

#[test]
fn somebody_elses_text_stays_on_its_line_and_moves_no_cursor() {
    let (text, json) = told(&Event::Message {
        from: bob(),
        id: "m1".into(),
        content_type: "text/plain".into(),
        text: "one\r\ntwo \u{1b}[2J \u{7f} \"three\"".into(),
        stored: true,
        expired: false,
    });
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(text.contains(r#"text="one\r\ntwo \u001b[2J \u007f \"three\"""#), "{text}");
    assert_eq!(json["text"], "one\r\ntwo \u{1b}[2J \u{7f} \"three\"");
    assert_eq!(json["stored"], true);
}

/// RFC 3428 §7.
#[test]
fn a_message_that_comes_too_late_says_so() {
    for expired in [true, false] {
        let (text, json) = told(&Event::Message {
            from: bob(),
            id: "m1".into(),
            content_type: "text/plain".into(),
            text: "tea is ready".into(),
            stored: false,
            expired,
        });
        assert!(text.ends_with(&format!("expired={expired}")), "{text}");
        assert_eq!(json["expired"], expired);
    }
}

#[test]
fn a_message_status_carries_the_number_of_the_message() {
    let (text, json) = told(&Event::MessageStatus {
        ticket: 3,
        target: bob(),
        phase: MessagePhase::Stored,
        status: Some(202),
    });
    assert_eq!(text, "message-status id=3 target=sip:bob@example.org state=stored status=202");
    assert_eq!(json["id"], 3);
}

#[test]
fn fields_are_compared_without_quotes() {
    let report = Report::error("wait", "in vain");
    assert_eq!(report.field("why").as_deref(), Some("in vain"));
    assert_eq!(report.field("where"), None);
    assert_eq!(
        Report::of(&Event::Registered { expires: 7 }, &bob())
            .and_then(|one| one.field("expires"))
            .as_deref(),
        Some("7")
    );
}
