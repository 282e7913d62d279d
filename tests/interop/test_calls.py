"""Calls between other people's phones and our agent, through our server: sound both ways, looked at
on both sides and on the wire."""

import time

import pytest

from baresip.caller import Caller as Baresip
from linphone.caller import Caller as Linphone
from pjsua2_user.caller import Caller as Pjsua2
from rig import rtp
from rig.sound import tone

# Media sockets of these phones are bound to no address: what they send comes from this one,
# whatever their SDP says, and our agent hears nobody but who was agreed on.
HOST = "127.0.0.1"

PEERS = {"baresip": Baresip, "Linphone": Linphone, "pjsua2": Pjsua2}

# Names in the table, in SDP, as tshark calls them; and clocks: G.722 says 8000 (RFC 3551 §4.5.2).
CODECS = {"PCMU": ("PCMU", "g711U", 8000), "G.722": ("G722", "g722", 8000)}

# What is said by them and by us, in hertz.
THEIRS, OURS = 440, 880

SECONDS = 60.0

# Packets that have to arrive until it is a talk: a second of 20 ms each.
ENOUGH = 50


def each(what, codecs=tuple(CODECS), notes=None, peers=tuple(PEERS)):
    """A scene with every peer and codec: `theirs` and `codec` of it."""
    told = []
    for name in peers:
        for codec in codecs:
            note = (notes or {}).get(name, "")
            row = pytest.mark.feature(name, "agent", what.format(codec), note=note)
            told.append(pytest.param(PEERS[name], codec, marks=row, id=f"{name}-{codec}"))
    return pytest.mark.parametrize("theirs, codec", told)


class Talk:
    """Somebody else's phone and our agent at our server, and what is known of their talk."""

    def __init__(self, scene, theirs, codec="PCMU", srtp=False, flags=()):
        self.scene, (self.codec, self.payload, self.clock) = scene, CODECS[codec]
        server = scene.server("theirs", "ours", settings=theirs.settings)
        self.heard = scene.folder / "ours.wav"
        sound = ["--audio-in", f"tone:{OURS}", "--audio-out", f"wav:{self.heard}"]
        self.ours = scene.agent("ours", server, flags=[*sound, *flags])
        self.theirs = theirs(scene, "theirs", server, codec=self.codec, tone=THEIRS, srtp=srtp)
        self.received = 0

    def they_call(self):
        """They call, we answer."""
        self.theirs.call(self.ours.aor)
        self.ours.event("call", SECONDS, state="incoming", peer=self.theirs.aor)
        self.theirs.rings()
        self.ours.send("answer")
        self._is_up()

    def we_call(self):
        """We call, they answer."""
        self.ours.send("call theirs audio")
        self.ours.event("call", SECONDS, state="calling", peer=self.theirs.aor)
        self.theirs.take()
        self._is_up()

    def _is_up(self):
        up = self.ours.event("call", SECONDS, state="up")
        assert up["codec"].upper() == f"{self.codec}/8000", up
        self.theirs.is_up()
        self.secured, self.remote = up["streams"][0]["srtp"], up["streams"][0]["remote"]

    def both_hear(self):
        """Both hear each other for a second."""
        self._we_hear()
        self.theirs.hears_sound()

    def goes_on(self):
        """The same after a change."""
        self._we_hear()
        self.theirs.receives()

    def _we_hear(self):
        """A second more than what was heard before."""
        wanted, deadline = self.received + ENOUGH, time.monotonic() + SECONDS
        while self.received < wanted:
            told = self.ours.event("media", SECONDS, state="statistics")
            self.received = told["received"]
            assert time.monotonic() < deadline, told
        assert told["played"] > 0, told

    def directions(self, *expected):
        """Who sends when the call has changed, as we see it."""
        (stream,) = self.ours.event("call", SECONDS, state="up")["streams"]
        assert stream["direction"] in expected, stream

    def over(self):
        """It is over on both sides, and each has heard the other's tone."""
        self.ours.event("call", SECONDS, state="ended")
        self.theirs.is_over()
        self.ours.log_out()
        self.theirs.quit()
        self.ours.never('"event":"error"')
        assert tone(self.heard) == pytest.approx(THEIRS, abs=20)
        assert tone(self.theirs.heard()) == pytest.approx(OURS, abs=20)

    def on_the_wire(self):
        """The captured RTP: one stream each way, whole, of the right payload and clock."""
        self.scene.capture.stop()
        found = rtp.streams(self.scene.capture.path, self.remote)
        assert len(found) == 2 and found[0].source == found[1].target, found
        for stream in found:
            assert stream.payload == self.payload, stream
            assert stream.packets >= 2 * ENOUGH and stream.lost == 0, stream
            assert stream.clock == pytest.approx(self.clock, rel=0.05), stream


