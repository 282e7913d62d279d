"""Scripts: PUBLISH, and what it does to the watchers (RFC 3903)."""

from rig import sip
from rig.phone import Call

from .sides import QUIET, script, shown, state, status

DESK = ("desk", "open", "at my desk")
LUNCH = ("desk", "closed", "at lunch")
MOBILE = ("mobile", "open", "on the move")


def _watched(side):
    """bob, watched by alice, whom he allows; nothing is published yet."""
    side.decide("bob", "alice", "allow")
    watch = side.phone("alice").subscribe(side.aor("bob"))
    watch.next()
    return side.phone("bob"), watch


@script
def publish_refresh_modify_remove(side):
    bob, watch = _watched(side)
    answer = bob.publish(side.document("bob", DESK), expires=600)
    side.see("publish", f"{status(answer)}, Expires {answer['expires']}")
    first = answer["sip-etag"]
    side.see("entity-tag", "yes" if first else "no")
    side.see("shown", shown(watch.next()))
    answer = bob.publish(None, etag=first, expires=900)
    side.see("refresh", f"{status(answer)}, Expires {answer['expires']}")
    second = answer["sip-etag"]
    side.see("a refresh's entity-tag is new", second != first)
    side.see("NOTIFY on refresh", state(watch.next(QUIET)))
    answer = bob.publish(side.document("bob", LUNCH), etag=second)
    side.see("modify", status(answer))
    side.see("shown when modified", shown(watch.next()))
    answer = bob.publish(None, etag=answer["sip-etag"], expires=0)
    side.see("remove", f"{status(answer)}, Expires {answer['expires'] or 'missing'}")
    side.see("shown when removed", shown(watch.next()))


@script
def publish_the_same_again(side):
    bob, watch = _watched(side)
    answer = bob.publish(side.document("bob", DESK))
    side.see("shown", shown(watch.next()))
    answer = bob.publish(side.document("bob", DESK), etag=answer["sip-etag"])
    side.see("answer", status(answer))
    side.see("NOTIFY when nothing changed", state(watch.next(QUIET)))


@script
def publish_with_a_wrong_entity_tag(side):
    bob = side.phone("bob")
    first = bob.publish(side.document("bob", DESK))["sip-etag"]
    second = bob.publish(None, etag=first)["sip-etag"]
    side.see("used up", status(bob.publish(None, etag=first)))
    side.see("made up", status(bob.publish(None, etag="made-up")))
    side.see("removal, made up", status(bob.publish(None, etag="made-up", expires=0)))
    side.see("the right one", status(bob.publish(None, etag=second)))


@script
def publish_wrongly(side):
    bob, document = side.phone("bob"), side.document("bob", DESK)
    brief = bob.publish(document, expires=1)
    side.see("expires too brief", status(brief))
    side.see("Min-Expires", brief["min-expires"] or "none")
    answer = bob.publish(document, event="weather")
    side.see("unknown event", status(answer))
    side.see("Allow-Events", "yes" if answer.has("allow-events") else "no")
    side.see("no document", status(bob.publish(None)))
    text = [("Event", "presence"), ("Content-Type", "text/plain")]
    side.see("no presence document", status(bob.ask("PUBLISH", bob.aor, *text, body=b"hi")))
    broken = document.replace("</presence>", "")
    side.see("a broken document", status(bob.publish(broken)))
    side.see("for somebody else", status(bob.publish(document, uri=side.aor("alice"))))
    nobody = f"sip:nobody@{bob.domain}"
    side.see("for an unknown user", status(bob.publish(document, uri=nobody)))
    answer = bob.ask("PUBLISH", bob.aor, ("Content-Type", "application/pidf+xml"), body=b"<p/>")
    side.see("no Event", status(answer))


@script
def publish_from_two_devices(side):
    bob, watch = _watched(side)
    bob.publish(side.document("bob", DESK))
    side.see("one device", shown(watch.next()))
    mobile = side.phone("bob")
    answer = mobile.publish(side.document("bob", MOBILE))
    side.see("two devices", shown(watch.next()))
    mobile.publish(None, etag=answer["sip-etag"], expires=0)
    side.see("the second removed", shown(watch.next()))
    watch.ask(600)
    side.see("when alice asks again", shown(watch.next()))


@script
def publications_with_the_same_tuple_id(side):
    bob, watch = _watched(side)
    bob.publish(side.document("bob", DESK))
    watch.next()
    side.phone("bob").publish(side.document("bob", LUNCH))
    side.see("shown", shown(watch.next()))


@script
def publication_runs_out(side):
    bob, watch = _watched(side)
    answer = bob.publish(side.document("bob", DESK), expires=2)
    side.see("Expires", answer["expires"])
    side.see("shown", shown(watch.next()))
    side.see("shown after 2 seconds", shown(watch.next()))
    watch.ask(600)
    side.see("when alice asks again", shown(watch.next()))
    side.see("NOTIFYs more", state(watch.next(QUIET)))
    side.see("refresh after that", status(bob.publish(None, etag=answer["sip-etag"])))


@script
def unpublish_without_content_length(side):
    bob = side.phone("bob")
    etag = bob.publish(side.document("bob", DESK))["sip-etag"]
    told = [("Event", "presence"), ("Expires", 0), ("SIP-If-Match", etag)]
    answer = bob.ask("PUBLISH", bob.aor, *told, ("Content-Length", None), call=Call(bob, bob.aor))
    side.see("answer", status(answer))


@script
def publish_what_a_server_does_not_know(side):
    bob, watch = _watched(side)
    extra = (
        '<dm:person xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" id="p1">'
        '<rpid:activities xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"><rpid:on-the-phone/>'
        "</rpid:activities></dm:person>"
    )
    bob.publish(side.document("bob", DESK, extra=extra))
    notify = watch.next()
    side.see("shown", shown(notify))
    side.see("the activity passes", b"on-the-phone" in notify.body)


@script
def publish_at_once_with_expires_0(side):
    bob, watch = _watched(side)
    answer = bob.publish(side.document("bob", DESK), expires=0)
    side.see("answer", status(answer))
    side.see("shown", shown(watch.next(QUIET)))
    watch.ask(600)
    side.see("when alice asks again", shown(watch.next()))


@script
def publish_copy(side):
    """A retransmission is answered as the request was, and publishes nothing more."""
    bob = side.phone("bob")
    body = side.document("bob", DESK).encode()
    told = [("Event", "presence"), ("Content-Type", "application/pidf+xml")]
    call = Call(bob, bob.aor)
    asked = bob.once("PUBLISH", bob.aor, *told, body=body, call=call)
    proof = bob.proof(asked, "PUBLISH", bob.aor, body)
    branch = sip.fresh("z9hG4bK")
    fields = [*bob.head("PUBLISH", call, branch), *told, proof]
    request = sip.request("PUBLISH", bob.aor, fields, body)
    first, second = bob.send(request, branch), bob.send(request, branch)
    side.see("answer", status(first))
    side.see("answer to the copy", status(second))
    side.see("the same entity-tag", first["sip-etag"] == second["sip-etag"])
