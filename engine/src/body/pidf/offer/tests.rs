use super::super::tests::{PUBLICATION, read};
use super::super::{Format, Pidf};
use super::*;

/// The publication of behaviour §6.2 with `old` replaced by `new`, and the offer it then makes.
#[track_caller]
fn offer_with(old: &str, new: &str) -> Option<Offer> {
    assert!(PUBLICATION.contains(old), "{old}");
    let document = read(&PUBLICATION.replace(old, new));
    let [tuple] = &document.tuples[..] else { panic!("one tuple") };
    assert_eq!(tuple.basic, Some(Basic::Open), "the tuple is used whatever its block is worth");
    assert!(tuple.status_extra.is_empty(), "a block is never passed on as a foreign element");
    tuple.offer.clone()
}

fn offer() -> Offer {
    offer_with("audio", "audio").expect("a valid offer")
}

#[test]
fn the_block_of_a_publication_is_read_whole() {
    let offer = offer();
    assert_eq!((offer.version, offer.seq, offer.port, offer.mode), (1, 17, 40000, Mode::Ready));
    assert_eq!((offer.device.as_deref(), &*offer.media), (Some("bob-desk"), "audio"));
    let codecs: Vec<_> = offer.codecs.iter().map(|codec| (codec.pt, &*codec.rtpmap)).collect();
    assert_eq!(codecs, [(111, "opus/48000/2"), (0, "PCMU/8000"), (8, "PCMA/8000")]);
    assert_eq!(offer.codecs[0].fmtp.as_deref(), Some("useinbandfec=1"));
    let srflx = Candidate { kind: "srflx".into(), addr: "198.51.100.7".into(), port: 51822 };
    assert_eq!(offer.candidates[1], srflx);
    assert_eq!(offer.srtp.as_deref(), Some("token"));
    let secret = offer.secret.expect("a secret");
    assert_eq!((secret.epoch, secret.expires), (5, 600));
}

#[test]
fn a_block_out_of_range_or_incomplete_makes_no_offer() {
    for (old, new) in [
        ("version=\"1\"", "version=\"2\""),
        ("version=\"1\"", ""),
        ("version=\"1\"", "version=\"one\""),
        (" seq=\"17\"", ""),
        ("seq=\"17\"", "seq=\"-1\""),
        ("seq=\"17\"", "seq=\"4294967296\""),
        ("<dm:media>audio</dm:media>", ""),
        ("<dm:media>audio</dm:media>", "<dm:media/>"),
        ("<dm:media>audio</dm:media>", "<dm:media>audio</dm:media><dm:media>video</dm:media>"),
        ("<dm:port>40000</dm:port>", ""),
        ("<dm:port>40000</dm:port>", "<dm:port>1023</dm:port>"),
        ("<dm:port>40000</dm:port>", "<dm:port>65536</dm:port>"),
        ("<dm:port>40000</dm:port>", "<dm:port>rtp</dm:port>"),
        ("<dm:direct_mode>ready</dm:direct_mode>", ""),
        ("pt=\"111\"", "pt=\"128\""),
        ("pt=\"111\"", ""),
        ("opus/48000/2", "opus"),
        ("opus/48000/2", "opus/800"),
        ("opus/48000/2", "opus/08000"),
        ("opus/48000/2", "opus/48000/0"),
        ("opus/48000/2", "opus/48000/2/1"),
        ("opus/48000/2", "o_us/48000"),
        ("opus/48000/2", "/48000"),
        ("type=\"host\"", ""),
        ("addr=\"192.0.2.20\" port=\"40000\"", "addr=\"192.0.2.20\" port=\"80\""),
        (" epoch=\"5\"", ""),
        ("expires=\"600\"", "expires=\"soon\""),
        ("mI2lqkZ0", "mI2l"),
        ("mI2lqkZ0", "mI2l+kZ0"),
        (
            "</dm:secret>",
            "</dm:secret><dm:access epoch=\"5\" key-id=\"k\" expires=\"9\">x</dm:access>",
        ),
    ] {
        assert_eq!(offer_with(old, new), None, "{new} for {old}");
    }
    let codecs = "<dm:codec pt=\"0\">PCMU/8000</dm:codec>";
    assert!(offer_with(codecs, &codecs.repeat(14)).is_some());
    assert_eq!(offer_with(codecs, &codecs.repeat(15)), None);
    let candidate = "<dm:candidate type=\"host\" addr=\"192.0.2.20\" port=\"40000\"/>";
    assert!(offer_with(candidate, &candidate.repeat(3)).is_some());
    assert_eq!(offer_with(candidate, &candidate.repeat(4)), None);
}

