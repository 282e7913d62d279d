"""sipvicious against our server: what a scanner learns, which is that there is a SIP server. Its guesser
of passwords ends at our challenge; one of our own shows what it would have got."""

import hashlib
import re
import socket
import subprocess
from threading import Thread
from types import SimpleNamespace

import pytest

from rig.net import exchange

# A dictionary with two accounts that exist among names that do not.
NAMES = ["bob", "alice", "1000", "1001", "1002", "admin", "zed"]
USERS = ["alice", "1001"]
METHODS = ["REGISTER", "OPTIONS", "INVITE", "MESSAGE", "SUBSCRIBE"]


def scan(scene, server, tool, *arguments):
    """Runs a tool against the server with a home of its own: it keeps sessions there."""
    command = [tool, "-p", str(server.port), *arguments, "-b", scene.host, "-x", scene.host, server.host]
    shown = subprocess.run(
        command,
        env={"HOME": str(scene.folder), "PATH": "/usr/bin:/bin"},
        cwd=scene.folder,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return shown.stdout + shown.stderr


def victim(scene, **how):
    """A server whose domain is its address, because that is what sipvicious asks for."""
    return scene.server(*USERS, domain=scene.host, **how)


@pytest.mark.feature("sipvicious", "server", "svmap sees that a SIP server is there")
def test_a_scan_finds_the_server_and_not_what_it_is(scene):
    server = victim(scene)
    told = scan(scene, server, "svmap")
    assert re.search(rf"{server.address} *\| unknown", told), told


@pytest.mark.feature("sipvicious", "server", "svwar finds no accounts, whatever method it asks with")
@pytest.mark.parametrize("method", METHODS)
def test_accounts_can_not_be_told_from_other_names(scene, method):
    told = war(scene, victim(scene), "-m", method, "--force")
    assert "found nothing" in told and "Response: 'SIP/2.0 4" in told, told


@pytest.mark.feature("sipvicious", "server", "svwar finds no accounts, whatever method it asks with")
def test_a_careful_scan_gives_up(scene):
    told = war(scene, victim(scene))
    assert "authentication request for an unknown extension" in told, told


def test_a_server_that_tells_them_apart_is_found_out(scene):
    """What makes the rows above worth something: 404 for names that have no account."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as leaky:
        leaky.bind((scene.host, 0))
        answering = Thread(target=tell_apart, args=[leaky])
        answering.start()
        told = war(scene, SimpleNamespace(host=scene.host, port=leaky.getsockname()[1]))
        leaky.sendto(b"", leaky.getsockname())
        answering.join()
    assert all(re.search(rf"\| {user} ", told) for user in USERS), told
    assert not re.search(r"\| zed ", told), told


def tell_apart(leaky):
    """Answers REGISTERs as careless registrars do, until an empty datagram comes."""
    while True:
        request, sender = leaky.recvfrom(4096)
        if not request:
            return
        head = request.decode().split("\r\n")
        asked = re.search(r"(?m)^To:.*<sip:([^@]+)@", request.decode())
        if head[0].startswith("REGISTER") and asked:
            status = "401 Unauthorized" if asked[1] in USERS else "404 Not Found"
            kept = [it for it in head if re.match("(Via|From|To|Call-ID|CSeq):", it)]
            leaky.sendto("\r\n".join([f"SIP/2.0 {status}", *kept, "", ""]).encode(), sender)


def war(scene, server, *arguments):
    (scene.folder / "names").write_text("\n".join(NAMES) + "\n")
    return scan(scene, server, "svwar", "-d", scene.folder / "names", *arguments)


@pytest.mark.feature(
    *("sipvicious", "server", "svcrack guesses passwords"),
    lacks="svcrack 0.3.3 ends with a KeyError when a challenge offers qop: it counts no nonces",
)
def test_svcrack_does_not_get_to_guess(scene):
    server = victim(scene, settings="[digest]\nsha256 = false\n", passwords={"alice": "first"})
    (scene.folder / "passwords").write_text("first\n")
    told = scan(scene, server, "svcrack", "-u", "alice", "-d", scene.folder / "passwords")
    assert "KeyError: 'noncecount'" in told and "found nothing" in told, told


@pytest.mark.feature("sipvicious", "server", "guessing passwords is slowed down", note="by a guesser of our own")
def test_a_guesser_gets_an_answer_a_second(scene):
    server = victim(scene)
    nonce = re.search(r'nonce="([^"]+)"', exchange(server, register(scene, 0)))[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as guesser:
        guesser.bind((scene.host, 0))
        guesser.settimeout(5)
        for number in range(1, 31):
            request = register(scene, number, credentials(scene, nonce, number))
            guesser.sendto(request.encode(), (server.host, server.port))
        # Without credentials there is always an answer, so by then all guesses have been judged.
        guesser.sendto(register(scene, 31).encode(), (server.host, server.port))
        answered = 0
        while b"CSeq: 31 " not in guesser.recv(65_535):
            answered += 1
    assert 1 <= answered <= 6, f"{answered} of 30 wrong passwords were answered at once"


def register(scene, number, authorization=""):
    """A REGISTER of alice, as one that guesses writes it."""
    return "\r\n".join(
        [
            f"REGISTER sip:{scene.host} SIP/2.0",
            f"Via: SIP/2.0/UDP {scene.host}:5060;branch=z9hG4bK-guess-{number};rport",
            f"From: <sip:alice@{scene.host}>;tag=guess{number}",
            f"To: <sip:alice@{scene.host}>",
            f"Call-ID: guess-{number}",
            f"CSeq: {number} REGISTER",
            "Max-Forwards: 70",
            *([authorization] if authorization else []),
            "Content-Length: 0",
            "",
            "",
        ]
    )


def credentials(scene, nonce, number):
    """What goes with the password `wrong`: RFC 7616 §3.4.1 with MD5 and qop auth."""

    def md5(text):
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    secret = md5(f"alice:{scene.host}:wrong{number}")
    response = md5(f"{secret}:{nonce}:{number:08x}:c:auth:{md5(f'REGISTER:sip:{scene.host}')}")
    return (
        f'Authorization: Digest username="alice", realm="{scene.host}", nonce="{nonce}", '
        f'uri="sip:{scene.host}", response="{response}", algorithm=MD5, cnonce="c", qop=auth, '
        f"nc={number:08x}"
    )
