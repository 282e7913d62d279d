"""A raw SIP user: its own socket, transactions with retransmission, digest, subscriptions.

It answers what it is asked as a phone would, and keeps everything it was sent. What it asks is
under the caller's control down to the header line, so that a scene can also ask wrongly.
"""

import socket
import threading
import time

from . import sip
from .sip import Message

T1 = 0.5
PATIENCE = 8.0


class Phone:
    """A user at `server` (host, port), calling from a socket of its own on `host`."""

    def __init__(self, user, password, server, host, domain):
        self.user, self.password, self.domain = user, password, domain
        self.aor = f"sip:{user}@{domain}"
        self.server = server
        self.requests = []
        self.answers_with = {"NOTIFY": [], "MESSAGE": []}
        self._responses = []
        self._answered = {}
        self._taken = set()
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(0.2)
        self.host, self.port = self._socket.getsockname()
        self.contact = f"sip:{user}@{self.host}:{self.port}"
        self._ended = False
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def close(self):
        """Hangs up for good."""
        self._ended = True
        self._listener.join()
        self._socket.close()

    # What arrives.

    def _listen(self):
        while not self._ended:
            try:
                datagram, peer = self._socket.recvfrom(65535)
            except TimeoutError:
                continue
            if len(datagram) < 16:
                continue
            message = Message(datagram)
            with self._changed:
                if message.status is not None:
                    self._responses.append(message)
                else:
                    self._answer(message, peer)
                self._changed.notify_all()

    def _answer(self, asked, peer):
        """Answers a request; a copy gets the same answer and is not seen again."""
        key = (asked.branch, asked.method)
        if key not in self._answered:
            if asked.method == "ACK":
                return
            told = self.answers_with.get(asked.method, [])
            status = told.pop(0) if told else 200
            reason = "OK" if status == 200 else "As told"
            self._answered[key] = sip.answer(asked, status, reason, sip.fresh())
            self.requests.append(asked)
        self._socket.sendto(self._answered[key], peer)

    def _wait(self, find, patience):
        """The first thing that `find` finds, or None after `patience` seconds."""
        deadline = time.monotonic() + patience
        with self._changed:
            while True:
                found = find()
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return find()

    def next(self, method, call_id=None, patience=PATIENCE):
        """The next request of this method (and dialog) not taken yet, or None."""

        def find():
            for number, asked in enumerate(self.requests):
                fits = asked.method == method and call_id in (None, asked["call-id"])
                if fits and number not in self._taken:
                    self._taken.add(number)
                    return asked
            return None

        return self._wait(find, patience)

    # What leaves.

    def send(self, datagram, branch=None, patience=PATIENCE):
        """Sends a request as it stands, again and again (RFC 3261 §17.1.2); its final response, or
        None. Without a branch nothing is repeated and any response will do."""
        with self._changed:
            seen = len(self._responses)
        pause, deadline = T1, time.monotonic() + patience

        def final():
            for response in self._responses[seen:]:
                if response.status >= 200 and branch in (None, response.branch):
                    return response
            return None

        while True:
            self._socket.sendto(datagram, self.server)
            left = deadline - time.monotonic()
            response = self._wait(final, min(left, pause if branch else left))
            if response or time.monotonic() >= deadline:
                return response
            pause = min(2 * pause, 4.0)

    def ask(self, method, uri, *fields, body=b"", call=None, proof=True):
        """A request, proved when that is asked for; the final response, or None."""
        call = call or Call(self, uri)
        response = self.once(method, uri, *fields, body=body, call=call)
        if proof and response is not None and response.status in (401, 407):
            proved = self.proof(response, method, uri, body)
            response = self.once(method, uri, *fields, proved, body=body, call=call)
        return response

    def once(self, method, uri, *fields, body=b"", call=None):
        """A request without a second try."""
        call = call or Call(self, uri)
        branch = sip.fresh("z9hG4bK")
        lines = [*self.head(method, call, branch), *fields]
        return self.send(sip.request(method, uri, lines, body), branch)

    def head(self, method, call, branch):
        """The fields every request has."""
        call.cseq += 1
        to = f"<{call.to}>" + (f";tag={call.to_tag}" if call.to_tag else "")
        fields = [
            ("Via", f"SIP/2.0/UDP {self.host}:{self.port};branch={branch};rport"),
            ("Max-Forwards", "70"),
            ("From", f"<{self.aor}>;tag={call.tag}"),
            ("To", to),
            ("Call-ID", call.id),
            ("CSeq", f"{call.cseq} {method}"),
        ]
        if method != "MESSAGE":
            fields.append(("Contact", call.contact))
        return [*fields, *(("Route", route) for route in call.routes)]

    def proof(self, challenged, method, uri, body=b"", count=1):
        """The field that answers a challenge: the first algorithm we know."""
        known = [
            each
            for each in sip.challenges(challenged)
            if each.get("algorithm", "MD5") in sip.HASHES
        ]
        name = "Authorization" if challenged.status == 401 else "Proxy-Authorization"
        proof = sip.credentials(known[0], self.user, self.password, method, uri, body, count)
        return (name, proof)

    # What phones do.

    def register(self, expires=3600, contact=None, call=None):
        """REGISTER of a contact (its own; an empty text asks which there are)."""
        call = call or Call(self, self.aor)
        call.contact = f"<{self.contact}>" if contact is None else contact or None
        fields = [] if contact == "" else [("Expires", expires)]
        return self.ask("REGISTER", f"sip:{self.domain}", *fields, call=call)

    def publish(self, document, *fields, expires=3600, etag=None, event="presence", uri=None):
        """PUBLISH of a presence document; None refreshes."""
        fields = [("Event", event), ("Expires", expires), *fields]
        if etag:
            fields.append(("SIP-If-Match", etag))
        if document is not None:
            fields.append(("Content-Type", "application/pidf+xml"))
        body = (document or "").encode()
        return self.ask("PUBLISH", uri or self.aor, *fields, body=body)

    def message(self, target, text):
        """MESSAGE of a plain text."""
        kind = ("Content-Type", "text/plain")
        return self.ask("MESSAGE", target, kind, body=text.encode())

    def subscribe(self, target, *fields, event="presence", expires=3600):
        """SUBSCRIBE; the subscription, whose `response` is what was answered."""
        watch = Watch(self, target, event)
        watch.ask(expires, *fields)
        return watch


