"""The hospital example without Kafka: its patients, its app, its picture. What it is worth, test_demos.py judges."""

import numpy as np
import pytest
import yaml
from sklearn.datasets import load_breast_cancer

from fedka.api.loading import load_object
from fedka.participant.entrypoint import load_app

from ..reference_loop import reference_run
from .loading import EXAMPLES, importable

EXAMPLE = EXAMPLES / "hospital"
SPEC = yaml.safe_load((EXAMPLE / "training.yaml").read_text())["spec"]
NAMES = [participant["name"] for participant in SPEC["participants"]]
CONFIG = SPEC["app"]["config"]


@pytest.fixture(scope="module")
def app():
    with importable(EXAMPLE):
        yield load_app(SPEC["app"]["entrypoint"], EXAMPLE)


def test_the_training_is_valid():
    assert len(load_object(EXAMPLE / "training.yaml")["spec"]["participants"]) == 5


def test_the_data_is_scikit_learns(app):
    import cohorts  # noqa: PLC0415

    measured, label = cohorts.wisconsin()
    expected = load_breast_cancer()
    assert np.array_equal(measured, expected.data)
    assert np.array_equal(label, expected.target)


def test_every_patient_is_dealt_out_at_most_once(app):
    import cohorts  # noqa: PLC0415

    split = cohorts.deal(3)
    groups = [split.test, *(part for cohort in split.hospitals.values() for part in (cohort.train, cohort.held_out))]
    rows = np.concatenate([group.x for group in groups])
    assert len(np.unique(rows, axis=0)) == len(rows) == 568


def test_hospitals_are_as_the_readme_says(app):
    import cohorts  # noqa: PLC0415

    for name, cohort in cohorts.deal(3).hospitals.items():
        kind = cohorts.HOSPITALS[name]
        malignant = cohort.train.y.sum() + cohort.held_out.y.sum()
        assert (len(cohort.train) + len(cohort.held_out), malignant) == (kind.patients, kind.malignant)


def test_the_same_seed_deals_the_same_patients(app):
    import cohorts  # noqa: PLC0415

    first = cohorts.deal(5)
    cohorts.deal.cache_clear()
    assert np.array_equal(first.hospitals["rural"].train.x, cohorts.deal(5).hospitals["rural"].train.x)


def test_a_rerun_gives_the_same_models_to_the_last_bit(app):
    participants = dict.fromkeys(NAMES, CONFIG)
    run, again = (reference_run(app, participants, seed=SPEC["rounds"]["seed"], rounds=3) for _ in range(2))
    assert [model.digest for model in again] == [model.digest for model in run]
    assert len({model.digest for model in run}) == 4


def test_who_gives_the_first_model_does_not_matter(app):
    participants = dict.fromkeys(NAMES, CONFIG)
    digests = {reference_run(app, participants, seed=1, rounds=1, first=name)[-1].digest for name in NAMES}
    assert len(digests) == 1


@pytest.mark.slow
@pytest.mark.parametrize("runs", [1, 3])
def test_the_picture_is_small_and_the_same_for_the_same_table(app, tmp_path, runs):
    import comparison  # noqa: PLC0415
    import plot  # noqa: PLC0415
    from hospital import Verdict  # noqa: PLC0415

    who = [*NAMES, comparison.FEDERATED, comparison.POOLED]
    rows = [comparison.Row(name, 90, Verdict(0.97 - place / 50, 0.9)) for place, name in enumerate(who)]
    for name in ("one", "other"):
        plot.plot([rows] * runs, tmp_path / name)
    picture = (tmp_path / "one").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert picture == (tmp_path / "other").read_bytes()
    assert len(picture) < 60_000


def test_the_training_for_a_cluster_differs_by_its_image_alone():
    _, document = yaml.safe_load_all((EXAMPLE / "cluster.yaml").read_text())
    del document["spec"]["app"]["image"]
    assert document["spec"] == SPEC
