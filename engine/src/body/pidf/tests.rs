use super::*;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

macro_rules! example {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../tests/examples/xml/",
            $name,
            ".xml"
        ))
    };
}

/// The publication of behaviour §6.2, about 1.4 kB.
pub(super) const PUBLICATION: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf"
          xmlns:dm="urn:uuid:670680a7-af31-46e0-a5e5-33737d9b2f61"
          xmlns:caps="urn:ietf:params:xml:ns:pidf:caps"
          entity="sip:bob@example.org">
  <tuple id="bob-desk-audio">
    <status>
      <basic>open</basic>
      <dm:direct-media version="1" seq="17" device="bob-desk">
        <dm:media>audio</dm:media>
        <dm:port>40000</dm:port>
        <dm:codec pt="111" fmtp="useinbandfec=1">opus/48000/2</dm:codec>
        <dm:codec pt="0">PCMU/8000</dm:codec>
        <dm:codec pt="8">PCMA/8000</dm:codec>
        <dm:direct_mode>ready</dm:direct_mode>
        <dm:candidate type="host" addr="192.0.2.20" port="40000"/>
        <dm:candidate type="srflx" addr="198.51.100.7" port="51822"/>
        <dm:srtp>token</dm:srtp>
        <dm:secret epoch="5" expires="600">mI2lqkZ0mJm0h9sZ8m0nq3Wm4nXxk1l0u2Y7b1q5c9A</dm:secret>
      </dm:direct-media>
    </status>
    <caps:servcaps><caps:audio>true</caps:audio></caps:servcaps>
    <contact priority="0.8">sip:bob@192.0.2.20:5060</contact>
    <note xml:lang="en">at my desk</note>
    <timestamp>2026-05-04T09:30:12.001Z</timestamp>
  </tuple>
</presence>
"#;

pub(super) fn read(text: &str) -> Pidf {
    Pidf::parse(text.as_bytes()).expect("the document is read")
}

/// A document of one tuple with `inside`.
fn tuple_with(inside: &str) -> String {
    ["<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'><tuple id='t'>", inside]
        .concat()
        + "</tuple></presence>"
}

/// A document of one tuple with `inside` its status.
fn status_with(inside: &str) -> String {
    tuple_with(&["<status>", inside, "</status>"].concat())
}

#[track_caller]
fn assert_refused(text: &str, line: u32, what: &str) {
    let fault = Pidf::parse(text.as_bytes()).expect_err("the document is refused");
    assert!(fault.what.contains(what), "{fault}");
    assert_eq!(fault.line, line, "{fault}");
}

#[test]
fn the_examples_of_the_rfcs_are_read_and_survive_writing() {
    for text in [
        &example!("rfc3863-s4.2.2-01-presence")[..],
        example!("rfc3863-s4.2.4-01-presence"),
        example!("rfc3863-s4.3.1-01-presence"),
        example!("rfc3863-s4.3.3-01-presence"),
        example!("rfc4479-s7.1-01-presence"),
        example!("rfc4480-s4-01-presence"),
        example!("rfc4660-s7.1.3-03-presence"),
        example!("rfc4662-s6-03-presence"),
        example!("rfc4662-s6-05-presence"),
        example!("rfc4662-s6-09-presence"),
        example!("rfc4827-s11-01-presence"),
        example!("rfc5196-s5-01-presence"),
        PUBLICATION.as_bytes(),
    ] {
        let document = Pidf::parse(text).unwrap();
        assert!(!document.tuples.is_empty());
        for format in [Format::Pidf, Format::Cpim] {
            assert_eq!(Pidf::parse(&document.write(format)).unwrap(), document);
        }
    }
}

#[test]
fn an_example_with_mismatched_tags_is_refused() {
    let fault = Pidf::parse(example!("rfc4482-s4-01-presence")).unwrap_err();
    assert_eq!(fault.line, 16);
}

