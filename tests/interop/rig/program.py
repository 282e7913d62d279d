"""A program driven by its lines: what it prints is waited for, never slept for."""

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path


class Missed(AssertionError):
    """A line that never came. The message names it and shows the last lines that did."""


class Program:
    """A child process whose output is read line by line into memory.

    `expect` looks at every line since the last one that was expected, so nothing is lost between
    two calls. The process is ended by its id, never by its name.
    """

    def __init__(self, name, arguments, cwd=None, env=None, log=None):
        self.name = name
        self.lines = []
        self._seen = 0
        self._changed = threading.Condition()
        self._log = open(log, "a", encoding="utf-8") if log else None
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                if self._log:
                    self._log.write(line)
                    self._log.flush()
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def send(self, line):
        """Types a line."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def expect(self, wanted, timeout=10.0):
        """The next line that `wanted` (a pattern, or a function of the line that returns something
        true) accepts, and what it made of it. Lines up to it are passed over."""
        accepts = wanted if callable(wanted) else re.compile(wanted).search
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                while self._seen < len(self.lines):
                    self._seen += 1
                    made = accepts(self.lines[self._seen - 1])
                    if made:
                        return made
                ended = not self._reader.is_alive()
                if ended or not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    if self._seen == len(self.lines):
                        raise Missed(self._missed(wanted, timeout, ended))

    def skip(self):
        """Passes over all lines up to now."""
        with self._changed:
            self._seen = len(self.lines)

    def never(self, unwanted):
        """Checks that no line up to now matches."""
        found = [line for line in self.lines if re.search(unwanted, line)]
        assert not found, f"{self.name} said: {found}"

    def _missed(self, wanted, timeout, ended):
        what = "ended before it said" if ended else f"did not say within {timeout:g} s"
        last = "\n  ".join(self.lines[-25:])
        return f"{self.name} {what}: {wanted}\nits last lines:\n  {last}"

    def wait(self, timeout=10.0):
        """The exit status, when the process ends by itself."""
        return self.process.wait(timeout)

    def end(self):
        """What a scene does with it at last."""
        self.stop()

    def stop(self, how=signal.SIGTERM, timeout=5.0):
        """Ends the process: politely, and after `timeout` seconds by force."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(timeout)
        if self._log:
            self._log.close()
            self._log = None
        return self.process.returncode


class Teller(Program):
    """A program that tells its events as JSON objects, one a line, each named by its `event`."""

    def event(self, kind, timeout=10.0, **fields):
        """The next event of this kind whose fields have these values."""

        def accepts(line):
            if not line.startswith("{"):
                return None
            event = json.loads(line)
            fits = event["event"] == kind and all(
                event.get(field) == value for field, value in fields.items()
            )
            return event if fits else None

        try:
            return self.expect(accepts, timeout)
        except Missed as missed:
            wanted = " ".join([kind, *(f"{field}={value}" for field, value in fields.items())])
            raise Missed(f"no event {wanted}\n{missed}") from None


def binary(name):
    """A program of ours: from PRESENTLY_BIN, or from the workspace's debug build."""
    folder = os.environ.get("PRESENTLY_BIN")
    folder = Path(folder) if folder else Path(__file__).parents[3] / "target" / "debug"
    path = folder / name
    assert path.exists(), f"{path} is missing: cargo build --bins, or set PRESENTLY_BIN"
    return path
