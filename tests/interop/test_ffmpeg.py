"""FFmpeg against our Motion JPEG over RTP (RFC 2435), both ways, without signalling.

Our side is `net/examples/video.rs` (`cargo build -p presently-net --example video`): the test
pattern with a number in every picture, so that what arrives is told from what was sent.
"""

import re

import pytest

from rig.net import free_port, until_bound
from rig.program import Program, binary

PICTURES = 30
ANYWHERE = "0.0.0.0"
SHOWN = re.compile(r"^640x480 number (\d+) psnr ([\d.]+)$")


def video(scene, *words):
    log = scene.folder / f"video-{words[0]}.log"
    return scene.started(Program("video", [binary("examples/video"), *words], log=log))


def ffmpeg(scene, *words):
    quiet = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
    log = scene.folder / "ffmpeg.log"
    return scene.started(Program("ffmpeg", [*quiet, *words], cwd=scene.folder, log=log))


def pictures(program):
    """Number and likeness of every picture that a program of ours was shown."""
    found = [SHOWN.match(line) for line in program.lines]
    return [(int(it[1]), float(it[2])) for it in found if it]


def check(shown):
    numbers = [number for number, _ in shown]
    assert len(numbers) >= PICTURES
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert min(likeness for _, likeness in shown) > 30


@pytest.mark.feature("FFmpeg", "agent", "Motion JPEG over RTP: shows what we send")
def test_it_shows_our_pictures(scene):
    # It listens on every address, and for RTCP one port further.
    port = free_port(ANYWHERE, step=2)
    (scene.folder / "offer.sdp").write_text(
        f"v=0\no=- 0 0 IN IP4 {scene.host}\ns=-\nc=IN IP4 {scene.host}\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\na=rtpmap:96 JPEG/90000\n"
    )
    peer = ffmpeg(
        scene, "-protocol_whitelist", "file,udp,rtp", "-i", "offer.sdp",
        "-frames:v", PICTURES, "-pix_fmt", "yuvj420p", "-f", "yuv4mpegpipe", "seen.y4m",
    )  # fmt: skip
    until_bound(ANYWHERE, port)
    video(scene, "send", f"{scene.host}:{port}", "JPEG/90000", 10 * PICTURES, "pattern:640x480@25")
    assert peer.wait(30) == 0
    looked = video(scene, "look", f"y4m:{scene.folder / 'seen.y4m'}")
    assert looked.wait(30) == 0
    check(pictures(looked))


@pytest.mark.feature("FFmpeg", "agent", "Motion JPEG over RTP: its pictures are shown by us")
def test_its_pictures_are_shown(scene):
    source = scene.folder / "pattern.y4m"
    made = video(scene, "copy", "pattern:640x480@10", PICTURES, f"y4m:{source}")
    assert made.wait(30) == 0
    port = free_port(scene.host)
    receiver = video(scene, "receive", f"{scene.host}:{port}", "JPEG/90000", PICTURES, "null")
    receiver.expect("listening")
    # The payload format has one pair of tables and the usual Huffman codes only.
    ffmpeg(
        scene, "-re", "-i", source, "-c:v", "mjpeg", "-huffman", "default",
        "-force_duplicated_matrix", "1", "-q:v", "5", "-pix_fmt", "yuvj420p",
        "-f", "rtp", f"rtp://{scene.host}:{port}",
    )  # fmt: skip
    receiver.expect(r"^Received .*lost: 0,.*damaged: 0, refused: 0,", timeout=60)
    check(pictures(receiver))
