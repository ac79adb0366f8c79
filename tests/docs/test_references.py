"""The generated references: nothing that the CRD, the records or the program have is missing, and facts are right."""

from pathlib import Path

import pytest
import yaml

from fedka.api.crd import CRD_PATH
from fedka.wire.records import AnyAuditRecord, AnyControlRecord, AnyJournalRecord, Spec

from .pages import text_of
from .site_generators import command_reference, record_reference, training_reference

SCHEMA = yaml.safe_load(Path(CRD_PATH).read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def paths(schema, path):
    inner = schema if "properties" in schema else schema.get("items", {})
    dot = "[]." if schema.get("type") == "array" else "."
    for name, member in inner.get("properties", {}).items():
        yield f"{path}{dot}{name}", member
        yield from paths(member, f"{path}{dot}{name}")


@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_of_the_crd_is_told_with_what_the_crd_says_of_it(part):
    page = training_reference.render(part)
    for path, schema in paths(SCHEMA["properties"][part], part):
        name = path.rpartition(".")[2]
        facts, _, meaning = page.partition(f"[`{name}`]{{#{training_reference.anchor(path)}}}")[2].partition("\n: ")
        assert facts, f"{path} is missing"
        assert meaning.startswith(schema["description"]), path
        assert all(f"`{value}`" in facts for value in schema.get("enum", ())), path
        bounds = [schema.get(key) for key in ("maximum", "maxLength", "maxItems", "maxProperties")]
        percent = "x-kubernetes-int-or-string" in schema
        assert all(f"{bound:.0f}" in facts for bound in bounds if bound is not None and not percent), path


@pytest.mark.parametrize(
    ("path", "fact"),
    [
        ("spec.rounds.count", "integer · 1 to 100000 · required · may change at any time"),
        ("spec.rounds.quorum", 'integer or percentage · 1 to 1000, or `1%` to `100%` · default `"80%"` · may change'),
        ("spec.rounds.deadlineSeconds", "integer, in seconds · 1 to 604800 · default `600` · may change at any time"),
        ("spec.rounds.seed", "default `42` · never changes"),
        ("spec.app.image", "changes only while suspended"),
        ("spec.participantTemplate", "object · optional · changes only while suspended"),
        ("spec.strategy.weighting", 'one of `Examples`, `Uniform` · default `"Examples"` · never changes'),
        ("spec.kafka.retention", "never changes"),
        ("spec.participants[].mode", "one of `Managed`, `External` · optional · never changes"),
        ("spec.participants[].config", "map of strings · 0 to 64 entries · optional · may change at any time"),
        ("spec.update.maxModelBytes", "string, in bytes"),
        ("status.rounds.completed", "integer · 0 to 2147483647"),
    ],
)
def test_type_bounds_default_unit_and_mutability_are_those_that_the_server_enforces(path, fact):
    facts = (
        training_reference.render(path.partition(".")[0])
        .partition(f"{{#{training_reference.anchor(path)}}} · ")[2]
        .partition("\n")[0]
    )
    assert fact in facts


def test_every_record_type_is_told():
    shown = "\n".join(record_reference.render(topic) for topic in ("spec", "journal", "audit", "control"))
    wanted = {Spec, *AnyJournalRecord.__args__, *AnyAuditRecord.__args__, *AnyControlRecord.__args__}
    for model in wanted:
        assert f"### `{model.model_fields['type'].default}`\n" in shown
        for field in model.model_fields.values():
            assert field.alias in {"type", "v", "epoch", "seq", "chain"} or f"- `{field.alias}`: " in shown


def test_every_part_that_a_record_refers_to_is_told():
    shown = "\n".join(record_reference.render(topic) for topic in ("spec", "journal", "audit", "control", "parts"))
    for target in {part.partition(")")[0] for part in shown.split("](#")[1:]}:
        assert f"\n### {target}\n" in shown.lower()


def test_every_command_and_option_is_told():
    page = command_reference.render("")
    for name, command in command_reference.commands():
        section = page.partition(f"## `{name}`\n")[2].partition("\n## ")[0]
        assert section, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert all(f"`{each}`" in section for each in parameter.opts), name


def test_the_pages_ask_for_all_of_it():
    asked = text_of("docs/record-reference.md")
    assert all(f"<!-- generated: records {topic} -->" in asked for topic in record_reference.TOPICS)
    assert "<!-- generated: records parts -->" in asked
    assert "<!-- generated: commands -->" in text_of("docs/command-reference.md")
    for part in ("spec", "status"):
        assert f"<!-- generated: training {part} -->" in text_of("docs/training-reference.md")