#[test]
fn unknown_children_and_readiness_are_taken_calmly() {
    let more = "<dm:later><dm:port>1</dm:port></dm:later><x xmlns='urn:x'/></dm:direct-media>";
    assert_eq!(offer_with("</dm:direct-media>", more), Some(offer()));
    let eager = offer_with(">ready<", ">eager<").expect("an offer");
    assert_eq!(eager.mode, Mode::Off);
}

#[test]
fn a_broken_block_or_a_misplaced_one_is_not_passed_on() {
    let broken = read(&PUBLICATION.replace("version=\"1\"", "version=\"7\""));
    let misplaced = PUBLICATION.replace("<status>", "<status/><v:x xmlns:v='urn:v'>");
    let misplaced = read(&misplaced.replace("</status>", "</v:x>"));
    let at_root = PUBLICATION.replace("<tuple id=\"bob-desk-audio\">\n    <status>", "");
    let at_root = at_root.split("</status>").next().unwrap().to_owned() + "</presence>";
    let at_root = read(&at_root.replace("<basic>open</basic>", ""));
    for document in [broken, misplaced, at_root] {
        let written = document.write(Format::Pidf);
        let text = std::str::from_utf8(&written).unwrap();
        assert!(!text.contains("mI2lqkZ0") && !text.contains("direct-media"), "{text}");
    }
}

/// Computed with an independent implementation: Python's `hmac` over
/// `b"tok" + b"dm1\0" + aor + b"\0" + tuple_id + b"\0" + epoch.to_bytes(4, "big")`, cut to 16
/// bytes; with `kid`, to 9.
#[test]
fn access_is_derived_as_section_6_4_says() {
    for (watcher, token, key_id) in [
        ("sip:alice@example.org", "MGAd3myZURR-0Yaz8anE2w", "4UcYhXYAxp5T"),
        ("sip:carol@example.org", "XtRVel6Mi7zljtuBf2EHug", "4_RmlWTTCK56"),
    ] {
        let watcher = Aor::parse(watcher).unwrap();
        let access = offer().access_for(&watcher, "bob-desk-audio", 60).expect("access");
        let expected =
            Access { token: token.into(), key_id: key_id.into(), epoch: 5, expires: 540 };
        assert!(access == expected, "{} {}", access.token, access.key_id);
    }
}

#[test]
fn access_ends_with_the_epoch_and_needs_a_secret() {
    let alice = Aor::parse("sip:alice@example.org").unwrap();
    let mut offer = offer();
    assert_eq!(offer.access_for(&alice, "t", 599).map(|access| access.expires), Some(1));
    assert_eq!(offer.access_for(&alice, "t", 600), None);
    assert_eq!(offer.access_for(&alice, "t", u32::MAX), None);
    offer.secret = None;
    assert_eq!(offer.access_for(&alice, "t", 0), None);
}

#[test]
fn secrets_and_tokens_do_not_show_in_debug_output() {
    let offer = offer();
    let access = offer.access_for(&Aor::parse("sip:a@b").unwrap(), "t", 0).unwrap();
    let shown = format!("{offer:?} {access:?}");
    assert!(!shown.contains("mI2lqkZ0") && !shown.contains(&*access.token), "{shown}");
}

