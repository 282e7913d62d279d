"""SIPp plays one side of each flow that has no media; agents of ours play the other.

The scenarios (`sipp/t*.xml`) are plain SIPp files and say how they are run by hand. T6 to T8 are
about direct media, which SIPp knows nothing of.
"""

import re

import pytest

from rig import sipsak
from rig.net import exchange, free_port, until_bound
from rig.presently import DOMAIN, password
from rig.program import Program

# SIPp 3.6 reads the first challenge only and knows nothing but MD5. Subscriptions may be short.
SETTINGS = "[digest]\nsha256 = false\n[limits]\nsub_min = 1\nexpiry_grace_ms = 200\n"

LACKS = [
    ("SIPp", "server", "registers with digest SHA-256", "3.6.1 knows MD5 only: `sha256 = false`"),
    ("SIPp", "server", "T6 to T8: direct media", "knows no presence documents, no STUN"),
]


def flow(what, note=""):
    return pytest.mark.feature("SIPp", "server", what, note=note)


class Sipp(Program):
    """One SIPp user that plays a scenario once."""

    def __init__(self, scene, server, scenario, me, port=None):
        here = scene.request.path.parent
        super().__init__(
            f"sipp {scenario}",
            [
                *["sipp", server.address, "-sf", here / "sipp" / f"{scenario}.xml", "-m", "1"],
                *["-key", "me", me, "-key", "owner", "bob", "-key", "domain", DOMAIN],
                *["-au", me, "-ap", password(me), "-auth_uri", f"bob@{DOMAIN}"],
                *["-i", scene.host, "-p", port or free_port(scene.host), "-nostdin", "-timeout", "20s"],
                *["-trace_err", "-trace_msg", "-timeout_error"],
            ],
            cwd=scene.folder,
        )
        self.folder, self.scenario = scene.folder, scenario
        scene.started(self)

    def succeeds(self):
        """Waits for the end of the scenario; when it failed, says at which message."""
        status = self.wait(25)
        errors = "".join(it.read_text() for it in self.folder.glob(f"{self.scenario}_*_errors.log"))
        assert status == 0, f"{self.name} ended with {status}\n{errors}"

    def sent(self, start):
        """The messages it sent that start so, as it wrote them down."""
        trace = next(self.folder.glob(f"{self.scenario}_*_messages.log")).read_text()
        parts = re.split(r"(?m)^-{20,}.*\n", trace)
        sent = [it.split("\n\n", 1)[1] for it in parts if re.match(r"UDP message sent", it)]
        return [it for it in sent if it.startswith(start)]


@pytest.fixture
def bob(scene):
    """A server, and bob at it, who sees his watchers. The server is `bob.at`."""
    server = scene.server("alice", "bob", "carol", settings=SETTINGS)
    bob = scene.agent("bob", server)
    bob.at = server
    bob.send("winfo")
    bob.event("subscription", package="presence.winfo", state="active")
    return bob


@flow("T1: subscribes, is pending, is approved, refreshes, expires")
def test_t1_approval(scene, bob):
    bob.send("presence open at my desk")
    bob.event("published")
    alice = Sipp(scene, bob.at, "t1_watcher", "alice")
    bob.event("watcher", status="pending", cause="subscribe")
    bob.send("allow alice")
    bob.event("watcher", status="active", cause="approved")
    bob.event("watcher", status="terminated", cause="timeout")
    alice.succeeds()


@flow("T2: expires unapproved; approved meanwhile, is active at once")
def test_t2_expiry_unapproved(scene, bob):
    Sipp(scene, bob.at, "t2_waiting_watcher", "alice").succeeds()
    bob.event("watcher", status="waiting", cause="timeout")
    bob.send("allow alice")
    bob.event("watcher", status="terminated", cause="approved")
    bob.send("presence open")
    bob.event("published")
    Sipp(scene, bob.at, "t2_approved_watcher", "alice").succeeds()
    bob.event("watcher", status="active", cause="subscribe")


@flow("T3: a stranger fetches and learns nothing")
def test_t3_fetch_by_a_stranger(scene, bob):
    Sipp(scene, bob.at, "t3_fetch", "alice").succeeds()
    bob.event("watcher", status="waiting", cause="timeout")


