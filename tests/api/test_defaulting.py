"""Defaults and pruning follow the API server: nulls are absent, defaults fill in below defaults, unknown things go."""

from fedka.api.defaulting import apply_defaults, prune
from fedka.api.structural import training_schema
from fedka.api.validation import admit

SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": "integer", "default": 1},
        "b": {"type": "object", "default": {}, "properties": {"c": {"type": "string", "default": "d"}}},
        "e": {"type": "array", "items": {"type": "object", "properties": {"f": {"type": "boolean", "default": True}}}},
        "g": {"type": "object", "additionalProperties": {"type": "string"}},
        "h": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"i": {"type": "string"}}},
    },
}


def test_smallest_training_gets_every_default():
    spec = {"app": {"entrypoint": "fraud:app"}, "rounds": {"count": 3}, "participants": [{"name": "a"}]}
    admitted = admit(
        {"apiVersion": "fedka.dev/v1alpha1", "kind": "FederatedTraining", "metadata": {"name": "x"}, "spec": spec}
    )
    assert admitted["spec"] == {
        "app": {"entrypoint": "fraud:app", "config": {}},
        "rounds": {
            "count": 3,
            "sampleSize": "100%",
            "overSelection": "0%",
            "quorum": "80%",
            "deadlineSeconds": 600,
            "onQuorumMiss": "Retry",
            "maxMissedRounds": 3,
            "modelHistoryLimit": 3,
            "seed": 42,
        },
        "strategy": {"type": "FedAvg", "weighting": "Examples"},
        "update": {"maxModelBytes": "16Gi"},
        "evaluation": {"everyRounds": 1},
        "kafka": {"clusterName": "default", "reclaimPolicy": "Delete", "retention": "Bounded"},
        "participants": [{"name": "a"}],
        "aggregator": {},
        "suspend": False,
        "failurePolicy": {"maxAggregatorRestarts": 6},
    }


def test_defaults_fill_in_below_a_default_and_inside_items():
    assert apply_defaults({"e": [{}]}, SCHEMA) == {"a": 1, "b": {"c": "d"}, "e": [{"f": True}]}


def test_null_counts_as_absent():
    assert apply_defaults({"a": None, "b": {"c": None}, "e": None}, SCHEMA) == {"a": 1, "b": {"c": "d"}}


def test_null_below_preserved_unknown_members_stays():
    assert apply_defaults({"h": {"i": None, "x": None}}, SCHEMA)["h"] == {"x": None}


def test_what_stands_is_not_replaced():
    assert apply_defaults({"a": 0, "b": {"c": ""}}, SCHEMA) == {"a": 0, "b": {"c": ""}}


def test_the_argument_is_left_alone():
    original = {"e": [{}]}
    apply_defaults(original, SCHEMA)
    prune({"z": 1}, SCHEMA)
    assert original == {"e": [{}]}


def test_a_default_is_never_shared():
    apply_defaults({}, SCHEMA)["b"]["c"] = "changed"
    assert apply_defaults({}, SCHEMA)["b"] == {"c": "d"}


def test_prunes_undeclared_members_at_every_level_but_where_they_are_preserved():
    obj = {"z": 1, "b": {"z": 1}, "e": [{"z": 1}], "g": {"z": "kept"}, "h": {"z": {"y": 1}}}
    assert prune(obj, SCHEMA) == {"b": {}, "e": [{}], "g": {"z": "kept"}, "h": {"z": {"y": 1}}}


def test_pod_templates_keep_what_kubernetes_knows(training, edit):
    template = {
        "spec": {"containers": [{"name": "x", "env": [{"name": "A", "value": "b"}]}], "nodeSelector": {"a": "b"}}
    }
    changed = edit(training, {"spec.participantTemplate": template})
    assert prune(changed, training_schema())["spec"]["participantTemplate"] == template
