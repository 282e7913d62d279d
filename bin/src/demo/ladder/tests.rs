use super::*;
use bytes::Bytes;
use presently_engine::{Instant, Peer};

fn seen(direction: Direction, port: u16, at: u64, text: &str) -> (Seen, Option<Message>) {
    let local = SocketAddr::from(([127, 0, 0, 1], 5060));
    let peer = Peer::new(SocketAddr::from(([127, 0, 0, 1], port)));
    let bytes = Bytes::from(text.replace('\n', "\r\n"));
    let message = Message::parse(bytes.clone()).ok();
    (Seen { direction, local, peer, bytes, at: Instant::from_millis(at) }, message)
}

fn ladder() -> Ladder {
    let mut ladder = Ladder::new(false);
    ladder.place(SocketAddr::from(([127, 0, 0, 1], 4001)), "alice", Side::Left);
    ladder.place(SocketAddr::from(([127, 0, 0, 1], 4002)), "bob", Side::Right);
    ladder
}

const SUBSCRIBE: &str = "SUBSCRIBE sip:bob@localhost SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:4001;branch=z9hG4bK1;rport
From: <sip:alice@localhost>;tag=a
To: <sip:bob@localhost>
Call-ID: c1
CSeq: 2 SUBSCRIBE
Contact: <sip:alice@127.0.0.1:4001>
Max-Forwards: 70
Event: presence
Expires: 3600
Authorization: Digest username=\"alice\", realm=\"localhost\", nonce=\"SECRET\", \
uri=\"sip:bob@localhost\", response=\"SECRET\", algorithm=SHA-256, qop=auth-int, nc=00000001
Content-Length: 0

";

const CHALLENGE: &str = "SIP/2.0 401 Unauthorized
Via: SIP/2.0/UDP 127.0.0.1:4001;branch=z9hG4bK1;rport=4001
From: <sip:alice@localhost>;tag=a
To: <sip:bob@localhost>;tag=b
Call-ID: c1
CSeq: 1 SUBSCRIBE
WWW-Authenticate: Digest realm=\"localhost\", nonce=\"SECRET\", algorithm=SHA-256, qop=\"auth\"
WWW-Authenticate: Digest realm=\"localhost\", nonce=\"SECRET\", algorithm=MD5, qop=\"auth\"
Content-Length: 0

";

const WATCHERS: &str = "<?xml version=\"1.0\"?>\
<watcherinfo xmlns=\"urn:ietf:params:xml:ns:watcherinfo\" version=\"1\" state=\"partial\">\
<watcher-list resource=\"sip:bob@localhost\" package=\"presence\">\
<watcher id=\"w1\" status=\"pending\" event=\"subscribe\">sip:alice@localhost</watcher>\
</watcher-list></watcherinfo>";

fn notify() -> String {
    let head = "NOTIFY sip:bob@127.0.0.1:4002 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK0012
From: <sip:bob@localhost>;tag=b
To: <sip:bob@localhost>;tag=a
Call-ID: c2
CSeq: 3 NOTIFY
Contact: <sip:127.0.0.1:5060>
Max-Forwards: 70
Event: presence.winfo
Subscription-State: active;expires=3600
Content-Type: application/watcherinfo+xml";
    format!("{head}\nContent-Length: {}\n\n{WATCHERS}", WATCHERS.len())
}

#[test]
fn a_scene_is_drawn_in_three_columns_with_its_facts() {
    let mut ladder = ladder();
    let scene = [
        seen(Direction::In, 4001, 1_000_000, SUBSCRIBE),
        seen(Direction::Out, 4001, 1_000_012, CHALLENGE),
        seen(Direction::Out, 4002, 1_001_500, &notify()),
        seen(Direction::In, 4003, 1_002_000, "hello"),
    ];
    let mut drawn = vec![ladder.head("alice", "bob"), ladder.title(1, "a scene")];
    for (seen, message) in &scene {
        drawn.extend(ladder.message(seen, message.as_ref()));
    }
    drawn.push(ladder.told("bob", "watcher status=pending"));
    let expected = include_str!("scene.txt");
    assert_eq!(drawn.join("\n"), expected.trim_end_matches('\n'));
}

#[test]
fn credentials_are_mentioned_and_never_shown() {
    let mut ladder = ladder();
    for text in [SUBSCRIBE, CHALLENGE] {
        let (seen, message) = seen(Direction::In, 4001, 0, text);
        let lines = ladder.message(&seen, message.as_ref()).join("\n");
        assert!(lines.to_lowercase().contains("digest"), "{lines}");
        assert!(!lines.contains("SECRET"), "{lines}");
    }
}

#[test]
fn colour_changes_no_width() {
    let mut coloured = Ladder { colour: true, ..ladder() };
    let (seen, message) = seen(Direction::In, 4001, 0, SUBSCRIBE);
    let plain: Vec<String> = coloured
        .message(&seen, message.as_ref())
        .iter()
        .map(|line| {
            ["1", "2", "36", "0"]
                .iter()
                .fold(line.clone(), |line, code| line.replace(&format!("\u{1b}[{code}m"), ""))
        })
        .collect();
    assert_eq!(plain, ladder().message(&seen, message.as_ref()));
    assert!(plain.iter().all(|line| line.chars().count() == plain[0].chars().count()));
}

#[test]
fn what_is_too_long_is_cut() {
    let long = SUBSCRIBE
        .replace("sip:bob@localhost SIP", "sip:a-very-long-user-name-indeed@localhost SIP");
    let (seen, message) = seen(Direction::In, 4001, 0, &long);
    let line = &ladder().message(&seen, message.as_ref())[0];
    assert!(line.contains("a-very-long-u"), "{line}");
    assert!(line.contains('…'), "{line}");
}
