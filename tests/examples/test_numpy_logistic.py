"""The smallest example, by `fedka run` on a real Kafka: three who have seen some digits each learn all of them."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml
from safetensors.numpy import load_file

from fedka import exit_codes
from fedka.participant.context import seed_for
from fedka.participant.entrypoint import load_app

from ..reference_loop import reference_run
from .loading import EXAMPLES, importable

EXAMPLE = EXAMPLES / "numpy-logistic"
README = (EXAMPLE / "README.md").read_text()
SPEC = yaml.safe_load((EXAMPLE / "training.yaml").read_text())["spec"]
CONFIGS = {participant["name"]: participant["config"] for participant in SPEC["participants"]}
ALL = {"digits": "0123456789"}
SEED = 42  # the default of spec.rounds.seed
ROUNDS = SPEC["rounds"]["count"]
ONE_IMAGE = 100 / 450  # what the percentages may differ by on another CPU
PATIENCE = 240
ONE_ROUND = """
import sys
import fedka.participant.main
from fedka.participant.entrypoint import load_app
from pathlib import Path
from tests.reference_loop import reference_run
reference_run(load_app("digits:app", Path(sys.argv[1])), {"anna": {"digits": "0123"}}, seed=42, rounds=1)
print("sklearn" in sys.modules, "torch" in sys.modules)
"""


@pytest.fixture(scope="module")
def app():
    with importable(EXAMPLE):
        yield load_app(SPEC["app"]["entrypoint"], EXAMPLE)


@pytest.fixture(scope="module")
def percent_right(app):
    """Of a model on all digits that nobody trained on."""
    import digits  # noqa: PLC0415 found once the app is loaded

    return lambda model: 100 * digits.evaluate(model, SimpleNamespace(config=ALL)).metrics["test_score"]


@pytest.fixture(scope="module")
def told():
    """The README's figures, by the first word of their line."""
    rows = re.findall(r"^\| \**(\w+)[^|]* \| \**([0-9.]+) %\** \|$", README, re.MULTILINE)
    return {who: pytest.approx(float(figure), abs=ONE_IMAGE + 0.05) for who, figure in rows}


def test_it_is_all_of_thirty_lines():
    assert len((EXAMPLE / "digits.py").read_text().splitlines()) <= 30


def test_a_participant_of_it_loads_no_torch():
    done = subprocess.run(
        [sys.executable, "-c", ONE_ROUND, str(EXAMPLE)],
        cwd=EXAMPLES.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_without_federation_the_readme_tells_what_is_learnt(app, percent_right, told):
    import digits  # noqa: PLC0415

    assert told.keys() == CONFIGS.keys() | {"federated", "all"}
    for name, config in {**CONFIGS, "all": ALL}.items():
        model = digits.model(None)
        for number in range(1, ROUNDS + 1):
            digits.train(model, SimpleNamespace(config=config, seed=seed_for(SEED, name, number)))
        assert percent_right(model) == told[name], name


@pytest.mark.kafka
def test_a_run_learns_what_the_readme_tells_as_the_reference_loop_does(app, percent_right, told, kafka, tmp_path):
    import digits  # noqa: PLC0415

    model = tmp_path / "digits.safetensors"
    command = [sys.executable, "-m", "fedka", "run", str(EXAMPLE / "training.yaml"), "-o", "json"]
    command += ["--state-dir", str(tmp_path / "state"), "--model-out", str(model)]
    command += ["--bootstrap-servers", kafka.bootstrap_servers]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == exit_codes.OK, done.stderr
    expected = reference_run(app, CONFIGS, seed=SEED, rounds=ROUNDS)
    status = yaml.safe_load(done.stdout)["status"]
    assert status["rounds"]["summary"] == f"{ROUNDS}/{ROUNDS}"
    assert status["model"]["digest"] == f"blake3:{expected[-1].digest}"
    tensors = load_file(model)
    assert {name: tensor.shape for name, tensor in tensors.items()} == {"coef": (10, 64), "intercept": (10,)}
    assert percent_right(tensors) == told["federated"]
    (use,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    names = {"images": digits.X_test}
    exec(use.replace(model.name, str(model)), names)  # noqa: S102
    assert 100 * (names["read"] == digits.y_test).mean() == pytest.approx(percent_right(tensors))
