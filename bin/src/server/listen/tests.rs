use super::*;

#[test]
fn udp_with_host_and_port_is_an_address() {
    let parsed = |text| Listen::parse(text).map(|listen| listen.to_string());
    assert_eq!(parsed("udp:127.0.0.1:5060").as_deref(), Some("udp:127.0.0.1:5060"));
    assert_eq!(parsed("UDP:[::1]:0").as_deref(), Some("udp:[::1]:0"));
    for wrong in
        ["127.0.0.1:5060", "tcp:127.0.0.1:5060", "udp:127.0.0.1", "udp:", "udp:1.2.3.4:70000"]
    {
        assert_eq!(parsed(wrong), None, "{wrong}");
    }
}

#[test]
fn only_loopback_addresses_are_loopback() {
    let loopback = |text| Listen::parse(text).expect("an address").is_loopback();
    assert!(loopback("udp:127.0.0.1:1"));
    assert!(loopback("udp:127.9.9.9:1"));
    assert!(loopback("udp:[::1]:1"));
    assert!(loopback("udp:[::ffff:127.0.0.1]:1"));
    assert!(!loopback("udp:0.0.0.0:1"));
    assert!(!loopback("udp:[::]:1"));
    assert!(!loopback("udp:192.0.2.1:1"));
}

#[test]
fn peers_are_told_the_advertised_host_and_the_port_that_was_bound() {
    let bound = "0.0.0.0:5060".parse().expect("an address");
    assert_eq!(&*sent_by(bound, Some("sip.example.org")), "sip.example.org:5060");
    let bound = "[::1]:5061".parse().expect("an address");
    assert_eq!(&*sent_by(bound, None), "[::1]:5061");
}

#[test]
fn hosts_are_names_or_addresses() {
    assert_eq!(host("Example.ORG").as_deref(), Some("example.org"));
    assert_eq!(host("10.0.0.1").as_deref(), Some("10.0.0.1"));
    assert_eq!(host("[2001:DB8::1]").as_deref(), Some("[2001:db8::1]"));
    for wrong in ["", "a b", "example..org", "-a.org", "a@b", "[zz]", "sip:a"] {
        assert_eq!(host(wrong), None, "{wrong}");
    }
}
