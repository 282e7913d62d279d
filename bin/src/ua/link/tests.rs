use super::*;

#[test]
fn a_device_has_the_same_name_in_every_run_and_another_for_every_user() {
    let alice = Aor::parse("sip:alice@example.org").expect("an address");
    let bob = Aor::parse("sip:bob@example.org").expect("an address");
    assert_eq!(device("here", &alice), device("here", &alice));
    assert_ne!(device("here", &alice), device("here", &bob));
    assert_ne!(device("here", &alice), device("there", &alice));
}

#[test]
fn the_way_to_a_server_on_this_machine_is_loopback() {
    let server = SocketAddr::from(([127, 0, 0, 1], 5060));
    assert_eq!(near(server), SocketAddr::from(([127, 0, 0, 1], 0)));
}
