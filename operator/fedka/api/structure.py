"""Checks an object against a structural schema as an API server does, with messages that say what would be right.

The server's own messages name a field and a pattern; these also say what the field takes, because a person reads them
in `fedka validate` before any server has seen the file.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from fedka.api.defaulting import PRESERVE
from fedka.api.errors import FieldError, member
from fedka.api.fields import RFC_3339
from fedka.api.markers import Schema

INT_OR_STRING = "x-kubernetes-int-or-string"
_TYPES: dict[str, tuple[type, ...]] = {"object": (Mapping,), "array": (list, tuple), "string": (str,)}
_READS_AS = {"an integer": re.compile(r"[-+]?\d+"), "true or false": re.compile(r"(?i)true|false")}
_EXAMPLES = {"an integer": "write it in digits, such as 10", "true or false": "write true or false"}
_YAML_WORDS: dict[type, str] = {bool: "a boolean", int: "an integer", float: "a decimal number", str: "a string"}


def check_structure(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """All errors of the value and of everything below it."""
    wrong_type = _type_error(value, schema, path)
    if wrong_type is not None:
        yield wrong_type
        return
    yield from _value_errors(value, schema, path)
    if isinstance(value, Mapping):
        yield from _object_errors(value, schema, path)
    elif isinstance(value, list | tuple):
        yield from _list_errors(value, schema, path)


def _type_error(value: Any, schema: Schema, path: str) -> FieldError | None:
    if schema.get(INT_OR_STRING):
        right, expected = _is_integer(value) or isinstance(value, str), "an integer or a percentage"
    elif schema["type"] == "integer":
        right, expected = _is_integer(value), "an integer"
    elif schema["type"] == "boolean":
        right, expected = isinstance(value, bool), "true or false"
    else:
        right = isinstance(value, _TYPES[schema["type"]])
        expected = {"object": "a mapping", "array": "a list", "string": "a string"}[schema["type"]]
    if right:
        return None
    return FieldError(path, f"must be {expected}, not {_described(value)}", _type_fix(value, expected))


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _described(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return f"{_YAML_WORDS.get(type(value), type(value).__name__)} ({_quoted(value)})"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


def _type_fix(value: Any, expected: str) -> str:
    if expected == "a string" and isinstance(value, bool | int | float):
        return f'write it in quotes: "{_quoted(value)}"'
    if isinstance(value, str) and expected in _READS_AS:
        return "write it without quotes" if _READS_AS[expected].fullmatch(value.strip()) else _EXAMPLES[expected]
    return ""


def _value_errors(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    described = schema.get("description", "")
    if "enum" in schema and value not in schema["enum"]:
        yield _enum_error(str(value), [str(choice) for choice in schema["enum"]], path)
    if _is_integer(value):
        if value < schema.get("minimum", value):
            yield FieldError(path, f"must be at least {schema['minimum']}, not {value}", described)
        if value > schema.get("maximum", value):
            yield FieldError(path, f"must be at most {schema['maximum']}, not {value}", described)
    if isinstance(value, str):
        yield from _string_errors(value, schema, path)


def _string_errors(value: str, schema: Schema, path: str) -> Iterator[FieldError]:
    described = schema.get("description", "")
    if len(value) > schema.get("maxLength", len(value)):
        yield FieldError(path, f"must have at most {schema['maxLength']} characters, not {len(value)}", described)
    if len(value) < schema.get("minLength", 0):
        yield FieldError(path, f"must have at least {schema['minLength']} characters, not {len(value)}", described)
    elif "pattern" in schema and not _regex(schema["pattern"]).search(value):
        yield FieldError(path, f"{_quoted(value)} does not match {schema['pattern']}", described)
    if schema.get("format") == "date-time" and not _is_time(value):
        yield FieldError(path, f"{_quoted(value)} is not a time", 'write it as in RFC 3339: "2026-01-31T12:00:00Z"')


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    """Compiled so that `$` means the end, as in RE2, and not also the place before a last line break."""
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", pattern), re.ASCII)


def _is_time(value: str) -> bool:
    if not RFC_3339.fullmatch(value):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _enum_error(value: str, choices: list[str], path: str) -> FieldError:
    near = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(value.lower(), near, n=1)
    fix = f"did you mean {near[found[0]]}?" if found else ""
    return FieldError(path, f"must be {' or '.join(choices)}, not {_quoted(value)}", fix)


def _object_errors(value: Mapping[str, Any], schema: Schema, path: str) -> Iterator[FieldError]:
    known: Mapping[str, Schema] = schema.get("properties", {})
    extra: Schema | None = schema.get("additionalProperties")
    if len(value) > schema.get("maxProperties", len(value)):
        yield FieldError(path, f"must have at most {schema['maxProperties']} entries, not {len(value)}")
    for name in schema.get("required", []):
        if name not in value:
            yield FieldError(member(path, name), "is missing", known[name].get("description", ""))
    for name, item in value.items():
        child = known.get(name, extra)
        if child is not None:
            yield from check_structure(item, child, member(path, name))
        elif known and not schema.get(PRESERVE):
            yield _unknown(name, known, path)


def _unknown(name: str, known: Mapping[str, Schema], path: str) -> FieldError:
    near = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(
        name.lower().replace("_", ""), [key.lower() for key in known], n=1
    )
    spelled = next((key for key in known if near and key.lower() == near[0].lower()), None)
    elsewhere = next((f"{key}.{name}" for key, child in known.items() if name in child.get("properties", {})), None)
    suggestion = elsewhere if spelled is None or spelled.lower() != name.lower().replace("_", "") else spelled
    suggestion = suggestion or spelled
    fix = f"did you mean {member(path, suggestion)}?" if suggestion else f"known here: {', '.join(sorted(known))}"
    return FieldError(member(path, name), "is not a field of this resource", fix)


def _list_errors(value: list[Any] | tuple[Any, ...], schema: Schema, path: str) -> Iterator[FieldError]:
    if len(value) > schema.get("maxItems", len(value)):
        yield FieldError(path, f"must have at most {schema['maxItems']} items, not {len(value)}")
    if len(value) < schema.get("minItems", 0):
        yield FieldError(path, f"must have at least {schema['minItems']} items, not {len(value)}")
    for index, item in enumerate(value):
        yield from check_structure(item, schema["items"], f"{path}[{index}]")
    yield from _duplicate_errors(value, schema.get("x-kubernetes-list-map-keys", []), path)


def _duplicate_errors(value: list[Any] | tuple[Any, ...], keys: list[str], path: str) -> Iterator[FieldError]:
    """Items that share their keys' values; an item without a proper key has an error of its own already."""
    seen: dict[tuple[Any, ...], int] = {}
    for index, item in enumerate(value if keys else []):
        identity = tuple(item.get(key) for key in keys) if isinstance(item, Mapping) else ()
        if not identity or not all(isinstance(part, str) for part in identity):
            continue
        if identity in seen:
            shown = ", ".join(f"{key} {_quoted(item[key])}" for key in keys)
            first = f"{path}[{seen[identity]}]"
            yield FieldError(f"{path}[{index}]", f"has the same {shown} as {first}", "rename or remove it")
        seen.setdefault(identity, index)
