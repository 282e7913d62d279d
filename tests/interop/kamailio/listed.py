"""The list of differences (differences.toml), and how README.md shows it."""

import tomllib

from . import HERE

README = HERE.parent / "README.md"
BEGIN = "<!-- the differences: written by ./run --write-table -->"
END = "<!-- end of the differences -->"
VERDICTS = ("theirs wrong", "both allowed")

LISTED = tomllib.loads((HERE / "differences.toml").read_text())["difference"]


def of(script):
    """The listed differences of a script: fact: (ours, theirs)."""
    return {
        each["fact"]: (each["ours"], each["theirs"])
        for each in LISTED
        if each["script"] == script
    }


def counts():
    """How many differences there are of each verdict, in words."""
    told = [f"{sum(each['verdict'] == what for each in LISTED)} {what}" for what in VERDICTS]
    return f"{len(LISTED)} differences: {', '.join(told)}"


def disagreements(script, ours, theirs):
    """What the list does not say of a script's facts, line by line."""
    facts = list(dict.fromkeys([*ours, *theirs]))
    pairs = {fact: (ours.get(fact, "-"), theirs.get(fact, "-")) for fact in facts}
    found = {fact: pair for fact, pair in pairs.items() if pair[0] != pair[1]}
    said = of(script)
    lines = []
    for fact in dict.fromkeys([*found, *said]):
        if fact not in found:
            lines.append(f"{fact}: listed, but both said {pairs.get(fact, ('nothing',))[0]}")
        elif found[fact] != said.get(fact):
            known = f" (listed: {' | '.join(said[fact])})" if fact in said else " (not listed)"
            lines.append(f"{fact}: ours {found[fact][0]} | theirs {found[fact][1]}{known}")
    return lines


def table(scripts, facts):
    """The list as README.md shows it."""
    lines = [
        f"{scripts} scripts, {facts} facts, {counts()}.",
        "",
        "| script: what the user saw | here | Kamailio | verdict | why |",
        "|---|---|---|---|---|",
    ]
    merged = {}
    for each in LISTED:
        same = (each["script"], each["verdict"], each["rfc"], each["why"])
        merged.setdefault((*same, "configuration" in each), []).append(each)
    for (script, verdict, rfc, why, configuration), group in merged.items():
        facts = "; ".join(each["fact"] for each in group)
        ours, theirs = ("; ".join(each[whose] for each in group) for whose in ("ours", "theirs"))
        why = f"{rfc}: {why}" + (" (configuration)" if configuration else "")
        name = script.replace("_", " ")
        lines.append(f"| {name}: {facts} | {ours} | {theirs} | {verdict} | {why} |")
    return "\n".join(lines)


def shown():
    """The list as README.md has it."""
    return README.read_text().split(BEGIN)[1].split(END)[0].strip()


def write(text):
    """Puts the list into README.md."""
    before, rest = README.read_text().split(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")