#[test]
fn rich_presence_passes_through_at_its_place() {
    let document = Pidf::parse(example!("rfc4480-s4-01-presence")).unwrap();
    assert_eq!(&*document.entity, "pres:someone@example.com");
    let [im, voice, mail] = &document.tuples[..] else { panic!("three tuples") };
    assert_eq!((&*im.id, im.basic), ("bs35r9", Some(Basic::Open)));
    assert_eq!(im.extra.len(), 3);
    assert_eq!(
        &*im.extra[1],
        "<rpid:relationship xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\">\
         <rpid:self/></rpid:relationship>"
    );
    assert_eq!(im.contact.as_deref(), Some("im:someone@mobile.example.net"));
    assert_eq!(im.priority.as_deref(), Some("0.8"));
    assert_eq!(im.timestamp.as_deref(), Some("2005-10-27T16:49:29Z"));
    let languages: Vec<_> = im.notes.iter().map(|note| note.lang.as_deref()).collect();
    assert_eq!(languages, [Some("en"), Some("fr")]);
    assert_eq!((voice.notes.len(), mail.extra.len()), (0, 4));
    assert_eq!(&*document.notes[0].text, "I'll be in Tokyo next week");
    assert!(document.extra[0].starts_with("<dm:device "));
    assert!(document.extra[1].starts_with("<dm:person "));
}

#[test]
fn status_extensions_and_must_understand_pass_through() {
    let document = Pidf::parse(example!("rfc3863-s4.2.4-01-presence")).unwrap();
    let status = &document.tuples[0].status_extra;
    let location = "<local:location xmlns:local=\"urn:example-com:pidf-status-type\">home\
                    </local:location>";
    assert_eq!(&*status[0], location);
    let document = Pidf::parse(example!("rfc3863-s4.3.3-01-presence")).unwrap();
    assert!(document.tuples[0].extra[0].contains("impp:mustUnderstand=\"1\">val1<"));
    assert_eq!(document.tuples[0].basic, Some(Basic::Open));
}

#[test]
fn all_three_namespaces_and_any_prefix_mean_the_same() {
    let plain = read(&status_with("<basic>closed</basic>"));
    for namespace in NAMESPACES {
        let prefixed = format!(
            "<p:presence xmlns:p='{namespace}' entity='sip:a@b'><p:tuple id='t'><p:status>\
             <p:basic> closed </p:basic></p:status></p:tuple></p:presence>"
        );
        assert_eq!(read(&prefixed), plain);
    }
    assert_refused("<presence xmlns='urn:other' entity='sip:a@b'/>", 1, "not a presence");
    assert_refused("<presence entity='sip:a@b'/>", 1, "not a presence");
}

#[test]
fn children_come_in_any_order_and_are_written_in_that_of_the_schema() {
    let document = read(&tuple_with(
        "<timestamp>2026-05-04T09:30:12Z</timestamp><note>n</note><contact>sip:x@y</contact>\
         <v:e xmlns:v='urn:v'/><status><v:s xmlns:v='urn:v'/><basic>open</basic></status>",
    ));
    let written = document.write(Format::Pidf);
    assert_eq!(
        std::str::from_utf8(&written).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:a@b\">\n\
         <tuple id=\"t\">\n\
         <status><basic>open</basic><v:s xmlns:v=\"urn:v\"/></status>\n\
         <v:e xmlns:v=\"urn:v\"/>\n\
         <contact>sip:x@y</contact>\n\
         <note>n</note>\n\
         <timestamp>2026-05-04T09:30:12Z</timestamp>\n\
         </tuple>\n\
         </presence>\n"
    );
    assert_eq!(Pidf::parse(&written).unwrap(), document);
}

#[test]
fn the_old_format_differs_in_its_namespace_only() {
    let document = read(PUBLICATION);
    let (new, old) = (document.write(Format::Pidf), document.write(Format::Cpim));
    let renamed = String::from_utf8(new.to_vec()).unwrap();
    let renamed = renamed.replace("ns:pidf\"", "ns:cpim-pidf\"");
    assert_eq!(old, renamed.as_bytes());
    assert_eq!(Format::Cpim.media_type(), CPIM_PIDF);
}

#[test]
fn faults_of_structure_are_refused_with_their_line() {
    assert_refused(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'>\n<tuple/></presence>",
        2,
        "attribute id",
    );
    assert_refused(&status_with("<basic>\nmaybe</basic>"), 2, "open or closed");
    for doublet in [
        "<status/><status/>",
        "<contact>sip:a@b</contact><contact>sip:c@d</contact>",
        "<timestamp>2026-05-04T09:30:12Z</timestamp><timestamp>2026-05-04T09:30:12Z</timestamp>",
        "<status><basic>open</basic><basic>closed</basic></status>",
    ] {
        assert_refused(&tuple_with(doublet), 1, "occurs again");
    }
}

