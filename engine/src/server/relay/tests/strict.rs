//! Strict routers, before us and behind us (RFC 3261 §16.4, §16.6).

use super::super::rig::{Rig, request};
use super::super::strict_routing_undone;
use crate::message::{Method, Name, Request};

fn bye(target: &str, routes: &str) -> Request {
    request(&format!(
        "BYE {target} SIP/2.0\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-s\n\
         Max-Forwards: 70\n\
         {routes}\
         From: <sip:alice@example.org>;tag=al\n\
         To: <sip:bob@example.org>;tag=desk\n\
         Call-ID: call@alice\n\
         CSeq: 2 BYE\n\
         Content-Length: 0\n\n"
    ))
}

fn routes(request: &Request) -> Vec<&str> {
    request.list(Name::Route).collect()
}

#[test]
fn a_strict_router_behind_us_gets_its_own_uri_and_the_real_one_as_last_route() {
    let mut rig = Rig::new(&[]);
    let route = "Route: <sip:192.0.2.100;lr>, <sip:192.0.2.50:5070>\nRoute: <sip:far.org;lr>\n";
    rig.alice(&bye("sip:bob@192.0.2.11:5060", route));
    let got = rig.got("edge", Method::Bye);
    assert_eq!(got.uri(), "sip:192.0.2.50:5070");
    assert_eq!(routes(got), ["<sip:far.org;lr>", "<sip:bob@192.0.2.11:5060>"]);
}

#[test]
fn a_strict_router_that_is_the_last_one_gets_a_route_of_one_value() {
    let mut rig = Rig::new(&[]);
    rig.alice(&bye("sip:bob@192.0.2.11", "Route: <sip:192.0.2.50:5070;x=1>\n"));
    let got = rig.got("edge", Method::Bye);
    assert_eq!(got.uri(), "sip:192.0.2.50:5070;x=1");
    assert_eq!(routes(got), ["<sip:bob@192.0.2.11>"]);
}

#[test]
fn what_a_strict_router_before_us_did_is_undone() {
    let rig = Rig::new(&[]);
    let undone =
        |target: &str, routes: &str| strict_routing_undone(&rig.config, &bye(target, routes));
    let ours = "sip:192.0.2.100:5060;lr";
    let meant =
        undone(ours, "Route: <sip:a.org;lr>\nRoute: <sip:b.org;lr>, <sip:bob@192.0.2.11>\n");
    let meant = meant.expect("our Record-Route");
    assert_eq!(meant.uri(), "sip:bob@192.0.2.11");
    assert_eq!(routes(&meant), ["<sip:192.0.2.100:5060;lr>", "<sip:a.org;lr>", "<sip:b.org;lr>"]);
    let meant = undone(ours, "Route: <sip:bob@192.0.2.11>\n").expect("our Record-Route");
    assert_eq!(routes(&meant), ["<sip:192.0.2.100:5060;lr>"]);
    assert_eq!(undone(ours, ""), None, "nowhere else to go");
    assert_eq!(undone("sip:192.0.2.100:5060", "Route: <sip:b@a.org>\n"), None, "never one of ours");
    assert_eq!(undone("sip:x.org;lr", "Route: <sip:b@a.org>\n"), None, "somebody else's");
    assert_eq!(undone("sip:bob@example.org;lr", "Route: <sip:b@a.org>\n"), None, "an account");
    assert_eq!(undone(ours, "Route: nonsense\n"), None);
}
