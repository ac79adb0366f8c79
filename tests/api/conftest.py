"""A realistic training, and a way to change one thing in it."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml

TRAINING = """
apiVersion: fedka.dev/v1alpha1
kind: FederatedTraining
metadata: {name: fraud, namespace: consortium}
spec:
  app: {image: "registry.example/bank-fraud:1", entrypoint: "fraud:app", config: {epochs: "2"}}
  rounds:
    count: 20
    sampleSize: "100%"
    overSelection: "0%"
    quorum: "80%"
    minAvailable: 2
    deadlineSeconds: 600
    onQuorumMiss: Retry
    maxMissedRounds: 3
    modelHistoryLimit: 3
    seed: 42
  strategy: {type: FedAvg, weighting: Examples}
  update: {maxNorm: "10", maxModelBytes: 16Gi}
  evaluation: {everyRounds: 1, stop: {metric: accuracy, goal: Maximize, threshold: "0.97", patienceRounds: 5}}
  kafka: {clusterName: default, reclaimPolicy: Delete, retention: Bounded}
  participants:
    - {name: bank-a, config: {}, template: {}}
    - {name: bank-b, mode: External}
    - {name: bank-c, config: {epochs: "4"}}
  participantTemplate: {spec: {containers: [{name: participant, resources: {limits: {cpu: "2"}}}]}}
  aggregator: {template: {}}
  suspend: false
  failurePolicy: {maxAggregatorRestarts: 6}
  activeDeadlineSeconds: 86400
"""

Edits = dict[str, Any]
Edit = Callable[[dict[str, Any], Edits], dict[str, Any]]


def apply_edits(obj: dict[str, Any], edits: Edits) -> dict[str, Any]:
    changed = deepcopy(obj)
    for path, value in edits.items():
        *above, last = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)]
        place: Any = changed
        for part in above:
            place = place.setdefault(part, {}) if isinstance(place, dict) else place[part]
        if value == "<removed>":
            del place[last]
        else:
            place[last] = deepcopy(value)
    return changed


@pytest.fixture
def training() -> dict[str, Any]:
    obj: dict[str, Any] = yaml.safe_load(TRAINING)
    return obj


@pytest.fixture
def edit() -> Edit:
    """`edit(obj, {"spec.rounds.count": 3, "spec.suspend": "<removed>"})` gives a changed copy."""
    return apply_edits
