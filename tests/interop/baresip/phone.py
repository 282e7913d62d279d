"""A baresip as a program of a scene, driven over its control socket (JSON in netstrings)."""

import json
import socket
import time
from pathlib import Path

from rig.net import free_port
from rig.presently import DOMAIN, password
from rig.program import Missed
from rig.trace import Tracing

TEMPLATE = Path(__file__).parent / "config"

# What it needs for pictures: it shows a film (a Y4M file) again and again, and nobody what it sees.
FILM = """
module avcodec.so
module avformat.so
module fakevideo.so
module snapshot.so
video_source avformat,{film}
video_display fakevideo,nobody
video_size 352x288
video_fps 15
video_bitrate 1000000
"""

# The colours of a traced message end here.
END_OF_TRACE = "\x1b[;m"


class Control:
    """The control socket: commands with their answers, and the events of the phone."""

    def __init__(self, address):
        self._socket = socket.create_connection(address, timeout=10)
        self._bytes = b""
        self._events = []

    def close(self):
        self._socket.close()

    def _frame(self, deadline):
        """The next object that comes: a netstring with JSON in it."""
        while True:
            length, colon, rest = self._bytes.partition(b":")
            if colon and len(rest) > int(length):
                size = int(length)
                self._bytes = rest[size + 1 :]
                return json.loads(rest[:size])
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            more = self._socket.recv(65536)
            if not more:
                raise EOFError("baresip closed its control socket")
            self._bytes += more

    def command(self, command, params=None, timeout=10.0):
        """Says a command; what it answers."""
        said = {"command": command, "token": command}
        if params is not None:
            said["params"] = params
        text = json.dumps(said).encode()
        self._socket.sendall(b"%d:%s," % (len(text), text))
        deadline = time.monotonic() + timeout
        while True:
            frame = self._frame(deadline)
            if frame.get("response") and frame.get("token") == command:
                assert frame["ok"], f"baresip refused {said}: {frame}"
                return frame["data"]
            self._events.append(frame)

    def event(self, kind, accepts=lambda event: True, timeout=10.0):
        """The next event of this kind that is accepted; those before it are passed over."""
        deadline = time.monotonic() + timeout
        passed = []
        while True:
            try:
                event = self._events.pop(0) if self._events else self._frame(deadline)
            except TimeoutError:
                shown = "\n  ".join(map(str, passed[-25:]))
                raise Missed(f"no event {kind} in {timeout:g} s but\n  {shown}") from None
            if event.get("type") == kind and accepts(event):
                return event
            passed.append(event)


class Baresip(Tracing):
    """A phone of the user `name`, whose outbound proxy is the server. Its output is a trace of the
    SIP messages, among other things. It watches its `contacts`; the first is the current one,
    which its `message` command goes to."""

    def __init__(
        self,
        scene,
        name,
        server,
        contacts=(),
        secret=None,
        tone=440,
        codec="PCMU",
        film=None,
        **account,
    ):
        self.aor = f"sip:{name}@{DOMAIN}"
        self.folder = scene.folder / f"baresip-{name}"
        self.folder.mkdir(exist_ok=True)
        port = free_port(scene.host, step=3)
        self._write(scene.host, port, tone, FILM.format(film=film) if film else "")
        more = "".join(f";{key}={value}" for key, value in account.items())
        (self.folder / "accounts").write_text(
            f'<{self.aor};transport=udp>;auth_user={name};auth_pass="{secret or password(name)}"'
            f';outbound="sip:{server.address}";answermode=auto;audio_codecs={codec}{more}\n'
        )
        watched = "".join(f'"{who}" <sip:{who}@{DOMAIN}>;presence=p2p\n' for who in contacts)
        (self.folder / "contacts").write_text(watched)
        super().__init__(
            f"baresip {name}",
            ["baresip", "-4", "-f", self.folder, "-s"],
            cwd=self.folder,
            env={"HOME": str(self.folder)},
            log=self.folder / "output.log",
        )
        scene.started(self)
        self.expect("^baresip is ready")
        self.control = Control((scene.host, port + 2))

    def _write(self, host, port, tone, film):
        settings = {"host": host, "port": port, "control": port + 2, "folder": self.folder}
        text = TEMPLATE.read_text().format(tone=tone, film=film, **settings)
        (self.folder / "config").write_text(text)

    def registered(self):
        """Waits until it is; itself, so that it can be said in one line."""
        self.expect(r"200 OK \(.*\) \[1 binding\]")
        return self

    def message(self, timeout):
        self.expect("^UDP .* -> ", timeout)
        text = []
        self.expect(lambda line: text.append(line) or END_OF_TRACE in line)
        text[-1] = text[-1].replace(END_OF_TRACE, "")
        return text

    def hears(self, reports=3):
        """Waits until it has received sound for a while (0 is full scale, an empty line is -96)."""
        for _ in range(reports):
            self.control.event("VU_RX_REPORT", lambda event: float(event["param"]) > -30)

    def heard(self):
        """The file with what it heard; whole when the phone has quit."""
        (path,) = self.folder.glob("dump-*-dec.wav")
        return path

    def presence(self, who):
        """What it shows about a contact: Online, Offline or Unknown."""
        for line in self.control.command("contacts").splitlines():
            if f"<sip:{who}@" in line:
                return next(word for word in _STATES if word in line)
        return None

    def quit(self):
        """Logs out and ends."""
        self.control.command("quit")
        assert self.wait() == 0

    def stop(self, *args, **kwargs):
        if hasattr(self, "control"):
            self.control.close()
        return super().stop(*args, **kwargs)


_STATES = ("Online", "Offline", "Unknown", "Busy")

