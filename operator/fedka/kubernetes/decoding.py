"""JSON as an API server sends it, of whatever depth.

In a pod template the API server lets anything stand, nested by the thousand, and sends it to everybody who lists or
watches. One such object must not keep all others from being read. What the server itself knows is nowhere as deep, so
whatever is made of the rest is refused as what it is: a field that nobody knows.
"""

import re
from typing import Any

from pydantic_core import from_json

from fedka.yaml_text import DEEPEST

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{}]', re.DOTALL)


def decoded(text: bytes) -> Any:
    """What stands there; null in place of each value below DEEPEST levels, where there are many more. Raises
    ValueError.
    """
    try:
        return from_json(text)
    except ValueError:  # of depth, among others: the parser goes no further than 200 levels
        return from_json(_cut(text))


def _cut(text: bytes) -> bytes:
    kept, since, depth = [], 0, 0
    for token in _TOKEN.finditer(text):
        if token[0] in b"{[":
            depth += 1
            if depth == DEEPEST + 1:
                kept += [text[since : token.start()], b"null"]
                since = len(text)
        elif token[0] in b"}]":
            if depth == DEEPEST + 1:
                since = token.end()
            depth -= 1
    return b"".join((*kept, text[since:]))
