"""Every end of `fedka run`, and what is left on the machine after it: nothing but the run's own directory, if it began.

Runs whose end has nothing to do with their Kafka use the suite's.
"""

import os
import signal
import subprocess
import sys

import pytest
from confluent_kafka.admin import AdminClient

from fedka import exit_codes

from ..cli.trainings import training
from ..integration.followed_journal import eventually
from .traces import LEAVING_A_DAEMON, LONG

pytestmark = pytest.mark.kafka


@pytest.fixture
def run(machine, kafka):
    """Start `fedka run` on the suite's broker."""

    def start(obj, *arguments: str):
        file = machine.write(obj)
        return machine.start("run", file, "--bootstrap-servers", kafka.bootstrap_servers, *arguments)

    return start


def topics(kafka) -> set[str]:
    return set(AdminClient({"bootstrap.servers": kafka.bootstrap_servers}).list_topics(timeout=60).topics)


def test_complete_run_whose_app_leaves_a_daemon_behind_and_its_removal(machine, run, kafka):
    machine.app(LEAVING_A_DAEMON)
    before = topics(kafka)
    assert run(training(), "-q", "--model-out", "model.safetensors").wait() == exit_codes.OK
    assert machine.left_behind() == []
    assert machine.litter() == []
    (state,) = (machine.path / ".fedka").iterdir()
    assert {path.name for path in machine.path.iterdir()} - {"__pycache__"} == {
        ".fedka", "tiny_app.py", "training.yaml", "model.safetensors",
    }  # fmt: skip
    ours = {name for name in topics(kafka) - before if ".default.tiny." in name}
    assert ours, "the run's topics are there as long as its directory"
    uid = next(iter(ours)).split(".default.tiny.")[1].split(".")[0]
    removed = machine.fedka("remove", state.name)
    assert f"and 7 topics from the Kafka at {kafka.bootstrap_servers}" in removed.stderr
    assert not (machine.path / ".fedka").exists()
    eventually(lambda: not any(uid in name for name in topics(kafka)), "the end of the topics, as the broker shows it")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_run_that_a_signal_ends_in_a_round(machine, run, number):
    machine.app(LEAVING_A_DAEMON)
    running = run(LONG)
    running.until("round 1/2000")
    assert any(command.startswith("sleep 3600") for _, command in machine.processes())
    running.send(number)
    assert running.wait() == exit_codes.INTERRUPTED
    assert "To go on: fedka run" in running.stderr
    assert machine.left_behind() == []
    assert machine.litter() == []


def test_run_whose_reader_leaves_is_stopped_in_order(machine, kafka):
    command = [
        sys.executable,
        "-m",
        "fedka",
        "run",
        machine.write(LONG),
        "--bootstrap-servers",
        kafka.bootstrap_servers,
    ]
    reading, writing = os.pipe()
    process = subprocess.Popen(
        command,
        cwd=machine.path,
        env={**os.environ, **machine.environment({})},
        stdin=subprocess.DEVNULL,
        stderr=writing,
    )
    os.close(writing)
    with open(reading, encoding="utf-8") as stderr:  # noqa: PTH123  a descriptor
        assert any("round 1/2000" in line for line in stderr)
    assert process.wait(120) == exit_codes.INTERRUPTED
    assert machine.left_behind() == []
    assert machine.litter() == []


def test_two_runs_of_the_same_file_at_once(machine, run):
    first, second = run(training(), "-o", "json"), run(training(), "-o", "json")
    assert (first.wait(), second.wait()) == (exit_codes.OK, exit_codes.OK)
    assert len(list((machine.path / ".fedka").iterdir())) == 2
    assert machine.left_behind() == []
    assert machine.litter() == []
