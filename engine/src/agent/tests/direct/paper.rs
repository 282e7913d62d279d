//! The paper's own form (`paper` profile, behaviour §6.10): who is spoken to and heard without a
//! check, and every case in which that is refused.

use super::super::rig::*;
use super::door_table::carol;
use super::paper_table::{ALICE, answer_all, bob_of_the_paper, bound, closed, decide, knock};
use super::paper_table::{listening, watch, whereabouts};
use super::sending_table::{
    BOB, TOKEN, marked, offer as checked, offered, plain, press, reply, show, unanswered,
    without_access,
};
use super::*;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// How a flow ends, why that is, and how often BYE is said.
type End = (fn(&mut Scene), StopReason, usize);

type Line = (FlowPhase, Option<DirectStream>, Option<StopReason>);

/// What was told of flows since the last look.
fn flows(scene: &mut Scene) -> Vec<Line> {
    let events = scene.events().into_iter();
    let flow = |event| match event {
        Event::Flow { phase, stream, reason, .. } => Some((phase, stream, reason)),
        _ => None,
    };
    events.filter_map(flow).collect()
}

fn stopped(scene: &mut Scene) -> Option<StopReason> {
    flows(scene).pop().and_then(|(_, _, reason)| reason)
}

/// What the last flow that began carries.
fn streaming(scene: &mut Scene) -> Option<DirectStream> {
    let mut began = flows(scene).into_iter().filter(|(phase, ..)| *phase == FlowPhase::Streaming);
    began.next_back().and_then(|(_, stream, _)| stream)
}

fn checks(scene: &Scene) -> usize {
    scene.packets.len()
}

/// The mode of bob's offer, as alice was told last.
fn mode(scene: &mut Scene) -> Option<Mode> {
    let told = scene.events().into_iter().filter_map(|event| match event {
        Event::Offer { mode, .. } => Some(mode),
        _ => None,
    });
    told.last().flatten()
}

/// The hosts that bob's port was told last.
fn welcome(scene: &mut Scene) -> Option<BTreeSet<IpAddr>> {
    let told = scene.events().into_iter().filter_map(|event| match event {
        Event::MediaWelcome { port: BOB_PORT, from } => Some(from),
        _ => None,
    });
    told.last()
}

fn hosts(hosts: &[&str]) -> Option<BTreeSet<IpAddr>> {
    Some(hosts.iter().map(|host| host.parse().expect("a host")).collect())
}

fn mark(scene: &mut Scene, peer: Aor, paper: bool) {
    scene.say(Command::Mark { peer, paper });
}

/// §6.11: no round trip. Nothing is sent before, and what flows is plain.
#[test]
fn an_offer_without_access_of_a_marked_contact_is_spoken_to_at_once() {
    let mut scene = marked();
    show(&mut scene, Some(without_access(2)));
    scene.forget();
    press(&mut scene);
    let told = flows(&mut scene);
    let [(FlowPhase::Streaming, Some(stream), None)] = &told[..] else { panic!("{told:?}") };
    assert_eq!((stream.remote, &stream.keys, stream.budget), (address(BOB), &None, None));
    assert_eq!((stream.port, stream.codec.pt, stream.remote_ssrc), (ALICE_PORT, 0, 0));
    scene.pass(secs(300));
    assert_eq!((checks(&scene), flows(&mut scene).len()), (0, 0), "nobody is asked for consent");
}

/// X3: of anybody else such an offer is none.
#[test]
fn an_offer_without_access_of_anybody_else_is_off() {
    let mut scene = offered();
    show(&mut scene, Some(without_access(2)));
    assert_eq!(mode(&mut scene), Some(Mode::Off));
    press(&mut scene);
    assert!(scene.events().iter().any(|event| matches!(event, Event::Error { .. })));
    mark(&mut scene, bob(), true);
    assert_eq!(mode(&mut scene), Some(Mode::Ready));
    mark(&mut scene, bob(), false);
    assert_eq!(mode(&mut scene), Some(Mode::Off));
}

/// The mark of the configuration counts until the user says otherwise.
#[test]
fn a_contact_can_be_marked_from_the_start() {
    let (mut scene, dialog) = super::super::offers::watching();
    scene.notifier = Some(dialog);
    scene.config.direct.paper = [bob()].into();
    show(&mut scene, Some(without_access(1)));
    assert_eq!(mode(&mut scene), Some(Mode::Ready));
    mark(&mut scene, bob(), false);
    assert_eq!(mode(&mut scene), Some(Mode::Off));
}

