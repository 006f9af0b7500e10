#!/usr/bin/env python3
"""Has real clients list and call on the reference server, and holds what they say against expected/clients.json.

    clients.py TARGETS SHARED MCP_ASSAY [--write]

TARGETS is the folder that SHARED/targets/install.sh filled, MCP_ASSAY the binary. Two kinds of witness: the official SDKs, which take the
tours of tours/, and the command lines of clients.json, which list and call. Every refusal and every difference has to be explained in the
file, and every explained one has to be there: exit code 1 otherwise. --write strikes what is gone and adds what is new, to be read and
explained by hand.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from reference import HERE, compare, expected, serving, table, write

LEGACY = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
MODERN = "2026-07-28"
# A server of both eras, from which a client takes what it likes best.
BOTH = "both eras"
ENDS_WITHIN = 100
AT_ONCE = 2

# The official SDKs: the group that installs them, the script, and the generation that it is told.
SDKS = {
    "typescript-1": ("sdk-examples", "tour.mjs", "1"),
    "typescript-2": ("client2", "tour.mjs", "2"),
    "python-1": ("mcp1-py", "tour.py", "1"),
    "python-2": ("mcp-py", "tour.py", "2"),
}
# The first generation ends with the legacy era.
MODERN_SDKS = {"typescript-2", "python-2"}
# Each step of a tour, in the script's order.
STEPS = [
    "connect", "tools", "resources", "templates", "prompts", "read", "read-unknown", "get-prompt", "call", "call-fails", "call-unknown",
    "structured", "progress", "logging", "sampling", "elicitation", "roots", "visit", "reconnect", "tasks", "rounds", "complete",
    "subscribe", "cancel", "ping", "close",
]
# The command lines: of which server they are asked.
CLIS = {
    "inspector-cli": ["2025-11-25", MODERN, BOTH],
    "fastmcp-cli": ["2025-11-25", MODERN, BOTH],
    "mcporter": ["2025-11-25", MODERN, BOTH],
}
# Who begins with `initialize` whatever the server is: how that is refused is looked at once, by the list.
LEGACY_CLIS = {"inspector-cli", "mcporter"}
# What they are asked, and what must be in their answer.
CALLS = {
    "echo": ("echo", {"message": "Guten Tag"}, "Guten Tag"),
    "structured": ("word_count", {"text": "one two"}, r"words\W+2\b"),
    "image": ("test_image_content", {}, "image/png"),
    "call-fails": ("test_error_handling", {}, "This tool intentionally returns an error for testing"),
    "call-unknown": ("no_such_tool", {}, r"(?i)unknown tool|not found"),
}
# On every page of the list.
LISTED = ["echo", "slow", "test_simple_text", "touch", "word_count"]
# What the inspector can besides.
INSPECTED = {
    "resources": (["resources/list"], "test://watched-resource"),
    "templates": (["resources/templates/list"], re.escape("test://template/{id}/data")),
    "read": (["resources/read", "--uri", "test://static-text"], "This is the content of the static text resource"),
    "prompts": (["prompts/list"], "test_simple_prompt"),
    "get-prompt": (["prompts/get", "--prompt-name", "test_prompt_with_arguments", "--prompt-args", "arg1=a", "arg2=b"], "arg1='a', arg2='b'"),
    "logging": (["logging/setLevel", "--log-level", "debug"], r"\{"),
}

Asked = collections.namedtuple("Asked", "witness binding revision command")


def main():
    targets, shared, mcp_assay = (pathlib.Path(path).resolve() for path in sys.argv[1:4])
    seen, rows, well = {}, collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory() as home:
        # Of the environment only what finds programs: clients keep books at home, and have settings of their own.
        environment = {"PATH": os.environ["PATH"], "HOME": home, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore", "FASTMCP_CHECK_FOR_UPDATES": "off"}
        for revision in [*LEGACY, MODERN, BOTH]:
            server = [str(mcp_assay), "serve", *([] if revision == BOTH else ["--revision", revision])]
            with serving([*server, "--http", "127.0.0.1:0"]) as url:
                look(list(tours(targets, server, url, revision)), environment, tour, seen, rows, well)
                look(list(command_lines(targets, shared, server, url, revision)), environment, answers, seen, rows, well)

    print(table(["witness", "binding", "revision", "well", "none of the kind", "differs"], [[*key, *row] for key, row in rows.items()]))
    if sys.argv[4:] == ["--write"]:
        write("clients", seen, dict(sorted(well.items())))
    explained, at_least = expected("clients")
    complaints = compare(seen, explained)
    for name in sorted(well.keys() | at_least.keys()):
        if well[name] < at_least.get(name, 1):
            complaints.append(f"{name}: {well[name]} things went well, where it was {at_least[name]}")
    print(f"{sum(well.values())} things went well; {len(seen)} did not, of which {len(seen.keys() & explained.keys())} are explained")
    for complaint in complaints:
        print(f"error: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


def tours(targets, server, url, revision):
    """What each SDK is asked in a revision: on each binding that the revision has, and on HTTP+SSE at both ends of the legacy era."""
    mode = {MODERN: MODERN, BOTH: "auto"}.get(revision, "legacy")
    root = url.rsplit("/", 1)[0]
    ends = {"stdio": ["--", *server], "http": ["--http", f"{root}/mcp"], "http-sse": ["--sse", f"{root}/sse"]}
    bindings = {"2024-11-05": ["stdio", "http-sse"], "2025-11-25": ["stdio", "http", "http-sse"]}.get(revision, ["stdio", "http"])
    for witness, (group, script, generation) in SDKS.items():
        if revision in (MODERN, BOTH) and witness not in MODERN_SDKS:
            continue
        if script.endswith(".mjs"):
            begin = ["node", str(HERE / "tours" / script), str(targets / "npm" / group)]
        else:
            begin = [str(targets / "py" / group / "bin" / "python"), str(HERE / "tours" / script)]
        for binding in bindings:
            yield Asked(witness, binding, revision, [*begin, generation, mode, *ends[binding]])


def tour(asked, environment):
    """One tour: what became of each step; `None` where it went well, `...` where there is nothing of the kind."""
    ended = run(asked.command, environment)
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    taken = {line["step"]: ... if line.get("none") else line.get("error") for line in lines if "step" in line}
    outcome = {step: taken.get(step, f"not taken: {ended.stderr[-1500:]}") for step in STEPS}
    revision = next((line["revision"] for line in lines if "revision" in line), None)
    wanted = MODERN if asked.revision == BOTH else asked.revision
    outcome["revision"] = None if revision == wanted else f"agreed on {revision}"
    for step in taken.keys() - outcome.keys():
        raise SystemExit(f"error: {asked.witness} took a step that nobody knows: {step}")
    return outcome


def command_lines(targets, shared, server, url, revision):
    """Which command lines are asked, of a server of the newest revision of an era that they know, and of one of both eras."""
    clients = json.loads((shared / "targets" / "clients.json").read_text(encoding="utf-8"))["clients"]
    clients = {client["id"]: client for client in clients}
    for name, eras in CLIS.items():
        if revision in eras:
            for binding in ("stdio", "http"):
                yield Asked(name, binding, revision, [clients[name], binding, {"dir": str(targets), "server": server, "url": url}])


def answers(asked, environment):
    """The answers of one command line: what became of each question."""
    client, binding, fill_in = asked.command
    listed = run(spelled(client[f"list_{binding}"], fill_in), environment)
    missing = [name for name in LISTED if name not in listed.stdout]
    outcome = {"list": f"does not show {missing}: {said(listed)}" if missing else None}
    if asked.revision == MODERN and asked.witness in LEGACY_CLIS:
        return outcome
    for name, (tool, arguments, wanted) in CALLS.items():
        outcome[name] = differs(run(spelled(client[f"call_{binding}"], fill_in, tool, arguments), environment), wanted)
    if asked.witness == "inspector-cli":
        command = spelled(client[f"list_{binding}"], fill_in)
        for name, (method, wanted) in INSPECTED.items():
            ended = run([*command[:-1], *method], environment)
            outcome[name] = differs(ended, wanted) if ended.returncode == 0 else said(ended)
    return outcome


def spelled(template, fill_in, tool=None, arguments=None):
    """A command line of clients.json with its places filled in; without arguments the option that would bring them goes too."""
    words = []
    for word in template:
        if word == "{server}":
            words += fill_in["server"]
        elif word == "{args_kv}":
            words += [f"{name}={value}" for name, value in arguments.items()]
            if not arguments and words[-1].startswith("--"):
                words.pop()
        else:
            word = word.replace("{dir}", fill_in["dir"]).replace("{url}", fill_in["url"]).replace("{server_line}", shlex.join(fill_in["server"]))
            words.append(word.replace("{tool}", tool or "").replace("{args_json}", json.dumps(arguments)))
    return words


def differs(ended, wanted):
    return None if re.search(wanted, ended.stdout + ended.stderr) else said(ended)


def said(ended):
    return f"exit code {ended.returncode}: {ended.stdout[-800:]} {ended.stderr[-800:]}"


def run(command, environment):
    try:
        return subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=ENDS_WITHIN, check=False
        )
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(command, -1, (late.stdout or b"").decode(), f"did not end in {ENDS_WITHIN} s")


def look(asked, environment, ask, seen, rows, well):
    """Asks, a few at once, and notes what came of it, in the order of the questions."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda one: ask(one, environment), asked))
    for one, outcome in zip(asked, outcomes):
        counts = collections.Counter("none" if what is ... else "differs" if what else "well" for what in outcome.values())
        rows[one.witness, one.binding, one.revision] = (counts["well"], counts["none"], counts["differs"])
        well[one.witness] += counts["well"]
        for step, what in outcome.items():
            if what is not ... and what:
                seen[f"{one.witness} {one.binding} {one.revision} {step}"] = what


if __name__ == "__main__":
    sys.exit(main())