HELD = {"baresip": "plays nothing to its bridge after a hold; what it receives is counted"}


@each("calls us with {}: sound both ways, it holds, resumes and hangs up", notes=HELD)
def test_it_calls_us(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.they_call()
    talk.both_hear()
    talk.theirs.hold()
    talk.directions("recvonly", "inactive")
    talk.theirs.resume()
    talk.directions("sendrecv")
    talk.goes_on()
    talk.theirs.hang_up()
    talk.over()


@each("is called by us with {}: sound both ways, we hold, resume and hang up", notes=HELD)
def test_we_call_it(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.we_call()
    talk.both_hear()
    talk.ours.send("hold")
    talk.directions("sendonly", "inactive")
    talk.ours.send("resume")
    talk.directions("sendrecv")
    talk.goes_on()
    talk.ours.send("hangup")
    talk.over()


@each("RTP of a call with {}: no loss, payload type and clock as they should be")
def test_the_rtp_of_a_call_is_in_order(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.we_call()
    talk.both_hear()
    talk.goes_on()
    talk.theirs.hang_up()
    talk.over()
    talk.on_the_wire()


@each("telephone keys both ways", codecs=["PCMU"])
def test_keys_are_pressed(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.they_call()
    talk.both_hear()
    talk.theirs.press("5")
    talk.ours.event("media", SECONDS, state="key", key="5")
    talk.ours.send("dial 7")
    talk.theirs.is_told("7")
    talk.theirs.hang_up()
    talk.ours.event("call", SECONDS, state="ended")


@each("SRTP in a call, whoever calls", codecs=["PCMU"])
@pytest.mark.parametrize("we_call", [False, True], ids=["theirs", "ours"])
def test_a_call_is_encrypted(scene, theirs, codec, we_call):
    talk = Talk(scene, theirs, codec, srtp=True, flags=["--srtp"] if we_call else [])
    (talk.we_call if we_call else talk.they_call)()
    assert talk.secured
    talk.both_hear()
    talk.theirs.hang_up()
    talk.over()


@each("calls us, and is refused: 486", codecs=["PCMU"])
def test_we_refuse_its_call(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.theirs.call(talk.ours.aor)
    talk.ours.event("call", SECONDS, state="incoming")
    talk.theirs.rings()
    talk.ours.send("hangup")
    talk.theirs.is_over(486)


@each("calls us, and gives up before we answer", codecs=["PCMU"])
def test_it_gives_up(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.theirs.call(talk.ours.aor)
    talk.ours.event("call", SECONDS, state="incoming")
    talk.theirs.rings()
    talk.theirs.hang_up()
    talk.ours.event("call", SECONDS, state="ended", reason="the caller gave up")
    talk.theirs.is_over()


@each("has no codec of ours: 488, whoever calls", codecs=["PCMU"])
def test_no_codec_is_common(scene, theirs, codec):
    talk = Talk(scene, theirs, codec, flags=["--codecs", "G722"])
    talk.theirs.call(talk.ours.aor)
    talk.theirs.is_over(488)
    talk.ours.never('"state":"incoming"')
    talk.ours.send("call theirs audio")
    talk.ours.event("call", SECONDS, state="ended", status=488)
