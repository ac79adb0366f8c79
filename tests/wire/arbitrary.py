"""Arbitrary records of any type, made from the models' own annotations.

A field that is added to a record is covered at once, and a constraint that is loosened is explored at once: nothing
here repeats what `fedka.wire.records` says.
"""

import re
import types
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Le, Lt, MaxLen, MinLen, MultipleOf
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from fedka.wire import records as r

M = TypeVar("M", bound=BaseModel)

JOURNAL_TYPES: tuple[type[r.JournalRecord], ...] = get_args(r.AnyJournalRecord)
AUDIT_TYPES: tuple[type[r.AuditRecord], ...] = get_args(r.AnyAuditRecord)
CONTROL_TYPES: tuple[type[r.Record], ...] = get_args(r.AnyControlRecord)
ALL_TYPES: tuple[type[r.Record], ...] = (*JOURNAL_TYPES, *AUDIT_TYPES, *CONTROL_TYPES, r.Spec)

_SOME = 4  # items in a collection: enough for "none, one, several"
_TEXT = 24


def a(model: type[M]) -> st.SearchStrategy[M]:
    """Any valid instance of a record or a part of one."""
    fields = {
        field.alias or name: _value(field.annotation, _facts(field)) for name, field in model.model_fields.items()
    }
    return st.fixed_dictionaries(fields).map(model.model_validate)


def _facts(field: FieldInfo) -> list[Any]:
    return list(field.metadata)


def _limit(facts: list[Any], kind: type, name: str) -> Any:
    return next((getattr(fact, name) for fact in facts if isinstance(fact, kind)), None)


def _value(kind: Any, facts: list[Any]) -> st.SearchStrategy[Any]:  # noqa: PLR0911 one line a kind
    origin = get_origin(kind)
    if origin is Annotated:
        inner, *extra = get_args(kind)
        return _value(inner, [*facts, *(f for e in extra for f in (_facts(e) if isinstance(e, FieldInfo) else [e]))])
    if origin in {Union, types.UnionType}:
        return st.one_of(*(_value(part, facts) for part in get_args(kind)))
    if origin is Literal:
        return st.sampled_from(get_args(kind))
    if origin is tuple:
        least = _limit(facts, MinLen, "min_length") or 0
        return st.lists(_value(get_args(kind)[0], []), min_size=least, max_size=_SOME).map(tuple)
    if origin is dict:
        key, value = get_args(kind)
        return st.dictionaries(_value(key, []), _value(value, []), max_size=_SOME)
    if kind is type(None):
        return st.none()
    if issubclass(kind, BaseModel):
        return a(kind)
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return _plain(kind, facts)


def _plain(kind: type, facts: list[Any]) -> st.SearchStrategy[Any]:
    if kind is bool:
        return st.booleans()
    if kind is int:
        return _integers(facts)
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind is str:
        return _strings(facts)
    raise TypeError(f"no strategy for {kind}: teach it to this module")


def _integers(facts: list[Any]) -> st.SearchStrategy[int]:
    below, most = _limit(facts, Lt, "lt"), _limit(facts, Le, "le")
    least = _limit(facts, Ge, "ge")
    step = _limit(facts, MultipleOf, "multiple_of") or 1
    highest = below - 1 if below is not None else most if most is not None else 2**63 - 1
    lowest = least if least is not None else -(2**63)
    return st.integers(-(-lowest // step), highest // step).map(lambda number: number * step)


def _strings(facts: list[Any]) -> st.SearchStrategy[str]:
    pattern = next((fact.pattern for fact in facts if getattr(fact, "pattern", None)), None)
    if pattern is not None and (hexadecimal := re.fullmatch(r"\^\[0-9a-f\]\{(\d+)\}\$", pattern)):
        size = int(hexadecimal[1]) // 2
        return st.binary(min_size=size, max_size=size).map(bytes.hex)  # far quicker than a digit at a time
    if pattern is not None:
        return st.from_regex(re.compile(pattern.replace("$", r"\Z"), re.ASCII), fullmatch=True)
    least = _limit(facts, MinLen, "min_length") or 0
    most = min(_limit(facts, MaxLen, "max_length") or _TEXT, _TEXT)
    shown = any(isinstance(fact, AfterValidator) for fact in facts)  # what a participant says: held to one line
    return st.text(st.characters(exclude_categories=["C", "Z"] if shown else ["Cs"]), min_size=least, max_size=most)
