"""Scripts: which states and events of his watchers an owner is told (RFC 3857 §4.7.1)."""

from .sides import QUIET, news, owner, script, state, status


@script
def winfo_pending_then_approved(side):
    _bob, watch, before = owner(side)
    alice = side.phone("alice").subscribe(side.aor("bob"))
    before, told = news(watch, before)
    side.see("alice subscribes", told)
    first = before.row("alice")
    side.decide("bob", "alice", "allow")
    side.see("alice is told", state(alice.until(lambda it: state(it) == "active", QUIET)))
    before, told = news(watch, before)
    side.see("bob approves", told)
    watch.ask(600)
    before, told = news(watch, before)
    side.see("bob refreshes", told)
    side.see("the same id", before.row("alice").id == first.id)
    alice.ask(0)
    before, told = news(watch, before)
    side.see("alice unsubscribes", told)


@script
def winfo_pending_then_refused(side):
    _bob, watch, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = news(watch, before)
    side.see("alice subscribes", told)
    side.decide("bob", "alice", "block")
    before, told = news(watch, before)
    side.see("bob refuses", told)
    watch.ask(600)
    before, told = news(watch, before)
    side.see("bob refreshes", told)


@script
def winfo_of_approved_watchers(side):
    side.decide("bob", "alice", "allow")
    _bob, watch, before = owner(side)
    alice = side.phone("alice").subscribe(side.aor("bob"))
    before, told = news(watch, before)
    side.see("alice subscribes", told)
    first = before.row("alice")
    alice.ask(900)
    before, told = news(watch, before)
    side.see("alice refreshes", told)
    side.decide("bob", "alice", "block")
    before, told = news(watch, before)
    side.see("bob blocks her", told)
    row = before.row("alice")
    side.see("the same id", row is not None and row.id == first.id)


@script
def winfo_active_runs_out(side):
    side.decide("bob", "alice", "allow")
    _bob, watch, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"), expires=2)
    before, told = news(watch, before)
    side.see("alice subscribes for 2 seconds", told)
    before, told = news(watch, before, patience=8)
    side.see("it runs out", told)


@script
def winfo_pending_runs_out(side):
    _bob, watch, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"), expires=2)
    before, told = news(watch, before)
    side.see("alice subscribes for 2 seconds", told)
    first = before.row("alice")
    before, told = news(watch, before, patience=8)
    side.see("it runs out", told)
    watch.ask(600)
    before, told = news(watch, before)
    side.see("bob refreshes", told)
    row = before.row("alice")
    side.see("the same id", row.id == first.id if row else "not listed")


@script
def winfo_waiting_comes_back(side):
    """A watcher who comes back gives the waiting subscription up (RFC 3857 §4.7.1)."""
    _bob, watch, before = owner(side)
    alice = side.phone("alice")
    side.see("first SUBSCRIBE", status(alice.subscribe(side.aor("bob"), expires=2).response))
    before, _told = news(watch, before)
    side.see("bob hears of alice", before)
    before, told = news(watch, before, patience=6)
    side.see("it runs out", told)
    old = before.row("alice")
    alice.subscribe(side.aor("bob"))
    before, told = news(watch, before)
    side.see("alice subscribes again", told)
    given = old and next((each for each in before.rows if each.id == old.id), None)
    side.see("the waiting one", f"{given.status}/{given.event}" if given else "silent")
    watch.ask(600)
    before, told = news(watch, before)
    side.see("bob refreshes", told)


@script
def winfo_waiting_is_approved(side):
    _bob, watch, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"), expires=2)
    before, _told = news(watch, before)
    before, told = news(watch, before, patience=6)
    side.see("it runs out", told)
    side.decide("bob", "alice", "allow")
    before, told = news(watch, before)
    side.see("bob approves the waiting alice", told)
    watch.ask(600)
    before, told = news(watch, before)
    side.see("bob refreshes", told)


@script
def winfo_of_a_fetch(side):
    side.decide("bob", "carol", "allow")
    _bob, watch, before = owner(side)
    side.phone("carol").subscribe(side.aor("bob"), expires=0)
    before, told = news(watch, before)
    side.see("the approved carol fetches", told)
    side.phone("alice").subscribe(side.aor("bob"), expires=0)
    before, told = news(watch, before)
    side.see("the unapproved alice fetches", told)
    watch.ask(600)
    before, told = news(watch, before)
    side.see("bob refreshes", told)


@script
def winfo_of_a_polite_block(side):
    """What a politely blocked watcher learns, and what the owner sees."""
    side.decide("bob", "alice", "polite-block")
    _bob, watch, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, told = news(watch, before)
    side.see("alice subscribes", told)


@script
def winfo_of_permission_taken_back(side):
    side.decide("bob", "alice", "allow")
    _bob, watch, before = owner(side)
    side.phone("alice").subscribe(side.aor("bob"))
    before, _told = news(watch, before)
    side.decide("bob", "alice", None)
    before, told = news(watch, before)
    side.see("bob takes it back", told)
