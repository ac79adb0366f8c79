"""The hospital example: its patients, its app, and what federation is worth there, without Kafka."""

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file
from sklearn.datasets import load_breast_cancer

from fedka.api.loading import load_object
from fedka.participant.config import typed_config
from fedka.participant.entrypoint import load_app

from ..reference_loop import ReferenceModel, reference_run
from .loading import EXAMPLES, importable

EXAMPLE = EXAMPLES / "hospital"
SPEC = yaml.safe_load((EXAMPLE / "training.yaml").read_text())["spec"]
NAMES = [participant["name"] for participant in SPEC["participants"]]
CONFIG = SPEC["app"]["config"]


@pytest.fixture(scope="module")
def app():
    with importable(EXAMPLE):
        yield load_app(SPEC["app"]["entrypoint"], EXAMPLE)


@pytest.fixture(scope="module")
def run(app) -> list[ReferenceModel]:
    """The training of training.yaml, by the reference loop."""
    participants = dict.fromkeys(NAMES, CONFIG)
    return reference_run(app, participants, seed=SPEC["rounds"]["seed"], rounds=SPEC["rounds"]["count"])


@pytest.fixture(scope="module")
def rows(app, run, tmp_path_factory):
    """The comparison's rows, for the federated model of the reference loop."""
    import comparison  # noqa: PLC0415 found once the app is loaded
    import hospital  # noqa: PLC0415

    config = typed_config(hospital.Config, CONFIG)
    model = hospital.make_model(config)
    tensors = model.state_dict()
    parts = np.split(run[-1].coordinates, np.cumsum([tensor.numel() for tensor in tensors.values()])[:-1])
    file = tmp_path_factory.mktemp("model") / "model.safetensors"
    named = zip(tensors.items(), parts, strict=True)
    save_file({name: torch.tensor(part).reshape(tensor.shape) for (name, tensor), part in named}, file)
    return comparison.compare(config, SPEC["rounds"]["count"], file)


@pytest.fixture(scope="module")
def table(rows):
    return {row.who: row.verdict for row in rows}


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


def test_a_rerun_gives_the_same_models_to_the_last_bit(app, run):
    participants = dict.fromkeys(NAMES, CONFIG)
    again = reference_run(app, participants, seed=SPEC["rounds"]["seed"], rounds=3)
    assert [model.digest for model in again] == [model.digest for model in run[:4]]
    assert len({model.digest for model in run}) == len(run)


def test_who_gives_the_first_model_does_not_matter(app):
    participants = dict.fromkeys(NAMES, CONFIG)
    digests = {reference_run(app, participants, seed=1, rounds=1, first=name)[-1].digest for name in NAMES}
    assert len(digests) == 1


def test_the_shared_model_finds_more_cases_than_the_small_hospitals_alone(table):
    for name in ("screening", "cancer-centre", "rural"):
        assert table["federated"].recall > table[name].recall
        assert table["federated"].accuracy > table[name].accuracy


def test_the_shared_model_is_nearly_as_good_as_with_all_data_in_one_place(table):
    assert table["federated"].accuracy >= table["pooled"].accuracy - 0.03
    assert table["federated"].recall >= table["pooled"].recall - 0.06


@pytest.mark.slow
@pytest.mark.parametrize("runs", [1, 3])
def test_the_picture_is_small_and_the_same_for_the_same_table(rows, tmp_path, runs):
    import plot  # noqa: PLC0415

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
