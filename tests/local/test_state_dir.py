"""The directory of a run: one run at a time, and a new one for each that names none."""

import os
from datetime import UTC, datetime

import pytest

from fedka.local.kafka_errors import StateDirInUse
from fedka.local.state_dir import StateDir, StateDirUnusable, Use, fresh_directory

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_second_run_is_told_who_has_it(tmp_path):
    first = StateDir(tmp_path / "state")
    with pytest.raises(StateDirInUse, match=f"process id {os.getpid()}"):
        StateDir(tmp_path / "state")
    first.release()
    StateDir(tmp_path / "state").release()


def test_directory_that_cannot_be_made_is_said_to_be_unusable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StateDirUnusable, match="--state-dir"):
        StateDir(tmp_path / "file" / "state")


@pytest.mark.parametrize(
    ("use", "fix"), [(Use.RUN, "with --state-dir"), (Use.READING, "make a copy"), (Use.REMOVAL, "Ask its owner")]
)
def test_directory_that_cannot_be_used_comes_with_what_to_do_for_that_use(tmp_path, use, fix):
    (tmp_path / "file").touch()
    with pytest.raises(StateDirUnusable, match=fix):
        StateDir(tmp_path / "file" / "state", use)


def test_two_runs_in_one_second_get_directories_of_their_own(tmp_path):
    paths = [fresh_directory(tmp_path / "runs", "fraud", NOW) for _ in range(3)]
    assert [path.name for path in paths] == [
        "fraud-20260102-030405", "fraud-20260102-030405-2", "fraud-20260102-030405-3",
    ]  # fmt: skip


def test_discarded_directory_is_gone_with_its_parent_if_that_is_empty(tmp_path):
    first, second = (fresh_directory(tmp_path / "runs", "fraud", NOW) for _ in range(2))
    for path, left in ((first, True), (second, False)):
        state_dir = StateDir(path)
        state_dir.release()
        state_dir.discard()
        assert not path.exists()
        assert (tmp_path / "runs").exists() is left
