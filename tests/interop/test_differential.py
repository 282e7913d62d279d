"""The same users against our server and against Kamailio: what they see is compared fact by fact,
and every difference is listed, judged and explained in kamailio/differences.toml."""

import importlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import Scene, keep
from kamailio import Kamailio, listed
from kamailio.sides import ATTEMPTS, OURS, SCRIPTS, Ours, Theirs, accounts

SUBJECTS = "registering watching publishing watcher_information watcher_states messaging edges"
for subject in SUBJECTS.split():
    importlib.import_module(f"kamailio.{subject}")

# Scripts played at once: most of their time is waiting.
AT_ONCE = 24

NOTE = f"{len(SCRIPTS)} scripts, {listed.counts()}; see [Kamailio beside us](#kamailio-beside-us)"


def played(side, play):
    """What a script's users saw; why it broke off, if it did."""
    try:
        play(side)
    except Exception as broken:  # a user could not go on: that is a fact too
        side.facts["broke off"] = f"{type(broken).__name__}: {broken}"
    finally:
        side.close()
    return side.facts


def by_theirs(server, name):
    """What the users see at Kamailio: where its database got in its way, they play again."""
    for attempt in range(1, ATTEMPTS + 1):
        before = server.collisions()
        facts = played(Theirs(server, f"{name}.{attempt}"), SCRIPTS[name])
        if server.collisions() == before:
            break
    return facts


@pytest.fixture(scope="module")
def seen(request, tmp_path_factory):
    """What the users of a script see, on both sides: a function of its name, which waits."""
    ours = Scene(request, tmp_path_factory.mktemp("ours"))
    theirs = Scene(request, tmp_path_factory.mktemp("theirs"))
    failed = request.session.testsfailed
    try:
        server = ours.server(*accounts(), settings=OURS)
        other = theirs.started(Kamailio(theirs.folder, theirs.host, accounts()))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            futures = {
                name: (
                    pool.submit(played, Ours(server, f"{name}.1"), play),
                    pool.submit(by_theirs, other, name),
                )
                for name, play in SCRIPTS.items()
            }
            yield lambda script: [each.result() for each in futures[script]]
    finally:
        ours.end()
        theirs.end()
    if request.session.testsfailed > failed:
        keep(ours.folder, "differential-ours")
        keep(theirs.folder, "differential-theirs")


@pytest.mark.feature(
    "Kamailio", "server", "raw SIP users see the same at both, or what is listed", note=NOTE
)
@pytest.mark.parametrize("script", SCRIPTS)
def test_every_difference_is_listed(seen, script):
    assert not listed.disagreements(script, *seen(script))


def test_the_list_is_judged_and_readme_shows_it(seen, request):
    for each in listed.LISTED:
        assert each["verdict"] in listed.VERDICTS, "what is wrong with ours is mended, not listed"
        assert each["rfc"].startswith("RFC ") and " §" in each["rfc"] and each["why"], each
        assert each["script"] in SCRIPTS, "a script that is gone"
    facts = sum(len({**ours, **theirs}) for ours, theirs in map(seen, SCRIPTS))
    table = listed.table(len(SCRIPTS), facts)
    print(table.splitlines()[0])
    if request.config.option.write_table:
        listed.write(table)
    assert listed.shown() == table
