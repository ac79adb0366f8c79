"""Two judges, one verdict: what the models accept, the generated schema accepts, and the other way round."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from fedka.api.defaulting import apply_defaults, prune
from fedka.api.spec import TrainingSpec
from fedka.api.status import TrainingStatus
from fedka.api.structural import training_schema
from fedka.api.structure import check_structure

Schema = dict[str, Any]
SPEC: Schema = training_schema()["properties"]["spec"]
STATUS: Schema = training_schema()["properties"]["status"]
JUDGES: dict[str, tuple[type[BaseModel], Schema]] = {"spec": (TrainingSpec, SPEC), "status": (TrainingStatus, STATUS)}
JUNK = st.sampled_from(
    [True, 0, -1, 1, 2**70, 1.5, "", "x", "true", "1", "0%", "100%", "x\n", "ß" * 2000, [], {}, {"x": 1}]
)


def fitting(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that fit."""
    if schema.get("x-kubernetes-int-or-string"):
        text = st.from_regex(exactly(schema["pattern"]))
        return st.integers(schema["minimum"], schema["maximum"]) | text
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    by_type: dict[str, Callable[[Schema], st.SearchStrategy[Any]]] = {
        "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
        "boolean": lambda _: st.booleans(),
        "string": fitting_text,
        "array": fitting_list,
        "object": fitting_object,
    }
    return by_type[schema["type"]](schema)


def exactly(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\$$", r"\\Z", pattern), re.ASCII)


def fitting_text(schema: Schema) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda time: f"{time.isoformat()}Z")
    if "pattern" in schema:
        return st.from_regex(exactly(schema["pattern"])).filter(lambda text: least <= len(text) <= most)
    return st.text("abcß", min_size=least, max_size=min(most, 40))


def fitting_list(schema: Schema) -> st.SearchStrategy[list[Any]]:
    keys = schema.get("x-kubernetes-list-map-keys")
    unique = (lambda item: tuple(item[key] for key in keys)) if keys else None
    return st.lists(fitting(schema["items"]), min_size=schema.get("minItems", 0), max_size=3, unique_by=unique)


def fitting_object(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if "additionalProperties" in schema:
        return st.dictionaries(
            st.text("ab_", min_size=1, max_size=5), fitting(schema["additionalProperties"]), max_size=3
        )
    required = schema.get("required", [])
    known = {name: fitting(child) for name, child in schema.get("properties", {}).items()}
    declared = st.fixed_dictionaries(
        {name: known[name] for name in required},
        optional={name: value for name, value in known.items() if name not in required},
    )
    if not schema.get("x-kubernetes-preserve-unknown-fields"):
        return declared
    extra = st.dictionaries(st.sampled_from(["nodeSelector", "resources"]), st.just({"a": ["b", 1]}), max_size=1)
    return st.tuples(declared, extra).map(lambda parts: {**parts[1], **parts[0]})


@st.composite
def spoilt(draw: st.DrawFn, schema: Schema) -> Any:
    """A fitting value with one place changed, so that about half of them fit no longer."""
    value = draw(fitting(schema))
    place: Any = value
    while isinstance(place, dict | list) and place:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.integers(0, 3)) == 0:
            change(draw, place, key)
            break
        place = place[key]
    return value


def change(draw: st.DrawFn, place: Any, key: Any) -> None:
    how = draw(st.sampled_from(["junk", "junk", "nudge", "remove", "twice"]))
    old = place[key]
    if how == "remove":
        del place[key]
    elif how == "twice" and isinstance(place, list):
        place.append(old)
    elif how == "nudge" and isinstance(old, int | str) and not isinstance(old, bool):
        place[key] = old + draw(st.sampled_from([-1, 1])) if isinstance(old, int) else old * 45
    else:
        place[key] = draw(JUNK)


def accepted_by_model(model: type[BaseModel], value: Any) -> bool:
    try:
        model.model_validate(value, by_alias=True, by_name=False)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("part", JUDGES)
@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_both_accept_what_fits_and_see_the_same_in_it(part, data):
    model, schema = JUDGES[part]
    value = data.draw(fitting(schema))
    assert list(check_structure(apply_defaults(value, schema), schema)) == []
    parsed = model.model_validate(value, by_alias=True, by_name=False)
    if schema is SPEC:
        assert parsed.to_object() == apply_defaults(value, schema)


@pytest.mark.parametrize("part", JUDGES)
@given(data=st.data())
@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_both_give_the_same_verdict_on_what_is_nearly_right(part, data):
    model, schema = JUDGES[part]
    value = data.draw(spoilt(schema))
    if schema is STATUS:
        value = prune(value, schema)
    by_schema = not list(check_structure(apply_defaults(value, schema), schema))
    assert by_schema == accepted_by_model(model, value), value
