"""A user of PJSIP as a process (`user.py`), and how a scene starts and hears it."""

import re
import sys
from pathlib import Path

from rig.presently import DOMAIN, password
from rig.program import Teller

PROGRAM = Path(__file__).parent / "user.py"


class User(Teller):
    """A user of PJSIP; registers at once. `flags` are those of `user.py`."""

    def __init__(self, scene, name, server, *flags, secret=None):
        self.aor = f"sip:{name}@{DOMAIN}"
        self.pjsip = scene.folder / f"pjsip-{name}.log"
        super().__init__(
            f"pjsua2 {name}",
            [
                *[sys.executable, "-B", PROGRAM, "--aor", self.aor, "--host", scene.host],
                *["--server", server.address, "--log", self.pjsip],
                *flags,
            ],
            env={"PRESENCE_PASSWORD": secret or password(name)},
            log=scene.folder / f"pjsua2-{name}.log",
        )
        scene.started(self)

    def log_in(self):
        """Waits until it is registered."""
        self.event("registration", code=200, active=True)
        return self

    def log_out(self):
        """Ends it by a line; its exit status is 0."""
        self.send("quit")
        self.event("ended")
        assert self.wait() == 0

    def wire(self, pattern):
        """What matches in the messages it sent and got; its log is whole when it has ended."""
        return re.findall(pattern, self.pjsip.read_text(errors="replace"), re.MULTILINE)


def answered(server, method, status, user=None):
    """Waits until the server answered such a request, of this user."""
    who = rf'"sip:{user}@' if user else '"'
    server.expect(rf'answered method="{method}" status={status} user={who}')
