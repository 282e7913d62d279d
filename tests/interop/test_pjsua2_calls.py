"""PJSIP (through pjsua2) against our server: messages and calls between two of its users."""

import pytest

from pjsua2_user import User, answered

PEER = "pjsua2"

# How many packets of sound of 20 ms have to go each way.
PACKETS = 20


def two(scene, settings=""):
    """Two users who are there."""
    server = scene.server("alice", "bob", settings=settings)
    alice = User(scene, "alice", server).log_in()
    return server, alice, User(scene, "bob", server).log_in()


@pytest.mark.feature(PEER, "server", "sends and receives messages")
def test_messages_go_both_ways(scene):
    server, alice, bob = two(scene)
    for sender, receiver in ((alice, bob), (bob, alice)):
        sender.send(f"message {receiver.aor} grüß dich")
        got = receiver.event("message", type="text/plain", text="grüß dich")
        assert sender.aor in got["sender"]
        sender.event("message-status", code=200, text="grüß dich")


@pytest.mark.feature(PEER, "server", "is told 202 when a message is kept, and gets it later")
def test_a_message_is_kept_for_who_is_away(scene):
    server = scene.server("alice", "bob")
    bob = User(scene, "bob", server).log_in()
    bob.send("message sip:alice@presence.test first")
    bob.event("message-status", code=202, text="first")
    bob.send("message sip:alice@presence.test second")
    bob.event("message-status", code=202, text="second")
    alice = User(scene, "alice", server)
    alice.event("message", text="first")
    alice.event("message", text="second")


@pytest.mark.feature(PEER, "server", "is told that nobody has a name")
def test_a_message_to_nobody_fails(scene):
    server = scene.server("bob")
    bob = User(scene, "bob", server).log_in()
    bob.send("message sip:nobody@presence.test hello?")
    bob.event("message-status", code=404)


@pytest.mark.feature(PEER, "server", "shows that somebody is typing")
def test_is_composing_is_passed_through(scene):
    server, alice, bob = two(scene)
    bob.send(f"typing {alice.aor} on")
    alice.event("typing", on=True)
    bob.send(f"typing {alice.aor} off")
    alice.event("typing", on=False)
    answered(server, "MESSAGE", 200, user="bob")
    answered(server, "MESSAGE", 200, user="bob")


@pytest.mark.feature(PEER, "server", "shows that somebody is typing")
def test_who_comes_later_is_not_told_who_typed(scene):
    server = scene.server("alice", "bob")
    bob = User(scene, "bob", server).log_in()
    bob.send("typing sip:alice@presence.test on")
    answered(server, "MESSAGE", 480, user="bob")
    bob.send("message sip:alice@presence.test hello")
    bob.event("message-status", code=202, text="hello")
    alice = User(scene, "alice", server)
    alice.event("message", text="hello")
    alice.never('"typing"')


@pytest.mark.feature(PEER, "server", "calls, talks, is hung up on")
def test_a_call_with_sound_both_ways(scene):
    server, alice, bob = two(scene)
    bob.send(f"call {alice.aor}")
    alice.event("ringing")
    bob.event("call", state="EARLY", code=180)
    alice.send("answer 200")
    alice.event("call", state="CONFIRMED")
    bob.event("call", state="CONFIRMED")
    for each in (alice, bob):
        each.send(f"hear {PACKETS}")
        each.event("heard")
    alice.send("hangup")
    bob.event("call", state="DISCONNECTED", code=200)
    alice.event("call", state="DISCONNECTED")
    answered(server, "INVITE", 200, user="bob")


@pytest.mark.feature(PEER, "server", "calls with every request going through the proxy")
def test_a_call_stays_on_the_recorded_route(scene):
    server, alice, bob = two(scene, settings="record_route = true\n")
    bob.send(f"call {alice.aor}")
    alice.event("ringing")
    alice.send("answer 200")
    alice.event("call", state="CONFIRMED")
    bob.event("call", state="CONFIRMED")
    bob.send("hangup")
    alice.event("call", state="DISCONNECTED", code=200)
    bob.event("call", state="DISCONNECTED", code=200)
    answered(server, "BYE", 200)


@pytest.mark.feature(PEER, "server", "calls, and gives up before it is answered")
def test_a_call_is_cancelled(scene):
    server, alice, bob = two(scene)
    bob.send(f"call {alice.aor}")
    alice.event("ringing")
    bob.event("call", state="EARLY", code=180)
    bob.send("hangup")
    alice.event("call", state="DISCONNECTED", code=487)
    bob.event("call", state="DISCONNECTED", code=487)


@pytest.mark.feature(PEER, "server", "calls somebody who is busy, who declines, who is away")
def test_a_call_fails_with_its_reason(scene):
    server = scene.server("alice", "bob", "carol")
    alice, bob, carol = (User(scene, name, server).log_in() for name in ("alice", "bob", "carol"))
    bob.send(f"call {alice.aor}")
    alice.event("ringing")
    alice.send("answer 200")
    bob.event("call", state="CONFIRMED")
    carol.send(f"call {alice.aor}")
    carol.event("call", state="DISCONNECTED", code=486)
    alice.send("hangup")
    bob.event("call", state="DISCONNECTED")
    carol.send(f"call {bob.aor}")
    bob.event("ringing")
    bob.send("answer 603")
    carol.event("call", state="DISCONNECTED", code=603)
    bob.log_out()
    carol.send(f"call {bob.aor}")
    carol.event("call", state="DISCONNECTED", code=480)
