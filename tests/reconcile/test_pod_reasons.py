"""Why a pod does not run, read out of pods as a kubelet, a scheduler and a node's eviction leave them."""

from typing import Any

import pytest

from fedka.plan.snapshot import Role
from fedka.reconcile.pod_reasons import Told, told_by
from fedka.reconcile.views import pod_view

LABELS = {"fedka.dev/role": "participant", "fedka.dev/participant": "a"}


def pod(status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "fraud-a-1", "uid": "1", "labels": LABELS}, "spec": spec, "status": status}


def waiting(reason: str, message: str = "", **status: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
    return {"phase": "Pending", "containerStatuses": [{"name": "participant", "state": state}], **status}


def ended(**how: Any) -> dict[str, Any]:
    return {"phase": "Failed", "containerStatuses": [{"name": "participant", "state": {"terminated": how}}]}


@pytest.mark.parametrize("reason", ["ErrImageNeverPull", "CreateContainerConfigError", "InvalidImageName"])
def test_what_keeps_a_container_from_starting_is_told(reason: str):
    assert told_by(pod(waiting(reason, "the cause")), Role.PARTICIPANT) == Told(reason, "the cause")


def test_a_pod_being_made_names_what_it_may_lack():
    volumes = [
        {"name": "code", "configMap": {"name": "fraud-code"}},
        {"name": "bundle", "secret": {"secretName": "fraud-a"}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "patients"}},
        {"name": "tmp", "emptyDir": {}},
    ]
    told = told_by(pod(waiting("ContainerCreating"), volumes=volumes), Role.PARTICIPANT)
    assert told.reason == "ContainerCreating"
    assert "ConfigMap fraud-code, Secret fraud-a, PersistentVolumeClaim patients" in told.message
    assert "kubectl describe pod fraud-a-1" in told.message


def test_out_of_memory_is_told_with_the_limit():
    containers = [{"name": "participant", "resources": {"limits": {"memory": "512Mi"}}}]
    told = told_by(pod(ended(reason="OOMKilled", exitCode=137), containers=containers), Role.PARTICIPANT)
    assert (told.reason, told.exit_code) == ("OOMKilled", 137)
    assert told.message == "it was killed at its memory limit of 512Mi; raise resources.limits.memory"


def test_out_of_memory_without_a_limit_is_the_nodes():
    told = told_by(pod(ended(reason="OOMKilled", exitCode=137, message="last words")), Role.PARTICIPANT)
    assert told.message == "it was killed as its node had none left; it said last: last words"


def test_an_evicted_pod_says_so():
    status = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
    assert told_by(pod(status), Role.PARTICIPANT) == Told("Evicted", "The node was low on resource: memory.")


def test_a_failed_init_container_is_named():
    first = {"name": "fetch", "state": {"terminated": {"exitCode": 2, "reason": "Error", "message": "no such file"}}}
    told = told_by(pod(waiting("PodInitializing", initContainerStatuses=[first])), Role.PARTICIPANT)
    assert told == Told("Error", "init container fetch ended with 2: no such file")


def test_an_init_container_that_waits_is_named():
    first = {"name": "fetch", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    told = told_by(pod(waiting("PodInitializing", initContainerStatuses=[first])), Role.PARTICIPANT)
    assert told == Told("ImagePullBackOff", "init container fetch: no such image")


def test_a_pod_at_work_tells_nothing():
    running = {"phase": "Running", "containerStatuses": [{"name": "participant", "state": {"running": {}}}]}
    assert told_by(pod(running), Role.PARTICIPANT) == Told()


def test_the_view_holds_what_the_container_runs():
    running = {"phase": "Running", "containerStatuses": [{"name": "participant", "imageID": "fraud@sha256:1"}]}
    view = pod_view(pod(running, containers=[{"name": "proxy"}, {"name": "participant", "image": "fraud:1"}]))
    assert view is not None
    assert (view.image, view.image_id) == ("fraud:1", "fraud@sha256:1")
