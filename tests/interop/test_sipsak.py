"""sipsak against our server: its usrloc mode (registering with digest, asking, removing)."""

import subprocess

import pytest

from rig import sipsak
from rig.presently import DOMAIN, password

# sipsak 0.9.8 reads the first challenge only and knows nothing but MD5; RFC 8760 §2.4 wants the
# strongest first, so its server offers MD5 alone.
MD5_ALONE = "[digest]\nsha256 = false\n"

LACKS = [
    ("sipsak", "server", "registers with digest SHA-256", "knows MD5 only: `sha256 = false`"),
    ("sipsak", "server", "presence: SUBSCRIBE, PUBLISH", "has no such mode"),
]


@pytest.mark.feature("sipsak", "server", "usrloc mode: registers with digest MD5, asks, removes")
def test_it_registers_and_removes_its_binding(scene):
    server = scene.server("carol", settings=MD5_ALONE)
    contact = f"sip:carol@{scene.host}:5099"
    registered = sipsak.register(scene, server, "carol", contact)
    assert registered.returncode == 0, registered.stdout
    asked = sipsak.register(scene, server, "carol", "empty")
    assert contact in asked.stdout, asked.stdout
    removed = sipsak.register(scene, server, "carol", contact, seconds=0)
    assert removed.returncode == 0, removed.stdout
    asked = sipsak.register(scene, server, "carol", "empty")
    assert contact not in asked.stdout, asked.stdout


@pytest.mark.feature("sipsak", "server", "a wrong password is refused, nothing is bound")
def test_a_wrong_password_binds_nothing(scene):
    server = scene.server("carol", "mallory", settings=MD5_ALONE)
    contact = f"sip:carol@{scene.host}:5099"
    refused = sipsak.register(scene, server, "carol", contact, password_of="mallory")
    assert refused.returncode != 0, refused.stdout
    asked = sipsak.register(scene, server, "carol", "empty")
    assert asked.returncode == 0 and contact not in asked.stdout, asked.stdout


@pytest.mark.feature(
    *("sipsak", "server", "message mode"),
    lacks="0.9.8.1 ends with SIGSEGV in `-M`, before it has sent the MESSAGE with credentials",
)
def test_its_message_mode_crashes(scene):
    server = scene.server("alice", "carol", settings=MD5_ALONE)
    carol = scene.agent("carol", server)
    command = ["sipsak", "-M", "-B", "lunch?", "-p", server.address, "-H", scene.host]
    command += ["-s", f"sip:carol@{DOMAIN}", "-c", f"sip:alice@{DOMAIN}"]
    command += ["-u", "alice", "-a", password("alice")]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert shown.returncode < 0, shown
    carol.never('"event":"message"')
