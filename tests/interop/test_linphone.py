"""Linphone against our server: everything that its console can do."""

import pytest

from linphone.phone import Linphone
from rig.presently import DOMAIN
from rig.sound import pitch

LACKS = [
    ("Linphone", "server", "watcher information", "has no such package; approves nobody"),
]


def feature(what, note=""):
    return pytest.mark.feature("Linphone", "server", what, note=note)


def open_server(scene, *users):
    """Our server, where everybody may watch everybody."""
    return scene.server(*users, flags=("--default-policy", "allow"))


@feature("registers with digest SHA-256")
def test_it_registers_with_the_strongest_digest(scene):
    alice = Linphone(scene, "alice", scene.server("alice"))
    alice.sip("^REGISTER ", "^Authorization: .*algorithm=SHA-256.*nc=00000001, qop=auth$")
    alice.registered()


@feature("registers with digest MD5", note="`sha256 = false`")
def test_it_registers_with_md5(scene):
    server = scene.server("alice", settings="[digest]\nsha256 = false\n")
    alice = Linphone(scene, "alice", server)
    alice.sip("^REGISTER ", "^Authorization: .*algorithm=MD5")
    alice.registered()


@feature("a wrong password is refused")
def test_a_wrong_password_is_refused(scene):
    server = scene.server("alice", "bob")
    alice = Linphone(scene, "alice", server, secret="guessed")
    alice.expect("authentication fails")
    alice.expect(r"moving from state \[.*\] to \[LinphoneRegistrationFailed\]")
    alice.never(r"^SIP/2.0 200 ")
    bob = scene.agent("bob", server)
    bob.send("message alice anybody?")
    bob.event("message-status", state="stored")


@feature("offers GRUU, is granted none, and uses the contact it has")
def test_it_does_without_gruu(scene):
    server = open_server(scene, "alice", "bob")
    alice = Linphone(scene, "alice", server, ["bob"])
    offered = alice.sip("^REGISTER ", "^Supported: .*gruu", r"^Contact: .*\+sip.instance=", "^Auth")
    granted = alice.sip("^SIP/2.0 200 ", r"^CSeq: \d+ REGISTER", r"^Contact: .*\+sip.instance=")
    assert "gruu" not in granted and offered
    alice.sip("^SUBSCRIBE ", r"^Contact: <sip:alice@[\d.]+:\d+;transport=udp>", "^Authorization")
    alice.sip("^NOTIFY ", "^Subscription-State: active")


@feature("subscribes, is pending, is approved, is blocked")
def test_it_waits_for_approval(scene):
    server = scene.server("alice", "bob")
    bob = scene.agent("bob", server)
    bob.send("presence open at my desk")
    bob.send("winfo")
    alice = Linphone(scene, "alice", server, ["bob"])
    pending = alice.sip("^NOTIFY ", "^Subscription-State: pending")
    assert "<basic>" not in pending
    watcher = bob.event("watcher", status="pending")
    assert watcher["uri"] == alice.aor
    bob.send("allow alice")
    active = alice.sip("^NOTIFY ", "^Subscription-State: active", "<basic>")
    assert "at my desk" in active
    alice.expect("^(linphonec> )?Friend .*sip:bob@.* is Online")
    bob.event("watcher", status="active", cause="approved")
    bob.send("block alice")
    alice.sip("^NOTIFY ", "^Subscription-State: terminated;reason=rejected")
    alice.sip("^SIP/2.0 200 ", r"^CSeq: \d+ NOTIFY")
    bob.event("watcher", status="terminated", cause="rejected")


@feature("unsubscribes at exit", note="does not wait for the last NOTIFY")
def test_it_unsubscribes_at_exit(scene):
    server = open_server(scene, "alice", "bob")
    bob = scene.agent("bob", server)
    bob.send("winfo")
    alice = Linphone(scene, "alice", server, ["bob"])
    alice.sip("^NOTIFY ", "^Subscription-State: active")
    bob.event("watcher", status="active")
    alice.send("quit")
    alice.sip("^SUBSCRIBE ", "^Expires: 0")
    bob.event("watcher", status="terminated", cause="timeout")
    assert alice.wait() == 0


@feature("publishes, and another user sees it with Linphone's own elements")
def test_its_publication_is_seen(scene):
    server = open_server(scene, "alice", "bob")
    alice = Linphone(scene, "alice", server, ["bob"]).registered()
    bob = Linphone(scene, "bob", server, publish=True)
    published = bob.sip("^PUBLISH ", "^Authorization: ")
    assert "<pidfonline:online/>" in published and 'contact priority="0.8"' in published
    seen = alice.sip("^NOTIFY ", "<basic>open", "<pidfonline:online ", 'contact priority="0.8"')
    assert "http://www.linphone.org/xsds/pidfonline.xsd" in seen
    alice.expect("^(linphonec> )?Friend .*sip:bob@.* is Online")


