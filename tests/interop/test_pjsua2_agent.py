"""PJSIP (through pjsua2) against our agent, both users of our server."""

import pytest

from pjsua2_user import User, answered

PEER = "pjsua2"

AS_IT_STANDS = "PJSIP does not decode XML's entities: it shows `tea &amp; cake`"

LACKS = [
    (PEER, "agent", "sees direct-media offers", "PJSIP does not know our PIDF extension"),
]


def pair(scene, *flags):
    """`pj` is a user of PJSIP, `ours` an agent; the policy lets everybody watch everybody."""
    server = scene.server("pj", "ours", flags=["--default-policy", "allow"])
    return server, User(scene, "pj", server, *flags).log_in(), scene.agent("ours", server)


@pytest.mark.feature(PEER, "agent", "sees the presence and the note of our agent")
def test_it_sees_the_presence_of_our_agent(scene):
    server, pj, ours = pair(scene)
    ours.send("presence open at my desk")
    ours.event("published")
    pj.send(f"watch {ours.aor}")
    pj.event("buddy", subscription="ACTIVE", online=True, note="at my desk")
    ours.send("presence closed back at two")
    pj.event("buddy", subscription="ACTIVE", online=False, note="back at two")
    ours.send("presence open")
    pj.event("buddy", online=True)
    ours.log_out()
    pj.event("buddy", online=False)


@pytest.mark.feature(PEER, "agent", "sees `&` and `<` in a note", lacks=AS_IT_STANDS)
def test_a_note_is_shown_as_xml_writes_it(scene):
    server, pj, ours = pair(scene)
    ours.send("presence open tea & <cake>")
    ours.event("published")
    pj.send(f"watch {ours.aor}")
    pj.event("buddy", online=True, note="tea &amp; &lt;cake&gt;")


@pytest.mark.feature(PEER, "agent", "is seen by our agent, with its note")
def test_our_agent_sees_its_presence(scene):
    server, pj, ours = pair(scene, "--publish")
    ours.send(f"watch {pj.aor}")
    pj.send("online at my desk")
    ours.event("presence", aor=pj.aor, basic="open", note="at my desk")
    pj.send("offline")
    ours.event("presence", aor=pj.aor, basic="closed")
    pj.send("online")
    ours.event("presence", aor=pj.aor, basic="open")
    pj.log_out()
    ours.event("presence", aor=pj.aor, basic="closed")


@pytest.mark.feature(PEER, "agent", "sees nothing when our agent blocks it politely")
def test_polite_blocking_looks_like_being_away(scene):
    server, pj, ours = pair(scene)
    ours.send("presence open at my desk")
    ours.event("published")
    pj.send(f"watch {ours.aor}")
    pj.event("buddy", subscription="ACTIVE", online=True, note="at my desk")
    ours.send("polite pj")
    pj.event("buddy", subscription="ACTIVE", online=False, note="")


@pytest.mark.feature(PEER, "agent", "messages both ways")
def test_messages_go_both_ways(scene):
    server, pj, ours = pair(scene)
    pj.send(f"message {ours.aor} grüß dich")
    ours.event("message", text="grüß dich")
    pj.event("message-status", code=200, text="grüß dich")
    ours.send(f"message {pj.aor} und dich")
    pj.event("message", type="text/plain", text="und dich")
    ours.event("message-status", state="delivered")


@pytest.mark.feature(PEER, "agent", "types: our agent shows nothing")
def test_typing_is_no_message_to_our_agent(scene):
    server, pj, ours = pair(scene)
    pj.send(f"typing {ours.aor} on")
    answered(server, "MESSAGE", 200, user="pj")
    pj.send(f"message {ours.aor} done")
    ours.event("message", text="done")
    ours.never("iscomposing")
