use super::*;
use crate::digest::{NonceKey, NonceLimits};

fn serving(domain: &str) -> Config {
    Config {
        domain: domain.into(),
        listeners: vec![Listener { sent_by: "127.0.0.1:5070".into() }],
        secret: Secret::new([1; 16]),
        nonce_key: NonceKey::new([7; 32], 1, crate::Instant::from_millis(0)),
        nonces: NonceLimits::default(),
        authentication: Authentication::None,
        users: Users::default(),
        default_policy: Handling::Confirm,
        notify_gap: Duration::ZERO,
        timing: Timing::default(),
        limits: Limits::default(),
        legacy_cpim: true,
        legacy_cpim_elements: false,
        record_route: false,
    }
}

fn owner(config: &Config, uri: &str) -> Option<String> {
    config.local(&Uri::parse(uri).expect("a URI")).map(|aor| aor.to_string())
}

/// Laboratories and scanners write addresses where others have a name.
#[test]
fn a_domain_may_be_an_address() {
    let config = serving("127.0.0.1");
    let alice = Some("sip:alice@127.0.0.1".to_owned());
    assert_eq!(owner(&config, "sip:alice@127.0.0.1"), alice);
    assert_eq!(owner(&config, "sip:alice@127.0.0.1:5070"), alice, "our own listener");
    assert_eq!(owner(&config, "sip:alice@127.0.0.1:5099"), None, "a phone beside us");
    assert_eq!(owner(&config, "sip:alice@127.0.0.2"), None);

    let config = serving("[::1]");
    assert_eq!(owner(&config, "sip:alice@[::1]").as_deref(), Some("sip:alice@[::1]"));
}

#[test]
fn a_name_is_ours_with_any_port_and_an_address_with_the_listeners() {
    let config = serving("example.org");
    let alice = Some("sip:alice@example.org".to_owned());
    assert_eq!(owner(&config, "sip:alice@EXAMPLE.org:5099"), alice);
    assert_eq!(owner(&config, "sip:alice@127.0.0.1:5070"), alice);
    assert_eq!(owner(&config, "sip:alice@127.0.0.1"), None);
    assert_eq!(owner(&config, "sip:alice@example.com"), None);
}
