#!/usr/bin/env python3
"""Draws what a command shows on a terminal as SVG: text, bold, dim and the named colours. Python standard library only.

    ci/picture.py OUT.svg [--columns N] -- COMMAND ARG...

The command runs with its standard output on a terminal of N columns (100) and is shown above it as it was typed; standard
error, where progress goes, is left out. The exit code of the command does not matter: a failing run is what we draw.
"""

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 8.0, 18.0, 16.0
BACKGROUND, PLAIN = "#10141a", "#d5dae1"
COLOURS = {
    31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea",
    91: "#ff7b72", 92: "#7ee787", 93: "#e3b341", 94: "#79c0ff", 95: "#d2a8ff", 96: "#76e3ea",
}
ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")


def output(command, columns):
    """What the command writes to a terminal of this width."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 500, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(writer)
    chunks = []
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    process.wait()
    return b"".join(chunks).decode().replace("\r\n", "\n").rstrip("\n")


def style(codes, current):
    """The style after a `CSI ... m`: (colour, bold, dim)."""
    colour, bold, dim = current
    for code in [int(code or 0) for code in codes.split(";")]:
        if code == 0:
            colour, bold, dim = None, False, False
        elif code == 1:
            bold = True
        elif code == 2:
            dim = True
        elif code == 22:
            bold = dim = False
        elif code == 39:
            colour = None
        elif code in COLOURS:
            colour = COLOURS[code]
        else:
            raise SystemExit(f"no picture of SGR {code}")
    return colour, bold, dim


def cells(text, columns):
    """Lines of (letter, style), wrapped as a terminal wraps."""
    lines, current, at = [[]], (None, False, False), 0
    while at < len(text):
        found = ESCAPE.match(text, at)
        if found:
            if found[2] != "m":
                raise SystemExit(f"no picture of {found[0]!r}")
            current, at = style(found[1], current), found.end()
            continue
        letter, at = text[at], at + 1
        if letter == "\n":
            lines.append([])
            continue
        if len(lines[-1]) == columns:
            lines.append([])
        lines[-1].append((letter, current))
    return lines


def runs(line):
    """Stretches of one style: (column, text, style), split at wide gaps, which SVG would close."""
    start = 0
    while start < len(line):
        end = start
        while end < len(line) and line[end][1] == line[start][1]:
            end += 1
        text = "".join(letter for letter, _ in line[start:end])
        for found in re.finditer(r"[^ ]+(?: [^ ]+)*", text):
            yield start + found.start(), found[0], line[start][1]
        start = end


def picture(lines, columns, title):
    """The SVG. Every stretch has its length written down, so that any monospaced font gives the same picture."""
    width, height = columns * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>',
        '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="13"'
        f' fill="{PLAIN}">',
    ]
    for number, line in enumerate(lines):
        y = MARGIN + number * HEIGHT + 13
        for column, text, (colour, bold, dim) in runs(line):
            look = f' fill="{colour}"' if colour else ""
            look += ' font-weight="bold"' if bold else ""
            look += ' opacity="0.62"' if dim else ""
            x, length = MARGIN + column * WIDTH, len(text) * WIDTH
            out.append(
                f'<text x="{x:g}" y="{y:g}" textLength="{length:g}" lengthAdjust="spacingAndGlyphs"{look}>{escape(text)}</text>'
            )
    return "\n".join([*out, "</g>", "</svg>", ""])


def main(arguments):
    """Dispatches."""
    if "--" not in arguments:
        print(__doc__, file=sys.stderr)
        return 2
    split = arguments.index("--")
    options, command = arguments[:split], arguments[split + 1 :]
    columns = 100
    if len(options) == 3 and options[1] == "--columns":
        columns = int(options[2])
    elif len(options) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    typed = shlex.join(command)
    lines = cells(f"\x1b[2m$\x1b[0m \x1b[1m{typed}\x1b[0m\n{output(command, columns)}", columns)
    with open(options[0], "w", encoding="utf-8") as file:
        file.write(picture(lines, columns, typed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