@flow("T4: sees its own subscriptions in somebody else's watcher information, no others")
def test_t4_self_view(scene, bob):
    carol_sees = Sipp(scene, bob.at, "t4_self_view", "carol")
    bob.at.expect(answered("SUBSCRIBE", 200, "carol", "presence.winfo"))
    alice, carol = scene.agent("alice", bob.at), scene.agent("carol", bob.at)
    alice.send("watch bob")
    bob.event("watcher", status="pending")
    bob.send("allow alice")
    bob.event("watcher", status="active", cause="approved")
    carol.send("watch bob")
    carol_sees.succeeds()


@flow("T5: a winfo document refused with 500 is followed by a full one")
def test_t5_500_to_winfo(scene):
    server = scene.server("alice", "bob", settings=SETTINGS)
    bob = Sipp(scene, server, "t5_owner", "bob")
    server.expect(answered("SUBSCRIBE", 200, "bob", "presence.winfo"))
    alice = scene.agent("alice", server)
    alice.send("watch bob")
    alice.event("subscription", state="pending")
    alice.send("unwatch bob")
    alice.event("subscription", state="terminated")
    bob.succeeds()


@flow("T9: what it sent is replayed and changes nothing")
def test_t9_replay(scene, bob):
    bob.send("allow alice")
    bob.event("decided")
    alice = Sipp(scene, bob.at, "t9_sender", "alice")
    assert bob.event("message")["text"].strip() == "pay 10"
    bob.event("watcher", status="active", cause="subscribe")
    alice.succeeds()
    for kind in ("MESSAGE", "SUBSCRIBE"):
        request = next(it for it in alice.sent(kind) if "uthorization:" in it)
        # All that the digest does not cover is the replayer's to choose.
        request = re.sub(r"branch=\S+?(?=[;\r\n])", "branch=z9hG4bKreplayed", request)
        request = re.sub(r"Call-ID: .*", f"Call-ID: replayed-{kind}", request)
        answer = exchange(bob.at, request)
        assert re.search(r"SIP/2.0 40[17]", answer) and "stale=true" in answer, answer
    carol = scene.agent("carol", bob.at)
    carol.send("message bob the next thing that bob hears")
    told = bob.event("message")
    assert told["text"] == "the next thing that bob hears", told
    assert len([line for line in bob.lines if '"event":"watcher"' in line]) == 1


@flow("T10: a message for somebody away is accepted with 202, delivered at registration")
def test_t10_offline_message(scene):
    server = scene.server("alice", "bob", settings=SETTINGS)
    Sipp(scene, server, "t10_sender", "alice").succeeds()
    bob = scene.agent("bob", server)
    assert bob.event("message")["text"].strip() == "lunch?"


@flow("T10: registers, receives a stored message, answers late")
def test_t10_offline_message_answered_late(scene):
    server = scene.server("alice", "bob", settings=SETTINGS)
    alice = scene.agent("alice", server)
    alice.send("message bob lunch?")
    alice.event("message-status", state="stored")
    port = free_port(scene.host)
    receiver = Sipp(scene, server, "t10_receiver", "bob", port=port)
    until_bound(scene.host, port)
    contact = f"sip:bob@{scene.host}:{port}"
    assert sipsak.register(scene, server, "bob", contact).returncode == 0
    receiver.succeeds()
    bob = scene.agent("bob", server)
    alice.send("message bob afterwards")
    assert bob.event("message")["text"] == "afterwards"


@flow("T11: its subscription survives kill -9 of the server; its old nonce is stale")
def test_t11_server_restart(scene):
    server = scene.server("alice", "bob", settings=SETTINGS, data=True)
    bob = scene.agent("bob", server)
    bob.send("presence open before")
    bob.event("published")
    bob.send("allow alice")
    bob.event("decided")
    alice = Sipp(scene, server, "t11_watcher", "alice")
    alice.expect("^active$")
    server.kill_and_start_again()
    bob.send("presence open after")
    alice.succeeds()


@flow("T12: asks for the format of the drafts and gets it")
def test_t12_legacy_format(scene, bob):
    bob.send("presence open")
    bob.event("published")
    bob.send("allow alice")
    bob.event("decided")
    Sipp(scene, bob.at, "t12_legacy_watcher", "alice").succeeds()


def answered(method, status, user, package):
    """The server's log line of a request that it answered."""
    return rf'method="{method}" status={status} user="sip:{user}@.*package="{package}"'
