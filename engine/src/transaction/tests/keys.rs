//! Which requests are the same, and what a branch of ours looks like.

use super::*;

fn key(request: &Request) -> ServerKey {
    Transactions::<()>::key(&SECRET, request, request.method())
}

fn via(value: &str) -> ServerKey {
    key(&with_via("MESSAGE", value, ""))
}

#[test]
fn the_branch_names_the_transaction_and_other_via_parameters_do_not() {
    let plain = via("SIP/2.0/UDP host.example;branch=z9hG4bK1");
    assert_eq!(via("SIP/2.0/UDP host.example:5060;rport;branch=z9hG4bK1"), plain);
    assert_eq!(via("SIP/2.0/UDP HOST.Example;branch=z9hG4bK1;received=192.0.2.1"), plain);
    assert_ne!(via("SIP/2.0/UDP host.example;branch=z9hG4bK2"), plain);
    assert_ne!(via("SIP/2.0/UDP host.example:5061;branch=z9hG4bK1"), plain);
    assert_ne!(via("SIP/2.0/UDP other.example;branch=z9hG4bK1"), plain);
    assert_ne!(
        via("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
        via("SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK1")
    );
}

#[test]
fn the_method_tells_transactions_apart_but_ack_means_its_invite() {
    let [invite, ack, cancel, bye] =
        ["INVITE", "ACK", "CANCEL", "BYE"].map(|method| request(method, "z9hG4bK1"));
    assert_eq!(key(&invite), key(&ack));
    assert_ne!(key(&invite), key(&cancel));
    assert_ne!(key(&invite), key(&bye));
    assert_eq!(Transactions::<()>::key(&SECRET, &cancel, Method::Invite), key(&invite));
    let [zig, zag] = ["ZIG", "ZAG"].map(|method| request(method, "z9hG4bK1"));
    assert_ne!(key(&zig), key(&zag));
}

#[test]
fn another_request_that_reuses_a_branch_is_new() {
    let text = "MESSAGE sip:bob@example.org SIP/2.0\n\
                Via: SIP/2.0/UDP host.example:5061;branch=z9hG4bK1;rport\n\
                From: <sip:eve@example.org>;tag=e1\nTo: <sip:bob@example.org>\n\
                Call-ID: MESSAGE-call\nCSeq: 7 MESSAGE\nContent-Length: 0\n\n";
    let mut world = World::new();
    world.open(&request("MESSAGE", "z9hG4bK1"));
    assert!(matches!(world.arrive(&parse(text)), Arrival::New(_)));
}

#[test]
fn without_the_cookie_the_whole_via_and_the_request_uri_count() {
    let old = via("SIP/2.0/UDP host.example;branch=1");
    assert_eq!(via("SIP/2.0/UDP host.example;branch=1"), old);
    assert_ne!(via("SIP/2.0/UDP host.example;branch=2"), old);
    assert_ne!(via("SIP/2.0/UDP host.example"), old);
    let request = with_via("MESSAGE", "SIP/2.0/UDP host.example;branch=1", "");
    let text = std::str::from_utf8(request.bytes()).unwrap();
    let elsewhere = text.replacen("sip:bob@", "sip:carol@", 1).replace("\r\n", "\n");
    assert_ne!(key(&parse(&elsewhere)), old);
}

#[test]
fn only_the_cookie_promises_a_unique_branch() {
    for (branch, unique) in [("z9hG4bK1", true), ("0123456789", false)] {
        let request = with_via("MESSAGE", &format!("SIP/2.0/UDP h.example;branch={branch}"), "");
        let text = std::str::from_utf8(request.bytes()).unwrap();
        let elsewhere = text.replacen("sip:bob@", "sip:carol@", 1).replace("\r\n", "\n");
        assert_eq!(key(&parse(&elsewhere)) == key(&request), unique, "{branch}");
    }
}

#[test]
fn an_old_client_acknowledges_with_the_to_tag_of_the_refusal() {
    let mut world = World::new();
    let via = "SIP/2.0/UDP host.example";
    let invite = with_via("INVITE", via, "");
    let key = world.open(&invite);
    world.answer(&invite, key, 486);
    assert_eq!(world.arrive(&with_via("ACK", via, "t")), Arrival::Absorbed);
    assert_eq!(world.states(), ["Confirmed"]);
}

#[test]
fn another_secret_gives_other_keys() {
    let request = request("MESSAGE", "z9hG4bK1");
    let other = Transactions::<()>::key(&Secret::new([8; 16]), &request, Method::Message);
    assert_ne!(key(&request), other);
}

#[test]
fn a_branch_of_ours_reads_back_and_nothing_else_does() {
    let ours = Branch { slot: Slot(0x0f3), id: Id(0x0123_4567_89ab_cdef) };
    let text = ours.to_string();
    assert_eq!(text, "z9hG4bK0f30123456789abcdef");
    assert_eq!(Branch::parse(&text), Some(ours));
    let foreign = [
        "",
        "z9hG4bK",
        "z9hG4bK0f3",
        "0f30123456789abcdef",
        "z9hG4bK+f30123456789abcdef",
        "z9hG4bK0f3+123456789abcdef",
        "z9hG4bK0F30123456789ABCDEF",
        "z9hG4bK0f30123456789abcdef0",
        "z9hG4bKé30123456789abcdef",
        "z9hG4bK0é0123456789abcdef",
    ];
    for text in foreign {
        assert_eq!(Branch::parse(text), None, "{text}");
    }
}
