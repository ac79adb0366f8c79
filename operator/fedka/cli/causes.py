"""The cause in a pod's last words: its log ends in what the supervisor said, and perhaps a traceback stands before."""

from fedka.last_words import LOGGED, TRACEBACK, WORTH_TELLING, place_in

_SUPERVISOR = "supervisor: "
MOST_LINES = 6


def cause_of(last_words: str) -> str:
    """The last error that was logged, without its traceback; else the last line, unless that is mere news.

    Several lines where the message has several.
    """
    lines = [line for line in last_words.splitlines() if line.strip() and not line.startswith(_SUPERVISOR)]
    for number in range(len(lines) - 1, -1, -1):
        logged = LOGGED.match(lines[number])
        if logged and logged["level"] in WORTH_TELLING:
            return "\n".join([logged["text"], *_rest(lines[number + 1 :])])
    return lines[-1].strip() if lines and not LOGGED.match(lines[-1]) else ""


def _rest(lines: list[str]) -> list[str]:
    """The further lines of a message: up to the next logged one; of a traceback the exception only."""
    told: list[str] = []
    for number, line in enumerate(lines):
        if LOGGED.match(line):
            break
        if line.startswith(TRACEBACK):
            raised = [
                each for each in lines[number + 1 :] if not each.startswith((" ", "\t")) and not LOGGED.match(each)
            ]
            told.extend(raised[-1:])
            at = place_in(lines[number + 1 :])
            told.extend([f"  at {at}"] if at else [])
            break
        told.append(line)
    return told[:MOST_LINES]