/// Without a codec in common, and without an address, there is no flow in this form either.
#[test]
fn an_offer_that_lacks_more_than_access_is_still_none() {
    let mut scene = marked();
    show(&mut scene, Some(Offer { candidates: Vec::new(), ..without_access(2) }));
    assert_eq!(mode(&mut scene), Some(Mode::Off), "no address");
    show(&mut scene, Some(Offer { codecs: vec![(9, "G722/8000").into()], ..without_access(3) }));
    scene.forget();
    press(&mut scene);
    assert_eq!(stopped(&mut scene), Some(StopReason::Codec));
}

/// Whoever can be asked is asked, and answers as always.
#[test]
fn an_offer_with_access_of_a_marked_contact_is_checked() {
    let mut scene = marked();
    press(&mut scene);
    assert_eq!(checks(&scene), 1);
    assert!(streaming(&mut scene).is_none());
    reply(&mut scene, BOB, Some(TOKEN), 200);
    assert!(streaming(&mut scene).expect("a flow").keys.is_some());
}

/// §6.10: only a check that nobody answers is followed by plain media, and by no INVITE.
#[test]
fn only_when_nobody_answers_a_marked_contact_is_spoken_to_without() {
    let mut scene = marked();
    press(&mut scene);
    scene.pass(Duration::from_millis(2999));
    assert!(streaming(&mut scene).is_none());
    scene.pass(Duration::from_millis(1));
    let stream = streaming(&mut scene).expect("a flow");
    assert_eq!((stream.remote, stream.keys), (address(BOB), None));
    for status in [403, 410, 486] {
        let mut scene = marked();
        press(&mut scene);
        reply(&mut scene, BOB, Some(TOKEN), status);
        scene.pass(secs(60));
        assert!(streaming(&mut scene).is_none(), "{status}");
    }
    let mut scene = marked();
    press(&mut scene);
    reply(&mut scene, BOB, None, 401);
    scene.pass(secs(60));
    assert!(streaming(&mut scene).is_none(), "401");
    let mut scene = offered();
    press(&mut scene);
    scene.pass(secs(60));
    assert_eq!(stopped(&mut scene), Some(StopReason::Unreachable), "nobody is marked");
}

/// Whoever answers late is a flow as any other from then on.
#[test]
fn an_answer_that_comes_late_makes_a_checked_flow_of_it() {
    let mut scene = unanswered();
    reply(&mut scene, BOB, Some(TOKEN), 200);
    assert!(streaming(&mut scene).expect("a flow").keys.is_some());
    scene.pass(secs(31));
    assert_eq!(stopped(&mut scene), Some(StopReason::Consent), "and consent governs it");
    let mut scene = unanswered();
    reply(&mut scene, BOB, Some(TOKEN), 403);
    assert_eq!(stopped(&mut scene), Some(StopReason::Refused));
}

#[test]
fn a_plain_flow_ends_with_its_offer_its_user_its_mark_or_the_word_of_its_receiver() {
    let ends: [End; 5] = [
        (|s| s.say(Command::StopFlow { flow: FlowId(1) }), StopReason::User, 1),
        (|s| s.say(Command::MediaBye { flow: FlowId(1) }), StopReason::Peer, 0),
        (|s| show(s, None), StopReason::Withdrawn, 1),
        (|s| show(s, Some(checked(9, Mode::Off, 40_000, 5))), StopReason::Withdrawn, 1),
        (|s| mark(s, bob(), false), StopReason::User, 1),
    ];
    for (end, why, byes) in ends {
        for begin in [plain as fn() -> Scene, unanswered] {
            let mut scene = begin();
            end(&mut scene);
            let events = scene.events();
            let said = events.iter().filter(|event| matches!(event, Event::MediaBye { .. }));
            assert_eq!(said.count(), byes, "{why:?}");
            let reason = events.iter().find_map(|event| match event {
                Event::Flow { reason, .. } => *reason,
                _ => None,
            });
            assert_eq!(reason, Some(why));
            assert_eq!(scene.agent.sizes().flows, 0);
        }
    }
}

#[test]
fn a_plain_flow_follows_its_offer_and_is_checked_once_that_is_possible() {
    let mut scene = plain();
    show(&mut scene, Some(Offer { port: 40_002, ..without_access(3) }));
    assert!(flows(&mut scene).is_empty(), "the candidate counts, and it is the same");
    let mut scene = plain();
    let elsewhere = checked(3, Mode::Ready, 40_002, 5);
    show(&mut scene, Some(Offer { access: None, ..elsewhere }));
    let told = flows(&mut scene);
    assert_eq!(told[0].2, Some(StopReason::Moved));
    assert_eq!(told[1].1.as_ref().map(|to| to.remote), Some(address("192.0.2.20:40002")));
    assert_eq!(checks(&scene), 0);
    let mut scene = plain();
    show(&mut scene, Some(checked(3, Mode::Ready, 40_000, 5)));
    assert_eq!(checks(&scene), 1);
    reply(&mut scene, BOB, Some(TOKEN), 200);
    assert!(streaming(&mut scene).expect("a flow").keys.is_some());
}

