use super::*;
use crate::testing::peer;

#[test]
fn every_slot_has_one_shard_and_neighbours_share_it() {
    for shards in [1, 2, 3, 7, 16, 4096] {
        let owners: Vec<_> = (0..Slot::COUNT).map(|slot| shard_of(Slot(slot), shards)).collect();
        assert_eq!((owners[0], owners[4095]), (0, shards - 1));
        assert!(owners.is_sorted());
        let most = (0..shards).map(|shard| owners.iter().filter(|o| **o == shard).count()).max();
        assert!(most.unwrap() <= 4096_usize.div_ceil(shards), "{shards} shards: {most:?}");
    }
}

type Inbox = mpsc::Receiver<Input<()>>;

fn router(shards: usize, room: usize) -> (Router<()>, Vec<Inbox>, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::default());
    let (senders, receivers) = (0..shards).map(|_| mpsc::channel(room)).unzip();
    (Router::new(senders, metrics.clone()), receivers, metrics)
}

fn request(method: &str, uri: &str, to: &str) -> Bytes {
    let text = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK1\r\n\
         From: <sip:bob@example.org>;tag=1\r\nTo: <{to}>\r\nCall-ID: 1\r\n\
         CSeq: 1 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    Bytes::from(text)
}

#[test]
fn a_request_goes_to_the_shard_of_its_user() {
    let (router, mut inboxes, _) = router(4, 8);
    for user in ["alice", "bob", "carol", "dave", "erin", "frank"] {
        let shard = shard_of(Slot::of_user(user), 4);
        let aor = format!("sip:{user}@example.org");
        router.route(peer(1), request("MESSAGE", &aor, "sip:x@example.org"));
        router.route(peer(1), request("REGISTER", "sip:example.org", &aor));
        for method in ["MESSAGE", "REGISTER"] {
            let input = inboxes[shard].try_recv().expect("it came to its shard");
            let Input::Message { from, message } = input else { panic!("{input:?}") };
            assert_eq!(from, peer(1));
            assert!(message.headers().bytes().starts_with(method.as_bytes()));
        }
    }
    assert!(inboxes.iter_mut().all(|inbox| inbox.try_recv().is_err()));
}

#[test]
fn what_is_no_message_goes_to_the_first_shard_as_it_came() {
    let (router, mut inboxes, metrics) = router(4, 8);
    for bytes in [&b""[..], b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\xff\x00\xfe"] {
        router.route(peer(1), Bytes::copy_from_slice(bytes));
        let input = inboxes[0].try_recv().expect("it came to the first shard");
        assert_eq!(input, Input::Packet { from: peer(1), bytes: Bytes::copy_from_slice(bytes) });
    }
    assert_eq!(metrics.parse_failures.value(), 4);
}

#[test]
fn a_full_inbox_drops_and_counts() {
    let (router, mut inboxes, metrics) = router(1, 2);
    for _ in 0..5 {
        router.hand_over(0, Input::Tick);
    }
    assert_eq!(metrics.inbox_overflow.value(), 3);
    assert_eq!(inboxes[0].try_recv(), Ok(Input::Tick));
    router.hand_over(0, Input::Tick);
    assert_eq!(metrics.inbox_overflow.value(), 3, "there was room again");
}
