"""JSON as an API server sends it, of whatever depth.

In a pod template the API server lets anything stand, nested by the thousand, and sends it to everybody who lists or
watches. One such object must not keep all others from being read. What the server itself knows is nowhere as deep, so
whatever is made of the rest is refused as what it is: a field that nobody knows.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema, from_json

from fedka.yaml_text import DEEPEST

Decoder = Callable[[bytes], Any]


def _parts(**read: CoreSchema) -> CoreSchema:
    """These members of an object, where they are there."""
    members = {name: core_schema.typed_dict_field(schema, required=False) for name, schema in read.items()}
    return core_schema.typed_dict_schema(members, extra_behavior="ignore")


def _whole(*names: str) -> dict[str, CoreSchema]:
    return dict.fromkeys(names, core_schema.any_schema())


_JOB = _parts(
    metadata=_parts(
        **_whole("name", "namespace", "uid", "resourceVersion", "deletionTimestamp", "labels", "annotations")
    ),
    spec=_parts(**_whole("suspend", "activeDeadlineSeconds")),
    **_whole("apiVersion", "kind", "status"),
)
_JOBS = SchemaValidator(_parts(items=core_schema.list_schema(_JOB), **_whole("metadata")))
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[][{}]', re.DOTALL)


def decoded(text: bytes) -> Any:
    """What stands there; null in place of each value below DEEPEST levels, where there are many more. Raises
    ValueError.
    """
    try:
        return from_json(text)
    except ValueError:  # of depth, among others: the parser goes no further than 200 levels
        return from_json(_cut(text))


def decoded_jobs(text: bytes) -> Any:
    """A list of Jobs, with as much of each as a `JobView` is made of: the template of its pods, and who owns which
    field, are nine tenths of it, and would be made into objects by the ten thousand only to be dropped.
    """
    try:
        return _JOBS.validate_json(text)
    except ValidationError:  # too deep, or no list
        return decoded(text)


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
