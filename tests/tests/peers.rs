//! What real software sends, as it came over the wire (`tests/peers/PEER/*.sip`, one message a
//! file): each is read, and each request is answered as the snapshot says. An oddity that a peer
//! was found to have becomes a file here; `tests/interop/` runs the peers themselves.

use presently_engine::message::Message;
use presently_engine::server::Listener;
use presently_engine::{Input, Machine, Output, Peer};
use presently_tests::conformance::evidence;
use presently_tests::{Stage, stage};
use std::net::SocketAddr;
use std::path::Path;

/// The domain of the interop scenes.
const DOMAIN: &str = "presence.test";

/// The first line of each message that the server sends when this one comes.
fn answers(bytes: Vec<u8>) -> Vec<String> {
    let mut config = stage::config();
    config.domain = DOMAIN.into();
    if let Some(sent_by) = next_hop(&bytes) {
        config.listeners = vec![Listener { sent_by: sent_by.into() }];
    }
    let mut stage = Stage::new(config);
    let from = Peer::new(SocketAddr::from(([127, 0, 0, 1], 5099)));
    let mut out = Vec::new();
    let input = Input::Packet { from, bytes: bytes.into() };
    stage.server.handle(&stage.config, stage.now, input, &mut out);
    let line = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().next().map(str::to_owned);
    let sent = |output: &Output<_, _>| match output {
        Output::Transmit { bytes, .. } => line(bytes),
        Output::Record(_) | Output::Event(_) => None,
    };
    // A NOTIFY's Request-URI is the subscriber's contact, which the message itself shows.
    let short = |line: String| match line.strip_prefix("SIP/2.0 ") {
        Some(status) => status.to_owned(),
        None => line.split(' ').next().unwrap_or_default().to_owned(),
    };
    out.iter().filter_map(sent).map(short).collect()
}

/// Where the topmost Route of a message leads: to the server that the peer had for its proxy, which
/// finds itself named there (RFC 3261 §16.4).
fn next_hop(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let route = text.lines().find_map(|line| line.strip_prefix("Route: <sip:"))?;
    route.split([';', '>']).next().map(str::to_owned)
}

#[test]
fn every_message_of_a_peer_is_read_and_answered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
    for entry in std::fs::read_dir(folder).expect("the peers") {
        let folder = entry.expect("an entry").path();
        let peer = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let files = evidence::files(&folder, "sip").expect("its messages");
        let table: String = files.iter().map(|path| fate(path)).collect();
        insta::assert_snapshot!(peer, table);
    }
}

/// What becomes of the message in a file.
fn fate(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("a message");
    let name = path.file_stem().expect("a name").to_string_lossy();
    let what = match Message::parse(bytes.clone().into()) {
        Ok(Message::Request(request)) => {
            format!("{} → {}", request.method_text(), answers(bytes).join(", "))
        }
        Ok(Message::Response(response)) => format!("{} is read", response.status()),
        Err(why) => panic!("{}: {why:?}", path.display()),
    };
    format!("{name:<40} {what}\n")
}
