"""What a phone's user sees of presence and watcher documents (RFC 3863, RFC 3858)."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree

PIDF = "{urn:ietf:params:xml:ns:pidf}"
WINFO = "{urn:ietf:params:xml:ns:watcherinfo}"


def presence(body):
    """A presence document in a line: each tuple's basic status and note, then the person's."""
    if not body:
        return "no document"
    root = ElementTree.fromstring(body)
    if root.tag != f"{PIDF}presence":
        return f"a document of {root.tag}"
    seen = []
    for each in root.findall(f"{PIDF}tuple"):
        basic = each.findtext(f"{PIDF}status/{PIDF}basic") or "no basic status"
        note = each.findtext(f"{PIDF}note")
        seen.append(f"{basic.strip()} “{note}”" if note else basic.strip())
    seen = sorted(seen) or ["no tuple"]
    seen += [f"note “{note.text}”" for note in root.findall(f"{PIDF}note")]
    return ", ".join(seen)


@dataclass
class Watcher:
    """A row of a watcher document."""

    uri: str
    id: str
    status: str
    event: str

    def __str__(self):
        return f"{self.uri} {self.status}/{self.event}"


class Watchers:
    """A watcher document."""

    def __init__(self, body):
        root = ElementTree.fromstring(body)
        assert root.tag == f"{WINFO}watcherinfo", root.tag
        self.version, self.state = int(root.get("version")), root.get("state")
        self.rows = [
            Watcher(_name(each.text), each.get("id"), each.get("status"), each.get("event"))
            for each in root.iter(f"{WINFO}watcher")
        ]

    def row(self, name, status=None):
        """The row of a watcher (with this status), or None."""
        fits = (each for each in self.rows if each.uri == name and status in (None, each.status))
        return next(fits, None)

    def __str__(self):
        rows = "; ".join(sorted(map(str, self.rows))) or "nobody"
        return f"{self.state}: {rows}"


class Screen:
    """What documents add up to (RFC 3858 §4)."""

    def __init__(self):
        self.rows, self.version, self.gap = {}, None, False

    def take(self, document):
        """Puts a document on the screen."""
        if self.version is not None and document.version <= self.version:
            return
        if document.state == "full":
            self.rows = {}
        elif self.version is not None and document.version > self.version + 1:
            self.gap = True
        self.version = document.version
        for row in document.rows:
            self.rows[row.id] = row
            if row.status == "terminated":
                del self.rows[row.id]

    def __str__(self):
        rows = sorted(f"{row.uri} {row.status}" for row in self.rows.values())
        return "; ".join(rows) or "nobody"


def _name(uri):
    """The user of `sip:user.scene@domain`, as the scene calls him."""
    return re.split(r"[.@]", uri.strip().removeprefix("sip:"))[0]


def pidf(entity, *tuples, extra=""):
    """A presence document of (id, basic status, note)."""
    told = "".join(
        f'<tuple id="{id}"><status><basic>{basic}</basic></status><note>{note}</note></tuple>'
        for id, basic, note in tuples
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><presence xmlns="urn:ietf:params:xml:ns:pidf"'
        f' entity="{entity}">{told}{extra}</presence>'
    )
