"""Fixtures of the drivers: a scene with our server and agents on a loopback address of its own,
whose traffic is kept when it fails; and the table that the whole run has to agree with.

Scenes run beside each other in some processes (pytest-xdist). What a test means for the table goes
with its report to the process that keeps the table."""

import os
import re
import shutil
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from rig import table as tables
from rig import versions
from rig.net import Capture, scene_address
from rig.presently import Agent, Server

FAILED = pytest.StashKey[bool]()
ROWS = "rows of the table"

# Their scenes share an address, and what is captured there is one call at a time.
ONE_BY_ONE = {"test_calls.py", "test_video.py"}


def pytest_addoption(parser):
    parser.addoption("--write-table", action="store_true", help="write README.md's table anew")


def pytest_configure(config):
    # A process of xdist's has no table of its own.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Keeper(config))


class Beside(LoadScopeScheduling):
    """Who comes next to a process that is free: all of ONE_BY_ONE are one piece, and the first."""

    def _split_scope(self, nodeid):
        return "one by one" if nodeid.split("::")[0] in ONE_BY_ONE else nodeid


def pytest_xdist_make_scheduler(config, log):
    return Beside(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    if report.when == "call":
        report.user_properties.append((ROWS, list(rows(item, report))))
    return report


def rows(item, report):
    """What a test says for the table: its place there and a row. The features that a peer lacks are
    rows too, which a driver lists as LACKS; they come last."""
    items = item.session.items
    feature = item.get_closest_marker("feature")
    if feature:
        peer, against, what = feature.args
        note = feature.kwargs.get("note", "")
        lacks = feature.kwargs.get("lacks")
        if report.skipped and hasattr(report, "wasxfail"):
            result, note = "no", report.wasxfail
        elif report.passed and lacks:
            result, note = "no", lacks
        else:
            result = "yes" if report.passed else "FAILED"
        yield items.index(item), peer, against, what, result, note
    first = next(place for place, it in enumerate(items) if it.module is item.module)
    for number, (peer, against, what, why) in enumerate(getattr(item.module, "LACKS", ())):
        yield len(items) * (1 + first) + number, peer, against, what, "no", why


class Keeper:
    """Keeps the table. A whole run has to find what README.md says, row by row."""

    def __init__(self, config):
        self._config, self._table = config, tables.Table()

    def pytest_runtest_logreport(self, report):
        for name, found in report.user_properties:
            for row in found if name == ROWS else ():
                self._table.add(*row)

    def pytest_sessionfinish(self, session, exitstatus):
        option = self._config.option
        whole = not option.keyword and not option.markexpr
        whole = whole and [Path(it).name for it in self._config.args] in ([], ["interop"], ["."])
        if not whole or exitstatus not in (0, 1):
            return
        found = self._table.render(versions.name)
        if option.write_table:
            tables.write(found)
        elif not tables.agrees(found):
            print("\nREADME.md's table says otherwise; what was found:\n")
            print(found)
            session.exitstatus = 1


class Scene:
    """One scene: a folder, an address, and everything that was started, ended in reverse order."""

    def __init__(self, request, folder):
        self.request = request
        self.folder = folder
        self.host = getattr(request.module, "HOST", None) or scene_address()
        self.capture = Capture(folder, self.host)
        self._started = []

    def started(self, program):
        """Notes a program to be ended with the scene."""
        self._started.append(program)
        return program

    def server(self, *users, **how):
        """Our server, with these users."""
        return self.started(Server(self.folder, self.host, users, **how))

    def agent(self, name, server, **how):
        """An agent of ours, logged in."""
        agent = self.started(Agent(self.folder, name, server.address, self.host, **how))
        agent.log_in()
        return agent

    def end(self):
        """Ends what was started, the latest first."""
        for program in reversed(self._started):
            program.end()
        self.capture.stop()


@pytest.fixture
def scene(request, tmp_path):
    """A scene whose folder (logs, traffic.pcap) is kept under target/interop when it fails."""
    scene = Scene(request, tmp_path)
    yield scene
    scene.end()
    if request.node.stash.get(FAILED, False):
        keep(tmp_path, request.node.name)


def keep(folder, name):
    """Keeps what a failed scene left."""
    root = Path(__file__).parents[2]
    kept = Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "interop"
    kept = kept / re.sub(r"\W+", "-", name)
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder, kept, ignore_dangling_symlinks=True, ignore=_no_sockets)
    print(f"\nlogs and traffic.pcap are in {kept}")


def _no_sockets(folder, names):
    return [name for name in names if (Path(folder) / name).is_socket()]
