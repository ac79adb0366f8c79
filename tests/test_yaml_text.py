"""YAML from strangers: a value, or a YAMLError."""

import json

import pytest
import yaml

from fedka.yaml_text import MOST_VALUES, load_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("a: [1, two, 3.0, null, true]", {"a": [1, "two", 3.0, None, True]}),
        ("[" * 100 + "]" * 100, json.loads("[" * 100 + "]" * 100)),
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}", {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}),
    ],
)
def test_what_is_yaml_is_read_as_ever(text: str, value: object) -> None:
    assert load_yaml(text) == value


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 2001-13-45", "month must be in"),
        ("a: 0x_", "not what it looks like"),
        ("a: !!int ''", "not what it looks like"),
        ("a: !!timestamp 5", "not what it looks like"),
        ("[" * 3000, "nested too deeply"),
        ("[" * 101 + "]" * 101, "nested too deeply"),
        (f"a: &x {'{b: ' * 60}1{'}' * 60}\nc: {'[' * 60}*x{']' * 60}", "nested too deeply"),
        ("a: &x [*x]", "line 1 refers to what it is a part of"),
        ("a: &x\n  <<: *x", "line 1 refers to what it is a part of"),
        ("a: 1\n---\nb: 2", "single document"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("\0", "special characters are not allowed"),
    ],
)
def test_what_is_not_is_a_yaml_error(text: str, fault: str) -> None:
    with pytest.raises(yaml.YAMLError, match=fault):
        load_yaml(text)


def test_a_document_has_an_end_whatever_it_refers_to() -> None:
    row = f"&row [{'x, ' * 999}x]"
    assert len(load_yaml(f"a: {row}\nb: [{'*row, ' * 50}]")["b"]) == 50
    with pytest.raises(yaml.YAMLError, match=f"holds more than {MOST_VALUES} values"):
        load_yaml(f"a: {row}\nb: [{'*row, ' * 100}]")
