"""Whose child a Job is: labels can be written by anybody who may make Jobs somewhere."""

from typing import Any

from fedka.reconcile.cache import Cache
from fedka.reconcile.ports import JOB, EventType, WatchEvent

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