#[test]
fn what_has_no_place_in_the_schema_is_ignored() {
    let document = read(&tuple_with(
        "<unknown><status><basic>closed</basic></status></unknown><plain xmlns=''/>\
         <status><basic>open</basic><unknown/></status>\
         <contact priority='1.5'>sip:x@y</contact><timestamp>today</timestamp>\
         <note xml:lang='not a language'>n</note>",
    ));
    let tuple = &document.tuples[0];
    let expected = Tuple {
        basic: Some(Basic::Open),
        contact: Some("sip:x@y".into()),
        notes: vec![Note { lang: None, text: "n".into() }],
        ..Tuple::new("t")
    };
    assert_eq!(tuple, &expected);
}

#[test]
fn priorities_are_decimals_between_zero_and_one() {
    for good in ["0", "1", "0.021", "0.5", "1.00", "1.000", "0."] {
        assert!(read::is_qvalue(good), "{good}");
    }
    for bad in ["", "2", "1.5", "0.0001", "-0", ".5", "1.001", "0,5", "0.5.5"] {
        assert!(!read::is_qvalue(bad), "{bad}");
    }
}

#[test]
fn a_tuple_without_contact_or_status_is_a_tuple() {
    let document = read(&tuple_with("<note>a</note><note xml:lang='de-AT'>b</note>"));
    assert_eq!(document.tuples[0].notes.len(), 2);
    assert_eq!(document.tuples[0].notes[1].lang.as_deref(), Some("de-AT"));
    assert_eq!(document.tuples[0].basic, None);
    assert_eq!(Pidf::parse(&document.write(Format::Pidf)).unwrap(), document);
}

#[test]
fn the_neutral_document_has_a_note_and_no_tuple() {
    let document = Pidf::neutral("sip:bob@example.org", "pending");
    let written = document.write(Format::Pidf);
    assert_eq!(Pidf::parse(&written).unwrap(), document);
    assert!(document.tuples.is_empty() && !document.has_offer() && !document.is_ready());
    assert!(std::str::from_utf8(&written).unwrap().contains("<note>pending</note>"));
}

#[test]
fn stamping_sets_every_timestamp_and_nothing_else() {
    let mut document = read(PUBLICATION);
    document.tuples.push(Tuple::new("other"));
    let mut stamped = document.clone();
    stamped.stamp("2026-05-04T09:30:13.000Z");
    assert!(
        stamped
            .tuples
            .iter()
            .all(|t| { t.timestamp.as_deref() == Some("2026-05-04T09:30:13.000Z") })
    );
    for tuple in stamped.tuples.iter_mut().chain(&mut document.tuples) {
        tuple.timestamp = None;
    }
    assert_eq!(stamped, document);
}

#[test]
fn a_flood_of_nested_foreign_elements_is_refused() {
    let text =
        status_with(&["<x xmlns='urn:v'>", &"<x>".repeat(8000), &"</x>".repeat(8001)].concat());
    let fault = Pidf::parse(text.as_bytes()).unwrap_err();
    assert!(fault.what.contains("too deeply"), "{fault}");
}

#[test]
fn smaller_limits_can_be_set() {
    let limits = XmlLimits { size: 100, ..XmlLimits::default() };
    assert!(Pidf::parse_within(PUBLICATION.as_bytes(), limits).is_err());
}

fn any_text() -> impl Strategy<Value = Box<str>> {
    "[\\PC\t\n\r<>&'\"]{0,12}".prop_map(Box::from)
}

fn any_word() -> impl Strategy<Value = Box<str>> {
    "[a-zA-Z0-9.:;=<>&'\"é-]{1,10}".prop_map(Box::from)
}

fn any_note() -> impl Strategy<Value = Note> {
    let lang = prop_oneof![Just(None), Just(Some("en".into())), Just(Some("ko-KR".into()))];
    (lang, any_text()).prop_map(|(lang, text)| Note { lang, text })
}

