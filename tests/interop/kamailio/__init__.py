"""Kamailio as a server beside ours: started, told of its users and of their decisions."""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from rig.net import free_port
from rig.presently import DOMAIN, password
from rig.program import Program

HERE = Path(__file__).parent
TABLES = Path("/usr/share/kamailio/db_sqlite")


class Kamailio(Program):
    """A Kamailio on a free port of `host`, with the users of a scene; its files are in `folder`."""

    def __init__(self, folder, host, users):
        self.host, self.port = host, free_port(host)
        self.folder = folder / "kamailio"
        self.folder.mkdir()
        # In memory where there is such a folder: Kamailio gives a request up whose write meets
        # another process's, and a write that waits for a disk meets many.
        memory = Path("/dev/shm")
        self._rows = tempfile.mkdtemp(dir=memory if memory.is_dir() else self.folder)
        self._database = Path(self._rows) / "kamailio.sqlite"
        self._control = f"unix:{self.folder / 'ctl'}"
        self._fill(users)
        told = {"HOST": host, "PORT": self.port}
        told |= {"DB": f"sqlite:///{self._database}", "CTL": self._control[len("unix:") :]}
        super().__init__(
            "kamailio",
            [
                *["kamailio", "-DD", "-E", "-f", HERE / "kamailio.cfg", "-m", "64", "-M", "8"],
                *["-w", self.folder, "-Y", self.folder],
                *["-A", f"HOST={host}", "-A", f"PORT={self.port}"],
                *(f"--subst=!@{name}@!{value}!g" for name, value in told.items()),
            ],
            log=folder / "kamailio.log",
        )
        self.expect(r"\bready$")

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def _fill(self, users):
        """Makes the database: Kamailio's own tables, and the accounts."""
        with self._open() as database:
            database.execute("pragma journal_mode=WAL")
            for name in ("standard", "auth_db", "presence", "msilo"):
                database.executescript((TABLES / f"{name}-create.sql").read_text())
            database.executemany(
                "insert into subscriber (username, domain, password) values (?, ?, ?)",
                [(user, DOMAIN, password(user)) for user in users],
            )

    def _open(self):
        return sqlite3.connect(self._database, timeout=10)

    def decide(self, owner, rules):
        """Puts an owner's whole rule set where an XCAP server would, and has it looked at."""
        document = ruleset(rules)
        with self._open() as database:
            database.execute("delete from xcap where username = ? and doc_type = 2", [owner])
            database.execute(
                "insert into xcap (username, domain, doc, doc_type, etag, source, doc_uri, port)"
                " values (?, ?, ?, 2, ?, 0, ?, 0)",
                [owner, DOMAIN, document, f"of-{owner}", f"/pres-rules/users/{owner}/index"],
            )
        self.call("presence.refreshWatchers", f"sip:{owner}@{DOMAIN}", "presence", "0")

    def call(self, *command):
        """A command over its control socket."""
        asked = ["kamcmd", "-s", self._control, *command]
        subprocess.run(asked, check=True, capture_output=True, timeout=10)

    def collisions(self):
        """How many of its writes met another process's: SQLite's trouble, not its own."""
        return sum("database is locked" in line for line in self.lines)

    def stop(self, how=signal.SIGTERM, timeout=5.0):
        """Ends it; workers that outlive the main process are ended by their ids."""
        main = self.process.pid
        try:
            workers = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        except OSError:
            workers = []
        status = super().stop(how, timeout)
        for worker in workers:
            try:
                if Path(f"/proc/{worker}/comm").read_text().strip() == "kamailio":
                    os.kill(int(worker), signal.SIGKILL)
            except OSError:
                continue
        shutil.rmtree(self._rows)
        return status


def ruleset(rules):
    """A rule set with one rule for each (watcher, sub-handling)."""
    rule = (
        '<rule id="r{number}"><conditions><identity><one id="sip:{watcher}@{domain}"/></identity>'
        "</conditions><actions><pr:sub-handling>{handling}</pr:sub-handling></actions>"
        "<transformations><pr:provide-services><pr:all-services/></pr:provide-services>"
        "<pr:provide-persons><pr:all-persons/></pr:provide-persons><pr:provide-all-attributes/>"
        "</transformations></rule>"
    )
    told = "".join(
        rule.format(number=number, watcher=watcher, domain=DOMAIN, handling=handling)
        for number, (watcher, handling) in enumerate(rules.items())
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<ruleset xmlns="urn:ietf:params:xml:ns:common-policy" '
        f'xmlns:pr="urn:ietf:params:xml:ns:pres-rules">{told}</ruleset>'
    )