class Call:
    """What the requests of one dialog (or of one registration) have in common."""

    def __init__(self, phone, to):
        self.to, self.to_tag, self.tag = to, "", sip.fresh()
        self.id, self.cseq = sip.fresh(), 0
        self.contact, self.routes = f"<{phone.contact}>", []


class Watch:
    """A subscription of a phone."""

    def __init__(self, phone, target, event):
        self.phone, self.event = phone, event
        self.call = Call(phone, target)
        self.target = target
        self.response = None

    def ask(self, expires, *fields):
        """SUBSCRIBE in this dialog: the first, a refresh, or the end; its response."""
        told = [("Event", self.event), ("Expires", expires), *fields]
        self.response = self.phone.ask("SUBSCRIBE", self.target, *told, call=self.call)
        if self.response is not None and self.response.status // 100 == 2:
            if not self.call.to_tag:
                self.call.routes = list(reversed(self.response.every("record-route")))
            self.call.to_tag = self.response.param("to", "tag")
            self.target = sip.address(self.response["contact"])
        return self.response

    def next(self, patience=PATIENCE):
        """The next NOTIFY of this dialog, or None."""
        return self.phone.next("NOTIFY", self.call.id, patience)

    def until(self, accepts, patience=PATIENCE):
        """The next NOTIFY that `accepts`, passing over others; or None."""
        deadline = time.monotonic() + patience
        while True:
            notify = self.next(max(0.0, deadline - time.monotonic()))
            if notify is None or accepts(notify):
                return notify
