"""Every bound and type of the spec, at its edge: what is accepted, and the message for what is not."""

from typing import Any

import pytest

from fedka.api.validation import validate_object

LONG = "x" * 1025

ACCEPTED: list[dict[str, Any]] = [
    {},
    {"spec.app.image": "<removed>"},
    {"spec.app.entrypoint": "pkg.mod:App.inner"},
    {"spec.app.config": {f"key_{n}": "v" for n in range(64)}},
    {"spec.app.config": {"a": "x" * 1024}},
    {"spec.rounds.count": 1},
    {"spec.rounds.count": 100_000},
    {"spec.rounds": {"count": 3}},
    {"spec.rounds.sampleSize": 1},
    {"spec.rounds.sampleSize": 1000},
    {"spec.rounds.sampleSize": "1%"},
    {"spec.rounds.overSelection": 0},
    {"spec.rounds.overSelection": "0%"},
    {"spec.rounds.overSelection": "100%"},
    {"spec.rounds.quorum": "100%"},
    {"spec.rounds.minAvailable": 3},
    {"spec.rounds.deadlineSeconds": 604_800},
    {"spec.rounds.onQuorumMiss": "Skip"},
    {"spec.rounds.seed": 0},
    {"spec.rounds.seed": 2**53 - 1},
    {"spec.strategy": {"weighting": "Uniform"}},
    {"spec.strategy": {}},
    {"spec.update.maxNorm": "0.001"},
    {"spec.update": {}},
    {"spec.update.maxModelBytes": "17179869184"},
    {"spec.update.maxModelBytes": "999999Ti"},
    {"spec.evaluation.stop": "<removed>"},
    {"spec.evaluation": {"everyRounds": 0}},
    {"spec.evaluation.stop.threshold": "-0.5"},
    {"spec.evaluation.stop.threshold": "<removed>"},
    {"spec.evaluation.stop.patienceRounds": "<removed>"},
    {"spec.kafka": {"reclaimPolicy": "Retain", "retention": "Audit"}},
    {"spec.participants": [{"name": f"p{n}"} for n in range(1000)]},
    {"spec.participants[0].name": "a" * 40},
    {"spec.participants[0].mode": "Managed"},
    {"spec.participantTemplate": {"metadata": {"labels": {"team": "x"}}, "spec": {"nodeSelector": {"gpu": "yes"}}}},
    {"spec.participantTemplate.spec.hostNetwork": False},
    {"spec.participantTemplate.spec.volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "d"}}]},
    {"spec.aggregator": {}},
    {"spec.failurePolicy.maxAggregatorRestarts": 0},
    {"spec.activeDeadlineSeconds": "<removed>"},
    {"spec.ttlSecondsAfterFinished": 0, "spec.kafka.reclaimPolicy": "Retain"},
    {"metadata.name": "a" * 40},
    {"metadata.name": "2026-run"},
    {"metadata.labels": {"team": "x"}, "metadata.annotations": {"note": "y"}},
    {"metadata.managedFields": [{"manager": "kubectl"}]},
]

# edits, path of the error, part of the message
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"apiVersion": "fedka.dev/v1"}, "apiVersion", "must be fedka.dev/v1alpha1"),
    ({"kind": "Job"}, "kind", "must be FederatedTraining"),
    ({"metadata.name": "<removed>"}, "metadata.name", "is missing"),
    ({"metadata.nmae": "x"}, "metadata.nmae", "did you mean metadata.name?"),
    ({"metadata.labels": {"a": 1}}, "metadata.labels.a", "must be a string"),
    ({"spec": "<removed>"}, "spec", "is missing"),
    ({"sepc": {}}, "sepc", "did you mean spec?"),
    ({"spec.app": "<removed>"}, "spec.app", "is missing"),
    ({"spec.app.entrypoint": "<removed>"}, "spec.app.entrypoint", "module:object"),
    ({"spec.app.entrypoint": "fraud"}, "spec.app.entrypoint", "module:object"),
    ({"spec.app.entrypoint": "fraud:app\n"}, "spec.app.entrypoint", "does not match"),
    ({"spec.app.image": ""}, "spec.app.image", "at least 1 character"),
    ({"spec.app.image": "x" * 513}, "spec.app.image", "at most 512 characters"),
    ({"spec.app.config": {"epochs": 2}}, "spec.app.config.epochs", 'write it in quotes: "2"'),
    ({"spec.app.config": {"flag": True}}, "spec.app.config.flag", 'write it in quotes: "true"'),
    ({"spec.app.config": {"a": LONG}}, "spec.app.config.a", "at most 1024 characters"),
    ({"spec.app.config": {f"key_{n}": "v" for n in range(65)}}, "spec.app.config", "at most 64 entries"),
    ({"spec.app.config": ["a"]}, "spec.app.config", "must be a mapping, not a list"),
    ({"spec.rounds": "<removed>"}, "spec.rounds", "is missing"),
    ({"spec.rounds.count": "<removed>"}, "spec.rounds.count", "is missing"),
    ({"spec.rounds.count": 0}, "spec.rounds.count", "at least 1, not 0"),
    ({"spec.rounds.count": 100_001}, "spec.rounds.count", "at most 100000"),
    ({"spec.rounds.count": "20"}, "spec.rounds.count", "write it without quotes"),
    ({"spec.rounds.count": "ten"}, "spec.rounds.count", "write it in digits, such as 10"),
    ({"spec.rounds.count": 2.5}, "spec.rounds.count", "must be an integer, not a decimal number"),
    ({"spec.rounds.count": True}, "spec.rounds.count", "must be an integer, not a boolean"),
    ({"spec.rounds.sampleSize": 0}, "spec.rounds.sampleSize", "at least 1"),
    ({"spec.rounds.sampleSize": 1001}, "spec.rounds.sampleSize", "at most 1000"),
    ({"spec.rounds.sampleSize": "0%"}, "spec.rounds.sampleSize", "percentage of those present (1% to 100%)"),
    ({"spec.rounds.sampleSize": "101%"}, "spec.rounds.sampleSize", "does not match"),
    ({"spec.rounds.sampleSize": "50"}, "spec.rounds.sampleSize", "does not match"),
    ({"spec.rounds.sampleSize": 0.5}, "spec.rounds.sampleSize", "must be an integer or a percentage"),
    ({"spec.rounds.overSelection": -1}, "spec.rounds.overSelection", "at least 0"),
    ({"spec.rounds.overSelection": "00%"}, "spec.rounds.overSelection", "does not match"),
    ({"spec.rounds.quorum": "80"}, "spec.rounds.quorum", "does not match"),
    ({"spec.rounds.minAvailable": 0}, "spec.rounds.minAvailable", "at least 1"),
    ({"spec.rounds.deadlineSeconds": 604_801}, "spec.rounds.deadlineSeconds", "at most 604800"),
    ({"spec.rounds.onQuorumMiss": "retry"}, "spec.rounds.onQuorumMiss", "did you mean Retry?"),
    ({"spec.rounds.onQuorumMiss": "Explode"}, "spec.rounds.onQuorumMiss", "must be Retry or Skip or Fail"),
    ({"spec.rounds.maxMissedRounds": 0}, "spec.rounds.maxMissedRounds", "at least 1"),
    ({"spec.rounds.modelHistoryLimit": 101}, "spec.rounds.modelHistoryLimit", "at most 100"),
    ({"spec.rounds.seed": -1}, "spec.rounds.seed", "at least 0"),
    ({"spec.rounds.sample_size": 3}, "spec.rounds.sample_size", "did you mean spec.rounds.sampleSize?"),
    ({"spec.deadlineSeconds": 3}, "spec.deadlineSeconds", "did you mean spec.rounds.deadlineSeconds?"),
    ({"spec.zzz": 3}, "spec.zzz", "known here: "),
    ({"spec.strategy.type": "FedAdam"}, "spec.strategy.type", "must be FedAvg"),
    ({"spec.update.maxNorm": 10}, "spec.update.maxNorm", 'write it in quotes: "10"'),
    ({"spec.update.maxNorm": "-1"}, "spec.update.maxNorm", "positive decimal number"),
    ({"spec.update.maxModelBytes": "16 GiB"}, "spec.update.maxModelBytes", "512Mi or 16Gi"),
    ({"spec.update.maxModelBytes": "0"}, "spec.update.maxModelBytes", "does not match"),
    ({"spec.evaluation.everyRounds": -1}, "spec.evaluation.everyRounds", "at least 0"),
    ({"spec.evaluation.stop.metric": ""}, "spec.evaluation.stop.metric", "at least 1 character"),
    ({"spec.evaluation.stop.goal": "<removed>"}, "spec.evaluation.stop.goal", "is missing"),
    ({"spec.evaluation.stop.threshold": "97%"}, "spec.evaluation.stop.threshold", "Decimal number in quotes"),
    ({"spec.kafka.clusterName": "Prod"}, "spec.kafka.clusterName", "does not match"),
    ({"spec.kafka.retention": "Forever"}, "spec.kafka.retention", "must be Bounded or Audit"),
    ({"spec.participants": "<removed>"}, "spec.participants", "is missing"),
    ({"spec.participants": []}, "spec.participants", "at least 1 item"),
    ({"spec.participants": {"a": {}}}, "spec.participants", "must be a list, not a mapping"),
    ({"spec.participants": [{"name": f"p{n}"} for n in range(1001)]}, "spec.participants", "at most 1000 items"),
    ({"spec.participants[0].name": "bank.a"}, "spec.participants[0].name", "DNS label of at most 40"),
    ({"spec.participants[0].name": "a" * 41}, "spec.participants[0].name", "at most 40 characters"),
    ({"spec.participants[2].name": "bank-a"}, "spec.participants[2]", 'the same name "bank-a" as spec.participants[0]'),
    ({"spec.participants[0].mode": "Local"}, "spec.participants[0].mode", "must be Managed or External"),
    ({"spec.participants[0].image": "x"}, "spec.participants[0].image", "is not a field"),
    (
        {"spec.participantTemplate.metadata": {"labels": {"a": "x" * 64}}},
        "spec.participantTemplate.metadata.labels.a",
        "63",
    ),
    ({"spec.participantTemplate.metadata": {"name": "x"}}, "spec.participantTemplate.metadata.name", "is not a field"),
    ({"spec.participantTemplate.spec.hostNetwork": "no"}, "spec.participantTemplate.spec.hostNetwork", "true or false"),
    ({"spec.suspend": "true"}, "spec.suspend", "write it without quotes"),
    ({"spec.suspend": "maybe"}, "spec.suspend", "write true or false"),
    ({"spec.failurePolicy.maxAggregatorRestarts": -1}, "spec.failurePolicy.maxAggregatorRestarts", "at least 0"),
    ({"spec.activeDeadlineSeconds": 0}, "spec.activeDeadlineSeconds", "at least 1"),
    ({"spec.ttlSecondsAfterFinished": -1}, "spec.ttlSecondsAfterFinished", "at least 0"),
]


@pytest.mark.parametrize("edits", ACCEPTED, ids=str)
def test_accepts(training, edit, edits):
    assert validate_object(edit(training, edits)) == []


@pytest.mark.parametrize(("edits", "path", "message"), REFUSED, ids=[str(case[0])[:60] for case in REFUSED])
def test_refuses_with_path_and_fix(training, edit, edits, path, message):
    errors = validate_object(edit(training, edits))
    assert [error.path for error in errors] == [path]
    assert message in str(errors[0])


def test_names_every_error_at_once(training, edit):
    wrong = edit(training, {"spec.rounds.count": 0, "spec.suspend": "no", "spec.app.image": ""})
    assert {error.path for error in validate_object(wrong)} == {"spec.rounds.count", "spec.suspend", "spec.app.image"}
