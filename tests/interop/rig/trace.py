"""Programs that print the SIP messages they send and receive."""

import re
import time

from .program import Program


class Tracing(Program):
    """A program whose output holds messages; how they are told from the rest is a subclass's."""

    def message(self, timeout):
        """The lines of the next message, come or gone."""
        raise NotImplementedError

    def sip(self, start, *lines, timeout=10.0):
        """The next message whose first line matches `start` and which has a line that matches, for
        each of `lines`; as text. Messages before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            text = self.message(deadline - time.monotonic())
            if _has(text[:1], start) and all(_has(text, line) for line in lines):
                return "\n".join(text)


def _has(lines, pattern):
    return any(re.search(pattern, line) for line in lines)
