"""SIP as text, for raw SIP users: messages and digest (RFC 3261 §7, RFC 7616).

Written apart from our own parser on purpose: a mistake there must not be repeated here.
"""

import hashlib
import itertools
import os
import re

COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "o": "event",
    "u": "allow-events",
    "k": "supported",
    "e": "content-encoding",
    "s": "subject",
}
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}

_numbers = itertools.count(1)


def fresh(prefix=""):
    """A name nobody used before, in this process or another."""
    return f"{prefix}{next(_numbers)}-{os.urandom(5).hex()}"


class Message:
    """A request or a response that was received."""

    def __init__(self, datagram):
        head, _, self.body = datagram.partition(b"\r\n\r\n")
        head = re.sub(r"\r\n[ \t]+", " ", head.decode(errors="replace"))
        self.start, *lines = head.split("\r\n")
        self.fields = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.fields.append((COMPACT.get(name, name), value.strip()))

    @property
    def status(self):
        """The status of a response, None for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else None

    @property
    def method(self):
        """What a request asks for, or what a response answers."""
        return self["cseq"].split()[1]

    def __getitem__(self, name):
        """The first field of this name; an empty text if there is none."""
        return next((value for key, value in self.fields if key == name.lower()), "")

    def every(self, name):
        """All the values of a field, split at commas outside quotes and angle brackets."""
        found = []
        for key, value in self.fields:
            if key == name.lower():
                found += re.findall(r'(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,"<])+', value)
        return [value.strip() for value in found]

    def has(self, name):
        """Whether there is such a field."""
        return any(key == name.lower() for key, _ in self.fields)

    def param(self, name, key):
        """A parameter of the first field of this name."""
        return param(self[name], key)

    @property
    def branch(self):
        """What tells its transaction."""
        return self.param("via", "branch")


def param(value, key):
    """A parameter behind a field's value (outside `<…>`), unquoted; an empty text if missing."""
    found = re.search(rf';\s*{key}\s*=\s*("[^"]*"|[^;,\s]+)', re.sub(r"<[^>]*>", "", value), re.I)
    return found[1].strip('"') if found else ""


def address(value):
    """The URI of a From, To or Contact, without the parameters of the field."""
    found = re.search(r"<([^>]*)>", value)
    return found[1] if found else value.split(";")[0].strip()


def request(method, uri, fields, body=b""):
    """The bytes of a request."""
    return _written(f"{method} {uri} SIP/2.0", fields, body)


def answer(asked, status, reason, tag, fields=(), body=b""):
    """The bytes of a response to `asked`."""
    to = asked["to"] if asked.param("to", "tag") else f"{asked['to']};tag={tag}"
    echoed = [("Via", value) for key, value in asked.fields if key == "via"]
    echoed += [("From", asked["from"]), ("To", to)]
    echoed += [("Call-ID", asked["call-id"]), ("CSeq", asked["cseq"])]
    return _written(f"SIP/2.0 {status} {reason}", [*echoed, *fields], body)


def _written(start, fields, body):
    lines = [start, *(f"{name}: {value}" for name, value in fields)]
    if not any(name.lower() in ("content-length", "l") for name, _ in fields):
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(line for line in lines if not line.endswith(": None"))
    return head.encode() + b"\r\n\r\n" + body


def challenges(response):
    """The digest challenges of a 401 or 407: a dictionary each."""
    kind = "www-authenticate" if response.status == 401 else "proxy-authenticate"
    values = [value for key, value in response.fields if key == kind]
    pairs = r'(\w+)\s*=\s*("[^"]*"|[^,\s]+)'
    return [
        {key.lower(): text.strip('"') for key, text in re.findall(pairs, value)}
        for value in values
    ]


def credentials(challenge, user, password, method, uri, body=b"", count=1):
    """What proves the password for one request (RFC 7616 §3.4)."""
    algorithm = challenge.get("algorithm", "MD5")
    offered = [each.strip() for each in challenge.get("qop", "").split(",") if each.strip()]
    qop = "auth-int" if "auth-int" in offered else (offered[0] if offered else None)

    def digest(*parts):
        text = b":".join(part if isinstance(part, bytes) else part.encode() for part in parts)
        return HASHES[algorithm](text).hexdigest()

    nonce, number, own = challenge["nonce"], f"{count:08x}", fresh()
    what = [method, uri]
    if qop == "auth-int":
        what.append(HASHES[algorithm](body).hexdigest())
    secret = digest(user, challenge["realm"], password)
    middle = [number, own, qop] if qop else []
    proof = digest(secret, nonce, *middle, digest(*what))
    fields = {"username": user, "realm": challenge["realm"], "nonce": nonce, "uri": uri}
    fields["response"] = proof
    if "opaque" in challenge:
        fields["opaque"] = challenge["opaque"]
    bare = {"algorithm": algorithm} if "algorithm" in challenge else {}
    if qop:
        fields["cnonce"] = own
        bare |= {"qop": qop, "nc": number}
    told = [f'{key}="{value}"' for key, value in fields.items()]
    return "Digest " + ", ".join(told + [f"{key}={value}" for key, value in bare.items()])
