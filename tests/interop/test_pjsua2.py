"""PJSIP (through pjsua2) against our server: digest, registration, and what it lacks."""

import re

import pytest

from pjsua2_user import User, answered

PEER = "pjsua2"

SHA256_ALONE = "[digest]\nmd5 = false\n"
MD5_ALONE = "[digest]\nsha256 = false\n"

FIVE_TRIES = "tries five times: a challenge with a new nonce is `stale` to PJSIP"

LACKS = [
    (PEER, "server", "fetches presence once (Expires: 0)", "pjsua2 has no such function"),
    (PEER, "server", "watcher information", "PJSIP has no `presence.winfo`"),
    (PEER, "server", "integrity of bodies (`qop=auth-int`)", "PJSIP knows `auth` only"),
]


@pytest.mark.feature(PEER, "server", "registers with digest SHA-256")
def test_it_registers_with_sha_256(scene):
    server = scene.server("alice", settings=SHA256_ALONE)
    User(scene, "alice", server).log_in()
    answered(server, "REGISTER", 401)
    answered(server, "REGISTER", 200, user="alice")


@pytest.mark.feature(PEER, "server", "registers with digest MD5")
def test_it_registers_with_md5(scene):
    server = scene.server("alice", settings=MD5_ALONE)
    User(scene, "alice", server).log_in()
    answered(server, "REGISTER", 401)
    answered(server, "REGISTER", 200, user="alice")


@pytest.mark.feature(PEER, "server", "takes SHA-256 when offered SHA-256 and MD5")
def test_of_two_challenges_it_takes_the_first(scene):
    server = scene.server("alice")
    alice = User(scene, "alice", server).log_in()
    answered(server, "REGISTER", 200, user="alice")
    alice.log_out()
    challenged = alice.wire(r"^WWW-Authenticate: .*algorithm=([\w-]+)")
    assert challenged[:2] == ["SHA-256", "MD5"]
    assert set(alice.wire(r"^Authorization: .*algorithm=([\w-]+)")) == {"SHA-256"}


@pytest.mark.feature(PEER, "server", "is told that its password is wrong", note=FIVE_TRIES)
def test_a_wrong_password_is_told_cleanly(scene):
    server = scene.server("alice")
    alice = User(scene, "alice", server, secret="guessed")
    alice.event("registration", code=401, active=False)
    server.never('method="REGISTER" status=200')
    alice.log_out()
    # A challenge with another nonce is a stale one to it, so it tries thrice with SHA-256 and then
    # twice with MD5 before it gives up.
    assert alice.wire(r"^Authorization: .*algorithm=([\w-]+)") == ["SHA-256"] * 3 + ["MD5"] * 2
    # That is not a flood of guesses: who knows the password is let in from the same address.
    User(scene, "alice", server).log_in()
    answered(server, "REGISTER", 200, user="alice")


@pytest.mark.feature(PEER, "server", "refreshes its registration")
def test_a_registration_is_refreshed_before_it_ends(scene):
    server = scene.server("alice", settings="[limits]\nreg_min = 1\n")
    # PJSIP waits five seconds at least.
    alice = User(scene, "alice", server, "--expires", "7")
    for _ in range(2):
        alice.event("registration", code=200, active=True, expires=7)
        answered(server, "REGISTER", 200, user="alice")


@pytest.mark.feature(PEER, "server", "asks for a longer registration when told 423")
def test_too_brief_a_registration_is_asked_for_longer(scene):
    server = scene.server("alice", settings="[limits]\nreg_min = 70\n")
    alice = User(scene, "alice", server, "--expires", "10")
    answered(server, "REGISTER", 423)
    answered(server, "REGISTER", 200, user="alice")
    alice.event("registration", code=200, active=True, expires=70)


@pytest.mark.feature(PEER, "server", "unregisters, and registers again")
def test_it_unregisters(scene):
    server = scene.server("alice", "bob")
    alice = User(scene, "alice", server).log_in()
    bob = User(scene, "bob", server).log_in()
    alice.send("unregister")
    alice.event("registration", code=200, active=False)
    bob.send(f"call {alice.aor}")
    bob.event("call", state="DISCONNECTED", code=480)
    alice.send("register")
    alice.log_in()
    bob.send(f"call {alice.aor}")
    alice.event("ringing")
