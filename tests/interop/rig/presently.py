"""Our server and our agents as processes."""

import signal

from .program import Program, Teller, binary

DOMAIN = "presence.test"


class Server(Program):
    """A `presence-server` in memory on a free port of `host`, with the users of a scene: the
    password of `alice` is `alice's password`, if `passwords` has no other. `settings` are lines of
    its TOML file."""

    def __init__(
        self, folder, host, users, settings="", flags=(), data=False, domain=DOMAIN, passwords=None
    ):
        self.host = host
        passwords = passwords or {}
        accounts = "".join(
            f'[[user]]\nname = "{name}"\npassword = "{passwords.get(name, password(name))}"\n'
            for name in users
        )
        (folder / "users.toml").write_text(accounts)
        (folder / "presently.toml").write_text(settings)
        keep = ["--data", folder / "data"] if data else ["--memory"]
        self._folder = folder
        self._flags = [
            *["--config", folder / "presently.toml", "--domain", domain],
            *["--users", folder / "users.toml", "--notify-gap", "0", *keep, *flags],
        ]
        self._start("0")

    def _start(self, port):
        super().__init__(
            "presence-server",
            [binary("presence-server"), "--listen", f"udp:{self.host}:{port}", *self._flags],
            env={"RUST_LOG": "info"},
            log=self._folder / "presence-server.log",
        )
        self.port = int(self.expect(r"^ready udp:\S*:(\d+)")[1])

    def kill_and_start_again(self):
        """As `kill -9` and whoever starts it again do: same port, same data."""
        self.stop(signal.SIGKILL)
        self._start(self.port)

    def stop_and_start_again(self):
        """In order: subscribers are told; then same port, same data."""
        self.stop()
        self._start(self.port)

    def end(self):
        """Ends it at once: peers that are gone would have to be waited for (RFC 3261 §17.1.2.2)."""
        if self.process.poll() is None:
            self.process.terminate()
            self.expect("a second signal ends at once")
        self.stop()

    @property
    def address(self):
        return f"{self.host}:{self.port}"


class Agent(Teller):
    """A `presence-ua` that tells its events as JSON."""

    def __init__(self, folder, name, server, host, flags=()):
        self.aor = f"sip:{name}@{DOMAIN}"
        super().__init__(
            f"presence-ua {name}",
            [
                binary("presence-ua"),
                *["--json", "--aor", self.aor, "--server", server, "--bind", f"{host}:0"],
                *flags,
            ],
            env={"PRESENCE_PASSWORD": password(name)},
            log=folder / f"presence-ua-{name}.log",
        )

    def log_in(self):
        """Waits until it is registered."""
        return self.event("registered")

    def log_out(self):
        """Ends it by a line; its exit status is 0."""
        self.send("quit")
        assert self.wait() == 0, self._missed("an orderly logout", 0, True)


def password(name):
    """The password of a user of a scene."""
    return f"{name}'s password"
