"""What a user sees of the resource through kubectl."""

import re
from typing import Any

import pytest
import yaml

from ..api.conftest import TRAINING, apply_edits
from ..api.test_status_writes import full_status
from ..cluster.api_server import ApiServer, KubectlFailed
from .conftest import NAMESPACE, Judge

pytestmark = pytest.mark.kubernetes


@pytest.fixture(scope="module")
def shown(consortium: ApiServer, judge: Judge) -> ApiServer:
    """With a training `shown` whose status says all that one can."""
    obj = apply_edits(yaml.safe_load(TRAINING), {"metadata.name": "shown"})
    created = judge.create(obj, dry_run=False)
    assert created.accepted, created.message
    written = judge.write_status(created.body | {"status": full_status().to_object()}, dry_run=False)
    assert written.accepted, written.message
    return consortium


def columns(table: str) -> dict[str, str]:
    heads, row = (re.split(r"  +", line.strip()) for line in table.splitlines())
    return dict(zip(heads, row, strict=True))


def test_get_shows_how_far_it_is(shown: ApiServer):
    row = columns(shown.kubectl("get", "ft", "shown", f"--namespace={NAMESPACE}"))
    assert row.pop("AGE")
    assert row == {"NAME": "shown", "PHASE": "Running", "ROUND": "11/20", "PARTICIPANTS": "1/1"}


def test_get_wide_adds_loss_and_strategy(shown: ApiServer):
    row = columns(shown.kubectl("get", "ft", "shown", f"--namespace={NAMESPACE}", "--output=wide"))
    assert (row["LOSS"], row["STRATEGY"]) == ("0.213", "FedAvg")


@pytest.mark.parametrize(
    "condition", ["condition=Ready", "jsonpath={.status.phase}=Running", "jsonpath={.status.rounds.completed}=11"]
)
def test_wait_sees_it(shown: ApiServer, condition: str):
    said = shown.kubectl("wait", "ft/shown", f"--namespace={NAMESPACE}", f"--for={condition}", "--timeout=30s")
    assert "condition met" in said


def test_it_is_among_its_category(shown: ApiServer):
    assert "shown" in shown.kubectl("get", "federated", f"--namespace={NAMESPACE}", "--output=name")


def test_describe_shows_conditions_with_their_reasons(shown: ApiServer):
    said = shown.kubectl("describe", "ft", "shown", f"--namespace={NAMESPACE}")
    assert re.search(r"Reason: +Running", said)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("ft", ["KIND:       FederatedTraining", "VERSION:    v1alpha1", "A federated training."]),
        ("ft.spec.rounds", ["count\t<integer> -required-", "Rounds to train", "onQuorumMiss"]),
        ("ft.spec.rounds.quorum", ["Updates without which a round does not count", "default 80%"]),
        ("ft.spec.rounds.onQuorumMiss", ["ENUM: Retry Skip Fail"]),
        ("ft.spec.participants.mode", ["ENUM: Managed External"]),
        ("ft.status.participants.detail", ["state"]),
    ],
)
def test_explain_says_what_to_write(shown: ApiServer, field: str, words: list[str]):
    said = re.sub(r"[\n ]+", " ", shown.kubectl("explain", field))
    assert [word for word in words if re.sub(r" +", " ", word) not in said] == []


def test_an_unknown_field_is_refused_by_name(shown: ApiServer):
    misspelt: dict[str, Any] = apply_edits(yaml.safe_load(TRAINING), {"spec.rounds.sampelSize": 3})
    with pytest.raises(KubectlFailed, match='unknown field "sampelSize"'):
        shown.apply(misspelt)