/// Without consent there is nothing to answer with (X13): the reply credential is not lent.
#[test]
fn nobody_speaks_back_on_a_plain_flow_with_a_reply_credential() {
    let mut scene = marked();
    show(&mut scene, Some(without_access(2)));
    let (target, media, codecs) = (bob(), "audio".into(), pcmu());
    scene.say(Command::Direct { target, media, port: ALICE_PORT, codecs, hears: true });
    assert_eq!(scene.agent.direct.door_name(), "Closed");
}

/// X4: to a presence agent that does not know offers this one is `off`, too.
#[test]
fn bob_publishes_his_offer_without_a_secret() {
    let mut scene = bob_of_the_paper();
    scene.say(offer(Mode::Ready));
    let offer = published(&mut scene);
    assert_eq!(
        (offer.mode, &offer.secret, offer.srtp.as_deref()),
        (Mode::Ready, &None, Some("none"))
    );
    let mut unaware = Scene::new();
    unaware.config.direct.paper_offers = true;
    let mut unaware = unaware.log_in(&[]);
    unaware.say(super::offer(Mode::Ready));
    assert_eq!(published(&mut unaware).mode, Mode::Off);
}

/// P29: what comes in is one way, and makes nobody speak.
#[test]
fn a_marked_contact_is_heard_from_where_its_documents_say_it_is() {
    let mut scene = closed();
    scene.say(offer(Mode::Ready));
    assert_eq!(welcome(&mut scene), hosts(&["192.0.2.10"]));
    answer_all(&mut scene);
    knock(&mut scene, ALICE, 9, 0);
    let events = scene.events();
    let ways: Vec<Way> = events
        .iter()
        .filter_map(|event| match event {
            Event::Flow { way, .. } => Some(*way),
            _ => None,
        })
        .collect();
    assert_eq!(ways, [Way::In]);
    let stream = events.into_iter().find_map(|event| match event {
        Event::Flow { stream, .. } => stream,
        _ => None,
    });
    let stream = stream.expect("it is played");
    assert_eq!((stream.remote, stream.remote_ssrc, stream.keys), (address(ALICE), 9, None));
    assert_eq!(published(&mut scene).mode, Mode::Busy);
    scene.say(Command::MediaBye { flow: FlowId(1) });
    assert_eq!(stopped(&mut scene), Some(StopReason::Peer));
    assert_eq!(published(&mut scene).mode, Mode::Ready);
}

/// X15: two keys to the door, the mark and the list, and a known address as the third.
#[test]
fn nobody_else_is_heard() {
    let refused: [EventRow; 9] = [
        ("another host", |s| knock(s, "192.0.2.66:40000", 9, 0)),
        ("another codec", |s| knock(s, ALICE, 9, 96)),
        ("another port of ours", |s| {
            let (port, from) = (BOB_PORT + 2, address(ALICE));
            s.say(Command::MediaKnock { port, from, ssrc: 9, pt: 0 });
        }),
        ("not marked", |s| {
            mark(s, alice(), false);
            knock(s, ALICE, 9, 0);
        }),
        ("not allowed", |s| {
            decide(s, alice(), None);
            knock(s, ALICE, 9, 0);
        }),
        ("allowed, but not direct", |s| {
            decide(s, alice(), Some(Verdict { handling: Handling::Allow, direct: false }));
            knock(s, ALICE, 9, 0);
        }),
        ("politely blocked", |s| {
            decide(s, alice(), Some(Verdict { handling: Handling::PoliteBlock, direct: false }));
            knock(s, ALICE, 9, 0);
        }),
        ("busy", |s| {
            s.say(offer(Mode::Busy));
            knock(s, ALICE, 9, 0);
        }),
        ("off", |s| {
            s.say(offer(Mode::Off));
            knock(s, ALICE, 9, 0);
        }),
    ];
    for (case, happen) in refused {
        let mut scene = listening();
        happen(&mut scene);
        assert!(flows(&mut scene).is_empty(), "{case}");
        assert!(scene.packets.is_empty(), "{case}: nor is anybody answered");
    }
}