#[test]
fn the_elements_of_the_paper_make_an_offer() {
    for wrap in ["", " xmlns=''"] {
        let document = read(&format!(
            "<presence xmlns='urn:ietf:params:xml:ns:cpim-pidf:' entity='sip:a@b'><tuple id='t'>\
             <status><basic>open</basic><media{wrap}>audio</media><port{wrap}>40000</port>\
             <codec{wrap}>PCMA, pcmu,unheard-of</codec><direct_mode{wrap}>ready</direct_mode>\
             </status></tuple></presence>"
        ));
        let offer = document.tuples[0].offer.as_ref().expect("an offer");
        assert_eq!((&*offer.media, offer.port, offer.mode), ("audio", 40000, Mode::Ready));
        let codecs: Vec<_> = offer.codecs.iter().map(|codec| (codec.pt, &*codec.rtpmap)).collect();
        assert_eq!(codecs, [(8, "PCMA/8000"), (0, "PCMU/8000")]);
    }
}

#[test]
fn a_paper_offer_that_lacks_one_of_the_four_is_none() {
    let document = read(
        "<presence xmlns='urn:ietf:params:xml:ns:cpim-pidf' entity='sip:a@b'><tuple id='t'>\
         <status><basic>open</basic><media>audio</media><port>40000</port>\
         <direct_mode>ready</direct_mode></status></tuple></presence>",
    );
    assert_eq!(document.tuples[0].offer, None);
}

/// The document that alice is shown of `published`, as a peer of the paper's time reads it.
fn for_paper(published: &Pidf) -> String {
    let alice = Aor::parse("sip:alice@example.org").unwrap();
    let view = published.for_watcher(&alice, true, |_| 0);
    String::from_utf8(view.write_for_paper(published).to_vec()).unwrap()
}

#[test]
fn an_offer_without_a_secret_is_also_written_in_the_elements_of_the_paper() {
    let mut published = read(PUBLICATION);
    published.tuples[0].offer.as_mut().unwrap().secret = None;
    let text = for_paper(&published);
    assert!(text.contains(
        "<media xmlns=\"\">audio</media><port xmlns=\"\">40000</port>\
         <codec xmlns=\"\">opus,PCMU,PCMA</codec><direct_mode xmlns=\"\">ready</direct_mode>"
    ));
    assert!(text.contains("urn:ietf:params:xml:ns:cpim-pidf\""));
    assert!(!text.contains("secret") && !text.contains("access"));
    let read_back = Pidf::parse(text.as_bytes()).unwrap();
    let expected = Offer { secret: None, ..offer() };
    assert_eq!(read_back.tuples[0].offer, Some(expected), "the block outranks the four elements");
}

#[test]
fn of_an_offer_with_a_secret_the_elements_of_the_paper_tell_nothing() {
    let published = read(PUBLICATION);
    let text = for_paper(&published);
    assert!(text.contains("dm:access") && text.contains("urn:ietf:params:xml:ns:cpim-pidf\""));
    assert!(!text.contains("<media xmlns") && !text.contains("<port xmlns"), "{text}");
}

#[test]
fn readiness_counts_only_with_all_that_belongs_to_it() {
    let document = read(PUBLICATION);
    assert_eq!(document.tuples[0].direct_mode(false), Mode::Off, "no access yet");
    let alice = Aor::parse("sip:alice@example.org").unwrap();
    let mut tuple = document.tuples[0].clone();
    let access = tuple.offer.as_ref().unwrap().access_for(&alice, &tuple.id, 0);
    tuple.offer.as_mut().unwrap().access = access;
    assert_eq!(tuple.direct_mode(false), Mode::Ready);
    assert_eq!(document.tuples[0].direct_mode(true), Mode::Ready, "the paper's form needs none");
    let closed = Tuple { basic: Some(Basic::Closed), ..tuple.clone() };
    assert_eq!(closed.direct_mode(false), Mode::Off);
    tuple.offer.as_mut().unwrap().candidates.clear();
    assert_eq!(tuple.direct_mode(false), Mode::Ready, "the contact names an address");
    tuple.contact = Some("sip:bob@example.org".into());
    assert_eq!(tuple.direct_mode(false), Mode::Off, "a domain is no address");
    tuple.contact = Some("sip:bob@[2001:db8::1]:5060".into());
    assert_eq!(tuple.direct_mode(false), Mode::Ready);
    tuple.offer.as_mut().unwrap().mode = Mode::Busy;
    assert_eq!(tuple.direct_mode(false), Mode::Busy);
    tuple.offer = None;
    assert_eq!(tuple.direct_mode(false), Mode::Off);
}
