"""The console entry: which command is loaded, help, versions, and what wrong usage ends with."""

import subprocess
import sys

import pytest

from fedka import exit_codes
from fedka.version import VERSION

COMMANDS = (
    "run", "validate", "plan", "version", "join", "status", "rounds", "watch", "logs", "suspend", "resume", "bundle",
    "runs", "remove",
)  # fmt: skip
PEOPLES = ("typer", "rich", "yaml", "pydantic", "numpy")


def test_supervisor_of_a_pod_loads_nothing_that_only_people_need(directory):
    program = f"""
import sys
import fedka.supervisor
import fedka.cli.main
fedka.supervisor.supervise = lambda argv: print(argv[1:]) or 0
sys.argv = ["/bin/fedka", "participant", "--bundle", "here"]
code = fedka.cli.main.main()
print([name for name in {PEOPLES} if name in sys.modules])
sys.exit(code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['/bin/fedka', 'participant', '--unsupervised', '--bundle', 'here']", "[]"]


@pytest.mark.parametrize("role", ["aggregator", "participant"])
def test_pod_command_without_a_bundle_is_wrong_usage_and_not_tried_again(directory, role):
    done = directory.fedka(role, FEDKA_BUNDLE="")
    assert done.process.returncode == exit_codes.USAGE
    assert "--bundle DIR or in FEDKA_BUNDLE" in done.stderr
    assert "starting again" not in done.stderr


@pytest.mark.parametrize("role", ["aggregator", "participant"])
def test_pod_command_names_the_bundle_that_it_cannot_read(directory, role):
    done = directory.fedka(role, "--bundle", "/nowhere")
    assert done.process.returncode == exit_codes.CONFIG
    assert "/nowhere/bundle.json" in done.stderr


@pytest.mark.parametrize("role", ["aggregator", "participant"])
def test_pod_command_says_how_it_is_used(directory, role):
    done = directory.fedka(role, "--help")
    assert done.process.returncode == exit_codes.OK
    assert "--bundle DIR" in done.stdout


def test_pod_command_refuses_an_option_that_it_does_not_know(directory):
    done = directory.fedka("aggregator", "--nonsense")
    assert done.process.returncode == exit_codes.USAGE
    assert "--nonsense" in done.stderr


def test_help_lists_every_command(directory):
    done = directory.fedka("--help")
    assert done.process.returncode == exit_codes.OK
    for command in (*COMMANDS, "model", "aggregator", "participant"):
        assert f" {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(directory, command):
    done = directory.fedka(command, "--help")
    assert done.process.returncode == exit_codes.OK
    assert f"fedka {command}" in done.stdout


def test_version_names_the_software(directory):
    assert f"fedka {VERSION}" in directory.fedka("version").stdout
    assert directory.fedka("--version").stdout == f"fedka {VERSION}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["launch"],
        ["run"],
        ["run", "x.yaml", "--nonsense"],
        ["plan", "x", "-o", "xml"],
        ["logs", "x", "a", "--aggregator"],
    ],
)
def test_wrong_usage_ends_with_its_own_code(directory, arguments):
    assert directory.fedka(*arguments).process.returncode == exit_codes.USAGE
