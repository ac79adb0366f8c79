from datetime import UTC, datetime, timedelta

import pytest

from fedka.api.conditions import Condition, ConditionStatus, find_condition, make_condition, set_condition
from fedka.api.reasons import ConditionType, Reason

THEN = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOW = THEN + timedelta(hours=1)


def ready(*, status: bool | None, reason: Reason = Reason.RUNNING, now: datetime = THEN) -> Condition:
    return make_condition(ConditionType.READY, status=status, reason=reason, message="text", generation=1, now=now)


def test_a_new_condition_goes_to_the_end_with_the_time_of_now():
    stalled = make_condition(
        ConditionType.STALLED, status=False, reason=Reason.NOT_STALLED, message="", generation=1, now=THEN
    )
    conditions = set_condition((stalled,), ready(status=True), NOW)
    assert [condition.type for condition in conditions] == ["Stalled", "Ready"]
    assert conditions[1].last_transition_time == NOW


def test_the_transition_time_stays_while_the_status_does():
    new = ready(status=True, reason=Reason.UP_TO_DATE, now=NOW)
    (condition,) = set_condition((ready(status=True),), new, NOW)
    assert condition.last_transition_time == THEN
    assert condition.reason == "UpToDate"


@pytest.mark.parametrize("status", [False, None])
def test_the_transition_time_moves_with_the_status(status):
    (condition,) = set_condition((ready(status=True),), ready(status=status), NOW)
    assert condition.last_transition_time == NOW


def test_other_conditions_keep_their_place():
    before = tuple(
        make_condition(kind, status=True, reason=Reason.RUNNING, message="", generation=1, now=THEN)
        for kind in (ConditionType.READY, ConditionType.KAFKA_READY)
    )
    after = set_condition(before, ready(status=False), NOW)
    assert [condition.type for condition in after] == ["Ready", "KafkaReady"]
    assert after[1] is before[1]


def test_unknown_is_none():
    assert ready(status=None).status is ConditionStatus.UNKNOWN


def test_finds_by_type():
    condition = ready(status=True)
    assert find_condition((condition,), ConditionType.READY) is condition
    assert find_condition((condition,), ConditionType.STALLED) is None


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_one_that_kubernetes_accepts(reason):
    assert ready(status=True, reason=reason).to_object() == {
        "type": "Ready",
        "status": "True",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-31T12:00:00Z",
        "reason": reason.value,
        "message": "text",
    }
