"""PJSIP (through pjsua2) against our server: subscriptions and publications. The other side is
another user of PJSIP, or an agent of ours where somebody has to decide."""

import pytest

from pjsua2_user import User, answered

PEER = "pjsua2"

NOT_ESCAPED = "PJSIP writes it into its XML as it is; the server answers 400 and names the line"

ALLOW = ["--default-policy", "allow"]


@pytest.mark.feature(PEER, "server", "subscribes, is pending, is approved, is blocked")
def test_a_watcher_is_pending_then_active_then_terminated(scene):
    server = scene.server("alice", "bob")
    alice = scene.agent("alice", server)
    alice.send("winfo")
    alice.send("presence open at my desk")
    alice.event("published")
    bob = User(scene, "bob", server).log_in()
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="PENDING", online=None, note="")
    alice.event("watcher", uri=bob.aor, status="pending")
    alice.send("allow bob")
    alice.event("watcher", uri=bob.aor, status="active", cause="approved")
    bob.event("buddy", subscription="ACTIVE", online=True, note="at my desk")
    alice.send("presence closed gone home")
    bob.event("buddy", subscription="ACTIVE", online=False)
    alice.send("block bob")
    alice.event("watcher", uri=bob.aor, status="terminated", cause="rejected")
    bob.event("buddy", subscription="TERMINATED", why="rejected")


@pytest.mark.feature(PEER, "server", "subscribes, is pending, is refused")
def test_a_watcher_is_pending_then_rejected(scene):
    server = scene.server("alice", "bob")
    alice = scene.agent("alice", server)
    alice.send("winfo")
    bob = User(scene, "bob", server).log_in()
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="PENDING")
    alice.event("watcher", uri=bob.aor, status="pending")
    alice.send("block bob")
    bob.event("buddy", subscription="TERMINATED", why="rejected")
    # Who was refused is refused at once the next time.
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="TERMINATED")


@pytest.mark.feature(PEER, "server", "publishes, and others see it")
def test_a_publication_is_seen_by_another_user(scene):
    server = scene.server("alice", "bob", flags=ALLOW)
    alice = User(scene, "alice", server, "--publish").log_in()
    alice.send("online at my desk")
    answered(server, "PUBLISH", 200, user="alice")
    bob = User(scene, "bob", server).log_in()
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="ACTIVE", online=True, note="at my desk")
    alice.send("online in a meeting")
    bob.event("buddy", online=True, note="in a meeting")
    alice.send("offline")
    bob.event("buddy", online=False)
    alice.send("online back")
    bob.event("buddy", online=True, note="back")


@pytest.mark.feature(PEER, "server", "publishes `&` or `<` in a note", lacks=NOT_ESCAPED)
def test_a_note_that_breaks_its_document_is_refused(scene):
    server = scene.server("alice", "bob", flags=ALLOW)
    alice = User(scene, "alice", server, "--publish").log_in()
    bob = User(scene, "bob", server).log_in()
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="ACTIVE", online=True, note="")
    alice.send("online tea & cake")
    answered(server, "PUBLISH", 400, user="alice")
    # After a refusal it publishes nothing until it registers again.
    alice.send("online tea and cake")
    alice.send("unregister")
    alice.event("registration", active=False)
    alice.send("register")
    answered(server, "PUBLISH", 200, user="alice")
    bob.event("buddy", online=True, note="tea and cake")
    alice.log_out()
    assert alice.wire(r"^Warning: 399 .*line \d+: ill-formed document")


@pytest.mark.feature(PEER, "server", "refreshes its subscription")
def test_a_subscription_is_refreshed_before_it_ends(scene):
    brief = "[limits]\nsub_min = 1\nsub_max = 7\n"
    server = scene.server("alice", "bob", settings=brief, flags=ALLOW)
    bob = User(scene, "bob", server).log_in()
    bob.send("watch sip:alice@presence.test")
    bob.event("buddy", subscription="ACTIVE")
    for _ in range(3):
        answered(server, "SUBSCRIBE", 200, user="bob")
    bob.never("TERMINATED")


@pytest.mark.feature(PEER, "server", "refreshes its publication")
def test_a_publication_is_refreshed_before_it_ends(scene):
    brief = "[limits]\npub_min = 1\npub_max = 7\npub_default = 7\n"
    server = scene.server("alice", "bob", settings=brief, flags=ALLOW)
    alice = User(scene, "alice", server, "--publish").log_in()
    alice.send("online")
    bob = User(scene, "bob", server).log_in()
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="ACTIVE", online=True)
    # PJSIP waits five seconds at least.
    for _ in range(2):
        answered(server, "PUBLISH", 200, user="alice")
    bob.never('"online": false')


@pytest.mark.feature(PEER, "server", "unsubscribes")
def test_it_unsubscribes(scene):
    server = scene.server("alice", "bob", flags=ALLOW)
    alice = scene.agent("alice", server)
    alice.send("winfo")
    bob = User(scene, "bob", server).log_in()
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="ACTIVE")
    alice.event("watcher", uri=bob.aor, status="active")
    bob.send(f"unwatch {alice.aor}")
    bob.event("buddy", subscription="TERMINATED")
    alice.event("watcher", uri=bob.aor, status="terminated")


@pytest.mark.feature(PEER, "server", "takes everything back when it ends")
def test_it_leaves_nothing_behind(scene):
    server = scene.server("alice", "bob", flags=ALLOW)
    alice = scene.agent("alice", server)
    alice.send("winfo")
    bob = User(scene, "bob", server, "--publish").log_in()
    bob.send("online")
    answered(server, "PUBLISH", 200, user="bob")
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="ACTIVE")
    alice.event("watcher", uri=bob.aor, status="active")
    alice.send(f"watch {bob.aor}")
    alice.event("presence", basic="open")
    bob.log_out()
    alice.event("watcher", uri=bob.aor, status="terminated")
    alice.event("presence", basic="closed")


@pytest.mark.feature(PEER, "server", "subscribes anew when the server was away")
def test_a_subscription_survives_a_restart(scene):
    server = scene.server("alice", "bob", flags=ALLOW, data=True)
    alice = User(scene, "alice", server, "--publish").log_in()
    alice.send("online at my desk")
    answered(server, "PUBLISH", 200, user="alice")
    bob = User(scene, "bob", server).log_in()
    bob.send(f"watch {alice.aor}")
    bob.event("buddy", subscription="ACTIVE", online=True, note="at my desk")
    server.stop_and_start_again()
    bob.event("buddy", subscription="TERMINATED", why="deactivated")
    bob.event("buddy", subscription="ACTIVE", online=True, note="at my desk")
    alice.send("online back")
    bob.event("buddy", online=True, note="back")
