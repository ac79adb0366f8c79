"""Which training a name means: that of a directory, of the newest run here, or of a cluster."""

import pytest

from fedka.cli.errors import CommandFailed
from fedka.cli.place import find_run, nothing_here
from fedka.cli.source import NoSuchTraining
from fedka.local.state_dir import StateDir

from .kept import COMPLETE, RUNNING, called, keep


def found(name, runs, *, state_dir=None, in_cluster=False):
    return find_run(name, state_dir=state_dir, in_cluster=in_cluster, runs=runs)


def test_newest_run_of_the_training_is_meant_and_said(tmp_path):
    keep(tmp_path / "tiny-20260101-120000", COMPLETE)
    keep(tmp_path / "tiny-20260102-120000", RUNNING, began="2026-01-02T12:00:00Z")
    keep(tmp_path / "tiny-two-20260103-120000", RUNNING, name="tiny-two", began="2026-01-03T12:00:00Z")
    run = found("tiny", tmp_path)
    assert run.directory.name == "tiny-20260102-120000"
    assert run.note.endswith("tiny-20260102-120000, the newest of 2; fedka runs lists them")


def test_of_runs_of_one_second_the_higher_number_is_the_newer(tmp_path):
    for number in ("", "-2", "-10"):
        keep(tmp_path / f"tiny-20260101-120000{number}", RUNNING)
    assert found("tiny", tmp_path).directory.name == "tiny-20260101-120000-10"


def test_run_that_is_just_beginning_is_the_newest(tmp_path):
    keep(tmp_path / "tiny-20260101-120000", COMPLETE)
    beginning = called(tmp_path / "tiny-20260102-120000", tmp_path / "t.yaml")
    state_dir = StateDir(beginning)
    assert found("tiny", tmp_path).directory == beginning
    state_dir.release()
    assert found("tiny", tmp_path).directory.name == "tiny-20260101-120000"


def test_directory_may_be_named_by_its_own_name(tmp_path):
    older = keep(tmp_path / "tiny-20260101-120000", COMPLETE)
    keep(tmp_path / "tiny-20260102-120000", RUNNING, began="2026-01-02T12:00:00Z")
    run = found("tiny-20260101-120000", tmp_path)
    assert (run.directory, run.note) == (older, "")


def test_state_dir_is_meant_wherever_it_lies(tmp_path):
    keep(tmp_path / "runs" / "tiny-20260101-120000", COMPLETE)
    elsewhere = keep(tmp_path / "elsewhere", RUNNING)
    run = found("tiny", tmp_path / "runs", state_dir=elsewhere)
    assert (run.directory, run.named) == (elsewhere, True)


def test_file_for_a_state_dir_holds_no_run(tmp_path):
    file = tmp_path / "tiny.yaml"
    file.touch()
    with pytest.raises(NoSuchTraining, match="no run lives in --state-dir"):
        found("tiny", tmp_path, state_dir=file)


def test_state_dir_of_another_training_is_refused(tmp_path):
    elsewhere = keep(tmp_path / "elsewhere", RUNNING)
    with pytest.raises(NoSuchTraining, match="is one of tiny, not of fraud"):
        found("fraud", tmp_path, state_dir=elsewhere)


def test_state_dir_without_a_run_is_refused(tmp_path):
    with pytest.raises(NoSuchTraining, match="no run lives in --state-dir"):
        found("tiny", tmp_path, state_dir=tmp_path / "nothing")


def test_state_dir_and_a_cluster_are_not_both_meant(tmp_path):
    with pytest.raises(CommandFailed, match="leave -n, --context and --kubeconfig out"):
        found("tiny", tmp_path, state_dir=keep(tmp_path / "elsewhere", RUNNING), in_cluster=True)


def test_named_cluster_goes_before_a_run_here(tmp_path):
    keep(tmp_path / "tiny-20260101-120000", RUNNING)
    assert found("tiny", tmp_path, in_cluster=True) is None


@pytest.mark.parametrize("content", ["{", "[]", '{"kind": "Pod"}'])
def test_directory_that_holds_no_run_is_passed_over(tmp_path, content):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.json").write_text(content)
    (tmp_path / "file").touch()
    assert found("tiny", tmp_path) is None


def test_what_there_is_here_is_said(tmp_path):
    assert nothing_here("tiny", tmp_path).endswith(f"on this machine in {tmp_path}")
    keep(tmp_path / "fraud-20260101-120000", RUNNING, name="fraud")
    assert nothing_here("tiny", tmp_path).endswith("(there are: fraud)")
    assert nothing_here("frau", tmp_path).endswith("did you mean fraud?")


def test_both_places_are_named_where_neither_has_it(directory):
    done = directory.fedka("status", "tiny", KUBECONFIG=str(directory.path / "none"), HOME=str(directory.path))
    assert done.process.returncode == 1
    assert "there is no run of tiny on this machine in .fedka; in a cluster: " in done.stderr
    assert "--kubeconfig" in done.stderr
