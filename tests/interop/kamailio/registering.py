"""Scripts: REGISTER and digest (RFC 3261 §10.3, §22; RFC 7616)."""

from rig import sip
from rig.phone import Call

from .sides import script, status


def _expiry(response, contact):
    """The expiry that a 200 to REGISTER grants a contact."""
    for each in response.every("contact"):
        if sip.address(each) == contact:
            return sip.param(each, "expires") or "none"
    return "not bound"


def _bindings(phone):
    answer = phone.register(contact="")
    return f"{status(answer)}, {len(answer.every('contact'))} bound"


@script
def register_refresh_query_unregister(side):
    alice = side.phone("alice")
    call = Call(alice, alice.aor)
    answer = alice.register(600, call=call)
    side.see("register", status(answer))
    side.see("expiry granted", _expiry(answer, alice.contact))
    side.see("query", _bindings(alice))
    answer = alice.register(900, call=call)
    side.see("refresh", f"{status(answer)}, expiry {_expiry(answer, alice.contact)}")
    side.see("query after refresh", _bindings(alice))
    answer = alice.register(0, call=call)
    side.see("unregister", f"{status(answer)}, {_expiry(answer, alice.contact)}")
    side.see("query after unregister", _bindings(alice))


@script
def register_expires_too_brief(side):
    alice = side.phone("alice")
    answer = alice.register(10)
    side.see("answer", status(answer))
    side.see("Min-Expires", answer["min-expires"] or "none")
    side.see("expiry granted", _expiry(answer, alice.contact))


@script
def register_expires_too_long(side):
    alice = side.phone("alice")
    answer = alice.register(1_000_000)
    side.see("answer", f"{status(answer)}, expiry {_expiry(answer, alice.contact)}")


@script
def register_two_devices_then_all_go(side):
    desk, mobile = side.phone("alice"), side.phone("alice")
    desk.register()
    answer = mobile.register()
    side.see("second device", f"{status(answer)}, {len(answer.every('contact'))} bound")
    answer = desk.ask(
        "REGISTER", f"sip:{desk.domain}", ("Expires", 0), call=_for(desk, contact="*")
    )
    side.see("contact *", status(answer))
    side.see("query", _bindings(desk))
    mobile.register()
    answer = desk.ask(
        "REGISTER", f"sip:{desk.domain}", ("Expires", 60), call=_for(desk, contact="*")
    )
    side.see("contact * with expires 60", status(answer))
    side.see("query afterwards", _bindings(desk))


@script
def register_with_an_old_cseq(side):
    alice = side.phone("alice")
    call = Call(alice, alice.aor)
    call.cseq = 100
    alice.register(600, call=call)
    call.cseq = 50
    answer = alice.register(0, call=call)
    side.see("answer", status(answer))
    side.see("query", _bindings(alice))


@script
def register_for_somebody_else(side):
    alice = side.phone("alice")
    answer = alice.register(call=Call(alice, side.aor("bob")))
    side.see("answer", status(answer))
    side.see("bob's bindings", _bindings(side.phone("bob")))


@script
def digest_offers(side):
    alice = side.phone("alice")
    asked = alice.once("REGISTER", f"sip:{alice.domain}", call=_for(alice))
    offers = sip.challenges(asked)
    side.see("REGISTER without proof", status(asked))
    side.see("algorithms", ", ".join(each.get("algorithm", "MD5") for each in offers))
    side.see("qop", offers[0].get("qop", "none"))
    asked = alice.once("SUBSCRIBE", side.aor("bob"), ("Event", "presence"))
    side.see("SUBSCRIBE without proof", status(asked))
    kind = ("Content-Type", "text/plain")
    asked = alice.once("MESSAGE", side.aor("bob"), kind, body=b"hi")
    side.see("MESSAGE without proof", status(asked))
    asked = alice.once("OPTIONS", f"sip:{alice.domain}")
    side.see("OPTIONS to the server without proof", status(asked))


@script
def digest_refusals(side):
    stranger = side.phone("alice", known="a guess")
    answer = stranger.register()
    side.see("wrong password", status(answer))
    alice = side.phone("alice")
    call, uri = _for(alice), f"sip:{alice.domain}"
    asked = alice.once("REGISTER", uri, call=call)
    proof = alice.proof(asked, "REGISTER", uri)
    side.see("right password", status(alice.once("REGISTER", uri, proof, call=call)))
    again = alice.once("REGISTER", uri, proof, call=call)
    side.see("the same proof again", status(again))
    stale = sip.challenges(again)[0].get("stale", "false") if again.status == 401 else "-"
    side.see("stale", stale.lower())
    proof = alice.proof(asked, "REGISTER", uri, count=2)
    side.see("the same nonce, counted on", status(alice.once("REGISTER", uri, proof, call=call)))
    name, told = alice.proof(asked, "REGISTER", uri, count=3)
    made_up = (name, told.replace('nonce="', 'nonce="00'))
    side.see("a nonce made up", status(alice.once("REGISTER", uri, made_up, call=call)))


def _for(phone, contact=None):
    call = Call(phone, phone.aor)
    call.contact = contact or f"<{phone.contact}>"
    return call
