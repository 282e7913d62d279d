"""Scripts: what a server is asked that is wrong or rare (RFC 3261 §8.2, §16.3)."""

import functools

from rig import sip
from rig.phone import Call

from .sides import QUIET, script, status


def _raw(phone, method, uri, changes=(), body=b""):
    """A request whose header lines are changed: the response, or None."""
    call, branch = Call(phone, uri), sip.fresh("z9hG4bK")
    fields = dict(phone.head(method, call, branch))
    fields |= dict(changes)
    return phone.send(sip.request(method, uri, list(fields.items()), body), branch, QUIET)


@script
def options(side):
    alice, bob = side.phone("alice"), side.phone("bob")
    domain = f"sip:{alice.domain}"
    answer = alice.ask("OPTIONS", domain)
    side.see("the server", status(answer))
    side.see("Allow", "yes" if answer.has("allow") else "no")
    side.see("Accept", "yes" if answer.has("accept") else "no")
    side.see("a user who is offline", status(alice.ask("OPTIONS", bob.aor)))
    bob.register()
    side.see("a user who is online", status(alice.ask("OPTIONS", bob.aor)))
    side.see("the phone is asked", bob.next("OPTIONS", patience=QUIET) is not None)
    side.see("an unknown user", status(alice.ask("OPTIONS", f"sip:nobody@{alice.domain}")))


@script
def methods_nobody_knows(side):
    alice = side.phone("alice")
    answer = alice.ask("JUGGLE", f"sip:{alice.domain}")
    side.see("to the server", status(answer))
    side.see("Allow", "yes" if answer.has("allow") else "no")
    side.see("to a user who is offline", status(alice.ask("JUGGLE", side.aor("bob"))))
    bob = side.phone("bob")
    bob.register()
    side.see("to a user who is online", status(alice.ask("JUGGLE", bob.aor)))
    side.see("the phone is asked", bob.next("JUGGLE", patience=QUIET) is not None)


@script
def extensions_nobody_knows(side):
    alice = side.phone("alice")
    required = ("Require", "juggling")
    answer = alice.subscribe(side.aor("bob"), required).response
    side.see("SUBSCRIBE", status(answer))
    side.see("Unsupported", answer["unsupported"] or "none")
    answer = alice.ask("REGISTER", f"sip:{alice.domain}", required, call=Call(alice, alice.aor))
    side.see("REGISTER", status(answer))
    answer = alice.ask("MESSAGE", side.aor("bob"), ("Proxy-Require", "juggling"))
    side.see("MESSAGE with Proxy-Require", status(answer))
    side.see("Unsupported by the proxy", answer["unsupported"] or "none")


@script
def hops_are_counted(side):
    alice, bob = side.phone("alice"), side.phone("bob")
    bob.register()
    side.see("none left", status(_raw(alice, "MESSAGE", bob.aor, {"Max-Forwards": "0"})))
    alice.message(bob.aor, "hi")
    side.see("what the phone sees", bob.next("MESSAGE")["max-forwards"])


@script
def wrong_requests(side):
    alice, bob = side.phone("alice"), side.phone("bob")
    cases = {
        "no Call-ID": {"Call-ID": None},
        "no From tag": {"From": f"<{alice.aor}>"},
        "no CSeq": {"CSeq": None},
        "CSeq of another method": {"CSeq": "1 INVITE"},
        "CSeq that is none": {"CSeq": "many MESSAGE"},
        "CSeq too great": {"CSeq": "99999999999 MESSAGE"},
        "no To": {"To": None},
        "Content-Length that is none": {"Content-Length": "some"},
        "Content-Length greater than the datagram": {"Content-Length": "400"},
        "Max-Forwards that is none": {"Max-Forwards": "many"},
    }
    for what, changes in cases.items():
        side.see(what, status(_raw(alice, "MESSAGE", bob.aor, changes)))
    answer = _raw(alice, "MESSAGE", "http://elsewhere.test/")
    side.see("a scheme that is none of SIP's", status(answer))


