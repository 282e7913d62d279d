"""sipsak against our server: its usrloc mode (registering with digest, asking, removing)."""

import subprocess

import pytest

from rig.presently import DOMAIN, password

# sipsak 0.9.8 reads the first challenge only and knows nothing but MD5; RFC 8760 §2.4 wants the
# strongest first, so its server offers MD5 alone.
MD5_ALONE = "[digest]\nsha256 = false\n"

LACKS = [
    ("sipsak", "server", "presence: SUBSCRIBE, PUBLISH", "has no such mode"),
]


def sipsak(scene, server, *arguments):
    command = ["sipsak", "-p", server.address, "-H", scene.host, "-s", f"sip:carol@{DOMAIN}"]
    command += ["-u", "carol", "-a", password("carol"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.feature("sipsak", "server", "registers with digest MD5", note="`sha256 = false`")
def test_it_registers_and_removes_its_binding(scene):
    server = scene.server("carol", settings=MD5_ALONE)
    contact = f"sip:carol@{scene.host}:5099"
    registered = sipsak(scene, server, "-U", "-x", "60", "-C", contact)
    assert registered.returncode == 0, registered.stdout
    asked = sipsak(scene, server, "-U", "-C", "empty", "-vvv")
    assert contact in asked.stdout, asked.stdout
    removed = sipsak(scene, server, "-U", "-x", "0", "-C", contact)
    assert removed.returncode == 0, removed.stdout
    asked = sipsak(scene, server, "-U", "-C", "empty", "-vvv")
    assert contact not in asked.stdout, asked.stdout
