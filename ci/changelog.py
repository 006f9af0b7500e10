#!/usr/bin/env python3
"""Compares the check ids of the changelog with those of `mcp-assay list`. Python standard library only.

    ci/changelog.py MCP-ASSAY            exit 1 where a check is missing, or the unreleased part names one that does not exist
    ci/changelog.py MCP-ASSAY --write    write the ids between the marks of the unreleased part

MCP-ASSAY is the program. Once a first release stands below, only what it does not name is written.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
BEGIN, END = "<!-- checks: begin -->\n", "<!-- checks: end -->\n"
CHECK = re.compile(r"`([a-z0-9-]+(?:/[a-z0-9-]+){2})`")


def listed(program):
    """Every check id that the program knows, in its order."""
    text = subprocess.run([program, "list", "--json"], check=True, capture_output=True, text=True).stdout
    return [check["id"] for check in json.loads(text)["checks"]]


def lines(ids):
    """A line for each card, with the names of its checks."""
    cards = {}
    for name in ids:
        card, check = name.rsplit("/", 1)
        cards.setdefault(card, []).append(check)
    return "".join(
        f"- {', '.join(f'`{card}/{check}`' for check in checks)}\n" for card, checks in cards.items()
    )


def main(arguments):
    """Dispatches."""
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    ids = listed(arguments[0])
    text = CHANGELOG.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN, 1)
    unreleased, tail = rest.split(END, 1)
    released = set(CHECK.findall(tail))
    if arguments[1:]:
        added = lines(name for name in ids if name not in released)
        CHANGELOG.write_text(f"{head}{BEGIN}{added}{END}{tail}", encoding="utf-8")
        return 0
    named = set(CHECK.findall(unreleased))
    missing = [name for name in ids if name not in named | released]
    unknown = sorted(named - set(ids))
    for name in missing:
        print(f"error: check `{name}` is not in the changelog; `ci/changelog.py MCP-ASSAY --write` adds it", file=sys.stderr)
    for name in unknown:
        print(f"error: the changelog names `{name}`, which is no check", file=sys.stderr)
    print(f"{len(ids)} checks, {len(missing)} missing from the changelog, {len(unknown)} unknown")
    return 1 if missing or unknown else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
