"""The CRD in the repository is the one that the models say, and it keeps to what an API server accepts."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fedka.api.crd import CRD_PATH, custom_resource_definition, main, render
from fedka.api.defaulting import apply_defaults
from fedka.api.fields import ApiModel
from fedka.api.structural import NotStructuralError, structural_schema, training_schema
from fedka.api.structure import check_structure

Schema = dict[str, Any]
SPEC = training_schema()["properties"]["spec"]
RULES = "x-kubernetes-validations"


def levels(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from levels(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from levels(schema[key], f"{path}[]")


EVERYWHERE = [*levels(SPEC, "spec"), *levels(training_schema()["properties"]["status"], "status")]


def test_file_in_the_repository_is_up_to_date():
    assert CRD_PATH.read_text(encoding="utf-8") == render(), "run: python -m fedka.api.crd"


def test_check_fails_on_a_stale_file_and_changes_nothing(tmp_path, capsys):
    path = tmp_path / "crd.yaml"
    path.write_text("stale")
    assert main(["--check", "--path", str(path)]) == 1
    assert path.read_text() == "stale"
    assert "python -m fedka.api.crd" in capsys.readouterr().err
    assert main(["--path", str(path)]) == 0
    assert main(["--check", "--path", str(path)]) == 0


def test_file_reads_back_as_the_same_object():
    assert yaml.safe_load(render()) == custom_resource_definition()


def test_names_and_subresource():
    spec = custom_resource_definition()["spec"]
    assert spec["names"]["shortNames"] == ["ft"]
    assert spec["names"]["categories"] == ["federated"]
    assert spec["scope"] == "Namespaced"
    assert spec["versions"][0]["subresources"] == {"status": {}}


def test_printer_columns_in_their_order():
    columns = custom_resource_definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert [column["name"] for column in columns] == ["Phase", "Round", "Participants", "Loss", "Strategy", "Age"]
    assert [column["name"] for column in columns if column.get("priority")] == ["Loss", "Strategy"]


@pytest.mark.parametrize("path", ["phase", "rounds.summary", "participants.summary", "model.metrics"])
def test_printer_columns_show_fields_that_exist(path):
    schema = training_schema()["properties"]["status"]
    for name in path.split("."):
        schema = schema["properties"][name]
    columns = custom_resource_definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert any(column["jsonPath"].startswith(f".status.{path}") for column in columns)


@pytest.mark.parametrize(("path", "schema"), EVERYWHERE, ids=[path for path, _ in EVERYWHERE])
def test_every_level_is_structural_and_bounded(path, schema):
    assert not {"anyOf", "oneOf", "allOf", "$ref", "const", "title"} & set(schema)
    if schema.get("x-kubernetes-int-or-string"):
        assert "type" not in schema
        assert RULES not in schema  # the server hides the value from rules
        return
    bound = {
        "string": "maxLength" in schema or "enum" in schema or schema.get("format") == "date-time",
        "array": "maxItems" in schema and "x-kubernetes-list-type" in schema,
        "integer": "minimum" in schema and "maximum" in schema and "format" in schema,
        "object": "additionalProperties" not in schema or "maxProperties" in schema,
        "boolean": True,
    }
    assert bound[schema["type"]], path


@pytest.mark.parametrize(("path", "schema"), EVERYWHERE, ids=[path for path, _ in EVERYWHERE])
def test_bounds_survive_as_float64(path, schema):
    for bound in (schema.get("minimum", 0), schema.get("maximum", 0)):
        assert abs(bound) <= 2**53 - 1, path


NAMED = [(path, schema) for path, schema in EVERYWHERE if not path.endswith("[]")]


@pytest.mark.parametrize(("path", "schema"), NAMED, ids=[path for path, _ in NAMED])
def test_every_field_is_described_and_says_its_default(path, schema):
    assert schema["description"]
    default = schema.get("default")
    if isinstance(default, str | int) and not isinstance(default, bool):
        assert str(default) in schema["description"], path


def test_no_default_inside_list_items():
    inside = [path for path, schema in EVERYWHERE if "[]" in path and "default" in schema]
    assert inside == []


def test_status_has_no_defaults():
    assert [path for path, schema in EVERYWHERE if path.startswith("status") and "default" in schema] == []


@pytest.mark.parametrize(
    ("path", "schema"),
    [(path, schema) for path, schema in EVERYWHERE if "default" in schema],
    ids=lambda value: str(value)[:40],
)
def test_defaults_fit_their_own_schema(path, schema):
    assert list(check_structure(schema["default"], schema, path)) == []
    assert apply_defaults(schema["default"], schema) == schema["default"]  # written in full


def rule_cases() -> list[tuple[str, Schema, dict[str, str]]]:
    return [(path, schema, rule) for path, schema in EVERYWHERE for rule in schema.get(RULES, [])]


@pytest.mark.parametrize(("path", "schema", "rule"), rule_cases(), ids=lambda value: str(value)[:40])
def test_rules_name_declared_fields_only(path, schema, rule):
    for found in re.findall(r"(?:self|oldSelf)\.([a-z][A-Za-z.]*)(?!\w*\()", rule["rule"]):
        level = schema
        for name in found.split("."):
            assert name in level.get("properties", {}), f"{path}: {rule['rule']} names {found}"
            level = level["properties"][name]
    if "fieldPath" in rule:
        level = schema
        for name in rule["fieldPath"].lstrip(".").split("."):
            level = level["properties"][name]


def test_immutable_fields_cannot_be_absent():
    for path, schema in EVERYWHERE:
        if any(rule["rule"] == "self == oldSelf" for rule in schema.get(RULES, [])):
            assert "default" in schema, path


def test_root_messages_begin_with_the_path():
    for rule in training_schema()[RULES]:
        assert rule["message"].startswith("metadata.name ")
        assert "fieldPath" not in rule  # the server refuses one into metadata


def test_no_rule_compares_participants_with_each_other():
    for _, _, rule in rule_cases():
        assert not re.search(r"participants\.(all|exists)", rule["rule"])


def test_a_union_in_a_model_is_refused_with_its_place():
    class Wrong(ApiModel):
        value: int | str

    with pytest.raises(NotStructuralError, match=r"Wrong\.value"):
        structural_schema(Wrong)
