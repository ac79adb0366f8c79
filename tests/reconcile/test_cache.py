"""What the cache believes: labels can be written by anybody who may make Jobs somewhere, and trainings by anybody."""

from typing import Any

import pytest

from fedka.reconcile.cache import Cache, CachedTraining, TrainingKey, Unreadable
from fedka.reconcile.ports import FEDERATED_TRAINING, JOB, EventType, WatchEvent

OURS = ("consortium", "training-1")


def told(cache: Cache, namespace: str, training: str, type_: EventType = EventType.ADDED) -> None:
    labels = {"fedka.dev/training": "fraud", "fedka.dev/training-uid": training, "fedka.dev/role": "aggregator"}
    metadata: dict[str, Any] = {"name": "x", "namespace": namespace, "uid": "job-1", "labels": labels}
    cache.take(WatchEvent(type_, JOB, {"metadata": metadata}))


def test_a_job_of_the_trainings_namespace_is_its_own():
    cache = Cache()
    told(cache, *OURS)
    assert [job.uid for job in cache.jobs(*OURS)] == ["job-1"]


def test_a_job_of_another_namespace_is_never_a_trainings():
    cache = Cache()
    told(cache, "elsewhere", "training-1")
    assert cache.jobs(*OURS) == ()


def test_a_job_whose_labels_change_changes_its_training():
    cache = Cache()
    told(cache, *OURS)
    told(cache, "consortium", "training-2", EventType.MODIFIED)
    assert cache.jobs(*OURS) == ()
    told(cache, "consortium", "training-2", EventType.DELETED)
    assert cache.jobs("consortium", "training-2") == ()


def test_a_training_that_is_not_understood_is_named_without_what_stands_in_it(caplog: pytest.LogCaptureFixture):
    cache = Cache()
    metadata = {"name": "fraud", "namespace": "consortium", "uid": "training-1"}
    app = {"entrypoint": "fraud:app", "config": {"token": ["hunter2"]}}
    spec = {"app": app, "rounds": {"count": 1}, "participants": [{"name": "a"}]}
    cache.take(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, {"metadata": metadata, "spec": spec}))
    assert cache.training(TrainingKey("consortium", "fraud")) == Unreadable("training-1")
    assert cache.training(TrainingKey("consortium", "fraud")) == Unreadable("training-1")
    assert caplog.text.count("left alone") == 1
    assert "consortium/fraud" in caplog.text
    assert "spec.app.config" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(("phase", "kept"), [("Running", True), ("Suspended", False)])
def test_a_training_at_rest_is_not_kept_as_a_model(phase: str, kept: bool):
    cache = Cache()
    metadata = {"name": "fraud", "namespace": "consortium", "uid": f"training-{phase}"}
    spec = {"app": {"entrypoint": "fraud:app"}, "rounds": {"count": 1}, "participants": [{"name": "a"}]}
    training = {"metadata": metadata, "spec": spec, "status": {"phase": phase}}
    cache.take(WatchEvent(EventType.ADDED, FEDERATED_TRAINING, training))
    first, second = (cache.training(TrainingKey("consortium", "fraud")) for _ in range(2))
    assert isinstance(first, CachedTraining)
    assert isinstance(second, CachedTraining)
    assert first == second
    assert (first.training is second.training) is kept
