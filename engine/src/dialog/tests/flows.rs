//! By which flow a peer is reached: with NAT, without, through a proxy, and when it lies.

use super::*;

fn via(value: &str, contact: &str, from: &str) -> String {
    let request = parse(&format!(
        "REGISTER sip:example.org SIP/2.0\nVia: SIP/2.0/UDP {value}\n\
         From: <sip:bob@example.org>;tag=b1\nTo: <sip:bob@example.org>\nCall-ID: c1\n\
         CSeq: 1 REGISTER\nContent-Length: 0\n\n"
    ));
    let from = Peer { addr: from.parse().unwrap(), listener: 3 };
    let peer = reach(&request, contact, from);
    assert_eq!(peer.listener, 3);
    peer.addr.to_string()
}

#[test]
fn behind_a_nat_the_source_of_the_packet_reaches_the_phone() {
    let via = via("192.168.1.5:5060;branch=z9hG4bK1;rport", "sip:bob@192.168.1.5", "1.2.3.4:999");
    assert_eq!(via, "1.2.3.4:999");
}

#[test]
fn without_rport_the_phone_wants_its_own_port() {
    let via = via("192.0.2.5;branch=z9hG4bK1", "sip:bob@192.0.2.5:5060", "192.0.2.5:40000");
    assert_eq!(via, "192.0.2.5:5060");
}

#[test]
fn a_contact_by_name_that_is_also_the_via_follows_the_packet() {
    let via = via("Phone.example:5070;branch=z9hG4bK1", "sip:bob@phone.EXAMPLE:5070", "1.2.3.4:9");
    assert_eq!(via, "1.2.3.4:5070");
}

#[test]
fn a_contact_that_names_another_socket_is_believed() {
    let rport = "192.0.2.5:5060;branch=z9hG4bK1;rport";
    assert_eq!(via(rport, "sip:bob@192.0.2.5:5062", "192.0.2.5:5060"), "192.0.2.5:5062");
    assert_eq!(via(rport, "sip:bob@203.0.113.1", "192.0.2.5:5060"), "203.0.113.1:5060");
}

#[test]
fn a_name_or_something_unreadable_means_the_source() {
    let rport = "192.0.2.5:5060;branch=z9hG4bK1;rport";
    assert_eq!(via(rport, "sip:bob@phone.example", "192.0.2.5:5060"), "192.0.2.5:5060");
    assert_eq!(via(rport, "tel:+123", "192.0.2.5:5060"), "192.0.2.5:5060");
}

#[test]
fn an_address_that_cannot_be_sent_to_means_the_source() {
    let rport = "192.0.2.5:5060;branch=z9hG4bK1;rport";
    for host in ["0.0.0.0", "[::]", "[2001:db8::1]", "224.0.1.75"] {
        let contact = format!("sip:bob@{host}");
        assert_eq!(via(rport, &contact, "192.0.2.5:5060"), "192.0.2.5:5060", "{host}");
    }
    let six = "[2001:db8::5]:5060;branch=z9hG4bK1;rport";
    assert_eq!(via(six, "sip:bob@[2001:db8::6]", "[2001:db8::5]:5060"), "[2001:db8::6]:5060");
}

/// The proxy recorded itself, so the peer behind it is reached through it, whatever address the
/// peer's Contact shows.
#[test]
fn a_dialog_with_a_route_set_goes_through_its_first_router() {
    let lines = "Record-Route: <sip:192.168.1.5;lr>\nContact: <sip:bob@203.0.113.9>\n";
    let mut dialog = accepted(lines);
    assert_eq!(dialog.peer, source());
    let moved = "Contact: <sip:bob@203.0.113.10>\n";
    dialog.refresh_target(&request("SUBSCRIBE", 21, ";tag=1111222233334444", moved), source());
    assert_eq!(dialog.peer, source());
    assert_eq!(&*dialog.remote_target, "sip:bob@203.0.113.10");
}
