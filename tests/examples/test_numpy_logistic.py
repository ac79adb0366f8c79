"""The smallest example, by `fedka run` on a real Kafka: three who have seen some digits each learn all of them."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file

from fedka import exit_codes
from fedka.participant.entrypoint import load_app

from ..reference_loop import reference_run
from .loading import EXAMPLES, importable

EXAMPLE = EXAMPLES / "numpy-logistic"
SPEC = yaml.safe_load((EXAMPLE / "training.yaml").read_text())["spec"]
CONFIGS = {participant["name"]: participant["config"] for participant in SPEC["participants"]}
ALL = SimpleNamespace(config={"digits": "0123456789"})
PATIENCE = 240


@pytest.fixture(scope="module")
def app():
    with importable(EXAMPLE):
        yield load_app(SPEC["app"]["entrypoint"], EXAMPLE)


@pytest.fixture(scope="module")
def accuracy(app):
    """Of a model on all digits that nobody trained on."""
    import digits  # noqa: PLC0415 found once the app is loaded

    images, truth = digits.seen_by(ALL, held_out=True)
    return lambda model: (digits.probabilities(model, images).argmax(axis=1) == truth.argmax(axis=1)).mean()


@pytest.fixture(scope="module")
def alone(app):
    """What each learns without the others, with as many steps."""
    import digits  # noqa: PLC0415

    models = {name: digits.model(ALL) for name in CONFIGS}
    for name, model in models.items():
        for _ in range(SPEC["rounds"]["count"]):
            digits.train(model, SimpleNamespace(config=CONFIGS[name]))
    return models


def test_each_alone_knows_its_own_digits_at_most(alone, accuracy):
    for name, model in alone.items():
        assert accuracy(model) <= len(CONFIGS[name]["digits"]) / 10 + 0.05


@pytest.mark.kafka
def test_a_run_gives_a_model_that_knows_all_digits_and_is_the_reference_loops(app, accuracy, kafka, tmp_path):
    model = tmp_path / "model.safetensors"
    command = [sys.executable, "-m", "fedka", "run", str(EXAMPLE / "training.yaml"), "-o", "json"]
    command += ["--state-dir", str(tmp_path / "state"), "--model-out", str(model)]
    command += ["--bootstrap-servers", kafka.bootstrap_servers]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == exit_codes.OK, done.stderr
    rounds = SPEC["rounds"]
    expected = reference_run(app, CONFIGS, seed=rounds.get("seed", 0), rounds=rounds["count"])
    status = yaml.safe_load(done.stdout)["status"]
    assert status["rounds"]["summary"] == "{count}/{count}".format(**rounds)
    assert status["model"]["digest"] == f"blake3:{expected[-1].digest}"
    tensors = load_file(model)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {"weights": (64, 10), "bias": (10,)}
    assert accuracy(tensors) == pytest.approx(0.939, abs=0.005)
    assert np.isfinite(tensors["weights"]).all()
