"""A linphonec as a program of a scene, driven by lines."""

import re
import time
import uuid
from pathlib import Path

from rig.net import free_port
from rig.presently import DOMAIN, password
from rig.program import Program
from rig.sound import write_tone

TEMPLATE = Path(__file__).parent / "rc"


class Linphone(Program):
    """A phone of the user `name`, whose outbound proxy is the server. Its log, with every SIP
    message, comes with its output. It watches its `friends`; `tone` is what it says in a call."""

    def __init__(self, scene, name, server, friends=(), secret=None, tone=440, **how):
        self.aor = f"sip:{name}@{DOMAIN}"
        self.folder = scene.folder / f"linphone-{name}"
        (self.folder / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        watched = "".join(
            f"[friend_{number}]\nurl=<sip:{who}@{DOMAIN}>\npol=accept\nsubscribe=1\n\n"
            for number, who in enumerate(friends)
        )
        settings = {
            "name": name,
            "secret": secret or password(name),
            "server": server.address,
            "domain": DOMAIN,
            "host": scene.host,
            "port": free_port(scene.host),
            "rtp": free_port(scene.host, step=2),
            "uuid": uuid.uuid4(),
            "friends": watched,
            "publish": int(how.get("publish", False)),
            "cpim": int(how.get("cpim", False)),
            "sip": how.get("sip", ""),
        }
        (self.folder / "rc").write_text(TEMPLATE.read_text().format(**settings))
        super().__init__(
            f"linphonec {name}",
            ["stdbuf", "-oL", "linphonec", "-c", self.folder / "rc", "-d", "6", *how.get("flags", ())],
            cwd=self.folder,
            env={"HOME": str(self.folder)},
            log=self.folder / "output.log",
        )
        scene.started(self)
