"""What a participant says in words, made fit to be shown: others' terminals, logs and tables must not obey it.

A participant is a stranger to most who read its words. An escape sequence would repaint their terminal, a line break
would forge a line of a log.
"""

import re

_BREAKS = re.compile(r"\s+")
_NOT_SHOWN = "\N{REPLACEMENT CHARACTER}"


def one_line(text: str) -> str:
    """The text on one line: white space becomes single spaces, what cannot be printed a replacement character."""
    line = _BREAKS.sub(" ", text).strip()
    return line if line.isprintable() else "".join(each if each.isprintable() else _NOT_SHOWN for each in line)


def is_name(text: str) -> bool:
    """Whether a name that a participant chose can be shown as it is."""
    return text.isprintable()
