"""The same users against our server and against Kamailio: what they see is compared fact by fact,
and every difference is listed, judged and explained in kamailio/differences.toml."""

import importlib
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import Scene
from kamailio import HERE, Kamailio
from kamailio.sides import OURS, SCRIPTS, Ours, Theirs, accounts

for subject in (
    "registering",
    "watching",
    "publishing",
    "watcher_information",
    "messaging",
    "edges",
):
    importlib.import_module(f"kamailio.{subject}")

LISTED = tomllib.loads((HERE / "differences.toml").read_text())["difference"]
VERDICTS = ("theirs wrong", "both allowed")
# Scripts played at once: most of their time is waiting.
AT_ONCE = 12


def played(side, play):
    """What a script's users saw; why it broke off, if it did."""
    try:
        play(side)
    except Exception as broken:  # a user could not go on: that is a fact too
        side.facts["broke off"] = f"{type(broken).__name__}: {broken}"
    finally:
        side.close()
    return side.facts


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """What the users of each script see, on both sides: (ours, theirs) by script."""
    ours = Scene(tmp_path_factory.mktemp("ours"))
    theirs = Scene(tmp_path_factory.mktemp("theirs"))
    try:
        server = ours.server(*accounts(), settings=OURS)
        other = theirs.started(Kamailio(theirs.folder, theirs.host, accounts()))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {
                name: (
                    pool.submit(played, Ours(server, name), play),
                    pool.submit(played, Theirs(other, name), play),
                )
                for name, play in SCRIPTS.items()
            }
            yield {name: [each.result() for each in pair] for name, pair in futures.items()}
    finally:
        ours.end()
        theirs.end()


def differences(script, ours, theirs):
    """The facts that differ: (script, fact): (ours, theirs)."""
    facts = list(dict.fromkeys([*ours, *theirs]))
    pairs = {(script, fact): (ours.get(fact, "-"), theirs.get(fact, "-")) for fact in facts}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_difference_is_listed(seen, script):
    found = differences(script, *seen[script])
    listed = {
        (each["script"], each["fact"]): (each["ours"], each["theirs"])
        for each in LISTED
        if each["script"] == script
    }
    assert found == listed
