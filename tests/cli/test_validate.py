"""`fedka validate`: every error with its line, in words or as JSON, and an exit code."""

import io
import json

import pytest

from fedka import exit_codes
from fedka.cli.validate import validate

from .trainings import training


@pytest.fixture
def here(directory, monkeypatch):
    monkeypatch.chdir(directory.path)
    return directory


def test_valid_file_is_said_to_be_valid(here, capsys):
    assert validate([here.write(training())], as_json=False) == exit_codes.OK
    assert capsys.readouterr().out == "training.yaml: valid\n"


def test_each_error_is_a_line_with_file_field_fault_and_fix(here, capsys):
    broken = training(rounds={"count": 0, "onQuorumMiss": "Again"})
    assert validate([here.write(broken)], as_json=False) == exit_codes.CONFIG
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["spec.rounds.count", "spec.rounds.onQuorumMiss"]
    assert "must be at least 1, not 0" in lines[0]
    assert "must be Retry or Skip or Fail" in lines[1]
    assert all(line.startswith("training.yaml:") for line in lines)


def test_what_only_arithmetic_can_tell_is_told(here, capsys):
    broken = training(rounds={"count": 1, "quorum": 5})
    assert validate([here.write(broken)], as_json=False) == exit_codes.CONFIG
    assert "spec.rounds.quorum" in capsys.readouterr().out


def test_one_wrong_file_of_several_decides(here, capsys):
    files = [here.write(training(), "good.yaml"), "missing.yaml"]
    assert validate(files, as_json=False) == exit_codes.CONFIG
    out = capsys.readouterr().out
    assert "good.yaml: valid\n" in out
    assert "missing.yaml: there is no such file" in out


def test_syntax_error_names_line_and_column(here, capsys):
    assert validate([here.write("spec: [1, 2\nkind: x")], as_json=False) == exit_codes.CONFIG
    assert capsys.readouterr().out.startswith("training.yaml:2:")


def test_json_has_a_verdict_for_each_file(here, capsys):
    files = [here.write(training(), "good.yaml"), here.write(training(rounds={"count": 0}), "bad.yaml")]
    assert validate(files, as_json=True) == exit_codes.CONFIG
    good, bad = json.loads(capsys.readouterr().out)["files"]
    assert good == {"file": "good.yaml", "valid": True, "errors": []}
    assert (bad["valid"], bad["errors"][0]["path"]) == (False, "spec.rounds.count")


def test_dash_reads_stdin(here, capsys, monkeypatch):
    text = (here.path / here.write(training(rounds={"count": 0}))).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert validate(["-"], as_json=False) == exit_codes.CONFIG
    assert capsys.readouterr().out.startswith("-:")
