"""The cause in a pod's last words: its log ends in what the supervisor said, and perhaps a traceback stands before."""

import re

_LOGGED = re.compile(r"^\d\d:\d\d:\d\d (?P<level>[A-Z]+) +\S+: (?P<text>.*)$")
_SUPERVISOR = "supervisor: "
_TRACEBACK = "Traceback (most recent call last):"
_WORTH_TELLING = ("ERROR", "CRITICAL")
_FRAME = re.compile(r'^ +File "(?P<file>[^"<]+)", line (?P<line>\d+)')
_NOT_THE_USERS = ("/site-packages/", "/lib/python", "/fedka/participant/")
MOST_LINES = 6


def cause_of(last_words: str) -> str:
    """The last error that was logged, without its traceback; else the last line, unless that is mere news.

    Several lines where the message has several.
    """
    lines = [line for line in last_words.splitlines() if line.strip() and not line.startswith(_SUPERVISOR)]
    for number in range(len(lines) - 1, -1, -1):
        logged = _LOGGED.match(lines[number])
        if logged and logged["level"] in _WORTH_TELLING:
            return "\n".join([logged["text"], *_rest(lines[number + 1 :])])
    return lines[-1].strip() if lines and not _LOGGED.match(lines[-1]) else ""


def _rest(lines: list[str]) -> list[str]:
    """The further lines of a message: up to the next logged one; of a traceback the exception only."""
    told: list[str] = []
    for number, line in enumerate(lines):
        if _LOGGED.match(line):
            break
        if line.startswith(_TRACEBACK):
            raised = [
                each for each in lines[number + 1 :] if not each.startswith((" ", "\t")) and not _LOGGED.match(each)
            ]
            told.extend(raised[-1:])
            told.extend(_place(lines[number + 1 :]))
            break
        told.append(line)
    return told[:MOST_LINES]


def _place(traceback: list[str]) -> list[str]:
    """Where in the user's own files it was raised: the innermost frame that is no library's; none if all are."""
    for line in reversed(traceback):
        frame = _FRAME.match(line)
        if frame and not any(part in frame["file"] for part in _NOT_THE_USERS):
            return [f"  at {frame['file']}, line {frame['line']}"]
    return []
