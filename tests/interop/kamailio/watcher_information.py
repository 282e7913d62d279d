"""Scripts: SUBSCRIBE for presence.winfo, and what the owner is told (RFC 3857, RFC 3858)."""

from .sides import QUIET, expect_document, script, state, status, table, winfo

WINFO = "presence.winfo"


def _owner(side):
    """bob, who asks for his watchers: his phone, the subscription and its first document."""
    bob = side.phone("bob")
    watch = bob.subscribe(bob.aor, event=WINFO)
    return bob, watch, winfo(watch.next())


def _told(document, since):
    """A document in a line, with its version counted from another's."""
    return "nothing" if document is None else f"+{document.version - since.version} {document}"


def _news(watch, before, patience=QUIET):
    """The next document of the owner and what it says."""
    document = expect_document(watch, lambda _: True, patience)
    return document or before, _told(document, before)


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
def winfo_pending_then_approved(side):
    _bob, watch, before = _owner(side)
    alice = side.phone("alice").subscribe(side.aor("bob"))
    before, told = _news(watch, before)
    side.see("alice subscribes", told)
    first = before.row("alice")
    side.decide("bob", "alice", "allow")
    side.see("alice is told", state(alice.until(lambda it: state(it) == "active", QUIET)))
    before, told = _news(watch, before)
    side.see("bob approves", told)
    watch.ask(600)
    before, told = _news(watch, before)
    side.see("bob refreshes", told)
    side.see("the same id", before.row("alice").id == first.id)
    alice.ask(0)
    before, told = _news(watch, before)
    side.see("alice unsubscribes", told)


@script
def winfo_pending_then_refused(side):
    _bob, watch, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = _news(watch, before)
    side.see("alice subscribes", told)
    side.decide("bob", "alice", "block")
    before, told = _news(watch, before)
    side.see("bob refuses", told)
    watch.ask(600)
    before, told = _news(watch, before)
    side.see("bob refreshes", told)


@script
def winfo_of_approved_watchers(side):
    side.decide("bob", "alice", "allow")
    _bob, watch, before = _owner(side)
    alice = side.phone("alice").subscribe(side.aor("bob"))
    before, told = _news(watch, before)
    side.see("alice subscribes", told)
    first = before.row("alice")
    alice.ask(900)
    before, told = _news(watch, before)
    side.see("alice refreshes", told)
    side.decide("bob", "alice", "block")
    before, told = _news(watch, before)
    side.see("bob blocks her", told)
    row = before.row("alice")
    side.see("the same id", row is not None and row.id == first.id)


@script
def winfo_active_runs_out(side):
    side.decide("bob", "alice", "allow")
    _bob, watch, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"), expires=2)
    before, told = _news(watch, before)
    side.see("alice subscribes for 2 seconds", told)
    before, told = _news(watch, before, patience=8)
    side.see("it runs out", told)


@script
def winfo_pending_runs_out(side):
    _bob, watch, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"), expires=2)
    before, told = _news(watch, before)
    side.see("alice subscribes for 2 seconds", told)
    first = before.row("alice")
    before, told = _news(watch, before, patience=8)
    side.see("it runs out", told)
    watch.ask(600)
    before, told = _news(watch, before)
    side.see("bob refreshes", told)
    row = before.row("alice")
    side.see("the same id", row.id == first.id if row else "not listed")


@script
def winfo_waiting_comes_back(side):
    """A watcher who comes back gives the waiting subscription up (RFC 3857 §4.7.1)."""
    _bob, watch, before = _owner(side)
    alice = side.phone("alice")
    side.see("first SUBSCRIBE", status(alice.subscribe(side.aor("bob"), expires=2).response))
    before = expect_document(watch, lambda it: not it.row("alice", "pending"), 8) or before
    side.see("alice when it ran out", before.row("alice") or "not listed")
    old = before.row("alice")
    alice.subscribe(side.aor("bob"))
    before, told = _news(watch, before)
    side.see("alice subscribes again", told)
    given = old and next((each for each in before.rows if each.id == old.id), None)
    side.see("the waiting one", f"{given.status}/{given.event}" if given else "silent")
    watch.ask(600)
    before, told = _news(watch, before)
    side.see("bob refreshes", told)


@script
def winfo_waiting_is_approved(side):
    _bob, watch, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"), expires=2)
    before = expect_document(watch, lambda it: not it.row("alice", "pending"), 8) or before
    side.decide("bob", "alice", "allow")
    before, told = _news(watch, before)
    side.see("bob approves the waiting alice", told)
    watch.ask(600)
    before, told = _news(watch, before)
    side.see("bob refreshes", told)


@script
def winfo_of_a_fetch(side):
    side.decide("bob", "carol", "allow")
    _bob, watch, before = _owner(side)
    side.phone("carol").subscribe(side.aor("bob"), expires=0)
    before, told = _news(watch, before)
    side.see("the approved carol fetches", told)
    side.phone("alice").subscribe(side.aor("bob"), expires=0)
    before, told = _news(watch, before)
    side.see("the unapproved alice fetches", told)


@script
def winfo_full_then_partial(side):
    for role in ("alice", "carol"):
        side.phone(role).subscribe(side.aor("bob")).next()
    _bob, watch, before = _owner(side)
    side.see("first document", before)
    ids = {row.uri: row.id for row in before.rows}
    dave = side.phone("dave").subscribe(side.aor("bob"))
    before, told = _news(watch, before)
    side.see("dave subscribes", told)
    watch.ask(600)
    before, told = _news(watch, before)
    side.see("bob refreshes", told)
    side.see("the same ids", all(ids.get(each.uri, each.id) == each.id for each in before.rows))
    dave.ask(0)
    before, told = _news(watch, before)
    side.see("dave unsubscribes while pending", told)


@script
def winfo_document_lost(side):
    """A winfo NOTIFY answered 500: does the owner hear of the row in it?"""
    bob, watch, before = _owner(side)
    bob.answers_with["NOTIFY"] = [500]
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = _news(watch, before)
    side.see("the document answered 500", told)
    side.phone("carol").subscribe(side.aor("bob"))
    later = expect_document(watch, lambda it: it.row("carol"), 5)
    side.see("the next one tells of alice", later is not None and later.row("alice") is not None)
    side.see("its state", later.state if later else "nothing came")


@script
def winfo_for_two_devices(side):
    bob, desk, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = _news(desk, before)
    side.see("the first device", told)
    mobile = side.phone("bob").subscribe(bob.aor, event=WINFO)
    other = winfo(mobile.next())
    side.see("the second device's first version", other.version)
    side.see("and document", other)
    side.see("the same id", other.row("alice").id == before.row("alice").id)
    side.see("the first device meanwhile", table(desk.next(QUIET)))
    side.phone("carol").subscribe(side.aor("bob"))
    side.see("both hear of carol", [_news(desk, before)[1], _news(mobile, other)[1]])


@script
def winfo_of_one_watcher_twice(side):
    """Two subscriptions of one watcher are two rows (RFC 3858 §3.2)."""
    _bob, watch, before = _owner(side)
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
    bob, watch, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, _told = _news(watch, before)
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
def winfo_of_a_polite_block(side):
    """What a politely blocked watcher learns, and what the owner sees."""
    side.decide("bob", "alice", "polite-block")
    _bob, watch, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = _news(watch, before)
    side.see("alice subscribes", told)


@script
def winfo_of_permission_taken_back(side):
    side.decide("bob", "alice", "allow")
    _bob, watch, before = _owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, _told = _news(watch, before)
    side.decide("bob", "alice", None)
    before, told = _news(watch, before)
    side.see("bob takes it back", told)
