"""The table in README.md: one row a feature, written from what the tests found.

A test that passes makes its row `yes`. A peer that lacks a feature is a row too: a test that shows
how it fails (`feature(…, lacks="why")`) makes it `no`, or the driver lists it under LACKS where there
is nothing to run.
"""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- the table: written by ./run --write-table -->"
END = "<!-- end of the table -->"


class Table:
    """Rows; shown by peer, and there in the order in which the drivers tell them."""

    def __init__(self):
        self.rows = {}

    def add(self, place, peer, against, what, result, note=""):
        """A row; two tests of one feature are one row, which is `yes` only if both are."""
        key = (peer, against, what)
        first, before, told = self.rows.get(key, (place, "yes", ""))
        if before == "yes":
            before, told = result, note or told
        self.rows[key] = (min(first, place), before, told)

    def render(self, version):
        """The table as Markdown; `version` tells a peer's."""
        lines = ["| peer | against our | feature | works | remarks |", "|---|---|---|---|---|"]
        rows = [(key[0].lower(), key[1] == "agent", *found, key) for key, found in self.rows.items()]
        for *_, result, note, (peer, against, what) in sorted(rows):
            lines.append(f"| {version(peer)} | {against} | {what} | {result} | {note} |")
        return "\n".join(lines)


def agrees(table):
    """Whether README.md has this table, whatever versions the peers had then."""
    text = README.read_text().split(BEGIN)[1].split(END)[0].strip()
    return _without_versions(text) == _without_versions(table)


def _without_versions(table):
    return re.sub(r"(?m)^(\| \w+) [\d.]+ \|", r"\1 |", table)


def write(table):
    """Puts a table into README.md."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")
