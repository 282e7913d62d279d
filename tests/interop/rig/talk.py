"""A talk: somebody else's phone and our agent at our server, in a call."""

import time

import pytest

from . import rtp
from .sound import tone

# Names in the table; in SDP with its rate; as tshark calls them; and clocks: G.722 says 8000
# (RFC 3551 §4.5.2).
CODECS = {
    "PCMU": ("PCMU", "PCMU/8000", "g711U", 8000),
    "G.722": ("G722", "G722/8000", "g722", 8000),
    "Opus": ("opus", "opus/48000/2", "opus", 48000),
}

# What is said by them and by us, in hertz.
THEIRS, OURS = 440, 880

SECONDS = 60.0

# Packets that have to arrive until it is a talk: a second of 20 ms each.
ENOUGH = 50


class Talk:
    """Somebody else's phone and our agent, and what is known of their talk."""

    def __init__(self, scene, theirs, codec="PCMU", srtp=False, flags=(), **more):
        self.scene, (self.codec, self.rtpmap, self.payload, self.clock) = scene, CODECS[codec]
        server = scene.server("theirs", "ours", settings=theirs.settings)
        self.heard = scene.folder / "ours.wav"
        sound = ["--audio-in", f"tone:{OURS}", "--audio-out", f"wav:{self.heard}"]
        self.ours = scene.agent("ours", server, flags=[*sound, *flags])
        more = {"codec": self.codec, "tone": THEIRS, "srtp": srtp, **more}
        self.theirs = theirs(scene, "theirs", server, **more)
        self.received = 0

    def they_call(self):
        """They call, we answer."""
        self.theirs.call(self.ours.aor)
        self.ours.event("call", SECONDS, state="incoming", peer=self.theirs.aor)
        self.theirs.rings()
        self.ours.send("answer")
        self._is_up()

    def we_call(self, media="audio"):
        """We call, they answer."""
        self.ours.send(f"call theirs {media}")
        self.ours.event("call", SECONDS, state="calling", peer=self.theirs.aor)
        self.theirs.take()
        self._is_up()

    def _is_up(self):
        up = self.ours.event("call", SECONDS, state="up")
        assert up["codec"].upper() == self.rtpmap.upper(), up
        self.theirs.is_up()
        self.streams = up["streams"]
        self.secured, self.remote = self.streams[0]["srtp"], self.streams[0]["remote"]

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
            told = self.ours.event("media", SECONDS, state="statistics", line=0)
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
