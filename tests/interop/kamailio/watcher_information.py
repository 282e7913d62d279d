"""Scripts: SUBSCRIBE for presence.winfo, and its documents (RFC 3857 §4.6, RFC 3858)."""

from rig.documents import Screen

from .sides import QUIET, expect_document, news, owner, script, state, status, table, winfo

WINFO = "presence.winfo"


@script
def winfo_subscribe(side):
    bob = side.phone("bob")
    watch = bob.subscribe(bob.aor, event=WINFO, expires=600)
    side.see("answer", status(watch.response))
    side.see("Expires", watch.response["expires"])
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("Event", notify["event"])
    side.see("Content-Type", notify["content-type"])
    side.see("first version", winfo(notify).version)
    side.see("told", table(notify))


@script
def winfo_full_then_partial(side):
    for role in ("alice", "carol"):
        side.phone(role).subscribe(side.aor("bob")).next()
    _bob, watch, before = owner(side)
    side.see("first document", before)
    ids = {row.uri: row.id for row in before.rows}
    dave = side.phone("dave").subscribe(side.aor("bob"))
    before, told = news(watch, before)
    side.see("dave subscribes", told)
    watch.ask(600)
    before, told = news(watch, before)
    side.see("bob refreshes", told)
    side.see("the same ids", all(ids.get(each.uri, each.id) == each.id for each in before.rows))
    dave.ask(0)
    before, told = news(watch, before)
    side.see("dave unsubscribes while pending", told)


@script
def winfo_document_lost(side):
    """A winfo NOTIFY answered 500: does the owner hear of the row in it?"""
    bob, watch, before = owner(side)
    bob.answers_with["NOTIFY"] = [500]
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = news(watch, before)
    side.see("the document answered 500", told)
    side.phone("carol").subscribe(side.aor("bob"))
    later = expect_document(watch, lambda it: it.row("carol"), 5)
    side.see("the next one tells of alice", later is not None and later.row("alice") is not None)
    side.see("its state", later.state if later else "nothing came")


@script
def winfo_for_two_devices(side):
    bob, desk, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = news(desk, before)
    side.see("the first device", told)
    mobile = side.phone("bob").subscribe(bob.aor, event=WINFO)
    other = winfo(mobile.next())
    side.see("the second device's first version", other.version)
    side.see("and document", other)
    side.see("the same id", other.row("alice").id == before.row("alice").id)
    side.see("the first device meanwhile", table(desk.next(QUIET)))
    side.phone("carol").subscribe(side.aor("bob"))
    side.see("both hear of carol", [news(desk, before)[1], news(mobile, other)[1]])


@script
def winfo_of_one_watcher_twice(side):
    """Two subscriptions of one watcher are two rows (RFC 3858 §3.2)."""
    _bob, watch, before = owner(side)
    for _device in range(2):
        side.phone("alice").subscribe(side.aor("bob")).next()
    watch.ask(600)
    document = expect_document(watch, lambda it: it.state == "full")
    side.see("bob is told", document)
    ids = {each.id for each in document.rows}
    side.see("different ids", len(ids))


@script
def winfo_for_a_stranger(side):
    """Somebody else's watchers are nobody's business (RFC 3857 §6.2)."""
    for role in ("alice", "carol"):
        side.phone(role).subscribe(side.aor("bob")).next()
    watch = side.phone("dave").subscribe(side.aor("bob"), event=WINFO)
    side.see("answer to a stranger", status(watch.response))
    notify = watch.next(QUIET)
    side.see("NOTIFY to a stranger", state(notify))
    side.see("told a stranger", table(notify))
    watch = side.phone("alice").subscribe(side.aor("bob"), event=WINFO)
    side.see("answer to a watcher", status(watch.response))
    side.see("told a watcher", table(watch.next(QUIET)))


@script
def winfo_unsubscribe_and_fetch(side):
    bob, watch, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, _told = news(watch, before)
    side.see("answer", status(watch.ask(0)))
    notify = watch.next()
    side.see("last NOTIFY", state(notify))
    side.see("told at last", table(notify))
    fetched = bob.subscribe(bob.aor, event=WINFO, expires=0)
    side.see("fetch", status(fetched.response))
    notify = fetched.next()
    side.see("NOTIFY of the fetch", state(notify))
    side.see("told by the fetch", table(notify))


@script
def winfo_runs_out(side):
    bob = side.phone("bob")
    watch = bob.subscribe(bob.aor, event=WINFO, expires=2)
    side.see("first NOTIFY", state(watch.next()))
    notify = watch.next()
    side.see("last NOTIFY", state(notify))
    side.see("refresh after that", status(watch.ask(600)))


@script
def winfo_wrongly(side):
    bob = side.phone("bob")
    nobody = f"sip:nobody@{bob.domain}"
    side.see("of an unknown user", status(bob.subscribe(nobody, event=WINFO).response))
    side.see("expires too brief", status(bob.subscribe(bob.aor, event=WINFO, expires=1).response))
    side.see("of winfo", status(bob.subscribe(bob.aor, event=f"{WINFO}.winfo").response))


@script
def winfo_as_the_owners_screen_shows_it(side):
    """Documents put together as RFC 3858 §4 says: what bob believes about his watchers."""
    side.decide("bob", "alice", "allow")
    bob, screen = side.phone("bob"), Screen()
    watch = bob.subscribe(bob.aor, event=WINFO)
    screen.take(winfo(watch.next()))
    alice = side.phone("alice").subscribe(side.aor("bob"))
    carol = side.phone("carol").subscribe(side.aor("bob"))
    for watcher in (alice, carol):
        watcher.next()
    _until_quiet(watch, screen)
    side.see("alice is allowed, carol asks", screen)
    side.decide("bob", "carol", "allow")
    _until_quiet(watch, screen)
    side.see("carol is allowed", screen)
    side.decide("bob", "alice", "block")
    _until_quiet(watch, screen)
    side.see("alice is blocked", screen)
    side.phone("dave").subscribe(side.aor("bob"))
    _until_quiet(watch, screen)
    side.see("dave asks", screen)
    side.see("a version was missed", screen.gap)


def _until_quiet(watch, screen):
    while (document := expect_document(watch, lambda _: True, QUIET)) is not None:
        screen.take(document)
