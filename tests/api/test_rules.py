"""The CEL rules: those on one object, those between an object and the one it replaces, and ways around the latter."""

from typing import Any

import pytest

from fedka.api.defaulting import apply_defaults
from fedka.api.rule_engine import RULES, check_rules
from fedka.api.structural import training_schema
from fedka.api.validation import validate_object

POD = "spec.participantTemplate.spec"
PODS = (POD, "spec.aggregator.template.spec", "spec.participants[0].template.spec")


def sources(source: str) -> dict[str, Any]:
    return {"volumes": [{"name": "x", "projected": {"sources": [{source: {}}]}}]}


# the same of each pod template
BROKEN_PODS: list[tuple[dict[str, Any], str, str]] = [
    ({"hostNetwork": True}, "hostNetwork", "must not be true"),
    ({"hostPID": True}, "hostPID", "must not be true"),
    ({"hostIPC": True}, "hostIPC", "must not be true"),
    ({"serviceAccountName": "admin"}, "serviceAccountName", "no Kubernetes credential"),
    ({"serviceAccount": "admin"}, "serviceAccount", "no Kubernetes credential"),
    (sources("serviceAccountToken"), "volumes[0].projected", "no serviceAccountToken"),
    (sources("podCertificate"), "volumes[0].projected", "or podCertificate"),
    ({"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, "volumes[0].hostPath", "is refused"),
    *(
        (
            {containers: [{"name": "x", "securityContext": {"privileged": True}}]},
            f"{containers}[0].securityContext.privileged",
            "must not be true",
        )
        for containers in ("containers", "initContainers")
    ),
]

# edits, path of the error, part of the message
BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"metadata.name": "a" * 41}, "metadata.name", "at most 40 characters"),
    ({"metadata.name": "fraud.v2"}, "metadata.name", "no dots"),
    ({"spec.app.config": {"learning-rate": "1"}}, "spec.app.config", "Python names"),
    ({"spec.app.config": {"a" * 64: "1"}}, "spec.app.config", "at most 63 characters"),
    ({"spec.participants[2].config": {"1": "x"}}, "spec.participants[2].config", "Python names"),
    ({"spec.rounds.minAvailable": 4}, "spec.rounds.minAvailable", "number of participants"),
    ({"spec.ttlSecondsAfterFinished": 60}, "spec.ttlSecondsAfterFinished", "kafka.reclaimPolicy Retain"),
    ({"spec.update.maxNorm": "0.000"}, "spec.update.maxNorm", "greater than 0"),
    ({"spec.evaluation.everyRounds": 0}, "spec.evaluation.everyRounds", "stop needs evaluations"),
    (
        {"spec.evaluation.stop": {"metric": "loss", "goal": "Minimize"}},
        "spec.evaluation.stop",
        "set at least one of them",
    ),
    ({"spec.participants[1].template": {}}, "spec.participants[1].template", "only for Managed"),
    ({"spec.participants[1].config": {"a": "b"}}, "spec.participants[1].config", "only for Managed"),
    *(
        ({f"{pod}.{field}": value for field, value in edits.items()}, f"{pod}.{path}", message)
        for pod in PODS
        for edits, path, message in BROKEN_PODS
    ),
]

# edits that are refused on an update, path of the error, part of the message
FORBIDDEN_CHANGES: list[tuple[dict[str, Any], str, str]] = [
    ({"spec.strategy.weighting": "Uniform"}, "spec.strategy", "is immutable"),
    ({"spec.update.maxNorm": "11"}, "spec.update", "is immutable"),
    ({"spec.update.maxNorm": "<removed>"}, "spec.update", "is immutable"),
    ({"spec.update": "<removed>"}, "spec.update", "is immutable"),
    ({"spec.kafka.clusterName": "other"}, "spec.kafka", "is immutable"),
    ({"spec.kafka.reclaimPolicy": "Retain"}, "spec.kafka", "is immutable"),
    ({"spec.rounds.seed": 43}, "spec.rounds.seed", "is immutable"),
    (
        {"spec.participants[2].mode": "External", "spec.participants[2].config": "<removed>"},
        "spec.participants[2].mode",
        "is immutable",
    ),
    ({"spec.participants[1].mode": "<removed>"}, "spec.participants[1].mode", "is immutable"),
    ({"spec.app.image": "other"}, "spec.app", "set suspend to true"),
    ({"spec.app.image": "<removed>"}, "spec.app", "set suspend to true"),
    ({"spec.app.config.epochs": "3"}, "spec.app", "set suspend to true"),
    ({f"{POD}.containers[0].resources": {}}, "spec.participantTemplate", "set suspend to true"),
    ({f"{POD}.nodeSelector": {"a": "b"}}, "spec.participantTemplate", "set suspend to true"),
    ({"spec.participantTemplate": "<removed>"}, "spec.participantTemplate", "set suspend to true"),
    ({"spec.aggregator.template": "<removed>"}, "spec.aggregator", "set suspend to true"),
    ({"spec.aggregator.template": {"spec": {"nodeSelector": {"a": "b"}}}}, "spec.aggregator", "set suspend to true"),
    ({"spec.app.image": "other", "spec.suspend": True}, "spec.app", "in an earlier change"),
]

