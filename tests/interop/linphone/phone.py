"""A linphonec as a program of a scene, driven by lines."""

import re
import signal
import sys
import uuid
from pathlib import Path

from rig.net import free_port
from rig.presently import DOMAIN, password
from rig.sound import write_tone
from rig.trace import Tracing

TEMPLATE = Path(__file__).parent / "rc"

# A line of its log, maybe behind a prompt; and the one that a traced message follows.
LOGGED = re.compile(r"^(linphonec> )*\d{4}-\d\d-\d\d [\d:]+ \S+-(message|warning|error)-")
TRACED = re.compile(r"message sent to \[|\] new bytes from \[")


class Linphone(Tracing):
    """A phone of the user `name`, whose outbound proxy is the server. Its log, with every SIP
    message, comes with its output. It watches its `friends`."""

    command = ("linphonec", "-a", "-d", "6", "-c")

    def __init__(
        self,
        scene,
        name,
        server,
        friends=(),
        secret=None,
        publish=False,
        cpim=False,
        codec="PCMU",
        srtp=False,
        film=None,
    ):
        self.aor = f"sip:{name}@{DOMAIN}"
        self.folder = scene.folder / f"linphone-{name}"
        (self.folder / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        self._ahead = None
        watched = "".join(
            f"[friend_{number}]\nurl=<sip:{who}@{DOMAIN}>\npol=accept\nsubscribe=1\n\n"
            for number, who in enumerate(friends)
        )
        text = TEMPLATE.read_text().format(
            name=name,
            secret=secret or password(name),
            server=server.address,
            domain=DOMAIN,
            host=scene.host,
            port=free_port(scene.host),
            rtp=free_port(scene.host, step=2),
            uuid=uuid.uuid4(),
            publish=int(publish),
            cpim=int(cpim),
            pcmu=int(codec == "PCMU"),
            g722=int(codec == "G722"),
            opus=int(codec == "opus"),
            encryption="srtp" if srtp else "none",
            video_rtp=free_port(scene.host, step=2),
            pictures=int(film is not None),
            friends=watched,
        )
        (self.folder / "rc").write_text(text)
        super().__init__(
            f"linphone {name}",
            ["stdbuf", "-oL", *self.command, self.folder / "rc", *(["-V"] if film else [])],
            cwd=self.folder,
            env={"HOME": str(self.folder)},
            log=self.folder / "output.log",
        )
        scene.started(self)

    def registered(self):
        """Waits until it is; itself, so that it can be said in one line."""
        self.expect(r"moving from state \[.*\] to \[LinphoneRegistrationOk\]")
        return self

    def message(self, timeout):
        if not (self._ahead and TRACED.search(self._ahead)):
            self.expect(TRACED.search, timeout)
        text = []

        def is_over(line):
            self._ahead = line if LOGGED.search(line) else None
            return self._ahead or text.append(line)

        self.expect(is_over)
        return text

    def sound(self, hertz):
        """Says a tone in its next call, and writes what it hears to a file; which is returned."""
        said, heard = self.folder / "said.wav", self.folder / "heard.wav"
        write_tone(said, hertz)
        for line in ("soundcard use files", f"play {said}", f"record {heard}"):
            self.send(line)
        return heard

    def quit(self):
        """Logs out and ends."""
        self.send("quit")
        assert self.wait() == 0

    def end(self):
        # It does not end at a SIGTERM while it has subscriptions.
        self.stop(signal.SIGKILL)


class Core(Linphone):
    """The same library without the console, for what that has no words for (`core.py`)."""

    command = (sys.executable, Path(__file__).parent / "core.py")
