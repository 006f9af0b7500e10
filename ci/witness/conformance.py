#!/usr/bin/env python3
"""Runs the official conformance suite on the reference server, and holds what it says against expected/conformance.json.

    conformance.py SUITE MCP_ASSAY ONE_PAGE [--write]

SUITE is the folder where package.json and package-lock.json of this folder were installed, MCP_ASSAY the binary, ONE_PAGE that of this
crate. Every line that is not green has to be explained in the file, and every explained line has to be there: exit code 1 otherwise.
--write strikes what is gone and adds what is new, to be read and explained by hand.
"""

import collections
import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

from reference import compare, expected, serving, table, write

# The sets of the two revisions that have one; all that is marked for an older one; and the scenario that looks for a tool on the first
# page alone, once more where there is one page.
SERVE = "serve"
ONE_PAGE = "one-page"
RUNS = [
    ("2025-03-26", SERVE, ["--suite", "all", "--spec-version", "2025-03-26"]),
    ("2025-06-18", SERVE, ["--suite", "all", "--spec-version", "2025-06-18"]),
    ("2025-11-25", SERVE, ["--requirements", "2025-11-25"]),
    ("2026-07-28", SERVE, ["--requirements", "2026-07-28"]),
    ("2026-07-28-one-page", ONE_PAGE, ["--scenario", "http-custom-header-server-validation", "--spec-version", "2026-07-28"]),
]
GREEN = {"SUCCESS", "INFO"}
ENDS_WITHIN = 120


def main():
    suite, mcp_assay, one_page = sys.argv[1:4]
    modules = pathlib.Path(suite) / "node_modules"
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    node = modules / f"node-linux-{machine}" / "bin" / "node"
    command = [str(node), str(modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"), "server"]
    servers = {SERVE: [mcp_assay, "serve", "--http", "127.0.0.1:0"], ONE_PAGE: [one_page]}

    seen, rows, passed = {}, [], {}
    for name, server, arguments in RUNS:
        with serving(servers[server]) as url:
            scenarios = run([*command, "--url", url, *arguments])
        counts = collections.Counter()
        for scenario, checks in sorted(scenarios.items()):
            for check in checks:
                counts[check["status"]] += 1
                if check["status"] not in GREEN:
                    line = f"{name} {scenario} {check['id']} {check['status']}"
                    seen[line] = check.get("errorMessage") or json.dumps(check.get("details"))
        passed[name] = counts["SUCCESS"]
        rows.append([name, server, len(scenarios), *(counts[status] for status in ("SUCCESS", "INFO", "WARNING", "FAILURE", "SKIPPED"))])
    print(table(["run", "server", "scenarios", "passed", "info", "warned", "failed", "skipped"], rows))

    if sys.argv[4:] == ["--write"]:
        write("conformance", seen, passed)
    explained, at_least = expected("conformance")
    complaints = compare(seen, explained)
    for name in passed.keys() | at_least.keys():
        if passed.get(name, 0) < at_least.get(name, 1):
            complaints.append(f"{name}: {passed.get(name, 0)} checks passed, where it was {at_least[name]}")
    print(f"{len(seen)} lines are not green, of which {len(seen.keys() & explained.keys())} are explained")
    for complaint in complaints:
        print(f"error: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def run(command):
    """One run of the suite: scenario to checks. A scenario that was begun and left no checks is an error."""
    with tempfile.TemporaryDirectory() as folder:
        # What becomes of the exit code is in the checks; a suite that breaks leaves too few of them.
        ended = subprocess.run([*command, "--output-dir", folder], capture_output=True, text=True, timeout=ENDS_WITHIN, check=False)
        begun = re.findall(r"^=== Running scenario: (\S+) ===$", ended.stdout, re.MULTILINE)
        begun = begun or re.findall(r"--scenario (\S+)", " ".join(command))
        scenarios = {}
        for path in pathlib.Path(folder).glob("*/checks.json"):
            scenario = re.fullmatch(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z", path.parent.name)
            scenarios[scenario[1]] = json.loads(path.read_text(encoding="utf-8"))
    without = [scenario for scenario in begun if not scenarios.get(scenario)]
    if not begun or without:
        print(ended.stdout[-2000:], ended.stderr[-2000:], file=sys.stderr)
        raise SystemExit(f"error: the suite did not report on {without or 'anything'}")
    return scenarios


if __name__ == "__main__":
    sys.exit(main())
