"""Ends of `fedka run` while it fetches, starts or runs a Kafka of its own, and what they leave."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from fedka import exit_codes

from .traces import LEAVING_A_DAEMON, LONG

JAVA = "echo 'openjdk version \"17.0.1\"' >&2"


@pytest.fixture
def file(machine) -> str:
    return machine.write(LONG)


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.slow  # a process that starts to run
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_run_that_ends_while_kafka_is_fetched(machine, file, number):
    cache, bin_ = machine.home / "cache", machine.home.with_name("bin")
    fifo = machine.home.with_name("fifo")
    os.mkfifo(fifo)
    script(bin_ / "java", JAVA)
    script(bin_ / "mvn", f'for last; do :; done; mkdir "${{last#*=}}"; echo fetching >{fifo}; exec sleep 3600')
    running = machine.start(
        "run", file, XDG_CACHE_HOME=str(cache), PATH=f"{bin_}:{os.environ['PATH']}", JAVA_HOME=str(bin_.parent)
    )
    assert fifo.read_text() == "fetching\n"
    running.send(number)
    code = running.wait()
    if number == signal.SIGKILL:  # half of a Kafka is left, which the next fetch removes
        machine.wait_until_gone()
    else:
        assert code == exit_codes.INTERRUPTED
        assert {path.suffix for path in (cache / "fedka").iterdir()} == {".log", ".lock"}
        assert not (machine.path / ".fedka").exists()
    assert machine.left_behind() == []
    assert list(machine.temporary.iterdir()) == []


@pytest.mark.kafka
def test_kafka_that_cannot_start_leaves_its_log_alone(machine, file):
    script(
        machine.home.with_name("bin") / "java", f'case "$*" in *version) {JAVA};; *) echo no such luck; exit 1;; esac'
    )
    ended = machine.fedka("run", file, JAVA_HOME=str(machine.home.parent))
    assert ended.process.returncode == exit_codes.FAILED
    assert "no such luck" in ended.stderr
    (state,) = (machine.path / ".fedka").iterdir()
    assert str(state / "kafka" / "kafka.log") in ended.stderr
    assert machine.left_behind() == []
    assert machine.litter() == []


@pytest.mark.kafka
def test_ctrl_c_again_and_again_while_kafka_starts(machine, file):
    """None of them may cut short what the first one began, not even at the process's very end."""
    running = machine.start("run", file)
    running.until("Starting Apache Kafka")
    while running.process.poll() is None:
        running.send(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(0.005)
    assert running.wait() == exit_codes.INTERRUPTED
    assert "Traceback" not in running.stderr
    assert not (machine.path / ".fedka").exists()
    assert machine.left_behind() == []
    assert machine.litter() == []


@pytest.mark.kafka
def test_killed_run_takes_its_kafka_and_all_pods_along_and_nothing_of_another_run(machine, beside, file):
    machine.app(LEAVING_A_DAEMON)
    killed, other = machine.start("run", file, "--state-dir", "one"), beside.start("run", file, "--state-dir", "two")
    for each, running in ((machine, killed), (beside, other)):
        running.until("round 1/2000")
        alive = [command for _, command in each.processes()]
        assert all(any(word in command for command in alive) for word in ("kafka.Kafka", "sleep 3600", "aggregator"))
    killed.send(signal.SIGKILL)
    killed.wait()
    machine.wait_until_gone()
    other.until_lines("/2000  ", other.stderr.count("/2000  ") + 3)
    other.send(signal.SIGINT)
    assert other.wait() == exit_codes.INTERRUPTED
    assert (machine.left_behind(), beside.left_behind()) == ([], [])
    assert machine.litter() == []