fn any_fragment() -> impl Strategy<Value = Box<str>> {
    prop_oneof![
        Just("<v:x xmlns:v=\"urn:v\" id=\"1\">text<v:y/></v:x>".into()),
        Just("<x xmlns=\"urn:w\"><y xmlns=\"\">&amp;</y></x>".into()),
    ]
}

fn any_offer() -> impl Strategy<Value = Offer> {
    let codec = (0u8..128, "[A-Za-z0-9.-]{1,32}/[1-9][0-9]{3,5}(/[1-9])?", option::of(any_text()));
    let codec = codec.prop_map(|(pt, rtpmap, fmtp)| Codec { pt, rtpmap: rtpmap.into(), fmtp });
    let candidate = (any_word(), any_word(), 1024u16..).prop_map(|(kind, addr, port)| Candidate {
        kind,
        addr,
        port,
    });
    let mode = prop_oneof![Just(Mode::Ready), Just(Mode::Busy), Just(Mode::Off)];
    let credential = prop_oneof![
        Just((None, None)),
        any::<(u32, u32)>().prop_map(|(epoch, expires)| {
            let text = "mI2lqkZ0mJm0h9sZ8m0nq3Wm4nXxk1l0u2Y7b1q5c9A".into();
            (Some(OfferSecret { text, epoch, expires }), None)
        }),
        ("[A-Za-z0-9_-]{22}", any_word(), any::<(u32, u32)>()).prop_map(
            |(token, key_id, (epoch, expires))| {
                (None, Some(Access { token: token.into(), key_id, epoch, expires }))
            }
        ),
    ];
    let words =
        (option::of(any_word()), any_word(), option::of(any_word()), option::of(any_word()));
    (any::<u32>(), words, 1024u16.., vec(codec, 1..=16), mode, vec(candidate, 0..=4), credential)
        .prop_map(|(seq, (device, media, srtp, fingerprint), port, codecs, mode, candidates, c)| {
            let (secret, access) = c;
            let version = 1;
            Offer {
                version,
                seq,
                device,
                media,
                port,
                codecs,
                mode,
                candidates,
                srtp,
                fingerprint,
                secret,
                access,
            }
        })
}

pub(super) fn any_tuple() -> impl Strategy<Value = Tuple> {
    let basic = prop_oneof![Just(None), Just(Some(Basic::Open)), Just(Some(Basic::Closed))];
    let contact = option::of((any_word(), option::of("0\\.[0-9]{1,3}".prop_map(Box::from))));
    let timestamp = Just("2026-05-04T09:30:12.001Z".into());
    (
        "[a-f]",
        basic,
        option::of(any_offer()),
        vec(any_fragment(), 0..3),
        vec(any_fragment(), 0..3),
        contact,
        vec(any_note(), 0..3),
        option::of(timestamp),
    )
        .prop_map(|(id, basic, offer, status_extra, extra, contact, notes, timestamp)| {
            let (contact, priority) = contact.unzip();
            let (id, priority) = (id.into(), priority.flatten());
            Tuple { id, basic, offer, status_extra, extra, contact, priority, notes, timestamp }
        })
}

pub(super) fn any_document() -> impl Strategy<Value = Pidf> {
    let (notes, extra) = (vec(any_note(), 0..3), vec(any_fragment(), 0..3));
    (any_word(), vec(any_tuple(), 0..4), notes, extra)
        .prop_map(|(entity, tuples, notes, extra)| Pidf { entity, tuples, notes, extra })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_reads_back(document in any_document()) {
        for format in [Format::Pidf, Format::Cpim] {
            prop_assert_eq!(&Pidf::parse(&document.write(format)).unwrap(), &document);
        }
    }

    #[test]
    fn a_damaged_document_never_makes_the_reader_panic(
        at in 0..PUBLICATION.len(),
        byte in any::<u8>(),
        // What is cut off is more than the line end behind the document.
        cut in 0..PUBLICATION.trim_end().len(),
    ) {
        let mut damaged = PUBLICATION.as_bytes().to_vec();
        damaged[at] = byte;
        let _ = Pidf::parse(&damaged);
        prop_assert!(Pidf::parse(&damaged[..cut]).is_err());
    }
}
