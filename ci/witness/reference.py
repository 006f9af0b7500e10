"""The reference server as a process, and what the two scripts beside this file share: expectations and tables."""

import contextlib
import json
import pathlib
import re
import signal
import subprocess
import threading

HERE = pathlib.Path(__file__).parent
STARTS_WITHIN = 20


@contextlib.contextmanager
def serving(command):
    """Starts a server that says on stderr where it listens; gives its URL, and stops that process at the end."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    # Without an address in time the process goes, and with it the line that is waited for.
    watch = threading.Timer(STARTS_WITHIN, process.kill)
    watch.start()
    try:
        line = process.stderr.readline()
        watch.cancel()
        address = re.fullmatch(r"listening on (http://\S+)\n", line)
        if not address:
            raise SystemExit(f"error: {command[0]} does not say where it listens: {line!r}")
        # What it says later is nobody's business, but must not fill the pipe.
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield address[1]
    finally:
        watch.cancel()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def expected(name):
    """The differences that were read and explained, line to entry; and the floors of what must be seen.

    An entry says who is `right` in our `reading`, and, as a pattern, what each of its lines `shows`.
    """
    path, book = HERE / "expected" / f"{name}.json", read(name)
    lines = {}
    for entry in book["differences"]:
        for word in ("right", "reading", "shows"):
            if not entry.get(word):
                raise SystemExit(f"error: {path}: an entry without `{word}`: {entry['lines'][0]}")
        for line in entry["lines"]:
            if line in lines:
                raise SystemExit(f"error: {path}: explained twice: {line}")
            lines[line] = entry
    return lines, book["at_least"]


def read(name):
    return json.loads((HERE / "expected" / f"{name}.json").read_text(encoding="utf-8"))


def write(name, seen, at_least):
    """Writes the file anew: what is gone is struck, what is new waits in an entry without a reading, for which the next run fails."""
    book = read(name)
    for entry in book["differences"]:
        entry["lines"] = [line for line in entry["lines"] if line in seen]
    kept = [entry for entry in book["differences"] if entry["lines"]]
    explained = {line for entry in kept for line in entry["lines"]}
    new = [line for line in seen if line not in explained]
    if new:
        kept.append({"right": "", "reading": "", "shows": "", "lines": new})
    book = {"at_least": at_least, "differences": kept}
    (HERE / "expected" / f"{name}.json").write_text(json.dumps(book, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def compare(seen, explained):
    """Differences seen (line to what was seen) against those explained: the complaints, in order."""
    complaints = []
    for line, what in seen.items():
        what = " ".join(what.split())
        if line not in explained:
            complaints.append(f"not explained: {line}\n    {what[:600]}")
        elif not re.search(explained[line]["shows"], what):
            complaints.append(f"there for another reason than the explained one: {line}\n    {what[:600]}")
    complaints += [f"no longer there, strike it: {line}" for line in explained if line not in seen]
    return complaints


def table(header, rows):
    """Rows of text in columns, as Markdown."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)
