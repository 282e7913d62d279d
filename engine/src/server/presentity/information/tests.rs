use super::*;
use std::time::Duration;

const NOON: Instant = Instant::from_millis(1_777_896_000_000);
const DEVICE: &str = "198.51.100.7:5070";

fn bob() -> Aor {
    Aor::new("bob", "example.org")
}

fn devices(addresses: &[&str]) -> Devices {
    let mut addresses: Vec<SocketAddr> =
        addresses.iter().map(|text| text.parse().expect("an address")).collect();
    addresses.sort_unstable();
    Devices { registered: !addresses.is_empty(), addresses }
}

/// A publication of the device with these tuples.
fn row(rank: u64, at: Instant, tuples: &str) -> PublicationRow {
    let body = format!(
        "<presence xmlns='urn:ietf:params:xml:ns:pidf' \
         xmlns:dm='urn:uuid:670680a7-af31-46e0-a5e5-33737d9b2f61' \
         entity='sip:bob@example.org'>{tuples}</presence>"
    );
    let device = DEVICE.parse().expect("an address");
    PublicationRow { rank, at, expires: at + Duration::from_secs(300), device, body: body.into() }
}

fn note(id: &str, note: &str) -> String {
    format!("<tuple id='{id}'><status><basic>open</basic></status><note>{note}</note></tuple>")
}

/// A tuple that offers direct media, with this contact.
fn offer(id: &str, contact: &str) -> String {
    format!(
        "<tuple id='{id}'><status><basic>open</basic>\
         <dm:direct-media version='1' seq='17' device='bob-desk'><dm:media>audio</dm:media>\
         <dm:port>40000</dm:port><dm:codec pt='0'>PCMU/8000</dm:codec>\
         <dm:direct_mode>ready</dm:direct_mode>\
         <dm:candidate type='host' addr='192.0.2.20' port='40000'/><dm:srtp>token</dm:srtp>\
         <dm:secret epoch='5' expires='600'>mI2lqkZ0mJm0h9sZ8m0nq3Wm4nXxk1l0u2Y7b1q5c9A</dm:secret>\
         </dm:direct-media></status><contact>{contact}</contact></tuple>"
    )
}

/// What alice is shown at `now`.
fn shown(information: &Information, now: Instant) -> Pidf {
    let alice = Aor::new("alice", "example.org");
    let body = information.for_watcher(&bob(), (&alice, true), (Format::Pidf, false), now);
    Pidf::parse(&body).expect("a document of ours")
}

fn notes(document: &Pidf) -> Vec<&str> {
    document.tuples.iter().flat_map(|tuple| &tuple.notes).map(|note| &*note.text).collect()
}

#[test]
fn the_later_publication_of_a_tuple_counts_whatever_its_entity_tag() {
    for (first, second) in [(Id(1), Id(2)), (Id(2), Id(1))] {
        let mut information = Information::default();
        assert_eq!(information.next_rank(), 0);
        information.insert(first, row(0, NOON, &note("desk", "earlier")));
        assert_eq!(information.next_rank(), 1);
        information.insert(second, row(1, NOON, &note("desk", "later")));
        assert_eq!(information.next_rank(), 2);
        assert!(information.recompose(&bob(), NOON));
        assert_eq!(notes(&shown(&information, NOON)), ["later"]);
        information.remove(second);
        assert_eq!(information.next_rank(), 1);
        assert!(information.recompose(&bob(), NOON));
        assert_eq!(notes(&shown(&information, NOON)), ["earlier"]);
    }
}

#[test]
fn every_change_is_one_revision_with_a_later_timestamp_even_in_one_millisecond() {
    let mut information = Information::default();
    let mut stamps = Vec::new();
    for revision in 1..=3 {
        information.insert(Id(1), row(0, NOON, &note("desk", &format!("{revision}"))));
        assert!(information.recompose(&bob(), NOON));
        assert!(!information.recompose(&bob(), NOON + Duration::from_secs(9)), "nothing changed");
        assert_eq!(information.revision(), revision);
        let stamp = shown(&information, NOON).tuples[0].timestamp.clone();
        stamps.push(stamp.expect("a timestamp").to_string());
    }
    let ms = |ms| pidf::timestamp(NOON + Duration::from_millis(ms));
    assert_eq!(stamps, [ms(0), ms(1), ms(2)]);
}

#[test]
fn bindings_change_what_is_shown_only_where_nothing_is_published() {
    let mut information = Information::default();
    information.set_devices(devices(&[DEVICE]));
    assert!(information.recompose(&bob(), NOON));
    information.set_devices(devices(&[DEVICE, "198.51.100.7:5071"]));
    assert!(!information.recompose(&bob(), NOON));
    information.insert(Id(1), row(0, NOON, &note("desk", "here")));
    assert!(information.recompose(&bob(), NOON));
    information.set_devices(devices(&[]));
    assert!(!information.recompose(&bob(), NOON), "a tuple without an offer needs no binding");
    information.remove(Id(1));
    assert!(information.recompose(&bob(), NOON));
    assert!(!information.recompose(&bob(), NOON));
}

#[test]
fn an_offer_needs_a_binding_of_its_flow_or_of_its_contact() {
    let cases = [
        (DEVICE, true),
        ("203.0.113.9:5099", true),
        ("203.0.113.9:5060", false),
        ("198.51.100.7:5071", false),
    ];
    for (bound, ready) in cases {
        let mut information = Information::default();
        information.insert(Id(1), row(0, NOON, &offer("desk", "sip:bob@203.0.113.9:5099")));
        information.set_devices(devices(&[bound]));
        assert!(information.recompose(&bob(), NOON));
        assert_eq!(information.is_ready(), ready, "bound: {bound}");
        assert_eq!(shown(&information, NOON).is_ready(), ready, "bound: {bound}");
    }
}

#[test]
fn a_contact_without_a_port_has_the_port_of_sip() {
    let address = |contact| super::super::contact_address(contact).map(|one| one.to_string());
    assert_eq!(address("sip:bob@203.0.113.9").as_deref(), Some("203.0.113.9:5060"));
    assert_eq!(
        address("\"Bob\" <sip:bob@[2001:db8::1]:5070>;q=1").as_deref(),
        Some("[2001:db8::1]:5070")
    );
    assert_eq!(address("sip:bob@phone.example.org"), None);
    assert_eq!(address("mailto:bob@203.0.113.9"), None);
}

#[test]
fn the_access_to_an_offer_ages_from_its_own_publication() {
    let (mut information, later) = (Information::default(), NOON + Duration::from_secs(100));
    information.set_devices(devices(&[DEVICE]));
    information.insert(Id(9), row(0, NOON, &offer("desk", "sip:bob@192.0.2.20")));
    information.insert(Id(2), row(1, NOON, &offer("mobile", "sip:bob@192.0.2.21")));
    information.insert(Id(1), row(2, later, &offer("mobile", "sip:bob@192.0.2.21")));
    assert!(information.recompose(&bob(), later));
    let left = |now| {
        let left = |tuple: &pidf::Tuple| Some(tuple.offer.as_ref()?.access.as_ref()?.expires);
        shown(&information, now).tuples.iter().map(left).collect::<Vec<_>>()
    };
    assert_eq!(left(later), [Some(500), Some(600)]);
    assert_eq!(left(later + Duration::from_secs(7)), [Some(493), Some(593)]);
}
