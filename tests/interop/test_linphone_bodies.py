"""What Linphone's library can say and its console cannot, through our server: RPID, is-composing."""

import pytest

from linphone.phone import Core, Linphone

ON_THE_PHONE = 11


def feature(what, note=""):
    return pytest.mark.feature("Linphone", "server", what, note=note)


@feature("publishes RPID activities and notes, and another user sees them")
def test_activities_are_seen(scene):
    server = scene.server("alice", "bob", flags=("--default-policy", "allow"))
    alice = Linphone(scene, "alice", server, ["bob"]).registered()
    bob = Core(scene, "bob", server, publish=True).registered()
    bob.sip("^SIP/2.0 200 ", r"^CSeq: \d+ PUBLISH")
    bob.send(f"activity {ON_THE_PHONE} with the bank")
    bob.sip("^PUBLISH ", "^SIP-If-Match", "^Authorization", "<rpid:on-the-phone/>")
    seen = alice.sip("^NOTIFY ", "on-the-phone")
    assert seen
    alice.expect("^(linphonec> )?Friend .*sip:bob@.* is On the phone")


@feature("is-composing passes unchanged")
def test_it_tells_that_it_composes(scene):
    server = scene.server("alice", "bob")
    alice = Core(scene, "alice", server).registered()
    bob = Core(scene, "bob", server).registered()
    alice.send(f"chat {bob.aor} are you there?")
    bob.sip("^MESSAGE ", "are you there[?]")
    bob.send(f"compose {alice.aor}")
    said = bob.sip("^MESSAGE ", "^Content-Type: application/im-iscomposing[+]xml", "^Proxy-Auth")
    seen = alice.sip("^MESSAGE ", "^Content-Type: application/im-iscomposing[+]xml")
    assert said.split("\n\n", 1)[1] == seen.split("\n\n", 1)[1]
    alice.expect(f"^{bob.aor} is composing")
