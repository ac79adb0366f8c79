"""What is read out of Kubernetes' own objects."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fedka.plan.snapshot import Finished, Role
from fedka.reconcile.views import job_view, pod_view

LABELS = {"fedka.dev/role": "participant", "fedka.dev/participant": "a"}


def obj(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "x", "uid": "1", "labels": LABELS}, "spec": spec, "status": status}


def pod_status(state: dict[str, Any], name: str = "participant") -> dict[str, Any]:
    return {"phase": "Pending", "containerStatuses": [{"name": name, "state": state}]}


def test_a_failed_job_says_when_and_why():
    failed = {
        "type": "Failed",
        "status": "True",
        "reason": "PodFailurePolicy",
        "message": "exit code 78",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    view = job_view(obj({"conditions": [{"type": "FailureTarget", "status": "True"}, failed]}))
    assert view is not None
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert view.finished == Finished(succeeded=False, at=at, message="PodFailurePolicy: exit code 78")


def test_a_job_that_is_only_about_to_fail_has_not_finished():
    view = job_view(obj({"conditions": [{"type": "FailureTarget", "status": "True"}]}))
    assert view is not None
    assert view.finished is None


@pytest.mark.parametrize("restarts", ["many", "-1", "9" * 5000])
def test_annotations_that_are_no_numbers_of_ours_count_as_zero(restarts: str):
    job = obj({})
    job["metadata"]["annotations"] = {"fedka.dev/restarts": restarts}
    view = job_view(job)
    assert view is not None
    assert view.restarts == 0


def test_objects_without_our_role_are_not_ours():
    assert job_view({"metadata": {"name": "x", "uid": "1"}}) is None
    assert pod_view({"metadata": {"name": "x", "uid": "1", "labels": {"fedka.dev/role": "cook"}}}) is None


def test_a_pod_without_an_image_says_so():
    view = pod_view(obj(pod_status({"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}})))
    assert view is not None
    assert (view.role, view.reason, view.message) == (Role.PARTICIPANT, "ImagePullBackOff", "no such image")


def test_a_pod_that_ended_says_its_code_and_last_words():
    view = pod_view(obj(pod_status({"terminated": {"exitCode": 1, "reason": "Error", "message": "Traceback"}})))
    assert view is not None
    assert (view.exit_code, view.message) == (1, "Traceback")


def test_the_end_of_another_container_is_not_the_pods():
    view = pod_view(obj(pod_status({"terminated": {"exitCode": 1}}, name="proxy")))
    assert view is not None
    assert view.exit_code is None


def test_a_pod_that_no_node_takes_says_so():
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
    view = pod_view(obj({"phase": "Pending", "conditions": [unschedulable]}))
    assert view is not None
    assert (view.reason, view.message) == ("Unschedulable", "0/3 nodes")


def test_a_suspended_job_has_not_started():
    suspended = {"type": "Suspended", "status": "True"}
    view = job_view(obj({"startTime": "2026-01-01T00:00:00Z", "conditions": [suspended]}, suspend=True))
    assert view is not None
    assert view.started is None
