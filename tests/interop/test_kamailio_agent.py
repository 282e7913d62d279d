"""Our agent with Kamailio as its server: another presence agent, registrar and message store, which
knows nothing of direct media and takes decisions about watchers over XCAP only."""

import pytest

from kamailio import Kamailio
from rig.documents import Watchers, pidf, presence
from rig.phone import Phone
from rig.presently import DOMAIN, Agent, password

LACKS = [
    (
        "Kamailio",
        "agent",
        "decides about watchers",
        "Kamailio takes pres-rules over XCAP only; the agent says `decided` with status 489",
    ),
]

DESK = "at my desk"


def row(what, note=""):
    """A row of README.md's table."""
    return pytest.mark.feature("Kamailio", "agent", what, note=note)


@pytest.fixture
def kamailio(scene):
    """A Kamailio with the accounts of a scene."""
    return scene.started(Kamailio(scene.folder, scene.host, ["alice", "bob", "carol"]))


@pytest.fixture
def phone(scene, kamailio):
    """A maker of raw SIP users, who see what Kamailio makes of our agent."""
    made = []

    def make(name):
        at = (kamailio.host, kamailio.port)
        made.append(Phone(name, password(name), at, scene.host, DOMAIN))
        return made[-1]

    yield make
    for each in made:
        each.close()


def bindings(phone):
    """The contacts that are registered."""
    return phone.register(contact="").every("contact")


def document(watch, accepts):
    """The next watcher document that `accepts`."""
    notify = watch.until(lambda each: each.body and accepts(Watchers(each.body)))
    assert notify is not None, "no such watcher document"
    return Watchers(notify.body)


def watching(scene, kamailio, allow=("alice",)):
    """bob, who publishes and asks for his watchers, and alice, who watches him."""
    bob = scene.agent("bob", kamailio)
    bob.send("winfo")
    bob.send(f"presence open {DESK}")
    bob.event("published")
    kamailio.decide("bob", dict.fromkeys(allow, "allow"))
    alice = scene.agent("alice", kamailio)
    alice.send("watch bob")
    alice.event("subscription", state="active" if "alice" in allow else "pending")
    return alice, bob


@row("registers with digest MD5")
def test_it_registers_and_is_told_when_it_may_not(scene, kamailio, phone):
    scene.agent("alice", kamailio)
    assert len(bindings(phone("alice"))) == 1
    mallory = scene.started(Agent(scene.folder, "mallory", kamailio.address, scene.host))
    mallory.event("register-failed")


@row("publishes, modifies and removes its presence")
def test_its_presence_is_seen(scene, kamailio, phone):
    kamailio.decide("bob", {"carol": "allow"})
    carol = phone("carol").subscribe(f"sip:bob@{DOMAIN}")
    carol.next()
    bob = scene.agent("bob", kamailio)
    for said in (f"open {DESK}", "closed at lunch"):
        basic, note = said.split(" ", 1)
        bob.send(f"presence {said}")
        bob.event("published")
        shown = carol.until(lambda it, note=note: note.encode() in it.body)
        assert shown is not None and presence(shown.body) == f"{basic} “{note}”"
    bob.log_out()
    gone = carol.until(lambda it: it.body and b"at lunch" not in it.body)
    assert gone is not None and presence(gone.body) == "closed"


@row("subscribes presence, is pending, is approved, unsubscribes")
def test_its_subscription_waits_for_approval(scene, kamailio):
    alice, bob = watching(scene, kamailio, allow=())
    kamailio.decide("bob", {"alice": "allow"})
    alice.event("subscription", state="active")
    alice.event("presence", basic="open", note=DESK)
    bob.send("presence closed at lunch")
    alice.event("presence", basic="closed", note="at lunch")
    alice.send("unwatch bob")
    alice.event("subscription", state="terminated")


@row("is refused")
def test_its_subscription_is_refused(scene, kamailio):
    alice, _bob = watching(scene, kamailio, allow=())
    kamailio.decide("bob", {"alice": "block"})
    alice.event("subscription", state="terminated", reason="rejected")


@row("fetches")
def test_it_asks_once(scene, kamailio, phone):
    kamailio.decide("bob", {"alice": "allow"})
    bob = phone("bob")
    bob.publish(pidf(bob.aor, ("desk", "open", DESK)))
    alice = scene.agent("alice", kamailio)
    alice.send("fetch bob")
    alice.event("presence", basic="open", note=DESK)
    alice.event("subscription", state="terminated")