/// Somebody who is marked and allowed, but of whom bob is told nothing.
#[test]
fn whose_address_is_not_known_is_not_heard() {
    let mut scene = bob_of_the_paper();
    scene.say(offer(Mode::Ready));
    answer_all(&mut scene);
    assert_eq!(welcome(&mut scene), None, "nobody is welcome");
    knock(&mut scene, ALICE, 9, 0);
    assert!(flows(&mut scene).is_empty());
    watch(&mut scene, "alice", &whereabouts("alice", "example.org", None));
    knock(&mut scene, ALICE, 9, 0);
    assert!(flows(&mut scene).is_empty(), "a domain is no address");
}

/// Without the profile at the receiver nothing of this exists.
#[test]
fn who_publishes_a_secret_hears_nobody_without_a_check() {
    let mut scene = listening_bob(1, true);
    mark(&mut scene, alice(), true);
    watch(&mut scene, "alice", &whereabouts("alice", "192.0.2.10", None));
    assert_eq!(welcome(&mut scene), None);
    knock(&mut scene, ALICE, 9, 0);
    assert!(flows(&mut scene).is_empty());
}

#[test]
fn a_host_of_two_is_nobody_s_unless_the_port_tells_whose_it_is() {
    let mut scene = closed();
    scene.say(offer(Mode::Ready));
    answer_all(&mut scene);
    let carols = whereabouts("carol", "192.0.2.10", Some("192.0.2.10:41000"));
    watch(&mut scene, "carol", &carols);
    knock(&mut scene, ALICE, 9, 0);
    assert!(flows(&mut scene).is_empty(), "it may be either");
    knock(&mut scene, "192.0.2.10:41000", 9, 0);
    let events = scene.events();
    let peer = events.into_iter().find_map(|event| match event {
        Event::Flow { peer, .. } => Some(peer),
        _ => None,
    });
    assert_eq!(peer, Some(carol()));
}

/// P27: the same moment.
#[test]
fn who_is_blocked_not_marked_any_more_or_elsewhere_is_silent_at_once() {
    let block = Verdict { handling: Handling::Block, direct: false };
    let mut scene = bound();
    scene.say(Command::Decide { watcher: alice(), verdict: Some(block) });
    let events = scene.events();
    assert!(events.iter().any(|event| matches!(event, Event::MediaBye { keys: None, .. })));
    let gone = Event::MediaWelcome { port: BOB_PORT, from: BTreeSet::new() };
    assert!(events.contains(&gone));
    let mut scene = bound();
    scene.forget();
    mark(&mut scene, alice(), false);
    assert_eq!(stopped(&mut scene), Some(StopReason::Refused));
    let mut scene = bound();
    let mut dialog = scene.notifier.take().expect("bob watches alice");
    let document = whereabouts("alice", "192.0.2.11", None);
    scene.forget();
    scene.notify(&mut dialog, "active;expires=3600", Body::Document(&document));
    assert_eq!(stopped(&mut scene), Some(StopReason::Refused));
}

/// What bob has stopped does not come back by going on, however long it does.
#[test]
fn a_stream_that_is_over_stays_so_while_it_goes_on() {
    let mut scene = bound();
    scene.say(Command::StopFlow { flow: FlowId(1) });
    scene.forget();
    for _ in 0..10 {
        scene.pass(secs(60));
        knock(&mut scene, ALICE, 9, 0);
    }
    assert!(flows(&mut scene).is_empty());
    knock(&mut scene, ALICE, 10, 0);
    assert!(streaming(&mut scene).is_some(), "another one is another matter");
}

#[test]
fn a_door_remembers_only_so_many_streams_that_are_over() {
    let mut scene = listening();
    for ssrc in 0..100 {
        knock(&mut scene, ALICE, ssrc, 0);
        scene.say(Command::MediaBye { flow: FlowId(u64::from(ssrc) + 1) });
        scene.pass(Duration::from_millis(10));
    }
    scene.forget();
    knock(&mut scene, ALICE, 99, 0);
    assert!(flows(&mut scene).is_empty());
    knock(&mut scene, ALICE, 0, 0);
    assert!(streaming(&mut scene).is_some(), "the oldest is forgotten");
}

#[test]
fn only_so_many_contacts_are_marked_while_the_agent_runs() {
    let mut scene = Scene::online();
    for number in 0..1024 {
        mark(&mut scene, aor(&format!("sip:u{number}@example.org")), true);
    }
    assert!(scene.events().is_empty());
    mark(&mut scene, bob(), true);
    assert!(matches!(scene.events()[..], [Event::Error { .. }]));
    mark(&mut scene, aor("sip:u0@example.org"), false);
    assert!(scene.events().is_empty(), "a mark that is there can be taken back");
}
