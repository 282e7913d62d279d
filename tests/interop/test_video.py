"""Calls with pictures between other people's phones and our agent, through our server: H.264 both
ways, looked at on both sides and on the wire."""

import re
import subprocess
import time

import pytest

from baresip.caller import Caller as Baresip
from linphone.caller import Caller as Linphone
from rig import rtp
from rig.program import Program, binary
from rig.talk import SECONDS, Talk

# As in test_calls.py.
HOST = "127.0.0.1"

PEERS = {"baresip": Baresip, "Linphone": Linphone}

NOTES = {
    "baresip": "with `baresip-ffmpeg`",
    "Linphone": "with `mediastreamer2-plugin-openh264`; one NAL unit a packet",
}

LACKS = [
    ("pjsua2", "agent", "calls with pictures", "its wheel is built without"),
]

SHOWN = re.compile(r"number (\d+) psnr ([\d.]+)$")


def each(what):
    """A scene with every peer."""
    marked = [
        pytest.param(
            theirs, marks=pytest.mark.feature(name, "agent", what, note=NOTES[name]), id=name
        )
        for name, theirs in PEERS.items()
    ]
    return pytest.mark.parametrize("theirs", marked)


def video(scene, *words):
    """What our tool for pictures (`net/examples/video.rs`) says."""
    tool = scene.started(Program("video", [binary("examples/video"), *map(str, words)]))
    assert tool.wait(30) == 0, tool.lines
    return tool.lines


def converted(file, suffix, *words):
    """A file as FFmpeg makes it of another."""
    made = file.with_suffix(f".{suffix}")
    command = ["ffmpeg", "-loglevel", "error", "-nostdin", "-y", "-i", file, *words, made]
    subprocess.run(command, check=True, timeout=30)
    return made


def seen(scene, file):
    """The number and the likeness of each picture of our test pattern in a Y4M file."""
    lines = video(scene, "look", f"y4m:{file}")
    shown = [SHOWN.search(line) for line in lines]
    assert all(shown), f"these pictures are not ours: {lines}"
    return [(int(it[1]), float(it[2])) for it in shown]


class Watch(Talk):
    """A talk in which both show our test pattern."""

    def __init__(self, scene, theirs):
        film = scene.folder / "film.y4m"
        video(scene, "copy", "pattern:352x288@15", 150, f"y4m:{film}")
        if theirs.film == "jpeg":
            film = converted(film, "jpeg", "-frames:v", "1", "-q:v", "1")
        self.shown = scene.folder / "shown.y4m"
        flags = ["--codecs", "PCMU,H264", "--video-out", f"y4m:{self.shown}"]
        super().__init__(scene, theirs, flags=flags, film=film)

    def both_see(self):
        """We decode their pictures, and they ours."""
        assert [it["codec"] for it in self.streams] == ["PCMU/8000", "H264/90000"]
        deadline = time.monotonic() + SECONDS
        while True:
            told = self.ours.event("media", SECONDS, state="statistics", line=1)
            if told["played"] >= self.theirs.pictures:
                break
            assert time.monotonic() < deadline, told
        file = converted(self.theirs.sees(), "y4m", "-pix_fmt", "yuvj420p", "-strict", "-1")
        ((number, likeness),) = seen(self.scene, file)
        assert number > 0 and likeness > 30

    def was_seen(self):
        """Every picture that was shown here is one of theirs, in their order."""
        shown = seen(self.scene, self.shown)
        numbers = [number for number, _ in shown]
        assert len(shown) >= self.theirs.pictures and numbers == sorted(numbers)
        assert min(likeness for _, likeness in shown) > 30

    def on_the_wire(self):
        """The captured RTP of the pictures: one stream each way, whole, ours of the right clock."""
        self.scene.capture.stop()
        remote = self.streams[1]["remote"]
        found = rtp.streams(self.scene.capture.path, remote)
        assert {it.source == remote for it in found} == {True, False} and len(found) == 2, found
        assert all(it.payload == "H264" and it.lost == 0 for it in found), found
        (ours,) = (it for it in found if it.target == remote)
        assert ours.clock == pytest.approx(90000, rel=0.05), ours


@each("calls us with sound and H.264: pictures both ways, the RTP in order")
def test_it_calls_us_with_pictures(scene, theirs):
    watch = Watch(scene, theirs)
    watch.they_call()
    watch.both_hear()
    watch.both_see()
    watch.theirs.hang_up()
    watch.over()
    watch.was_seen()
    watch.on_the_wire()


@each("is called by us with sound and H.264: pictures both ways, the RTP in order")
def test_we_call_it_with_pictures(scene, theirs):
    watch = Watch(scene, theirs)
    watch.we_call("both")
    watch.both_hear()
    watch.both_see()
    watch.ours.send("hangup")
    watch.over()
    watch.was_seen()
    watch.on_the_wire()
