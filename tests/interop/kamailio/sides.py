"""The two servers of the differential scenes, asked by the same users in the same words."""

from rig.documents import Watchers, pidf, presence
from rig.phone import PATIENCE, Phone
from rig.presently import DOMAIN, password

from . import ruleset

SCRIPTS = {}

# As in kamailio.cfg: the shortest expiry is 2 s, and it is looked for about every second.
OURS = """
[limits]
sub_min = 2
pub_min = 2
expiry_grace_ms = 500
subscribe_rate = 1000
"""

# How long nothing has to come before a user says that nothing came.
QUIET = 2.5


def script(play):
    """Notes a script: a function that plays users against one side and says what they saw."""
    SCRIPTS[play.__name__] = play
    return play


# How often a script may be played for the database's sake.
ATTEMPTS = 4


def accounts():
    """The accounts of all the scripts: `alice.script.1`, so that no two scripts meet."""
    return [
        f"{role}.{name}.{attempt}"
        for name in SCRIPTS
        for role in ("alice", "bob", "carol", "dave")
        for attempt in range(1, ATTEMPTS + 1)
    ]


class Side:
    """One script's users on one server; `facts` is what they saw, in order."""

    def __init__(self, server, name):
        self.server, self.name = server, name
        self.facts = {}
        self._phones, self._rules = [], {}

    def see(self, fact, value):
        """Notes what a user saw."""
        assert fact not in self.facts, f"{fact} twice"
        self.facts[fact] = str(value)

    def phone(self, role, known=None):
        """A device of a user; `known` is a password that is not his."""
        user = f"{role}.{self.name}"
        at = (self.server.host, self.server.port)
        phone = Phone(user, known or password(user), at, self.server.host, DOMAIN)
        self._phones.append(phone)
        return phone

    def aor(self, role):
        """A user's address."""
        return f"sip:{role}.{self.name}@{DOMAIN}"

    def document(self, role, *tuples, extra=""):
        """A presence document of a user."""
        return pidf(self.aor(role), *tuples, extra=extra)

    def decide(self, owner, watcher, handling):
        """What an owner decides about a watcher; None takes it back."""
        rules = self._rules.setdefault(owner, {})
        rules[f"{watcher}.{self.name}"] = handling
        told = {who: what for who, what in rules.items() if what}
        self._decide(f"{owner}.{self.name}", told)

    def close(self):
        """Ends the phones."""
        for phone in self._phones:
            phone.close()


class Ours(Side):
    """Decisions are a PUBLISH of the rule set (`Event: x-presrules`)."""

    def __init__(self, server, name):
        super().__init__(server, name)
        self._etags = {}

    def _decide(self, owner, rules):
        at = (self.server.host, self.server.port)
        phone = Phone(owner, password(owner), at, self.server.host, DOMAIN)
        fields = [("Event", "x-presrules"), ("Content-Type", "application/auth-policy+xml")]
        if owner in self._etags:
            fields.append(("SIP-If-Match", self._etags[owner]))
        answer = phone.ask("PUBLISH", phone.aor, *fields, body=ruleset(rules).encode())
        phone.close()
        assert answer.status == 200, answer.start
        self._etags[owner] = answer["sip-etag"]


class Theirs(Side):
    """Decisions are a document in the table of the integrated XCAP server."""

    def _decide(self, owner, rules):
        self.server.decide(owner, rules)


# How a user would say what came.


def status(response):
    """The status of an answer."""
    return "no answer" if response is None else response.status


def state(notify):
    """The Subscription-State of a NOTIFY, without the remaining time."""
    if notify is None:
        return "no NOTIFY"
    value, *params = (part.strip() for part in notify["subscription-state"].split(";"))
    told = [each for each in params if each.startswith("reason")]
    return ";".join([value, *told])


def shown(notify):
    """The presence that a NOTIFY shows."""
    return "no NOTIFY" if notify is None else presence(notify.body)


def winfo(notify):
    """The watcher document of a NOTIFY, or None."""
    return Watchers(notify.body) if notify is not None and notify.body else None


def table(notify):
    """The watcher document of a NOTIFY in a line."""
    if notify is None:
        return "no NOTIFY"
    return str(Watchers(notify.body)) if notify.body else "no document"


def expect_document(watch, accepts, patience=PATIENCE):
    """The next NOTIFY whose watcher document `accepts`; its document, or None."""
    notify = watch.until(lambda each: each.body and accepts(winfo(each)), patience)
    return winfo(notify)


def owner(side):
    """bob, who asks for his watchers: his phone, the subscription and its first document."""
    bob = side.phone("bob")
    watch = bob.subscribe(bob.aor, event="presence.winfo")
    return bob, watch, winfo(watch.next())


def _since(document, since):
    """A document in a line, with its version counted from another's."""
    return "nothing" if document is None else f"+{document.version - since.version} {document}"


def news(watch, before, patience=QUIET):
    """The next document of the owner and what it says."""
    document = expect_document(watch, lambda _: True, patience)
    return document or before, _since(document, before)
