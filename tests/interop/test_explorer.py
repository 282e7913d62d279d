"""`presence-check --explore` in a real browser: Chromium, headless, sees the ladder of a path."""

import json
import shutil
import struct
import subprocess
import zlib
from urllib.request import urlopen

import pytest

from rig.presently import binary
from rig.program import Program

# A watcher asks, the server answers and notifies, the 200 overtakes nothing: it is lost.
PATH = [
    "bob watches alice",
    "deliver bob → server: SUBSCRIBE presence 1",
    "deliver server → bob: NOTIFY presence 1",
    "drop server → bob: 200 to SUBSCRIBE 1",
]
# The label of the server's lifeline, and the paper under the drawing.
TEAL, WHITE = (0x0F, 0x76, 0x6E), (0xFF, 0xFF, 0xFF)


@pytest.fixture
def explorer(scene):
    """Where a model is served, on a free port of the scene's address."""
    program = Program(
        "presence-check",
        [binary("presence-check"), "C2c", "--explore", f"{scene.host}:0"],
        log=scene.folder / "presence-check.log",
    )
    scene.started(program)
    return program.expect(r"^ready: C2c at (http://\S+)/")[1]


def choices(explorer, path):
    """What can happen after a path, as the explorer's page asks for it."""
    with urlopen(f"{explorer}/.states{path}", timeout=10) as answer:
        return json.load(answer)


def walk(explorer, wanted):
    """The path whose steps are called so."""
    path = "/0"
    for words in wanted:
        found = {it["action"]: it["actionIndex"] for it in choices(explorer, path)}
        assert words in found, f"{words!r} is none of {list(found)}"
        path += f"/{found[words]}"
    return path


def browse(folder, url, *how):
    """Chromium's view of a page, after its scripts have run."""
    command = [
        *[shutil.which("chromium") or "chromium", "--headless", "--disable-gpu", "--no-sandbox"],
        *["--no-first-run", "--hide-scrollbars", f"--user-data-dir={folder / 'browser'}"],
        *["--window-size=1200,900", "--virtual-time-budget=10000", *how, url],
    ]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode()


def pixels(png):
    """How many pixels of each colour a PNG has (8 bits, RGB or RGBA, not interlaced)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, data = 8, b""
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        content = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, _, depth, colour, *_ = struct.unpack(">IIBBBBB", content)
            assert depth == 8 and colour in (2, 6)
            size = 3 if colour == 2 else 4
        elif kind == b"IDAT":
            data += content
        place += length + 12
    data, stride, count = zlib.decompress(data), width * size, {}
    above = bytes(stride)
    for start in range(0, len(data), stride + 1):
        above = unfiltered(data[start], data[start + 1 : start + 1 + stride], above, size)
        for at in range(0, stride, size):
            colour = tuple(above[at : at + 3])
            count[colour] = count.get(colour, 0) + 1
    return count


def unfiltered(kind, line, above, size):
    """A line of a PNG as it was before its filter (ISO 15948 §9)."""
    line = bytearray(line)
    for at, value in enumerate(line):
        left = line[at - size] if at >= size else 0
        corner = above[at - size] if at >= size else 0
        up = above[at]
        if kind == 4:
            near = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
            paeth = [left, up, corner][near.index(min(near))]
        line[at] = value + [0, left, up, (left + up) // 2, paeth if kind == 4 else 0][kind] & 0xFF
    return bytes(line)


def test_a_path_is_drawn_with_its_real_messages(scene, explorer):
    url = f"{explorer}/#/steps{walk(explorer, PATH)}"
    page = browse(scene.folder, url, "--dump-dom")
    assert "<svg" in page
    for words in [
        *PATH,
        "SUBSCRIBE sip:alice@example.org SIP/2.0",
        "Subscription-State: pending",
        "PST bob→alice: pending, NOTIFY 1",
        "presence of alice: pending",
    ]:
        assert words.replace(">", "&gt;") in page, words
    shot = scene.folder / "explorer.png"
    browse(scene.folder, url, f"--screenshot={shot}")
    seen = pixels(shot.read_bytes())
    assert seen.get(WHITE, 0) > 100_000, "the paper"
    assert seen.get(TEAL, 0) > 500, "the server's label"


def test_what_can_happen_next_can_be_clicked(scene, explorer):
    """The page links every choice; behind the link is the state after it."""
    path = walk(explorer, PATH[:2])
    page = browse(scene.folder, f"{explorer}/#/steps{path}", "--dump-dom")
    offered = choices(explorer, path)
    kinds = {it["action"].split()[0] for it in offered}
    assert {"deliver", "drop", "alice"} <= kinds
    for choice in offered:
        assert f'href="#/steps{path}/{choice["actionIndex"]}"' in page, choice["action"]
        assert f'>{choice["action"]}</a>' in page
