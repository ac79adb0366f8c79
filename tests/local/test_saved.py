"""A training kept in the state directory: the same run afterwards, with its status and its owners of fields."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fedka.local.crd_admission import CrdAdmission
from fedka.local.saved import SavedTraining, SavedTrainingUnusable, SavingCluster, TrainingNotSaved
from fedka.reconcile.apply import STATUS_FIELD_MANAGER
from fedka.reconcile.ports import FEDERATED_TRAINING, Invalid


def never(error: TrainingNotSaved) -> None:
    raise AssertionError(error)


def cluster(path: Path, seed: int, unsaved: Callable[[TrainingNotSaved], None] = never) -> SavingCluster:
    return SavingCluster(
        SavedTraining(path / "training.json"),
        namespace="default",
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        random=Random(seed),  # noqa: S311  no secrets
        admission=CrdAdmission(),
        unsaved=unsaved,
    )


def training(name: str = "fraud", **rounds: Any) -> dict[str, Any]:
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": name},
        "spec": {
            "app": {"entrypoint": "a:b"},
            "rounds": {"count": 3, **rounds},
            "participants": [{"name": "bank-a"}, {"name": "bank-b"}],
        },
    }


async def with_status(live: SavingCluster, **status: Any) -> dict[str, Any]:
    obj = await live.get(FEDERATED_TRAINING, "default", "fraud")
    return await live.apply_status({**obj, "status": status}, field_manager=STATUS_FIELD_MANAGER)


async def test_training_goes_on_as_the_run_it_was(tmp_path):
    first = cluster(tmp_path, 1)
    made = await first.submit(training())
    await with_status(first, phase="Running", kafkaId="x")
    again = await cluster(tmp_path, 2).submit(training())
    assert again["metadata"]["uid"] == made["metadata"]["uid"]
    assert again["metadata"]["generation"] == 1
    assert again["status"] == {"phase": "Running", "kafkaId": "x"}


async def test_changed_spec_is_a_new_generation(tmp_path):
    await cluster(tmp_path, 1).submit(training())
    again = await cluster(tmp_path, 2).submit(training(count=9))
    assert (again["metadata"]["generation"], again["spec"]["rounds"]["count"]) == (2, 9)


async def test_field_left_out_later_goes_back_to_its_default(tmp_path):
    await cluster(tmp_path, 1).submit(training(quorum="50%"))
    again = await cluster(tmp_path, 2).submit(training())
    assert again["spec"]["rounds"]["quorum"] == "80%"


async def test_part_of_the_status_that_is_no_longer_written_goes(tmp_path):
    first = cluster(tmp_path, 1)
    await first.submit(training())
    await with_status(first, phase="Running", kafkaId="x")
    second = cluster(tmp_path, 2)
    await second.submit(training())
    assert (await with_status(second, phase="Complete"))["status"] == {"phase": "Complete"}


async def test_change_that_must_not_be_is_refused(tmp_path):
    await cluster(tmp_path, 1).submit(training())
    changed = training()
    changed["spec"]["strategy"] = {"weighting": "Uniform"}
    with pytest.raises(Invalid, match="strategy"):
        await cluster(tmp_path, 2).submit(changed)


async def test_directory_of_another_training_is_refused(tmp_path):
    await cluster(tmp_path, 1).submit(training())
    with pytest.raises(SavedTrainingUnusable, match="belongs to training default/fraud"):
        await cluster(tmp_path, 2).submit(training(name="other"))


NOT_TODAYS = json.dumps({**training(), "spec": {"app": {"entrypoint": "a:b"}, "rounds": {"count": "a few"}}})


@pytest.mark.parametrize(
    "content", ["{", "[]", "[" * 100_000, '{"kind": "Pod"}', '{"kind": "FederatedTraining"}', NOT_TODAYS]
)
async def test_file_that_is_no_training_is_refused(tmp_path, content):
    (tmp_path / "training.json").write_text(content)
    with pytest.raises(SavedTrainingUnusable):
        await cluster(tmp_path, 1).submit(training())


async def test_every_change_is_kept(tmp_path):
    live = cluster(tmp_path, 1)
    await live.submit(training())
    await with_status(live, phase="Running")
    assert json.loads((tmp_path / "training.json").read_text())["status"] == {"phase": "Running"}


async def test_a_change_that_cannot_be_saved_is_told_of_and_leaves_the_file_as_it_was(tmp_path: Path):
    told: list[TrainingNotSaved] = []
    live = cluster(tmp_path, 1, unsaved=told.append)
    await live.submit(training())
    before = (tmp_path / "training.json").read_text()
    (tmp_path / "training.new").mkdir()  # a file of that name cannot be written any more
    await with_status(live, phase="Running")
    assert (tmp_path / "training.json").read_text() == before
    assert [str(error) for error in told] == [f"{tmp_path / 'training.json'} cannot be written: Is a directory"]
