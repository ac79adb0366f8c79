"""`fedka run` where it can be known before anything starts that it will not work: what is said, and the exit code."""

import socket

import pytest

from fedka import exit_codes

from .trainings import training

pytestmark = pytest.mark.slow  # each is a process that starts to run


@pytest.fixture
def file(directory):
    return directory.write(training())


def refused(directory, *arguments: str, **environment: str):
    """Exit code and stderr of a run that must leave nothing behind."""
    done = directory.fedka("run", *arguments, **environment)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert directory.left_behind() == []
    assert not (directory.path / ".fedka").exists()
    return done.process.returncode, done.stderr


def test_missing_file(directory):
    code, said = refused(directory, "missing.yaml")
    assert code == exit_codes.CONFIG
    assert "missing.yaml: there is no such file" in said


def test_invalid_file(directory):
    code, said = refused(directory, directory.write(training(rounds={"count": 0})))
    assert code == exit_codes.CONFIG
    assert "spec.rounds.count: must be at least 1, not 0" in said


def test_suspended_training(directory):
    code, said = refused(directory, directory.write(training(suspend=True)))
    assert code == exit_codes.CONFIG
    assert "--set suspend=false" in said


def test_no_directory_for_the_model(directory, file):
    code, said = refused(directory, file, "--model-out", "nowhere/model.safetensors")
    assert code == exit_codes.USAGE
    assert "there is no directory nowhere" in said


@pytest.mark.parametrize("path", ["", "."])
def test_state_directory_that_is_the_current_one(directory, file, path):
    code, said = refused(directory, file, "--state-dir", path)
    assert code == exit_codes.USAGE
    assert "--state-dir is empty or the current directory" in said


def test_directory_in_the_place_of_the_model(directory, file):
    code, said = refused(directory, file, "--model-out", ".")
    assert code == exit_codes.USAGE
    assert "is a directory" in said


def test_unreachable_kafka(directory, file):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    code, said = refused(directory, file, "--bootstrap-servers", f"127.0.0.1:{port}")
    assert code == exit_codes.FAILED
    assert f"127.0.0.1:{port}: Connection refused" in said


def test_address_that_is_none(directory, file):
    code, said = refused(directory, file, "--bootstrap-servers", "localhost")
    assert code == exit_codes.USAGE
    assert "HOST:PORT" in said


def test_no_java(directory, file, tmp_path_factory):
    code, said = refused(directory, file, PATH=str(tmp_path_factory.mktemp("empty")), JAVA_HOME="")
    assert code == exit_codes.FAILED
    assert "Java" in said
    assert "--bootstrap-servers" in said


def test_state_directory_that_cannot_be_made(directory, file):
    (directory.path / "taken").write_text("a file")
    code, said = refused(directory, file, "--state-dir", "taken/here")
    assert code == exit_codes.FAILED
    assert "taken/here cannot be used" in said


def test_unexpected_error_is_one_line_and_debug_shows_where(directory, file):
    (directory.path / "state").mkdir()
    (directory.path / "state" / "logs").write_text("a file where a directory belongs")
    done = directory.fedka("run", file, "--state-dir", "state")
    assert done.process.returncode == exit_codes.FAILED
    assert "fedka: unexpected FileExistsError" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in directory.fedka("run", file, "--state-dir", "state", "--debug").stderr