@feature("un-publishes at exit, without Content-Length")
def test_it_unpublishes_at_exit(scene):
    server = open_server(scene, "alice", "bob")
    bob = Linphone(scene, "bob", server, publish=True)
    bob.sip("^SIP/2.0 200 ", r"^CSeq: \d+ PUBLISH")
    alice = Linphone(scene, "alice", server, ["bob"])
    alice.sip("^NOTIFY ", "<pidfonline:online ")
    bob.send("quit")
    unpublished = bob.sip("^PUBLISH ", "^Expires: 0", "^SIP-If-Match: ", "^Authorization: ")
    assert "Content-" not in unpublished
    assert bob.wait() == 0
    left = alice.sip("^NOTIFY ", "^Subscription-State: active")
    assert "pidfonline" not in left
    alice.expect("^(linphonec> )?Friend .*sip:bob@.* is Offline")


@feature("messages both ways")
def test_two_phones_exchange_messages(scene):
    server = scene.server("alice", "bob")
    alice = Linphone(scene, "alice", server).registered()
    bob = Linphone(scene, "bob", server).registered()
    alice.send(f"chat {bob.aor} lunch?")
    bob.expect(f"Message received from {alice.aor}: lunch[?]")
    bob.send(f"chat {alice.aor} at twelve, käse")
    alice.expect(f"Message received from {bob.aor}: at twelve, käse")


@feature("asks for notifications in CPIM, gets IMDN back; bodies pass unchanged")
def test_delivery_is_notified_end_to_end(scene):
    server = scene.server("alice", "bob")
    alice = Linphone(scene, "alice", server, cpim=True).registered()
    bob = Linphone(scene, "bob", server, cpim=True).registered()
    alice.send(f"chat {bob.aor} lunch?")
    sent = alice.sip("^MESSAGE ", "^Content-Type: message/cpim", "^Proxy-Authorization")
    received = bob.sip("^MESSAGE ", "^Content-Type: message/cpim")
    assert _body(received) == _body(sent)
    assert "imdn.Disposition-Notification" in sent
    bob.expect(f"Message received from {alice.aor}: lunch[?]")
    bob.sip("^MESSAGE ", "^Content-Encoding: deflate", "^Proxy-Authorization")
    alice.sip("^MESSAGE ", "^Content-Encoding: deflate")
    alice.expect("moving from Delivered to DeliveredToUser")


@feature("a compressed notification waits for a sender who left")
def test_a_notification_waits_for_the_sender(scene):
    server = scene.server("alice", "bob")
    alice = Linphone(scene, "alice", server, cpim=True).registered()
    alice.send("chat sip:bob@presence.test lunch?")
    alice.sip("^SIP/2.0 202 ", r"^CSeq: \d+ MESSAGE")
    alice.quit()
    bob = Linphone(scene, "bob", server, cpim=True)
    bob.expect(f"Message received from {alice.aor}: lunch[?]")
    bob.sip("^MESSAGE ", "^Content-Encoding: deflate", "^Proxy-Authorization")
    bob.sip("^SIP/2.0 202 ", r"^CSeq: \d+ MESSAGE")
    alice = Linphone(scene, "alice", server, cpim=True)
    alice.sip("^MESSAGE ", "^Content-Encoding: deflate")
    alice.expect("moving from .* to DeliveredToUser")


@feature("unregisters at exit; what is sent meanwhile is kept until it is back")
def test_it_unregisters_and_comes_back(scene):
    server = scene.server("alice", "bob")
    alice = Linphone(scene, "alice", server).registered()
    bob = Linphone(scene, "bob", server).registered()
    alice.send("quit")
    alice.sip("^REGISTER ", "^Expires: 0")
    answer = alice.sip("^SIP/2.0 200 ", r"^CSeq: \d+ REGISTER")
    assert "Contact" not in answer
    assert alice.wait() == 0
    bob.send(f"chat {alice.aor} are you there?")
    bob.sip("^SIP/2.0 202 ", r"^CSeq: \d+ MESSAGE")
    alice = Linphone(scene, "alice", server)
    alice.expect(f"Message received from {bob.aor}: are you there[?]")


@feature("call through our proxy: PCMU, sound both ways")
def test_two_phones_call_each_other(scene):
    server = scene.server("alice", "bob")
    alice = Linphone(scene, "alice", server).registered()
    bob = Linphone(scene, "bob", server).registered()
    heard = {alice: (alice.sound(440), 880), bob: (bob.sound(880), 440)}
    alice.send(f"call {bob.aor}")
    alice.sip("^SIP/2.0 200 ", r"^CSeq: \d+ INVITE", r"^m=audio \d+ RTP/AVP 0 \d+$")
    for phone in heard:
        phone.expect("Media streams established")
    for phone in heard:
        phone.expect(r"Stream #0 \(audio\) .* RTP : \[d=[1-9]")
    alice.send("terminate")
    for phone in heard:
        phone.expect(r"Call 1 with .* ended \(No error\)")
        phone.quit()
    for file, hertz in heard.values():
        assert pitch(file) == pytest.approx(hertz, abs=20)


@feature("sends its requests through us as outbound proxy: `Route` names the server")
def test_a_route_to_the_server_itself_is_taken_off(scene):
    server = scene.server("alice", "bob")
    alice = Linphone(scene, "alice", server).registered()
    bob = Linphone(scene, "bob", server).registered()
    alice.send(f"chat {bob.aor} hello")
    alice.sip("^MESSAGE sip:bob@presence.test ", f"^Route: <sip:{server.address};lr>$", "^Proxy-A")
    received = bob.sip("^MESSAGE ")
    assert "\nRoute: " not in received


def _body(message):
    return message.split("\n\n", 1)[1]