@script
def requests_without_a_dialog(side):
    alice, bob = side.phone("alice"), side.phone("bob")
    side.see("NOTIFY", status(alice.ask("NOTIFY", bob.aor, ("Event", "presence"))))
    call = Call(alice, bob.aor)
    call.to_tag = "made-up"
    side.see("BYE", status(alice.ask("BYE", bob.aor, call=call)))


def _folded(fold, fields):
    return [(key, value.replace(";", fold, 1)) for key, value in fields]


@script
def ways_to_write_a_header(side):
    """The same SUBSCRIBE written in other ways (RFC 3261 §7.3); it is challenged each time."""
    alice, bob = side.phone("alice"), side.phone("bob")

    def asked(change):
        call, branch = Call(alice, bob.aor), sip.fresh("z9hG4bK")
        fields = change([*alice.head("SUBSCRIBE", call, branch), ("Event", "presence")])
        answer = alice.send(sip.request("SUBSCRIBE", bob.aor, fields), branch, QUIET)
        return "challenged" if status(answer) in (401, 407) else status(answer)

    def field(name, value):
        return lambda fields: [(key, value if key == name else old) for key, old in fields]

    short = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m", "Event": "o"}
    name = f'"alice @ work; \\"home\\"" <{alice.aor}>;tag=1'
    side.see("compact", asked(lambda it: [(short.get(key, key), value) for key, value in it]))
    side.see("lower case", asked(lambda it: [(key.lower(), value) for key, value in it]))
    side.see("spaces before the colon", asked(lambda it: [(f"{key} ", value) for key, value in it]))
    side.see("spaces inside CSeq", asked(field("CSeq", "7   SUBSCRIBE")))
    for what, fold in {"a folded line": "\r\n ;", "a tab to fold with": "\r\n\t;"}.items():
        change = functools.partial(_folded, fold)
        side.see(what, asked(change))
    side.see("quoted marks in a name", asked(field("From", name)))
    folded = f'"alice\r\n at work" <{alice.aor}>;tag=1'
    side.see("a name folded inside its quotes", asked(field("From", folded)))
    side.see("a name without quotes", asked(field("From", f"alice at work <{alice.aor}>;tag=1")))
    side.see("an address without brackets", asked(field("From", f"{alice.aor};tag=1")))
    side.see("an unknown header", asked(lambda it: [*it, ("X-Colour", "blue, green;x=\"y")]))
    capitals = f"<sip:{bob.user}@{bob.domain.upper()}>"
    side.see("a domain in capitals", asked(field("To", capitals)))


@script
def a_copy_gets_the_same_answer(side):
    alice, bob = side.phone("alice"), side.phone("bob")
    call = Call(alice, bob.aor)
    told = [("Event", "presence"), ("Expires", "60")]
    asked = alice.once("SUBSCRIBE", bob.aor, *told, call=call)
    proof = alice.proof(asked, "SUBSCRIBE", bob.aor)
    branch = sip.fresh("z9hG4bK")
    fields = [*alice.head("SUBSCRIBE", call, branch), *told, proof]
    request = sip.request("SUBSCRIBE", bob.aor, fields)
    first, second = alice.send(request, branch), alice.send(request, branch)
    side.see("answer", status(first))
    side.see("answer to the copy", status(second))
    side.see("the same dialog", first.param("to", "tag") == second.param("to", "tag"))
    alice.next("NOTIFY", call.id)
    again = alice.next("NOTIFY", call.id, QUIET)
    side.see("NOTIFYs more", "one" if again else "none")


@script
def calls(side):
    alice, bob = side.phone("alice"), side.phone("bob")
    side.see("a user who is offline", status(alice.ask("INVITE", bob.aor)))
    nobody = f"sip:nobody@{alice.domain}"
    side.see("an unknown user", status(alice.ask("INVITE", nobody)))
    bob.register()
    bob.answers_with["INVITE"] = [486]
    side.see("a user who is busy", status(alice.ask("INVITE", bob.aor)))
