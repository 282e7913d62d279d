"""A linphonec that talks: what a scene about a call asks of every peer."""

import re

from .phone import Linphone

SECONDS = 60.0


class Caller(Linphone):
    """It answers at once when it is called. Each method but the orders waits until it is so."""

    # What it can show: a JPEG file, once a second.
    film, pictures = "jpeg", 2

    settings = ""

    def __init__(self, scene, name, server, codec="PCMU", tone=440, srtp=False, film=None):
        super().__init__(scene, name, server, codec=codec, srtp=srtp, film=film)
        self.registered()
        self._heard = self.sound(tone)
        if film:
            self.send(f"staticpic set {film}")

    def call(self, aor):
        self.send(f"call {aor}")

    def rings(self):
        self.expect(r"to \[LinphoneCallOutgoingRinging\]|LinphoneCallOutgoingRinging", SECONDS)

    def take(self):
        """Nothing to do."""

    def is_up(self):
        self.expect("Media streams established", SECONDS)

    def hears_sound(self):
        for _ in range(2):
            self.expect(r"Stream #0 \(audio\) .* RTP : \[d=[1-9]", SECONDS)

    def receives(self):
        self.skip()
        self.hears_sound()

    def sees(self):
        """A file with a picture that it has decoded."""
        path = self.folder / "seen.jpeg"
        self.send(f"snapshot {path}")
        self.expect("Snapshot done", SECONDS)
        return path

    def hold(self):
        self.send("pause")
        self.expect("Call 1 with .* is now paused", SECONDS)

    def resume(self):
        self.send("resume")

    def press(self, key):
        self.send(key)

    def is_told(self, key):
        self.expect(rf"Receiving tone {re.escape(key)} from ", SECONDS)

    def hang_up(self):
        self.send("terminate")

    def is_over(self, status=None):
        if status is not None:
            self.sip(f"^SIP/2.0 {status} ", r"^CSeq: \d+ INVITE", timeout=SECONDS)
        self.expect("Call 1 with .* (ended|error)", SECONDS)

    def heard(self):
        """The file with what it heard; whole when it has quit."""
        return self._heard
