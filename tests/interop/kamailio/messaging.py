"""Scripts: MESSAGE (RFC 3428)."""

from rig.sip import address

from .sides import QUIET, script, status


def _online(side, role):
    phone = side.phone(role)
    phone.register()
    return phone


def _heard(phone, patience=QUIET):
    asked = phone.next("MESSAGE", patience=patience)
    return "nothing" if asked is None else asked.body.decode()


@script
def message_online(side):
    alice, bob = _online(side, "alice"), _online(side, "bob")
    side.see("answer", status(alice.message(bob.aor, "lunch?")))
    asked = bob.next("MESSAGE")
    side.see("bob hears", asked.body.decode())
    side.see("from alice", address(asked["from"]) == alice.aor)
    side.see("Content-Type", asked["content-type"])
    side.see("to his contact", asked.start.split()[1] == bob.contact)
    side.see("a second time", _heard(bob))
    side.see("the proof stays here", not asked.has("proxy-authorization"))


@script
def message_offline(side):
    alice = _online(side, "alice")
    side.see("answer", status(alice.message(side.aor("bob"), "lunch?")))
    bob = _online(side, "bob")
    said = _heard(bob, 5)
    side.see("bob hears when he is back", "lunch?" if "lunch?" in said else said)
    side.see("word for word", said == "lunch?")
    side.see("a second time", _heard(bob))


@script
def message_to_an_unknown_user(side):
    alice = _online(side, "alice")
    side.see("answer", status(alice.message(f"sip:nobody@{alice.domain}", "hello?")))
    side.see("to a foreign domain", status(alice.message("sip:bob@elsewhere.test", "hello?")))


@script
def message_refused_by_the_phone(side):
    alice, bob = _online(side, "alice"), _online(side, "bob")
    for told in (603, 415, 486):
        bob.answers_with["MESSAGE"] = [told]
        side.see(f"answer to a phone's {told}", status(alice.message(bob.aor, f"{told}?")))


@script
def message_to_two_devices(side):
    alice = _online(side, "alice")
    desk, mobile = _online(side, "bob"), _online(side, "bob")
    side.see("answer", status(alice.message(desk.aor, "lunch?")))
    side.see("the desk hears", _heard(desk))
    side.see("the mobile hears", _heard(mobile))


@script
def message_to_two_devices_of_which_one_refuses(side):
    alice = _online(side, "alice")
    desk, mobile = _online(side, "bob"), _online(side, "bob")
    desk.answers_with["MESSAGE"] = [486]
    side.see("answer", status(alice.message(desk.aor, "lunch?")))
    side.see("the mobile hears", _heard(mobile))


@script
def message_in_somebody_elses_name(side):
    alice = _online(side, "alice")
    bob = _online(side, "bob")
    alice.aor = side.aor("carol")
    side.see("answer", status(alice.message(bob.aor, "this is carol")))
    side.see("bob hears", _heard(bob))


@script
def message_too_large(side):
    """RFC 3428 §8: not over 1300 bytes, unless the path is congestion-safe."""
    alice, bob = _online(side, "alice"), _online(side, "bob")
    side.see("answer to 2000 bytes", status(alice.message(bob.aor, "x" * 2000)))
    side.see("bob hears", len(_heard(bob)) > 1000)


@script
def message_of_any_type(side):
    alice, bob = _online(side, "alice"), _online(side, "bob")
    kind = ("Content-Type", "application/im-iscomposing+xml")
    side.see("answer", status(alice.ask("MESSAGE", bob.aor, kind, body=b"<isComposing/>")))
    asked = bob.next("MESSAGE")
    side.see("Content-Type", asked["content-type"])
