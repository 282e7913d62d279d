"""Scripts: SUBSCRIBE for presence, and what the watcher is shown (RFC 6665, RFC 3856)."""

from .sides import QUIET, script, shown, state, status

DESK = ("desk", "open", "at my desk")
LUNCH = ("desk", "closed", "at lunch")


def _published(side, *tuples):
    bob = side.phone("bob")
    bob.publish(side.document("bob", *(tuples or [DESK])))
    return bob


def _approved(side):
    """alice watches bob, who allows it and has published."""
    side.decide("bob", "alice", "allow")
    bob = _published(side)
    watch = side.phone("alice").subscribe(side.aor("bob"))
    watch.until(lambda notify: notify.body)
    return bob, watch


@script
def subscribe_unapproved(side):
    _published(side)
    watch = side.phone("alice").subscribe(side.aor("bob"), expires=600)
    side.see("answer", status(watch.response))
    side.see("Expires", watch.response["expires"])
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))


@script
def subscribe_then_approved(side):
    _published(side)
    watch = side.phone("alice").subscribe(side.aor("bob"))
    side.see("first NOTIFY", state(watch.next()))
    side.decide("bob", "alice", "allow")
    notify = watch.next()
    side.see("NOTIFY on approval", state(notify))
    side.see("shown on approval", shown(notify))


@script
def subscribe_then_refused(side):
    watch = side.phone("alice").subscribe(side.aor("bob"))
    side.see("first NOTIFY", state(watch.next()))
    side.decide("bob", "alice", "block")
    notify = watch.next()
    side.see("NOTIFY on refusal", state(notify))
    side.see("shown on refusal", shown(notify))
    side.see("refresh after that", status(watch.ask(600)))


@script
def subscribe_approved(side):
    side.decide("bob", "alice", "allow")
    bob = _published(side)
    watch = side.phone("alice").subscribe(side.aor("bob"), expires=600)
    side.see("answer", status(watch.response))
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))
    side.see("Content-Type", notify["content-type"])
    side.see("Event", notify["event"])
    bob.publish(side.document("bob", ("mobile", "open", "on the move")))
    notify = watch.next()
    side.see("NOTIFY on change", state(notify))
    side.see("shown on change", shown(notify))


@script
def subscribe_blocked(side):
    side.decide("bob", "alice", "block")
    _published(side)
    watch = side.phone("alice").subscribe(side.aor("bob"))
    side.see("answer", status(watch.response))
    side.see("NOTIFY", state(watch.next(QUIET)))


@script
def subscribe_politely_blocked(side):
    side.decide("bob", "alice", "polite-block")
    bob = _published(side)
    watch = side.phone("alice").subscribe(side.aor("bob"))
    side.see("answer", status(watch.response))
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))
    bob.publish(side.document("bob", ("mobile", "open", "on the move")))
    side.see("when bob's presence changes", shown(watch.next(QUIET)))


@script
def blocked_while_active(side):
    bob, watch = _approved(side)
    side.decide("bob", "alice", "block")
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))
    bob.publish(side.document("bob", ("mobile", "open", "on the move")))
    side.see("when bob's presence changes", shown(watch.next(QUIET)))
    side.see("a new SUBSCRIBE", status(watch.phone.subscribe(side.aor("bob")).response))


@script
def politely_blocked_while_active(side):
    _bob, watch = _approved(side)
    side.decide("bob", "alice", "polite-block")
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))


@script
def permission_taken_back_while_active(side):
    _bob, watch = _approved(side)
    side.decide("bob", "alice", None)
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))


@script
def fetch(side):
    _published(side)
    alice, carol = side.phone("alice"), side.phone("carol")
    side.decide("bob", "alice", "allow")
    watch = alice.subscribe(side.aor("bob"), expires=0)
    side.see("answer", status(watch.response))
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))
    side.see("NOTIFYs more", state(watch.next(QUIET)))
    watch = carol.subscribe(side.aor("bob"), expires=0)
    side.see("answer to the unapproved", status(watch.response))
    notify = watch.next()
    side.see("NOTIFY to the unapproved", state(notify))
    side.see("shown to the unapproved", shown(notify))


@script
def refresh(side):
    _bob, watch = _approved(side)
    answer = watch.ask(1200)
    side.see("answer", status(answer))
    side.see("Expires", answer["expires"])
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))
    accept = ("Accept", "application/pidf+xml, application/xpidf+xml")
    side.see("with another Accept", status(watch.ask(1200, accept)))
    side.see("NOTIFY to that", shown(watch.next()))


@script
def accept_nothing_we_have(side):
    side.decide("bob", "alice", "allow")
    _published(side)
    accept = ("Accept", "application/x-nothing-of-the-kind")
    watch = side.phone("alice").subscribe(side.aor("bob"), accept)
    side.see("answer", status(watch.response))
    notify = watch.next(QUIET)
    side.see("NOTIFY", state(notify))
    side.see("Content-Type", notify["content-type"] or "none" if notify else "-")


@script
def subscription_runs_out(side):
    side.decide("bob", "alice", "allow")
    bob = _published(side)
    watch = side.phone("alice").subscribe(side.aor("bob"), expires=2)
    side.see("Expires", watch.response["expires"])
    side.see("first NOTIFY", state(watch.next()))
    notify = watch.next()
    side.see("last NOTIFY", state(notify))
    side.see("shown at last", shown(notify))
    bob.publish(side.document("bob", ("mobile", "open", "on the move")))
    side.see("when bob's presence changes", shown(watch.next(QUIET)))
    side.see("refresh after that", status(watch.ask(600)))


@script
def unsubscribe(side):
    _bob, watch = _approved(side)
    side.see("answer", status(watch.ask(0)))
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))
    side.see("again", status(watch.ask(0)))


@script
def subscribe_wrongly(side):
    alice = side.phone("alice")
    nobody = f"sip:nobody@{alice.domain}"
    side.see("unknown user", status(alice.subscribe(nobody).response))
    brief = alice.subscribe(side.aor("bob"), expires=1).response
    side.see("expires too brief", status(brief))
    side.see("Min-Expires", brief["min-expires"] or "none")
    answer = alice.subscribe(side.aor("bob"), event="weather").response
    side.see("unknown event", status(answer))
    side.see("Allow-Events", "yes" if answer.has("allow-events") else "no")
    answer = alice.ask("SUBSCRIBE", side.aor("bob"), ("Expires", 60))
    side.see("no Event", status(answer))
    watch = alice.subscribe(side.aor("bob"))
    watch.call.to_tag = "made-up"
    side.see("in a dialog that is none", status(watch.ask(60)))


@script
def watcher_is_gone(side):
    bob, watch = _approved(side)
    watch.phone.answers_with["NOTIFY"] = [481]
    bob.publish(side.document("bob", ("mobile", "open", "on the move")))
    side.see("NOTIFY answered 481", state(watch.next()))
    bob.publish(side.document("bob", ("third", "open", "home")))
    side.see("at the next change", state(watch.next(QUIET)))
    side.see("refresh after that", status(watch.ask(600)))


@script
def watching_oneself(side):
    bob = _published(side)
    watch = bob.subscribe(side.aor("bob"))
    side.see("answer", status(watch.response))
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown", shown(notify))


@script
def nothing_published(side):
    side.decide("bob", "alice", "allow")
    watch = side.phone("alice").subscribe(side.aor("bob"))
    notify = watch.next()
    side.see("NOTIFY", state(notify))
    side.see("shown while bob is offline", shown(notify))
    side.phone("bob").register()
    side.see("when bob registers", shown(watch.next(QUIET)))
