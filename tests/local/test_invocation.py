"""How a run was called, kept for whoever takes it up again."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from fedka.local.invocation import Invocation, read_invocation, shown


def test_what_was_kept_is_read_again(tmp_path):
    kept = replace(Invocation.of("tiny", "t.yaml", ["rounds.count=3"], "kafka:9092"), kafka="127.0.0.1:20001")
    kept.store(tmp_path)
    assert read_invocation(tmp_path) == kept


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"training": "tiny"}'])
def test_what_is_not_understood_is_as_if_it_were_not_there(tmp_path, content):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    assert read_invocation(tmp_path) is None


def test_command_fits_the_directory_that_it_is_asked_for_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = Invocation.of("tiny", "my file.yaml", ["config.note=a b"], "kafka:9092")
    state_dir = tmp_path / ".fedka" / "tiny-1"
    here = "fedka run 'my file.yaml' --set 'config.note=a b' --state-dir .fedka/tiny-1 --bootstrap-servers kafka:9092"
    assert kept.command(state_dir) == here
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert shlex.split(kept.command(state_dir))[2] == str(tmp_path / "my file.yaml")


def test_training_of_stdin_is_not_made_a_file():
    assert Invocation.of("tiny", "-", (), None).command(Path("state")).startswith("fedka run - --state-dir ")


def test_path_elsewhere_is_shown_whole(tmp_path):
    assert shown(tmp_path) == tmp_path
