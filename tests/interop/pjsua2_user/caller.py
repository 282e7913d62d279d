"""A user of PJSIP who talks: what a scene about a call asks of every peer."""

from . import User

SECONDS = 60.0

# How many packets of sound of 20 ms have to go each way.
PACKETS = 50


class Caller(User):
    """Each method but the orders waits until it is so."""

    settings = ""

    def __init__(self, scene, name, server, codec="PCMU", tone=440, srtp=False):
        self._heard = scene.folder / f"pjsua2-{name}.wav"
        flags = ["--codec", codec, "--tone", str(tone), "--record", self._heard]
        super().__init__(scene, name, server, *flags, *(["--srtp"] if srtp else []))
        self.log_in()

    def call(self, aor):
        self.send(f"call {aor}")

    def rings(self):
        self.event("call", SECONDS, state="EARLY", code=180)

    def take(self):
        self.event("ringing", SECONDS)
        self.send("answer 200")

    def is_up(self):
        self.event("call", SECONDS, state="CONFIRMED")

    def hears_sound(self):
        self.send(f"hear {PACKETS}")
        self.event("heard", SECONDS)

    def receives(self):
        self.hears_sound()

    def hold(self):
        self.send("hold")

    def resume(self):
        self.send("resume")

    def press(self, key):
        self.send(f"dial {key}")

    def is_told(self, key):
        self.event("key", SECONDS, key=key)

    def hang_up(self):
        self.send("hangup")

    def is_over(self, status=None):
        code = {} if status is None else {"code": status}
        self.event("call", SECONDS, state="DISCONNECTED", **code)

    def heard(self):
        """The file with what it heard; whole when it has quit."""
        return self._heard

    def quit(self):
        self.log_out()
