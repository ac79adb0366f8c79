"""Completion as a shell asks for it: by a variable, with the words typed so far."""

import subprocess
import sys

import pytest

from fedka import exit_codes

from .kept import COMPLETE, RUNNING, keep

HEAVY = ("fedka.api.training", "fedka.local.saved", "numpy", "yaml", "torch", "confluent_kafka", "aiohttp")


def offered(directory, *words: str) -> list[str]:
    """What bash offers for the last of these words."""
    line = " ".join(("fedka", *words))
    done = directory.fedka(_FEDKA_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words)))
    assert done.process.returncode == exit_codes.OK, done.stderr
    return done.stdout.split()


@pytest.fixture
def runs(directory):
    parent = directory.path / ".fedka"
    keep(parent / "tiny-20260101-120000", COMPLETE)
    keep(parent / "fraud-20260101-120000", RUNNING, name="fraud")
    return directory


def test_commands_are_offered(directory):
    assert {"status", "suspend"} <= set(offered(directory, "s"))


def test_names_of_trainings_and_of_their_runs_are_offered(runs):
    assert offered(runs, "status", "t") == ["tiny", "tiny-20260101-120000"]
    assert offered(runs, "model", "get", "fr") == ["fraud", "fraud-20260101-120000"]


def test_participants_of_the_training_are_offered_for_its_logs(runs):
    assert offered(runs, "logs", "tiny", "ba") == ["bank-a", "bank-b"]
    assert offered(runs, "logs", "tiny-20260101-120000", "bank-b") == ["bank-b"]
    assert offered(runs, "logs", "unknown", "ba") == []


def test_runs_are_offered_for_removal_and_trainings_are_not(runs):
    assert sorted(offered(runs, "remove", "")) == ["fraud-20260101-120000", "tiny-20260101-120000"]


def test_run_of_a_named_directory_is_offered(directory):
    keep(directory.path / "elsewhere", RUNNING)
    assert "tiny" in offered(directory, "status", "--state-dir", "elsewhere", "t")


@pytest.mark.parametrize(("shell", "word"), [("zsh", "tiny"), ("fish", "tiny")])
def test_other_shells_get_what_became_of_each_beside_it(runs, shell, word):
    words = {"_TYPER_COMPLETE_ARGS": "fedka status t", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = runs.fedka(_FEDKA_COMPLETE=f"complete_{shell}", **words)
    assert word in done.stdout
    assert "Complete 5/5" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script_for_the_shell_is_shown(directory, shell):
    done = directory.fedka(_FEDKA_COMPLETE=f"source_{shell}")
    assert "_FEDKA_COMPLETE" in done.stdout
    assert "complete_" + shell in done.stdout


def test_nothing_heavy_is_loaded_for_it(runs):
    program = f"""
import sys, atexit
atexit.register(lambda: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr))
sys.argv = ["fedka"]
import fedka.cli.main
fedka.cli.main.main()
"""
    environment = {"_FEDKA_COMPLETE": "complete_bash", "COMP_WORDS": "fedka logs tiny b", "COMP_CWORD": "3"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=runs.path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["bank-a", "bank-b"]
    assert done.stderr.splitlines() == ["[]"]
