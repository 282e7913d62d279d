use super::*;
use crate::testing::peer;
use std::future::Future;
use std::task::Poll;

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

#[tokio::test]
async fn a_request_goes_to_the_shard_of_its_user() {
    let (router, mut inboxes, _) = router(4, 8);
    for user in ["alice", "bob", "carol", "dave", "erin", "frank"] {
        let shard = shard_of(Slot::of_user(user), 4);
        let aor = format!("sip:{user}@example.org");
        router.route(peer(1), request("MESSAGE", &aor, "sip:x@example.org")).await;
        router.route(peer(1), request("REGISTER", "sip:example.org", &aor)).await;
        for method in ["MESSAGE", "REGISTER"] {
            let input = inboxes[shard].try_recv().expect("it came to its shard");
            let Input::Message { from, message } = input else { panic!("{input:?}") };
            assert_eq!(from, peer(1));
            assert!(message.headers().bytes().starts_with(method.as_bytes()));
        }
    }
    assert!(inboxes.iter_mut().all(|inbox| inbox.try_recv().is_err()));
}

#[tokio::test]
async fn what_is_no_message_goes_to_the_first_shard_as_it_came() {
    let (router, mut inboxes, metrics) = router(4, 8);
    for bytes in [&b""[..], b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\xff\x00\xfe"] {
        router.route(peer(1), Bytes::copy_from_slice(bytes)).await;
        let input = inboxes[0].try_recv().expect("it came to the first shard");
        assert_eq!(input, Input::Packet { from: peer(1), bytes: Bytes::copy_from_slice(bytes) });
    }
    assert_eq!(metrics.parse_failures.value(), 4);
}

/// A message for whoever owns `user`.
fn to(user: &str) -> Bytes {
    request("MESSAGE", &format!("sip:{user}@example.org"), "sip:x@example.org")
}

/// Two users of different shards of two.
const FIRST: &str = "alice";
const OTHER: &str = "bob";

#[tokio::test]
async fn a_full_inbox_among_others_drops_and_counts() {
    let shard = |user| shard_of(Slot::of_user(user), 2);
    assert_ne!(shard(FIRST), shard(OTHER));
    let (router, mut inboxes, metrics) = router(2, 2);
    for _ in 0..5 {
        router.route(peer(1), to(FIRST)).await;
    }
    assert_eq!(metrics.inbox_overflow.value(), 3);
    router.route(peer(1), to(OTHER)).await;
    inboxes[shard(OTHER)].try_recv().expect("the other shard has room");
    inboxes[shard(FIRST)].try_recv().expect("it came before there were too many");
    router.route(peer(1), to(FIRST)).await;
    assert_eq!(metrics.inbox_overflow.value(), 3, "there was room again");
}

#[tokio::test]
async fn newcomers_leave_room_for_those_who_are_in() {
    let (router, mut inboxes, metrics) = router(1, 8);
    for _ in 0..20 {
        router.route(peer(1), to(FIRST)).await;
    }
    assert_eq!((inboxes[0].len(), metrics.inbox_overflow.value()), (7, 13));
    let newcomer = String::from_utf8(to(FIRST).to_vec()).expect("text");
    let within = Bytes::from(newcomer.replace("<sip:x@example.org>", "<sip:x@example.org>;tag=2"));
    router.route(peer(1), within.clone()).await;
    let last = std::iter::from_fn(|| inboxes[0].try_recv().ok()).last();
    let Some(Input::Message { message, .. }) = last else { panic!("{last:?}") };
    assert_eq!(*message.headers().bytes(), within);
}

#[tokio::test]
async fn when_all_inboxes_are_full_nothing_is_received_and_nothing_is_dropped() {
    let (router, mut inboxes, metrics) = router(1, 2);
    router.route(peer(1), to(FIRST)).await;
    router.route(peer(1), to(FIRST)).await;
    let mut third = std::pin::pin!(router.route(peer(1), to(FIRST)));
    let waits = std::future::poll_fn(|cx| Poll::Ready(third.as_mut().poll(cx).is_pending()));
    assert!(waits.await);
    inboxes[0].try_recv().expect("one of two");
    third.await;
    assert_eq!(inboxes[0].len(), 2);
    assert_eq!(metrics.inbox_overflow.value(), 0);
}
