"""From the strings of the resource to the app's own types.

The resource holds strings only, because the operator cannot know an app's types; the app declares them, and what does
not fit is refused before anything is trained, with key, value and the type that was expected.
"""

import dataclasses
import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from fedka.participant.errors import AppMisused, ConfigRefused


def check_config_type(config: object) -> None:
    """Raise AppMisused unless `config` is None, a dataclass or a pydantic model."""
    if config is None or (isinstance(config, type) and (_is_model(config) or dataclasses.is_dataclass(config))):
        return
    hint = "; give the class, not an instance" if dataclasses.is_dataclass(config) else ""
    raise AppMisused(f"fedka.App(config={config!r}): a dataclass or a pydantic model is expected{hint}")


def typed_config(config: type[Any] | None, strings: Mapping[str, str]) -> Any:
    """The configuration as the app declared it; a read-only mapping of the strings where it declared nothing.

    Raises ConfigRefused naming every key that is unknown, missing or of the wrong type.
    """
    if config is None:
        return MappingProxyType(dict(strings))
    fields = _fields(config)
    problems = [_unknown(key, fields) for key in strings if key not in fields]
    known = {key: value for key, value in strings.items() if key in fields}
    adapter: TypeAdapter[Any] = TypeAdapter(config)
    try:
        typed = adapter.validate_strings(known)
    except ValidationError as error:
        problems += [_problem(dict(fault), known, fields) for fault in error.errors(include_url=False)]
    else:
        if not problems:
            return typed
    raise ConfigRefused("the app's configuration does not fit:\n" + "\n".join(f"  {problem}" for problem in problems))


def _is_model(config: type) -> bool:
    return issubclass(config, BaseModel)


def _fields(config: type[Any]) -> dict[str, str]:
    """The keys that a configuration may have, with their types in words."""
    if _is_model(config):
        return {field.alias or name: _words(field.annotation) for name, field in config.model_fields.items()}
    hints = get_type_hints(config)
    return {field.name: _words(hints[field.name]) for field in dataclasses.fields(config) if field.init}


def _words(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


def _unknown(key: str, fields: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(key, fields, n=1)
    if close:
        return f"{key}: unknown; did you mean {close[0]}?"
    return f"{key}: unknown; the app knows {', '.join(sorted(fields)) or 'no key at all'}"


def _problem(fault: Mapping[str, Any], strings: Mapping[str, str], fields: Mapping[str, str]) -> str:
    key = str(fault["loc"][0]) if fault["loc"] else ""
    if fault["type"] in ("missing", "missing_argument"):
        return f"{key}: missing; the app needs it ({fields[key]})"
    if key not in strings:
        return str(fault["msg"])  # a rule of the app's own about the whole
    return f"{key}: {strings[key]!r} does not fit {fields[key]}: {fault['msg']}"
