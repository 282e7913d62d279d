"""Linphone and our agent, through our server."""

import pytest

from linphone.phone import Linphone
from rig.presently import DOMAIN


def feature(what, note=""):
    return pytest.mark.feature("Linphone", "agent", what, note=note)


@feature("sees our presence, is approved by us")
def test_it_sees_our_agent(scene):
    server = scene.server("alice", "bob")
    bob = scene.agent("bob", server)
    bob.send("winfo")
    bob.send("presence open in the garden")
    alice = Linphone(scene, "alice", server, ["bob"])
    bob.event("watcher", status="pending")
    bob.send("allow alice")
    active = alice.sip("^NOTIFY ", "^Subscription-State: active", "<basic>open")
    assert "in the garden" in active
    alice.expect("^(linphonec> )?Friend .*sip:bob@.* is Online")
    bob.send("presence closed")
    alice.expect("^(linphonec> )?Friend .*sip:bob@.* is Offline")


@feature("its presence is seen by us")
def test_our_agent_sees_it(scene):
    server = scene.server("alice", "bob", flags=("--default-policy", "allow"))
    bob = scene.agent("bob", server)
    bob.send("watch alice")
    bob.event("subscription", target=f"sip:alice@{DOMAIN}", state="active")
    alice = Linphone(scene, "alice", server, publish=True)

    def published():
        seen = bob.event("presence", aor=alice.aor, basic="open")
        return [tuple["contact"] for tuple in seen["tuples"]]

    while published() != [alice.aor]:
        pass
    alice.quit()
    bob.event("presence", aor=alice.aor, basic="closed")


@feature("messages both ways")
def test_messages_with_our_agent(scene):
    server = scene.server("alice", "bob")
    bob = scene.agent("bob", server)
    alice = Linphone(scene, "alice", server).registered()
    alice.send(f"chat {bob.aor} lunch?")
    bob.event("message", text="lunch?", stored=False, **{"from": alice.aor})
    alice.sip("^SIP/2.0 200 ", r"^CSeq: \d+ MESSAGE")
    bob.send("message alice at twelve")
    alice.expect(f"Message received from {bob.aor}: at twelve")
    bob.event("message-status", state="delivered", target=alice.aor)


@feature("its compressed notifications are refused by us: 415")
def test_a_compressed_notification_is_refused_by_our_agent(scene):
    server = scene.server("alice", "bob")
    bob = scene.agent("bob", server)
    alice = Linphone(scene, "alice", server, cpim=True).registered()
    bob.send("message alice lunch?")
    alice.expect(f"Message received from {bob.aor}: lunch[?]")
    alice.sip("^MESSAGE ", "^Content-Encoding: deflate", "^Proxy-Authorization")
    refused = alice.sip("^SIP/2.0 4", r"^CSeq: \d+ MESSAGE")
    assert refused.startswith("SIP/2.0 415 "), refused
    bob.send("message alice still there?")
    alice.expect(f"Message received from {bob.aor}: still there[?]")
    bob.never('"event":"error"')


@feature("messages in CPIM are shown by us as they come")
def test_our_agent_reads_cpim(scene):
    server = scene.server("alice", "bob")
    bob = scene.agent("bob", server)
    alice = Linphone(scene, "alice", server, cpim=True).registered()
    alice.send(f"chat {bob.aor} lunch?")
    said = bob.event("message", content_type="message/cpim", **{"from": alice.aor})
    headers, content_headers, text = said["text"].split("\r\n\r\n")
    assert "imdn.Message-ID" in headers
    assert content_headers.startswith("Content-Type: text/plain")
    assert text == "lunch?"
