"""The Job controller's decisions that a running node does not show, or shows only by chance."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedka.local.job_control import decide

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def job(*, status=None, **spec: Any):
    return {"metadata": {"name": "work"}, "spec": {"suspend": False, "backoffLimit": 0, **spec}, "status": status or {}}


def pod(phase, code=None, name="work-1"):
    terminated = {"terminated": {"exitCode": code}} if code is not None else {}
    status = {"phase": phase, "containerStatuses": [{"name": "main", "state": terminated}]}
    return {"metadata": {"name": name, "namespace": "default"}, "status": status}


def policy(action, operator, *codes: int):
    return {"rules": [{"action": action, "onExitCodes": {"operator": operator, "values": list(codes)}}]}


def true_conditions(decision):
    conditions = decision.status.get("conditions", ())
    return {each["type"]: each["reason"] for each in conditions if each["status"] == "True"}


def test_deciding_twice_is_deciding_once():
    first = decide(job(), [], NOW)
    later = NOW + timedelta(seconds=30)
    assert decide(job(status=first.status), [], later).status == first.status


def test_a_pod_under_way_is_not_doubled():
    decision = decide(job(), [pod(None)], NOW)
    assert (decision.create_pod, decision.status["active"]) == (False, 1)


def test_an_ignored_failure_does_not_count():
    decision = decide(job(podFailurePolicy=policy("Ignore", "In", 7)), [pod("Failed", 7)], NOW)
    assert (decision.create_pod, decision.status["failed"]) == (True, 0)


@pytest.mark.parametrize(
    ("operator", "code", "reason"),
    [
        ("In", 42, "PodFailurePolicy"),
        ("In", 1, "BackoffLimitExceeded"),
        ("NotIn", 42, "BackoffLimitExceeded"),
        ("NotIn", 1, "PodFailurePolicy"),
    ],
)
def test_exit_codes_decide_on_the_reason(operator, code, reason):
    decision = decide(job(podFailurePolicy=policy("FailJob", operator, 42)), [pod("Failed", code)], NOW)
    assert true_conditions(decision)["Failed"] == reason


def test_a_success_is_no_failure_by_not_in():
    decision = decide(job(podFailurePolicy=policy("FailJob", "NotIn", 42)), [pod("Succeeded", 0)], NOW)
    assert "Complete" in true_conditions(decision)


def test_a_deadline_fails_the_job_only_when_its_pod_has_gone():
    started = {"startTime": "2026-11-23T11:00:00Z"}
    first = decide(job(status=started, activeDeadlineSeconds=60), [pod("Running")], NOW)
    assert first.delete_pods == ("work-1",)
    assert true_conditions(first) == {"FailureTarget": "DeadlineExceeded"}
    second = decide(job(status=first.status, activeDeadlineSeconds=60), [], NOW)
    assert true_conditions(second)["Failed"] == "DeadlineExceeded"


def test_a_job_that_is_failing_does_not_succeed_after_all():
    started = {"startTime": "2026-11-23T11:00:00Z"}
    first = decide(job(status=started, activeDeadlineSeconds=60), [pod("Running")], NOW)
    second = decide(job(status=first.status, activeDeadlineSeconds=60), [pod("Succeeded", 0)], NOW)
    assert "Complete" not in true_conditions(second)
    assert true_conditions(second)["Failed"] == "DeadlineExceeded"


def test_a_deadline_to_come_is_looked_at_again():
    decision = decide(
        job(status={"startTime": "2026-11-23T11:59:50Z"}, activeDeadlineSeconds=60), [pod("Running")], NOW
    )
    assert decision.look_again == 50


def test_a_suspended_job_misses_no_deadline():
    suspended = job(status={"startTime": "2026-11-23T11:00:00Z"}, suspend=True, activeDeadlineSeconds=60)
    assert "FailureTarget" not in true_conditions(decide(suspended, [], NOW))


def test_a_resumed_job_starts_anew():
    started = {"startTime": "2026-11-23T11:00:00Z"}
    suspended = decide(job(status=started, suspend=True), [pod("Running")], NOW).status
    assert suspended["startTime"] == started["startTime"]
    assert decide(job(status=suspended), [], NOW).status["startTime"] == "2026-11-23T12:00:00Z"


def test_a_finished_job_starts_nothing():
    done = decide(job(), [pod("Succeeded", 0)], NOW)
    again = decide(job(status=done.status), [], NOW)
    assert (again.create_pod, again.status) == (False, done.status)
