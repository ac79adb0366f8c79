"""The same bits on every CPU: numpy chooses its loops by what the CPU can do, so the choice is taken away from it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fedka.wire

SUM = Path(__file__).with_name("bits_of_a_sum.py")
RUN = Path(__file__).with_name("bits_of_a_run.py")
LAST_MODEL = "3f3e36c0f4cea8ebf9bf904f94b34baa75cc1bf9cd544e30d5422892c1c26ceb"  # on any machine
TESTS = Path(__file__).parents[1]
COMPUTING = (  # tests that compute with numpy, and say themselves what has to come out
    "wire/test_exact_sum.py",
    "wire/test_exact_range.py",
    "wire/test_exact_weights.py",
    "wire/test_chunks.py",
    "aggregator/test_replay.py",
    "aggregator/test_evaluation.py",
    "participant/test_coordinates.py",
    "participant/test_learner.py",
)
PACKAGES = Path(next(iter(fedka.wire.__path__))).parents[1]


def without(features: list[str]) -> dict[str, str]:
    """The environment of a process whose numpy does as if the CPU had none of these."""
    return os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(features), "PYTHONPATH": str(PACKAGES)}


def run(disabled: list[str], program: Path = SUM) -> dict[str, Any]:
    environment = without(disabled)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)], env=environment, capture_output=True, check=True, timeout=120
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.fixture(scope="module")
def as_it_is() -> dict[str, Any]:
    return run([])


def test_a13_the_sum_has_the_same_bits_without_any_feature_that_numpy_chooses_by(as_it_is: dict[str, Any]) -> None:
    plain = run(as_it_is["used"])
    assert plain["used"] == []
    assert plain["digest"] == as_it_is["digest"]


def test_a13_the_sum_has_the_same_bits_without_the_newest_features(as_it_is: dict[str, Any]) -> None:
    """What an older CPU of the same family computes: on one that has AVX-512, the loops for AVX2."""
    newest = as_it_is["used"][1:]
    older = run(newest)
    assert older["used"] == as_it_is["used"][:1]
    assert older["digest"] == as_it_is["digest"]


def test_a13_the_bits_are_what_they_always_were(as_it_is: dict[str, Any]) -> None:
    """On any machine: another digest means that two aggregators can disagree about the model."""
    assert as_it_is["digest"] == "94b262d10c52829918a2eec9df1097aad86716757d238caee37b9a92a2a4b2a7"


@pytest.mark.slow
def test_a_whole_run_has_the_same_bits_without_any_of_them() -> None:
    """What participants encode, what is folded and closed, and what a replay makes of logs of other machines."""
    as_ever = run([], RUN)
    plain = run(as_ever["used"], RUN)
    assert plain["used"] == []
    assert plain["digests"] == as_ever["digests"]
    assert as_ever["digests"]["made here, round 3"] == LAST_MODEL
    assert {"0.1 complete, round 3", "0.1 troubled, round 5"} <= as_ever["digests"].keys()


@pytest.mark.slow
@pytest.mark.timeout(900)  # a pytest of its own, on a loaded machine
def test_whatever_else_computes_comes_to_the_same_without_any_of_them(as_it_is: dict[str, Any]) -> None:
    """The tests themselves once more; of those that draw examples, fewer, as the loops differ and not the cases."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *COMPUTING],
        cwd=TESTS,
        env=without(as_it_is["used"]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
