#!/usr/bin/env python3
"""Writes the requirement catalogue and checks the cards against it. Python standard library only.

    ci/requirements.py SHARED            write suites/requirements/*.yaml and suites/revisions/contested.yaml
    ci/requirements.py SHARED --check    write nothing; exit 1 where a file differs from what would be written
    ci/requirements.py --cards           every citation of every card, with its level in each revision; exit 1 on a gap

SHARED is the folder that holds spec/requirements.jsonl and spec/NOTES.md. Only identity, classification and links are
taken over: neither the sentences nor their headings. Running it twice changes nothing.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
LEVELS = {"MUST": 0, "MUST NOT": 0, "SHOULD": 1, "SHOULD NOT": 1, "MAY": 2}
LEVEL_NAMES = ["MUST", "SHOULD", "MAY"]

# First words of the reason in the study, and our code for it.
REASONS = {
    "permission": "permission",
    "internal behaviour": "internal",
    "concerns the user interface": "user-interface",
    "needs semantic judgement": "semantic",
    "needs application-specific": "application-state",
    "no measurable threshold": "no-threshold",
    "documentation": "guidance",
    "binds the authorization server": "third-party",
    "umbrella": "umbrella",
    "the trigger": "no-trigger",
    "concerns custom transports": "custom-transport",
    "after the disconnect": "disconnected",
}
ALWAYS_QUOTED = {"id", "url", "same_as"}
# Plain words that some YAML reads as something else than a string.
RESERVED = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def scalar(text):
    """A YAML scalar that every reader takes for this string."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9 .+-]*[A-Za-z0-9]", text) and text.lower() not in RESERVED
    return text if plain else json.dumps(text, ensure_ascii=False)


def reason(text):
    """Our code for the reason why a sentence cannot be tested."""
    for start, code in REASONS.items():
        if text.startswith(start):
            return code
    raise SystemExit(f"no code for the reason {text!r}: add one to REASONS")


def fields(row):
    """The fields of harness/model/src/requirement.rs, without those that have their default."""
    yield "id", row["id"]
    yield "level", row["level"]
    if row["form"] != "bcp14":
        yield "form", row["form"]
    yield "actor", row["actor"]
    if row["transport"] != "any":
        yield "transport", row["transport"]
    yield "feature", row["feature"]
    if row["capability"]:
        yield "capability", row["capability"]
    yield "testable", row["testable"]
    if row["also_testable"]:
        yield "also_testable", row["also_testable"]
    if row["needs"]:
        yield "needs", row["needs"]
    if row["why"]:
        yield "why", reason(row["why"])
    yield "url", row["url"]
    if row["same_as"]:
        yield "same_as", row["same_as"]


def line(row):
    """One requirement, one line."""
    members = []
    for key, value in fields(row):
        if isinstance(value, list):
            text = "[" + ", ".join(scalar(item) for item in value) + "]"
        elif key in ALWAYS_QUOTED:
            text = json.dumps(value, ensure_ascii=False)
        else:
            text = scalar(value)
        members.append(f"{key}: {text}")
    return "- { " + ", ".join(members) + " }\n"


def requirement_files(shared):
    """The text of suites/requirements/<revision>.yaml."""
    rows = [json.loads(text) for text in (shared / "spec/requirements.jsonl").read_text().splitlines() if text]
    ids = {row["id"]: row for row in rows}
    if len(ids) != len(rows):
        raise SystemExit("requirement ids are not unique")
    for row in rows:
        first = row["same_as"] and ids[row["same_as"]]
        if first and (first["same_as"] or first["level"] != row["level"]):
            raise SystemExit(f"{row['id']}: same_as must name a first statement of the same level")
    for revision in REVISIONS:
        mine = [row for row in rows if row["revision"] == revision]
        head = (
            f"# Requirements of {revision}: {len(mine)} normative sentences, without their text; each is behind its url.\n"
            "# Made by `ci/requirements.py SHARED` from spec/requirements.jsonl; do not edit by hand.\n"
        )
        yield ROOT / f"suites/requirements/{revision}.yaml", head + "".join(line(row) for row in mine)


