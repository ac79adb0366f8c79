"""Which images a run keeps to, and when it lets go of them."""

from dataclasses import replace
from typing import Any

import pytest

from fedka.api.status import ImageStatus
from fedka.plan.images import default_image, images_status
from fedka.plan.jobs import job_hash, job_manifest
from fedka.plan.snapshot import Role, Snapshot

from .case_files import load

LIVE: dict[str, Any] = {
    "now": 5,
    "journal": ["started", "joined a b"],
    "jobs": {"aggregator": "running", "a": "running", "b": "running"},
}
DIGEST = "@sha256:" + "1" * 64


def image(snapshot: Snapshot, role: Role, participant: str | None = None) -> str:
    pod = job_manifest(snapshot, role, participant)["spec"]["template"]["spec"]
    found: str = pod["containers"][0]["image"]
    return found


def upgraded(snapshot: Snapshot) -> Snapshot:
    """The same, seen by an operator of the next version."""
    settings = replace(snapshot.settings, aggregator_image="fedka:2", participant_image="fedka-participant:2")
    return replace(snapshot, settings=settings)


def with_status(snapshot: Snapshot) -> Snapshot:
    """The same, once the images are written down."""
    status = snapshot.status.model_copy(update={"images": images_status(snapshot)})
    return replace(snapshot, training=snapshot.training.model_copy(update={"status": status}))


def own(name: str, image: str) -> dict[str, Any]:
    return {"name": name, "template": {"spec": {"containers": [{"name": "participant", "image": image}]}}}


def test_nothing_is_kept_before_the_first_job():
    assert images_status(load({"now": 0, "journal": []})) == ()


def test_the_roles_images_are_kept_from_the_first_job_on():
    assert images_status(load(LIVE)) == (
        ImageStatus(name="aggregator", image="fedka-aggregator"),
        ImageStatus(name="participant", image="fedka-participant"),
    )


def test_an_operator_of_another_version_makes_a_live_runs_jobs_of_the_same_images():
    before = with_status(load(LIVE))
    after = upgraded(before)
    assert image(after, Role.AGGREGATOR) == "fedka-aggregator"
    assert job_hash(after, Role.PARTICIPANT, "a") == job_hash(before, Role.PARTICIPANT, "a")
    assert images_status(after) == before.status.images


def test_the_images_of_a_live_run_are_kept_while_a_job_is_made_again():
    before = with_status(load({**LIVE, "spec": {"participants": [{"name": "a"}, own("b", "special:1")]}}))
    without_jobs = upgraded(replace(before, jobs={}))
    assert {entry.name for entry in before.status.images} == {"aggregator", "participant", "participant/b"}
    assert images_status(without_jobs) == before.status.images


def test_a_run_that_was_suspended_takes_what_the_operator_has_now():
    suspended = with_status(load({**LIVE, "spec": {"suspend": True}, "journal": [*LIVE["journal"], "suspended"]}))
    assert suspended.status.images == ()
    assert default_image(upgraded(suspended), Role.AGGREGATOR) == "fedka:2"


def test_what_the_spec_names_wins_over_what_was_kept():
    case = {**LIVE, "spec": {"app": {"entrypoint": "fraud:app", "image": "fraud:1"}}}
    assert image(with_status(load(case)), Role.PARTICIPANT, "a") == "fraud:1"


@pytest.mark.parametrize(
    ("asked", "reported"),
    [
        ("fraud:1", f"docker.io/library/fraud{DIGEST}"),
        ("bank/fraud:1", f"docker.io/bank/fraud{DIGEST}"),
        ("registry.example:5000/bank/fraud:1", f"registry.example:5000/bank/fraud{DIGEST}"),
        ("registry.example/fraud", f"docker-pullable://registry.example/fraud{DIGEST}"),
    ],
)
def test_a_job_made_again_runs_the_digest_that_a_pod_reported(asked: str, reported: str):
    pods = {"a": {"phase": "Running", "image": asked, "imageID": reported}}
    snapshot = with_status(load({**LIVE, "spec": {"app": {"entrypoint": "fraud:app", "image": asked}}, "pods": pods}))
    assert image(snapshot, Role.PARTICIPANT, "b") == reported.removeprefix("docker-pullable://")


@pytest.mark.parametrize(
    "reported",
    ["", "sha256:" + "1" * 64, f"docker.io/library/import-2026-01-01{DIGEST}", f"other.example/bank/fraud{DIGEST}"],
)
def test_an_id_that_cannot_be_pulled_again_is_not_kept(reported: str):
    asked = "registry.example/bank/fraud:1"
    pods = {"a": {"phase": "Running", "image": asked, "imageID": reported}}
    snapshot = with_status(load({**LIVE, "spec": {"app": {"entrypoint": "fraud:app", "image": asked}}, "pods": pods}))
    assert image(snapshot, Role.PARTICIPANT, "b") == asked


def test_the_first_digest_stays_though_the_tag_moves():
    pods = {"a": {"phase": "Running", "image": "fedka-participant", "imageID": f"fedka-participant{DIGEST}"}}
    before = with_status(load({**LIVE, "pods": pods}))
    moved = {**pods["a"], "imageID": "fedka-participant@sha256:" + "2" * 64}
    after = load({**LIVE, "pods": {"a": moved}})
    after = replace(after, training=before.training)
    assert images_status(after) == before.status.images


def test_images_of_participants_own_templates_are_kept_once_each():
    spec = {"participants": [own("a", "x:1"), own("b", "x:1"), own("c", "y:1")]}
    jobs = {"aggregator": "running", "a": "running", "b": "running", "c": "running"}
    kept = images_status(load({**LIVE, "spec": spec, "jobs": jobs}))
    assert [(entry.name, entry.image) for entry in kept[1:]] == [
        ("participant", "fedka-participant"),
        ("participant/a", "x:1"),
        ("participant/c", "y:1"),
    ]


def test_no_more_than_sixteen_are_kept():
    names = [f"p{number}" for number in range(20)]
    spec = {"participants": [own(name, f"{name}:1") for name in names]}
    kept = images_status(load({**LIVE, "journal": ["started"], "spec": spec, "jobs": dict.fromkeys(names, "running")}))
    assert len(kept) == 16
