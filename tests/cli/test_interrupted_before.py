"""What a new run says of an interrupted one of the same file."""

import pytest

from fedka.cli.interrupted_before import interrupted_before
from fedka.local.invocation import Invocation
from fedka.local.state_dir import StateDir

from .kept import COMPLETE, RUNNING, called, keep

LATER = "2026-01-02T12:00:00Z"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "training.yaml"


@pytest.fixture
def asked(tmp_path, file):
    """What is said to whoever runs the file."""
    return lambda: interrupted_before(Invocation.of("tiny", str(file), (), None), tmp_path / "runs")


@pytest.fixture
def interrupted(tmp_path, file):
    return called(keep(tmp_path / "runs" / "tiny-1", RUNNING), file, "rounds.count=5")


def test_interrupted_run_is_said_with_the_command_that_takes_it_up(asked, interrupted, file):
    said = asked()
    assert f"an interrupted run of tiny lies in {interrupted} after 2/5 rounds" in said
    assert said.endswith(f"fedka run {file} --set rounds.count=5 --state-dir {interrupted}")


def test_run_of_another_file_is_not_said(asked, interrupted, tmp_path):
    called(interrupted, tmp_path / "another.yaml")
    assert asked() == ""


def test_run_of_stdin_is_not_known_again(asked, interrupted, tmp_path):
    called(interrupted, "-")
    assert interrupted_before(Invocation.of("tiny", "-", (), None), tmp_path / "runs") == ""


def test_run_under_way_is_not_interrupted(asked, interrupted):
    state_dir = StateDir(interrupted)
    assert asked() == ""
    state_dir.release()
    assert asked() != ""


def test_interrupted_run_is_forgotten_once_a_later_one_has_ended(asked, interrupted, file, tmp_path):
    called(keep(tmp_path / "runs" / "tiny-2", COMPLETE, began=LATER), file)
    assert asked() == ""


def test_nothing_is_said_where_nothing_lies(asked):
    assert asked() == ""
