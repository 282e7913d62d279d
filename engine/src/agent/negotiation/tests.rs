use super::*;

fn codec(pt: u8, rtpmap: &str) -> Codec {
    Codec { pt, rtpmap: rtpmap.into(), fmtp: None }
}

fn origin() -> Origin {
    let (username, session) = ("-".into(), "1".into());
    Origin { username, session, version: 1, address: "192.0.2.9".into() }
}

fn abilities(host: u8, codecs: &[Codec]) -> Abilities {
    let audio = Ability {
        media: "audio".into(),
        port: 40_000,
        codecs: codecs.to_vec(),
        direction: Direction::SendRecv,
        key: None,
        plain: true,
    };
    Abilities { address: IpAddr::from([192, 0, 2, host]), streams: vec![audio] }
}

fn alice() -> Abilities {
    abilities(
        1,
        &[codec(96, "opus/48000/2"), codec(0, "PCMU/8000"), codec(101, "telephone-event/8000")],
    )
}

fn bob() -> Abilities {
    abilities(2, &[codec(8, "PCMA/8000"), codec(0, "pcmu/8000"), codec(97, "telephone-event/8000")])
}

/// Offer, answer, and what both make of it.
fn meet(alice: &Abilities, bob: &Abilities) -> (Result<Vec<Flow>, Misfit>, Vec<Flow>) {
    let offered = offer(alice, origin());
    let answered = answer(&offered, bob, origin());
    (accept(&offered, &answered.answer, alice), answered.flows)
}

#[test]
fn two_agree_on_the_first_codec_of_the_offer_that_both_have() {
    let (at_alice, at_bob) = meet(&alice(), &bob());
    let at_alice = at_alice.expect("they agree");
    let ([mine], [theirs]) = (&*at_alice, &*at_bob) else { panic!("{at_alice:?} {at_bob:?}") };
    assert_eq!(&*mine.codec.rtpmap, "PCMU/8000");
    assert_eq!((mine.codec.pt, theirs.codec.pt), (0, 0));
    assert_eq!(mine.to, Some("192.0.2.2:40000".parse().expect("an address")));
    assert_eq!(theirs.to, Some("192.0.2.1:40000".parse().expect("an address")));
    assert_eq!((mine.events, theirs.events), (Some((101, 101)), Some((101, 101))));
    assert!(mine.rtcp_mux && theirs.rtcp_mux);
}

#[test]
fn without_a_common_codec_nothing_flows() {
    let deaf = abilities(2, &[codec(9, "G722/8000")]);
    let (at_alice, at_bob) = meet(&alice(), &deaf);
    assert_eq!((at_alice, at_bob), (Err(Misfit::Nothing), Vec::new()));
}

#[test]
fn a_stream_we_cannot_do_is_refused_and_the_other_taken() {
    let mut both = alice();
    let video = Ability {
        media: "video".into(),
        codecs: vec![codec(26, "JPEG/90000")],
        ..both.streams[0].clone()
    };
    both.streams.push(video);
    let offered = offer(&both, origin());
    let answered = answer(&offered, &bob(), origin());
    let ports: Vec<u16> = answered.answer.streams.iter().map(|stream| stream.port).collect();
    assert_eq!(ports, [40_000, 0]);
    assert_eq!(accept(&offered, &answered.answer, &both).map(|flows| flows.len()), Ok(1));
    // A refused stream can be written and read, though nothing of it is left.
    let text = answered.answer.write();
    assert_eq!(Description::parse(&text).map(|back| back.streams[1].port), Ok(0));
}

#[test]
fn hold_is_mirrored() {
    let mut holding = alice();
    holding.streams[0].direction = Direction::SendOnly;
    let (at_alice, at_bob) = meet(&holding, &bob());
    assert_eq!(at_bob[0].direction, Direction::RecvOnly);
    assert_eq!(at_alice.expect("they agree")[0].direction, Direction::SendOnly);
    let mut offered = offer(&alice(), origin());
    offered.streams[0].address = Some(IpAddr::from([0, 0, 0, 0]));
    assert_eq!(answer(&offered, &bob(), origin()).flows[0].to, None, "hold as RFC 2543 had it");
}

#[test]
fn keys_cross_and_plain_is_not_secure() {
    let (mut secure, mut also) = (alice(), bob());
    secure.streams[0].key = Some([1; 30]);
    assert_eq!(meet(&secure, &also).0, Err(Misfit::Nothing), "bob has no key");
    also.streams[0].key = Some([2; 30]);
    let (at_alice, at_bob) = meet(&secure, &also);
    assert_eq!(at_alice.expect("they agree")[0].keys, Some(([1; 30], [2; 30])));
    assert_eq!(at_bob[0].keys, Some(([2; 30], [1; 30])));
    also.streams[0].plain = false;
    assert_eq!(meet(&alice(), &also).0, Err(Misfit::Nothing), "bob wants no plain RTP");
}

#[test]
fn an_answer_that_does_not_fit_is_seen() {
    let offered = offer(&alice(), origin());
    let fitting = answer(&offered, &bob(), origin()).answer;
    let spoilt = |spoil: &dyn Fn(&mut Description)| {
        let mut answer = fitting.clone();
        spoil(&mut answer);
        accept(&offered, &answer, &alice())
    };
    assert_eq!(spoilt(&|answer| answer.streams.clear()), Err(Misfit::Streams));
    assert_eq!(spoilt(&|answer| answer.streams[0].media = "video".into()), Err(Misfit::Streams));
    let other = [codec(9, "G722/8000")];
    assert_eq!(spoilt(&|answer| answer.streams[0].codecs = other.to_vec()), Err(Misfit::Codec));
    assert_eq!(
        spoilt(&|answer| answer.streams[0].transport = "RTP/SAVP".into()),
        Err(Misfit::Transport)
    );
}

#[test]
fn h264_is_another_codec_in_another_packetization_mode() {
    let h264 = |fmtp: Option<&str>| Codec { fmtp: fmtp.map(Into::into), ..codec(99, "H264/90000") };
    let single = h264(None);
    assert!(same(&single, &h264(Some("profile-level-id=42e01f;packetization-mode=0"))));
    assert!(!same(&single, &h264(Some("profile-level-id=42e01f; packetization-mode=1"))));
}
