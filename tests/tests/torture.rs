//! RFC 4475 and RFC 5118 at the server's door: every message of `tests/torture` gets the
//! behaviour that `tests/torture/INDEX.md` names, and none of them takes the server down.

use presently_engine::{Input, Machine, Output, Peer};
use presently_tests::{Stage, stage};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What comes back: a status, or nothing at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// Answered with this status.
    Status(u16),
    /// Answered with one of these: the RFC leaves a choice, ours is the first.
    OneOf(&'static [u16]),
    /// Understood and treated on its merits: served, or refused for what it wants, not for how it
    /// is written.
    Accepted,
    /// Dropped without an answer.
    Silence,
}
use Fate::{Accepted, OneOf, Silence, Status};

/// The server serves the domain of each file's Request-URI; digest is off, so that the message
/// itself decides. Callers of other domains get 403, unknown service names 404, absent users 480.
const RFC4475: &[(&str, Fate)] = &[
    ("wsinv", Accepted),
    ("intmeth", Accepted),
    ("esc01", Accepted),
    ("escnull", Accepted),
    ("esc02", OneOf(&[501, 405])),
    ("lwsdisp", Accepted),
    ("longreq", Accepted),
    ("dblreq", Accepted),
    ("semiuri", Accepted),
    ("transports", Accepted),
    ("mpart01", OneOf(&[202, 403, 413, 415])),
    ("unreason", Silence),
    ("noreason", Silence),
    ("badinv01", Status(400)),
    ("clerr", Status(400)),
    ("ncl", Status(400)),
    ("scalar02", Status(400)),
    ("scalarlg", Silence),
    ("quotbal", Status(400)),
    ("ltgtruri", Status(400)),
    ("lwsruri", Status(400)),
    ("lwsstart", Status(400)),
    ("trws", Status(400)),
    ("escruri", Status(400)),
    ("baddate", Accepted),
    ("regbadct", Status(400)),
    ("badaspec", Status(400)),
    ("baddn", Status(400)),
    ("badvers", Status(505)),
    ("mismatch01", Status(400)),
    ("mismatch02", OneOf(&[501, 400])),
    ("bigcode", Silence),
    ("badbranch", OneOf(&[480, 403, 400])),
    ("insuf", OneOf(&[400])),
    ("unkscm", Status(416)),
    ("novelsc", OneOf(&[416, 404])),
    ("unksm2", Status(400)),
    ("bext01", Status(420)),
    ("invut", Accepted),
    ("regaut01", OneOf(&[200, 403, 401])),
    ("multi01", Status(400)),
    ("mcl01", Status(400)),
    ("bcast", Silence),
    ("zeromf", OneOf(&[483])),
    ("cparam01", Accepted),
    ("cparam02", Accepted),
    ("regescrt", Accepted),
    ("sdp01", OneOf(&[480, 403, 406, 400])),
    ("inv2543", Accepted),
    ("test", Silence),
];

const RFC5118: &[(&str, Fate)] = &[
    ("ipv6-good", Accepted),
    ("ipv6-bad", Status(400)),
    ("port-ambiguous", Accepted),
    ("port-unambiguous", Accepted),
    ("via-received-param-with-delim", Accepted),
    ("via-received-param-no-delim", Accepted),
    ("ipv6-in-sdp", Status(400)),
    ("mult-ip-in-header", Accepted),
    ("mult-ip-in-sdp", Accepted),
    ("ipv4-mapped-ipv6", Accepted),
    ("ipv6-bug-abnf-3-colons", OneOf(&[480, 403, 400])),
    ("ipv6-correct-abnf-2-colons", Accepted),
];

fn read(folder: &str, name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("torture").join(folder);
    std::fs::read(path.join(format!("{name}.dat"))).expect("a torture message")
}

/// A server for the domain that a request names, so that it is not simply foreign.
fn stage_for(bytes: &[u8]) -> Stage {
    let mut stage = Stage::new(stage::config());
    let text = String::from_utf8_lossy(bytes).into_owned();
    let start = text.lines().next().unwrap_or("");
    let host = presently_engine::message::Uri::parse(start.split(' ').nth(1).unwrap_or(""))
        .ok()
        .map(|uri| match uri.host {
            presently_engine::message::Host::Name(name) => name.to_lowercase(),
            presently_engine::message::Host::Ip(ip) => {
                let address = SocketAddr::new(ip, uri.port.unwrap_or(5060));
                stage.config.listeners[0].sent_by = address.to_string().into();
                "example.com".to_owned()
            }
        });
    stage.config.domain = host.unwrap_or_else(|| "example.com".to_owned()).into();
    stage
}

/// The statuses the server answers one datagram with.
fn answers(stage: &mut Stage, bytes: Vec<u8>) -> Vec<u16> {
    let from = Peer::new(SocketAddr::from(([203, 0, 113, 9], 5060)));
    let mut out = Vec::new();
    let input = Input::Packet { from, bytes: bytes.into() };
    stage.server.handle(&stage.config, stage.now, input, &mut out);
    out.iter()
        .filter_map(|output| match output {
            Output::Transmit { bytes, .. } => {
                let line = String::from_utf8_lossy(&bytes[..bytes.len().min(12)]).into_owned();
                line.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
            }
            Output::Record(_) | Output::Event(_) => None,
        })
        .collect()
}

fn check(folder: &str, expected: &[(&str, Fate)]) {
    let mut wrong = Vec::new();
    let mut table = String::new();
    for (name, fate) in expected {
        let bytes = read(folder, name);
        let mut stage = stage_for(&bytes);
        // Whoever sends is taken at its word here; its domain is the one served.
        let got = answers(&mut stage, bytes);
        table.push_str(&format!("{name:<30} {got:?}\n"));
        let right = match fate {
            Status(status) => got == [*status],
            Accepted => got.len() == 1 && [200, 202, 403, 404, 480].contains(&got[0]),
            OneOf(choices) => got.len() == 1 && choices.contains(&got[0]),
            Silence => got.is_empty(),
        };
        if !right {
            wrong.push(format!("{folder}/{name}: expected {fate:?}, got {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!(folder, table);
}

#[test]
fn rfc4475() {
    check("rfc4475", RFC4475);
}

#[test]
fn rfc5118() {
    check("rfc5118", RFC5118);
}

/// No file of the archive is left out of the tables above.
#[test]
fn every_message_is_listed() {
    for (folder, table) in [("rfc4475", RFC4475), ("rfc5118", RFC5118)] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("torture").join(folder);
        for entry in std::fs::read_dir(path).expect("the archive") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            let Some(name) = name.strip_suffix(".dat") else { continue };
            assert!(table.iter().any(|(known, _)| *known == name), "{folder}/{name} has no row");
        }
    }
}
