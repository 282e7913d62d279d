"""A baresip that talks: what a scene about a call asks of every peer."""

from rig.net import until_written

from .phone import Baresip

SECONDS = 60.0


class Caller(Baresip):
    """It answers at once when it is called. Each method but the orders waits until it is so."""

    # What it can show: a Y4M file; and how many pictures of it have come after two seconds.
    film, pictures = "y4m", 15

    settings = "[digest]\nsha256 = false\n"

    def __init__(
        self, scene, name, server, codec="PCMU", tone=440, srtp=False, film=None, **account
    ):
        wanted = {**account, **({"mediaenc": "srtp-mand"} if srtp else {})}
        # It names codecs with the rate of their samples.
        codec = {"G722": "G722/16000/1", "opus": "opus/48000/2"}.get(codec, codec)
        super().__init__(scene, name, server, tone=tone, codec=codec, film=film, **wanted)
        self.registered()

    def call(self, aor):
        self.control.command("dial", aor)

    def rings(self):
        self.control.event("CALL_RINGING", timeout=SECONDS)

    def take(self):
        """Nothing to do."""

    def is_up(self):
        self.control.event("CALL_ESTABLISHED", timeout=SECONDS)

    def hears_sound(self):
        for _ in range(3):
            self.control.event("VU_RX_REPORT", lambda it: float(it["param"]) > -30, SECONDS)

    def receives(self):
        """Packets come, as its status line says: bits a second sent/received. Once it was held, the
        bridge that it plays to passes nothing on, and there is no level to be seen."""
        self.skip()
        for _ in range(5):
            self.expect(r"audio=[1-9]\d*/[1-9]\d* \(bit/s\)", SECONDS)

    def heard(self):
        """The file with what it heard, the longest if holding began another; whole when the phone
        has quit."""
        return max(self.folder.glob("dump-*-dec.wav"), key=lambda file: file.stat().st_size)

    def sees(self):
        """A file with a picture that it has decoded."""
        path = self.folder / "seen.png"
        self.control.command("snapshot_recv", str(path))
        until_written(path, b"IEND\xaeB`\x82", SECONDS)
        return path

    def hold(self):
        self.control.command("hold")

    def resume(self):
        self.control.command("resume")

    def press(self, key):
        self.control.command("sndcode", key)

    def is_told(self, key):
        self.control.event("CALL_DTMF_START", lambda it: it["param"] == key, timeout=SECONDS)

    def hang_up(self):
        self.control.command("hangup")

    def is_over(self, status=None):
        over = self.control.event("CALL_CLOSED", timeout=SECONDS)
        assert status is None or over["param"].startswith(f"{status} "), over
