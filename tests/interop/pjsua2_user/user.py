"""A user of PJSIP without a person: commands are lines on standard input, events are JSON objects
on standard output, one a line. One process is one account on one UDP port.

Everything happens in one thread: it handles PJSIP's events and reads the commands in turn, so no
callback needs a lock. PJSIP's own log is a file, whole messages included.
"""

import json
import select
import sys

import pjsua2 as pj
from options import arguments, endpoint, settings

PRESENCE = {pj.PJSUA_BUDDY_STATUS_ONLINE: True, pj.PJSUA_BUDDY_STATUS_OFFLINE: False}


def tell(event, **fields):
    """Prints an event."""
    print(json.dumps({"event": event, **fields}), flush=True)


class Buddy(pj.Buddy):
    """Somebody who is watched or written to."""

    def onBuddyState(self):
        about = self.getInfo()
        now = about.presStatus
        tell(
            "buddy",
            who=about.uri,
            subscription=about.subStateName,
            code=about.subTermCode,
            why=about.subTermReason,
            online=PRESENCE.get(now.status),
            note=now.note,
        )


class Call(pj.Call):
    """A call; its sound is what PJSIP's null device makes of it, or a tone and a file."""

    def __init__(self, account, *which):
        super().__init__(account, *which)
        self.account = account

    def onCallState(self, prm):
        about = self.getInfo()
        tell("call", state=about.stateText, code=about.lastStatusCode, who=about.remoteUri)

    def onDtmfDigit(self, prm):
        tell("key", key=prm.digit)

    def onCallMediaState(self, prm):
        """Joins the call to the device and back, so that both ends send all the time."""
        about = self.getInfo()  # owns the list
        for index, media in enumerate(about.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                sound = self.getAudioMedia(index)
                if self.account.tone:
                    self.account.tone.startTransmit(sound)
                    sound.startTransmit(self.account.record)
                    continue
                devices = pj.Endpoint.instance().audDevManager()
                devices.getCaptureDevMedia().startTransmit(sound)
                sound.startTransmit(devices.getPlaybackDevMedia())


class Account(pj.Account):
    """The user."""

    def __init__(self):
        super().__init__()
        self.buddies = {}
        self.call = None
        self.packets, self.since = 0, None
        self.tone = self.record = None

    def sound(self, hertz, file):
        """Says a tone in its calls instead of nothing, and records what it hears."""
        tone = pj.ToneDesc()
        tone.freq1, tone.on_msec, tone.off_msec = hertz, 1000, 0
        self.tone, self.record = pj.ToneGenerator(), pj.AudioMediaRecorder()
        self.tone.createToneGenerator()
        self.tone.play(pj.ToneDescVector([tone]), True)
        self.record.createRecorder(file)

    def buddy(self, uri):
        """Somebody, by URI; not watched yet when new."""
        if uri not in self.buddies:
            config = pj.BuddyConfig()
            config.uri, config.subscribe = uri, False
            self.buddies[uri] = Buddy()
            self.buddies[uri].create(self, config)
        return self.buddies[uri]

    def onRegState(self, prm):
        tell(
            "registration",
            active=self.getInfo().regIsActive,
            code=prm.code,
            why=prm.reason,
            expires=prm.expiration,
            error=pj.Endpoint.instance().utilStrError(prm.status) if prm.status else "",
        )

    def onInstantMessage(self, prm):
        tell("message", sender=prm.fromUri, type=prm.contentType, text=prm.msgBody)

    def onInstantMessageStatus(self, prm):
        tell("message-status", to=prm.toUri, code=prm.code, why=prm.reason, text=prm.msgBody)

    def onTypingIndication(self, prm):
        tell("typing", sender=prm.fromUri, on=prm.isTyping)

    def onIncomingCall(self, prm):
        """Lets it ring until a command decides; a second call finds the line busy."""
        call = Call(self, prm.callId)
        answer = pj.CallOpParam()
        if self.call and self.call.isActive():
            answer.statusCode = 486
            call.hangup(answer)
            return
        self.call = call
        answer.statusCode = 180
        call.answer(answer)
        tell("ringing", sender=call.getInfo().remoteUri)


def register(account, argument):
    account.setRegistration(True)


def unregister(account, argument):
    account.setRegistration(False)


def online(account, argument):
    """`online [note]`"""
    status = pj.PresenceStatus()
    status.status = pj.PJSUA_BUDDY_STATUS_ONLINE
    status.note = argument
    account.setOnlineStatus(status)


def offline(account, argument):
    status = pj.PresenceStatus()
    status.status = pj.PJSUA_BUDDY_STATUS_OFFLINE
    account.setOnlineStatus(status)


def watch(account, argument):
    account.buddy(argument).subscribePresence(True)


def unwatch(account, argument):
    account.buddy(argument).subscribePresence(False)


def message(account, argument):
    """`message URI text`"""
    uri, text = argument.split(" ", 1)
    prm = pj.SendInstantMessageParam()
    prm.content = text
    account.buddy(uri).sendInstantMessage(prm)


def typing(account, argument):
    """`typing URI on|off`"""
    uri, state = argument.split(" ")
    prm = pj.SendTypingIndicationParam()
    prm.isTyping = state == "on"
    account.buddy(uri).sendTypingIndication(prm)


def call(account, argument):
    """`call URI`"""
    account.call = Call(account)
    account.call.makeCall(argument, pj.CallOpParam(True))


def answer(account, argument):
    """`answer CODE`"""
    prm = pj.CallOpParam(True)
    prm.statusCode = int(argument)
    account.call.answer(prm)


def hangup(account, argument):
    account.call.hangup(pj.CallOpParam(True))


def hold(account, argument):
    account.call.setHold(pj.CallOpParam(True))


def resume(account, argument):
    prm = pj.CallOpParam(True)
    prm.opt.flag = pj.PJSUA_CALL_UNHOLD
    account.call.reinvite(prm)


def dial(account, argument):
    """`dial KEYS`"""
    account.call.dialDtmf(argument)


def hear(account, argument):
    """`hear PACKETS`: tells when as many more were sent and received as RTP."""
    account.packets, account.since = int(argument), None


def listen(account):
    """Tells once how much of the call was heard, when it is enough."""
    if account.packets and account.call.hasMedia():
        rtcp = account.call.getStreamStat(0).rtcp
        sent, received = rtcp.txStat.pkt, rtcp.rxStat.pkt
        # A stream that began anew counts from the beginning.
        if account.since is None or received < account.since[1]:
            account.since = sent, received
        if min(sent - account.since[0], received - account.since[1]) >= account.packets:
            account.packets = 0
            tell("heard", sent=sent, received=received)


COMMANDS = [
    *[register, unregister, online, offline, watch, unwatch, message, typing],
    *[call, answer, hangup, hold, resume, dial, hear],
]


def obey(account, commands):
    """Carries out what was typed; false at the end."""
    line = commands.readline().decode()
    name, _, argument = line.strip().partition(" ")
    if not line or name == "quit":
        return False
    command = next(each for each in COMMANDS if each.__name__ == name)
    try:
        command(account, argument)
    except pj.Error as error:
        tell("error", command=name, why=error.reason)
    return True


def main():
    options = arguments()
    made = endpoint(options)
    account = Account()
    account.create(settings(options))
    if options.tone:
        account.sound(options.tone, options.record)
    # Unbuffered: a line that was read ahead would not wake `select`.
    commands = open(sys.stdin.fileno(), "rb", buffering=0)
    while True:
        made.libHandleEvents(10)
        if select.select([commands], [], [], 0)[0] and not obey(account, commands):
            break
        listen(account)
    account.call = account.tone = account.record = None
    account.buddies.clear()
    account.shutdown()
    made.libDestroy()
    tell("ended")


main()
