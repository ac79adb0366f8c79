"""`fedka runs` and `fedka remove`: what lies on this machine."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.place import nothing_here
from fedka.cli.runs import list_runs, remove_runs
from fedka.local.state_dir import StateDir, StateDirInUse

from .kept import COMPLETE, RUNNING, called, keep

NOBODY = 65534


def listed(runs, capsys) -> list[dict[str, object]]:
    assert list_runs(as_json=True, runs=runs) == exit_codes.OK
    return json.loads(capsys.readouterr().out)["runs"]


def test_newest_comes_first_with_what_became_of_it(tmp_path, capsys):
    keep(tmp_path / "tiny-20260101-120000", COMPLETE)
    keep(tmp_path / "tiny-20260102-120000", RUNNING, began="2026-01-02T12:00:00Z")
    under_way = StateDir(keep(tmp_path / "tiny-20260103-120000", RUNNING, began="2026-01-03T12:00:00Z"))
    lines = listed(tmp_path, capsys)
    under_way.release()
    assert [(line["run"][5:13], line["phase"], line["rounds"]) for line in lines] == [
        ("20260103", "Running", "2/5"), ("20260102", "Interrupted", "2/5"), ("20260101", "Complete", "5/5"),
    ]  # fmt: skip


def test_run_that_cannot_be_read_is_listed(tmp_path, capsys):
    keep(tmp_path / "tiny", RUNNING)
    (tmp_path / "tiny" / "training.json").write_text("{")
    assert [(line["training"], line["phase"]) for line in listed(tmp_path, capsys)] == [("tiny", "Unreadable")]


@contextmanager
def without_rights() -> Iterator[None]:
    """Files are closed to root by nothing; whoever else runs the tests is closed out of them as it is."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_run_of_somebody_else_does_not_hide_the_others(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the directories above are closed as well
    tmp_path.chmod(0o755)
    keep(Path("runs/tiny-20260101-120000"), COMPLETE)
    theirs = keep(Path("runs/theirs"), COMPLETE)
    StateDir(theirs).release()
    theirs.chmod(0o000)
    with without_rights():
        lines = listed(Path("runs"), capsys)
        here = nothing_here("tinny", Path("runs"))
    theirs.chmod(0o755)
    told = [(line["training"], line["phase"], line["rounds"]) for line in lines]
    assert sorted(told) == [("theirs", "Unreadable", ""), ("tiny", "Complete", "5/5")]
    assert here.endswith("did you mean tiny?")


def test_run_that_cannot_be_removed_is_said_to_stay(tmp_path):
    kept = keep(tmp_path / "elsewhere" / "tiny-1", COMPLETE)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "tiny-2").symlink_to(kept)
    with pytest.raises(CommandFailed, match=r"tiny-2 was not removed, or not all of it: .*symbolic link"):
        remove_runs(["tiny-2"], say=print, runs=tmp_path / "runs")
    assert (kept / "training.json").exists()


def test_size_is_that_on_the_disk(tmp_path, capsys):
    run = keep(tmp_path / "tiny", RUNNING)
    with (run / "full").open("wb") as full, (run / "hole").open("wb") as hole:
        full.write(b"x" * 3_000_000)
        hole.truncate(500_000_000)
    assert 3 <= listed(tmp_path, capsys)[0]["megabytes"] < 4


def test_table_has_a_line_for_each(tmp_path, capsys):
    keep(tmp_path / "tiny-20260101-120000", COMPLETE)
    list_runs(as_json=False, runs=tmp_path)
    heads, line = (line.split() for line in capsys.readouterr().out.splitlines())
    assert heads == ["Run", "Training", "Phase", "Rounds", "Began", "MB"]
    assert line[:5] == ["tiny-20260101-120000", "tiny", "Complete", "5/5", "2026-01-01T12:00:00Z"]


def test_no_runs_are_said_to_be_none(tmp_path, capsys):
    list_runs(as_json=False, runs=tmp_path / "none")
    assert "there are no runs" in capsys.readouterr().out


def test_removed_run_is_gone_and_the_others_are_not(tmp_path):
    first, second = (keep(tmp_path / name, COMPLETE) for name in ("tiny-1", "tiny-2"))
    said: list[str] = []
    assert remove_runs(["tiny-1", "tiny-1"], say=said.append, runs=tmp_path) == exit_codes.OK
    assert (first.exists(), second.exists()) == (False, True)
    assert said == [f"removed {first}"]


@pytest.fixture
def elsewhere(tmp_path) -> str:
    """A run whose Kafka is another's, at an address where nobody listens; the address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        servers = f"127.0.0.1:{listener.getsockname()[1]}"
    called(keep(tmp_path / "tiny-1", COMPLETE), tmp_path / "t.yaml", servers=servers)
    return servers


def test_topics_that_are_to_stay_are_said(tmp_path, elsewhere):
    said: list[str] = []
    remove_runs(["tiny-1"], say=said.append, keep_topics=True, runs=tmp_path)
    assert said == [f"removed {tmp_path}/tiny-1; its topics stay in the Kafka at {elsewhere}"]


def test_topics_that_the_spec_retains_are_said(tmp_path, elsewhere):
    file = tmp_path / "tiny-1" / "training.json"
    obj = json.loads(file.read_text())
    obj["spec"]["kafka"] = {"reclaimPolicy": "Retain"}
    file.write_text(json.dumps(obj))
    said: list[str] = []
    remove_runs(["tiny-1"], say=said.append, runs=tmp_path)
    assert said[0].endswith(f"at {elsewhere}, as spec.kafka.reclaimPolicy is Retain")


@pytest.mark.slow  # as long as Kafka is asked for
def test_run_whose_topics_cannot_be_removed_stays(tmp_path, elsewhere):
    with pytest.raises(CommandFailed, match=f"{elsewhere}: .*Try again when Kafka is back, or add --keep-topics"):
        remove_runs(["tiny-1"], say=print, runs=tmp_path)
    assert (tmp_path / "tiny-1" / "training.json").exists()


def test_trainings_name_does_not_remove_its_runs(tmp_path):
    for name in ("tiny-1", "tiny-2"):
        keep(tmp_path / name, COMPLETE)
    with pytest.raises(CommandFailed, match="tiny is a training; name its runs: tiny-2 tiny-1") as raised:
        remove_runs(["tiny"], say=print, runs=tmp_path)
    assert raised.value.code == exit_codes.USAGE


def test_one_wrong_name_removes_nothing(tmp_path):
    kept = keep(tmp_path / "tiny-1", COMPLETE)
    with pytest.raises(CommandFailed, match="there is no run tiny-9"):
        remove_runs(["tiny-1", "tiny-9"], say=print, runs=tmp_path)
    assert kept.exists()


def test_run_under_way_is_not_removed(tmp_path):
    state_dir = StateDir(keep(tmp_path / "tiny-1", RUNNING))
    with pytest.raises(StateDirInUse, match="in use by the run"):
        remove_runs(["tiny-1"], say=print, runs=tmp_path)
    state_dir.release()
    assert state_dir.path.exists()


def test_both_are_commands(directory):
    keep(directory.path / ".fedka" / "tiny-1", COMPLETE)
    assert "tiny-1" in directory.fedka("runs").stdout
    assert directory.fedka("remove", "tiny-1").process.returncode == exit_codes.OK
    assert not (directory.path / ".fedka").exists()