def contested_file(shared):
    """The text of suites/revisions/contested.yaml: what a card's `contested:` may name."""
    notes = (shared / "spec/NOTES.md").read_text()
    section = notes.split("\n## 3. ", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `([a-z0-9-]+)` ([^|]+?) \|", section, re.M)
    if len({name for name, _ in found}) != len(found):
        raise SystemExit("ids of contested topics are not unique")
    text = (
        "# Topics where the specification conflicts with itself or leaves a gap: a check that takes sides names one and warns at most.\n"
        "# Made by `ci/requirements.py SHARED` from spec/NOTES.md section 3; do not edit by hand.\n"
        "contested:\n"
    )
    for name, topic in found:
        text += f"  - {{ id: {json.dumps(name)}, topic: {json.dumps(topic.replace('`', ''), ensure_ascii=False)} }}\n"
    yield ROOT / "suites/revisions/contested.yaml", text


def write(shared, check):
    """Writes what differs; with `check`, only says so."""
    stale = []
    for path, text in [*requirement_files(shared), *contested_file(shared)]:
        if path.is_file() and path.read_text() == text:
            continue
        stale.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for path in stale:
        print(f"{'differs' if check else 'written'}: {path}")
    return 1 if check and stale else 0


def catalogue():
    """The rows of the written files: id to (revision, level, lowercase, same_as)."""
    rows = {}
    for revision in REVISIONS:
        for text in (ROOT / f"suites/requirements/{revision}.yaml").read_text().splitlines():
            if text.startswith("- {"):
                found = re.search(r'id: "([^"]+)", level: ([A-Z ]+)', text)
                first = re.search(r'same_as: "([^"]+)"', text)
                rows[found[1]] = (revision, found[2].strip(), "form: lowercase" in text, first and first[1])
    return rows


def level_in(rows, cites, revision):
    """The level that cited rows give in a revision; None without a row."""
    found = [
        max(LEVELS[level], 1 if lowercase else 0)
        for name, (where, level, lowercase, first) in rows.items()
        if where == revision and (name in cites or first in cites)
    ]
    return min(found) if found else None


def checks_of(text):
    """The checks of a card as (name, basis, cites, contested), read by indentation; the loader does it properly."""
    for block in re.split(r"^  - name: ", text, flags=re.M)[1:]:
        name = block.split(None, 1)[0]
        basis = re.search(r"^    basis: (\w+)", block, re.M)
        cites = re.search(r"^    cites:\s*\[(.*?)\]", block, re.M | re.S)
        listed = re.findall(r"^      - (2\S+)$", block, re.M)
        contested = re.search(r"^    contested: (\S+)", block, re.M)
        names = [item.strip().strip("\"'") for item in cites[1].split(",")] if cites else listed
        yield name, basis and basis[1], [item for item in names if item], contested and contested[1]


def cards():
    """Prints every check with its levels and reports what is wrong with its citations."""
    rows, wrong, count = catalogue(), [], 0
    topics = set(re.findall(r'id: "([^"]+)"', (ROOT / "suites/revisions/contested.yaml").read_text()))
    paths = sorted((ROOT / "suites/scenarios").rglob("*.yaml"))
    for path in paths:
        text = path.read_text()
        card = path.relative_to(ROOT / "suites/scenarios").with_suffix("").as_posix()
        since = re.search(r"^since: (\S+)", text, re.M)[1]
        until = re.search(r"^until: (\S+)", text, re.M)
        within = [date for date in REVISIONS if since <= date <= (until[1] if until else REVISIONS[-1])]
        if f"id: {card}\n" not in text:
            wrong.append(f"{card}: the id is not the path")
        if not text.startswith("# "):
            wrong.append(f"{card}: the first line is not a comment")
        if text.count("\n") > 120:
            wrong.append(f"{card}: {text.count(chr(10))} lines")
        for name, basis, cites, contested in checks_of(text):
            count += 1
            label = f"{card}/{name}"
            if contested and contested not in topics:
                wrong.append(f"{label}: no contested topic {contested}")
            if basis == "robustness":
                if cites:
                    wrong.append(f"{label}: robustness cites nothing")
                print(f"{label}: robustness" + (f" (contested: {contested})" if contested else ""))
                continue
            wrong += [f"{label}: no requirement {cite}" for cite in cites if cite not in rows]
            wrong += [f"{label}: {cite} is not a first statement" for cite in cites if cite in rows and rows[cite][3]]
            levels = {date: level_in(rows, cites, date) for date in within}
            wrong += [f"{label}: no row in {date}" for date, level in levels.items() if level is None]
            shown = " ".join(f"{date}:{'-' if level is None else LEVEL_NAMES[level]}" for date, level in levels.items())
            print(f"{label}: {shown}" + (f" (contested: {contested})" if contested else ""))
    print(f"{len(paths)} cards, {count} checks, {len(wrong)} wrong")
    for text in wrong:
        print(f"error: {text}", file=sys.stderr)
    return 1 if wrong else 0


def main(arguments):
    """Dispatches."""
    if arguments == ["--cards"]:
        return cards()
    if len(arguments) in (1, 2) and not arguments[0].startswith("-") and arguments[1:] in ([], ["--check"]):
        return write(Path(arguments[0]), check=arguments[1:] == ["--check"])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
