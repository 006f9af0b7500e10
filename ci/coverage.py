#!/usr/bin/env python3
"""Compares the coverage table of the README with `mcp-assay coverage`. Python standard library only.

    ci/coverage.py MCP-ASSAY            exit 1 where they differ
    ci/coverage.py MCP-ASSAY --write    write the table between its marks

MCP-ASSAY is the program.
"""

import json
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- coverage: begin -->\n", "<!-- coverage: end -->\n"


def counted(program):
    """The table, from what the program counts."""
    text = subprocess.run(
        [program, "coverage", "--format", "json"], check=True, capture_output=True, text=True
    ).stdout
    lines = ["| revision | MUST, MUST NOT | SHOULD, SHOULD NOT |\n", "| --- | --- | --- |\n"]
    for of in json.loads(text)["revisions"]:
        cells = []
        for level in ("MUST", "SHOULD"):
            counts = of["levels"][level]
            share = 100 * counts["covered"] // counts["testable"]
            cells.append(f"{counts['covered']} of {counts['testable']} ({share} %)")
        lines.append(f"| {of['revision']} | {cells[0]} | {cells[1]} |\n")
    return "".join(lines)


def main(arguments):
    """Dispatches."""
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], ["--write"]):
        print(__doc__, file=sys.stderr)
        return 2
    table = counted(arguments[0])
    text = README.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN, 1)
    written, tail = rest.split(END, 1)
    if arguments[1:]:
        README.write_text(f"{head}{BEGIN}{table}{END}{tail}", encoding="utf-8")
        return 0
    if written != table:
        print("error: the coverage table of README.md is old; `ci/coverage.py MCP-ASSAY --write` writes it", file=sys.stderr)
        return 1
    print("the coverage table of README.md is that of the program")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