@row("refreshes its subscription")
def test_its_subscription_is_refreshed(scene, kamailio, phone):
    kamailio.decide("bob", {"alice": "allow"})
    bob = phone("bob")
    watchers = bob.subscribe(bob.aor, event="presence.winfo")
    alice = scene.agent("alice", kamailio)
    alice.send("watch bob 4")
    # Kamailio tells the owner of each refresh; with the third the first four seconds are over.
    for _refresh in range(4):
        document(watchers, lambda it: it.row("alice", "active"))
    bob.publish(pidf(bob.aor, ("desk", "open", DESK)))
    alice.event("presence", basic="open", note=DESK)


@row(
    "subscribes presence.winfo and sees its watchers come and go",
    note="Kamailio does not say that a watcher was approved; `winfo` once more brings it",
)
def test_it_sees_its_watchers(scene, kamailio):
    alice, bob = watching(scene, kamailio, allow=())
    bob.event("watcher", uri=alice.aor, status="pending")
    kamailio.decide("bob", {"alice": "allow"})
    alice.event("subscription", state="active")
    bob.send("winfo")
    bob.event("watcher", uri=alice.aor, status="active")
    alice.send("unwatch bob")
    bob.event("watcher", uri=alice.aor, status="terminated")


@row("exchanges messages, online and while the receiver is away")
def test_messages_pass(scene, kamailio):
    alice, bob = scene.agent("alice", kamailio), scene.agent("bob", kamailio)
    for sender, receiver, text in ((alice, bob, "lunch?"), (bob, alice, "at one")):
        sender.send(f"message {receiver.aor} {text}")
        receiver.event("message", **{"from": sender.aor, "text": text})
        sender.event("message-status", state="delivered", status=200)
    bob.log_out()
    alice.send("message bob are you there?")
    alice.event("message-status", state="stored", status=202)
    bob = scene.agent("bob", kamailio)
    bob.event("message", **{"from": alice.aor, "text": "are you there?"})
    alice.send("message nobody hello?")
    alice.event("message-status", state="failed", status=404)


@row("exchanges messages with a phone that is not ours")
def test_messages_pass_to_and_from_a_raw_phone(scene, kamailio, phone):
    alice, carol = scene.agent("alice", kamailio), phone("carol")
    carol.register()
    alice.send("message carol lunch?")
    assert carol.next("MESSAGE").body == b"lunch?"
    alice.event("message-status", state="delivered", status=200)
    assert carol.message(alice.aor, "at one").status == 200
    alice.event("message", **{"from": carol.aor, "text": "at one"})


@row("without direct media: nothing is offered, nothing breaks")
def test_no_direct_media_is_offered(scene, kamailio, phone):
    carol = phone("carol").subscribe(f"sip:bob@{DOMAIN}")
    alice, bob = watching(scene, kamailio, allow=("alice", "carol"))
    alice.event("presence", basic="open", note=DESK)
    bob.send("offer audio ready")
    alice.event("offer", media="audio", mode="off")
    shown = carol.until(lambda it: b"-audio" in it.body)
    assert shown is not None
    for secret in (b"secret", b"access", b"token>", b"ready"):
        assert secret not in shown.body, shown.body
    bob.send("presence open in a meeting")
    alice.event("presence", basic="open", note="in a meeting")
    bob.send("allow carol")
    bob.event("decided", status=489)
    alice.never('"mode":"(ready|busy)"')


@row("calls through it: sound both ways, held and taken back, hung up; given up")
def test_a_call_goes_through_it(scene, kamailio):
    alice, bob = scene.agent("alice", kamailio), scene.agent("bob", kamailio)
    alice.send("call bob audio")
    alice.event("call", state="ringing")
    bob.send("answer")
    for one in (alice, bob):
        one.event("call", state="up")
        one.event("media", state="first-played", timeout=60)
    for order, ours, theirs in (("hold", "sendonly", "recvonly"), ("resume", *2 * ["sendrecv"])):
        bob.send(order)
        for one, direction in ((bob, ours), (alice, theirs)):
            (stream,) = one.event("call", state="up", timeout=60)["streams"]
            assert stream["direction"] == direction
    bob.send("hangup")
    alice.event("call", state="ended")
    alice.send("call bob audio")
    bob.event("call", state="incoming")
    alice.send("hangup")
    bob.event("call", state="ended", reason="the caller gave up")


@row("logs out in order")
def test_nothing_is_left_after_it_logs_out(scene, kamailio, phone):
    alice, bob = watching(scene, kamailio)
    alice.event("presence", basic="open", note=DESK)
    alice.log_out()
    bob.event("watcher", uri=alice.aor, status="terminated")
    bob.log_out()
    watchers = phone("bob").subscribe(bob.aor, event="presence.winfo")
    assert document(watchers, lambda it: it.state == "full").rows == []
    assert bindings(phone("alice")) == [] and bindings(phone("bob")) == []