ALLOWED_CHANGES: list[dict[str, Any]] = [
    {"spec.rounds.count": 30},
    {"spec.rounds.sampleSize": 2},
    {"spec.rounds.quorum": 1, "spec.rounds.deadlineSeconds": 5, "spec.rounds.onQuorumMiss": "Fail"},
    {"spec.rounds.minAvailable": "<removed>"},
    {"spec.evaluation": "<removed>"},
    {"spec.suspend": True},
    {"spec.participants": [{"name": "bank-z"}, {"name": "bank-a"}]},
    {"spec.activeDeadlineSeconds": "<removed>"},
    {"spec.failurePolicy.maxAggregatorRestarts": 1},
    {"spec.participants[2].mode": "Managed"},  # what absent means
    {"spec.participants[2].config.epochs": "5"},
    {"spec.rounds.seed": None},  # restores the default, which it is
    {"spec.strategy": "<removed>"},
    {"spec.kafka": None},
]

ALLOWED_WHILE_SUSPENDED: list[dict[str, Any]] = [
    {"spec.app.image": "other"},
    {"spec.app.entrypoint": "other:app"},
    {"spec.participantTemplate": "<removed>"},
    {"spec.aggregator.template": {"spec": {"nodeSelector": {"a": "b"}}}},
    {"spec.app.image": "other", "spec.suspend": False},  # change and resume in one
]

IMMUTABLE: list[tuple[str, Any]] = [
    ("spec.strategy", {"weighting": "Uniform"}),
    ("spec.update", {"maxNorm": "1"}),
    ("spec.kafka", {"clusterName": "other"}),
    ("spec.rounds.seed", 7),
]


@pytest.mark.parametrize(("edits", "path", "message"), BROKEN, ids=[str(case[0])[:60] for case in BROKEN])
def test_refuses_what_breaks_a_rule(training, edit, edits, path, message):
    errors = validate_object(edit(training, edits))
    assert [error.path for error in errors] == [path]
    assert message in str(errors[0])


@pytest.mark.parametrize(
    ("edits", "path", "message"), FORBIDDEN_CHANGES, ids=[str(case[0])[:60] for case in FORBIDDEN_CHANGES]
)
def test_refuses_the_change(training, edit, edits, path, message):
    new = edit(training, edits)
    errors = validate_object(new, training)
    assert [error.path for error in errors] == [path]
    assert message in str(errors[0])
    assert validate_object(new) == []  # only the change is wrong


@pytest.mark.parametrize("edits", ALLOWED_CHANGES, ids=str)
def test_allows_the_change_while_running(training, edit, edits):
    assert validate_object(edit(training, edits), training) == []


@pytest.mark.parametrize("edits", ALLOWED_WHILE_SUSPENDED, ids=str)
def test_allows_the_change_while_suspended(training, edit, edits):
    suspended = edit(training, {"spec.suspend": True})
    assert validate_object(edit(suspended, edits), suspended) == []


@pytest.mark.parametrize(("field", "other"), IMMUTABLE)
def test_removing_a_field_first_does_not_unlock_it(training, edit, field, other):
    before = edit(training, {"spec.update": {}, "spec.strategy": {}, "spec.kafka": {}})
    removed = edit(before, {field: "<removed>"})
    assert validate_object(removed, before) == []  # the default comes back: no change
    assert [error.path for error in validate_object(edit(removed, {field: other}), removed)] == [field]


def test_template_cannot_be_added_while_running(training, edit):
    bare = edit(training, {"spec.participantTemplate": "<removed>"})
    errors = validate_object(edit(bare, {"spec.participantTemplate": {"spec": {}}}), bare)
    assert [error.path for error in errors] == ["spec.participantTemplate"]


def test_participants_are_told_apart_by_name_not_by_place(training):
    turned = {**training, "spec": {**training["spec"], "participants": training["spec"]["participants"][::-1]}}
    assert validate_object(turned, training) == []


def numbered(schema: Any, rules: list[str], path: str = "") -> Any:
    """The schema, where each rule's message ends in the rule's number; `rules` gets where each is and what it says."""
    if isinstance(schema, list):
        return [numbered(item, rules, path) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {name: numbered(item, rules, f"{path}.{name}") for name, item in schema.items() if name != RULES}
    if RULES in schema:
        changed[RULES] = []
        for rule in schema[RULES]:
            changed[RULES].append({**rule, "message": f"rule {len(rules)}"})
            rules.append(f"{path}: {rule['rule']}")
    return changed


def test_every_rule_refuses_something_here_and_so_on_the_real_server(training, edit):
    rules: list[str] = []
    schema = numbered(training_schema(), rules)
    before = apply_defaults(training, training_schema())
    updates = [(edits, before) for edits, _, _ in FORBIDDEN_CHANGES]
    broken = set()
    for edits, old in [*((edits, None) for edits, _, _ in BROKEN), *updates]:
        new = apply_defaults(edit(training, edits), training_schema())
        broken |= {int(error.problem.split()[-1]) for error in check_rules(new, old, schema)}
    assert [rule for number, rule in enumerate(rules) if number not in broken] == []


def test_rule_that_cannot_be_evaluated_refuses():
    schema = {"type": "object", "x-kubernetes-validations": [{"rule": "self.absent > 1", "message": "never shown"}]}
    errors = list(check_rules({"present": 1}, None, schema, "spec"))
    assert [error.path for error in errors] == ["spec"]
    assert "self.absent > 1" in errors[0].problem
