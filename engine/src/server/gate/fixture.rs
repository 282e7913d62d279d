//! The server of the scenes of this folder and of the registrar's.

use crate::body::presrules::Handling;
use crate::digest::fixture::{REALM, key};
use crate::digest::{Algorithm, Ha1, NonceLimits};
use crate::machine::Peer;
use crate::mint::Secret;
use crate::server::{Authentication, Config, Limits, Listener, User, Users};
use crate::transaction::Timing;
use std::time::Duration;

/// A server for example.org with two accounts: alice (`wonderland`) and bob (`biloxi`).
pub(crate) fn config() -> Config {
    Config {
        domain: REALM.into(),
        listeners: vec![Listener { sent_by: "192.0.2.1:5060".into() }],
        secret: Secret::new([3; 16]),
        nonce_key: key(1),
        nonces: NonceLimits::default(),
        authentication: Authentication::Digest,
        users: Users {
            named: [("alice", "wonderland"), ("bob", "biloxi")].map(account).into(),
            ..Users::default()
        },
        default_policy: Handling::Confirm,
        notify_gap: Duration::from_secs(5),
        timing: Timing::default(),
        limits: Limits::default(),
        legacy_cpim: true,
        legacy_cpim_elements: false,
        record_route: true,
    }
}

fn account((name, password): (&str, &str)) -> (Box<str>, User) {
    let ha1 = |algorithm| Some(Ha1::of(algorithm, name, REALM, password));
    let user = User { sha256: ha1(Algorithm::Sha256), md5: ha1(Algorithm::Md5) };
    (name.into(), user)
}

/// A phone behind a source address, which need not be the one in its Via.
pub(crate) fn peer(addr: &str) -> Peer {
    Peer::new(addr.parse().expect("an address"))
}
