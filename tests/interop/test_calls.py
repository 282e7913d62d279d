"""Calls between other people's phones and our agent, through our server: sound both ways, looked at
on both sides and on the wire."""

import pytest

from baresip.caller import Caller as Baresip
from linphone.caller import Caller as Linphone
from pjsua2_user.caller import Caller as Pjsua2
from rig import rtp
from rig.talk import CODECS, SECONDS, Talk

# Media sockets of these phones are bound to no address: what they send comes from this one,
# whatever their SDP says, and our agent hears nobody but who was agreed on.
HOST = "127.0.0.1"

PEERS = {"baresip": Baresip, "Linphone": Linphone, "pjsua2": Pjsua2}

UNKNOWN = {("pjsua2", "Opus")}

LACKS = [
    ("pjsua2", "agent", "calls with Opus", "its wheel is built without"),
]


def each(what, codecs=tuple(CODECS), notes=None, peers=tuple(PEERS)):
    """A scene with every peer and codec: `theirs` and `codec` of it."""
    told = []
    for name in peers:
        for codec in codecs:
            note = (notes or {}).get(name, "")
            if (name, codec) in UNKNOWN:
                continue
            row = pytest.mark.feature(name, "agent", what.format(codec), note=note)
            told.append(pytest.param(PEERS[name], codec, marks=row, id=f"{name}-{codec}"))
    return pytest.mark.parametrize("theirs, codec", told)


HELD = {"baresip": "plays nothing to its bridge after a hold; what it receives is counted"}


@each("calls us with {}: sound both ways, it holds, resumes and hangs up", notes=HELD)
def test_it_calls_us(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.they_call()
    talk.both_hear()
    talk.theirs.hold()
    talk.directions("recvonly", "inactive")
    talk.theirs.resume()
    talk.directions("sendrecv")
    talk.goes_on()
    talk.theirs.hang_up()
    talk.over()


@each("is called by us with {}: sound both ways, we hold, resume and hang up", notes=HELD)
def test_we_call_it(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.we_call()
    talk.both_hear()
    talk.ours.send("hold")
    talk.directions("sendonly", "inactive")
    talk.ours.send("resume")
    talk.directions("sendrecv")
    talk.goes_on()
    talk.ours.send("hangup")
    talk.over()


@each("RTP of a call with {}: no loss, payload type and clock as they should be")
def test_the_rtp_of_a_call_is_in_order(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.we_call()
    talk.both_hear()
    talk.goes_on()
    talk.theirs.hang_up()
    talk.over()
    talk.on_the_wire()


@pytest.mark.feature("baresip", "agent", "asks for packets of 40 ms, and gets them")
def test_packets_are_as_long_as_it_asks(scene):
    talk = Talk(scene, Baresip, ptime=40)
    talk.they_call()
    talk.both_hear()
    talk.theirs.hang_up()
    talk.over()
    scene.capture.stop()
    found = rtp.streams(scene.capture.path, talk.remote)
    # Headers of UDP and RTP, and 40 ms of 8 samples a millisecond.
    assert [it.length for it in found] == [8 + 12 + 40 * 8] * 2, found


@each("telephone keys both ways", codecs=["PCMU"])
def test_keys_are_pressed(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.they_call()
    talk.both_hear()
    talk.theirs.press("5")
    talk.ours.event("media", SECONDS, state="key", key="5")
    talk.ours.send("dial 7")
    talk.theirs.is_told("7")
    talk.theirs.hang_up()
    talk.ours.event("call", SECONDS, state="ended")


@each("SRTP in a call, whoever calls", codecs=["PCMU"])
@pytest.mark.parametrize("we_call", [False, True], ids=["theirs", "ours"])
def test_a_call_is_encrypted(scene, theirs, codec, we_call):
    talk = Talk(scene, theirs, codec, srtp=True, flags=["--srtp"] if we_call else [])
    (talk.we_call if we_call else talk.they_call)()
    assert talk.secured
    talk.both_hear()
    talk.theirs.hang_up()
    talk.over()


@each("calls us, and is refused: 486", codecs=["PCMU"])
def test_we_refuse_its_call(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.theirs.call(talk.ours.aor)
    talk.ours.event("call", SECONDS, state="incoming")
    talk.theirs.rings()
    talk.ours.send("hangup")
    talk.theirs.is_over(486)


@each("calls us, and gives up before we answer", codecs=["PCMU"])
def test_it_gives_up(scene, theirs, codec):
    talk = Talk(scene, theirs, codec)
    talk.theirs.call(talk.ours.aor)
    talk.ours.event("call", SECONDS, state="incoming")
    talk.theirs.rings()
    talk.theirs.hang_up()
    talk.ours.event("call", SECONDS, state="ended", reason="the caller gave up")
    talk.theirs.is_over()


@each("has no codec of ours: 488, whoever calls", codecs=["PCMU"])
def test_no_codec_is_common(scene, theirs, codec):
    talk = Talk(scene, theirs, codec, flags=["--codecs", "G722"])
    talk.theirs.call(talk.ours.aor)
    talk.theirs.is_over(488)
    talk.ours.never('"state":"incoming"')
    talk.ours.send("call theirs audio")
    talk.ours.event("call", SECONDS, state="ended", status=488)
