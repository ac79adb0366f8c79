"""Compares what a page shows with what a command said, as a reader would: times, dates and run names differ."""

import re

# What no two runs have in common, and what stands for it on both sides.
_VARYING = (
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "hh:mm:ss"),
    (re.compile(r"\b\d+(\.\d+)? s\b"), "N s"),
    (re.compile(r"-\d{8}-\d{6}\b"), "-DATE-TIME"),
    (re.compile(r"blake3:[0-9a-f]{64}"), "blake3:DIGEST"),
    (re.compile(r"\s+$"), ""),
)
GAP = "..."


def differs(shown: tuple[str, ...], said: str) -> str:
    """What is wrong, or nothing. `...` alone stands for any lines, within a line for any text."""
    wanted = [_plain(line) for line in shown]
    lines = [_plain(line) for line in said.splitlines()]
    at, gap = 0, False
    for line in wanted:
        if line == GAP:
            gap = True
            continue
        found = _find(line, lines, at, anywhere=gap)
        if found is None:
            return f"{line!r} is shown, and was not said{'' if gap else f': {lines[at : at + 1]}'}"
        at, gap = found + 1, False
    if wanted and not gap and at < len(lines):
        return f"{lines[at]!r} was said, and is not shown"
    return ""


def _plain(line: str) -> str:
    for varying, name in _VARYING:
        line = varying.sub(name, line)
    return line


def _find(line: str, lines: list[str], at: int, *, anywhere: bool) -> int | None:
    pattern = re.compile(".*".join(re.escape(part) for part in line.split(GAP)))
    ends = len(lines) if anywhere else min(at + 1, len(lines))
    return next((number for number in range(at, ends) if pattern.fullmatch(lines[number])), None)
