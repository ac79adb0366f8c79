"""What a program raised, out of the end of its log: the log keeps the traceback, and a status has room for a line.

The lines are those that our processes log, and those that Python writes.
"""

import re
from collections.abc import Sequence

LOGGED = re.compile(r"^\d\d:\d\d:\d\d (?P<level>[A-Z]+) +\S+: (?P<text>.*)$")
WORTH_TELLING = ("ERROR", "CRITICAL")
REFUSED_BY_KAFKA = "Kafka refuses its user or a right of it"
"""How the last error of a pod begins that Kafka lets in no longer: whoever made its user may mend that."""

_A_CLIENTS = "FAIL ["  # of a Kafka client, whose threads log each try to connect up to the process's end
TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'^ +File "(?P<file>[^"<]+)", line (?P<line>\d+)')
_NOT_THE_USERS = ("/site-packages/", "/lib/python", "/fedka/participant/")


def without_traceback(words: str) -> str:
    """Last words that end in a traceback as one line: what was logged with it, what was raised, and where in the
    user's own files. Others as they are.
    """
    text, lines = _last_told(words.splitlines())
    frames = [number for number, line in enumerate(lines) if _FRAME.match(line)]
    raised = next((line for line in lines[frames[-1] + 1 :] if line[:1].strip()), "") if frames else ""
    if not raised:
        return words
    at = place_in(lines)
    return f"{_joined(text, raised)}{f' (at {at})' if at else ''}"


def refusal_in(words: str) -> str:
    """What a process said that ended because Kafka refuses its user, or a right that it needs; else empty."""
    logged = (LOGGED.match(line) for line in words.splitlines())
    errors = [found["text"] for found in logged if found and found["level"] in WORTH_TELLING]
    ours = [text for text in errors if not text.startswith(_A_CLIENTS)]
    return ours[-1] if ours and ours[-1].startswith(REFUSED_BY_KAFKA) else ""


def place_in(traceback: Sequence[str]) -> str:
    """Where in the user's own files it was raised: the innermost frame that is no library's; empty if all are."""
    for line in reversed(traceback):
        frame = _FRAME.match(line)
        if frame and not any(part in frame["file"] for part in _NOT_THE_USERS):
            return f"{frame['file']}, line {frame['line']}"
    return ""


def _last_told(lines: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The first line of the last error that was logged, and what follows up to the next that is logged; without any,
    what follows the last news.
    """
    logged = [(number, found) for number, line in enumerate(lines) if (found := LOGGED.match(line))]
    ends = [*(number for number, _ in logged[1:]), len(lines)]
    for (number, found), end in reversed(list(zip(logged, ends, strict=False))):
        if found["level"] in WORTH_TELLING:
            return found["text"], lines[number + 1 : end]
    return "", lines[logged[-1][0] + 1 :] if logged else lines


def _joined(text: str, raised: str) -> str:
    """Both, where the one does not say it already: `... raised KeyError` and `KeyError: 'x'` are one."""
    name, colon, message = raised.partition(":")
    short = name.rpartition(".")[2]
    if not text:
        return raised
    if f"{short}{colon}{message}" in text:
        return text
    return f"{text}{colon}{message}" if text.endswith(short) else f"{text}: {raised}"
