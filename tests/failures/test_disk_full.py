"""A disk that fills up under a run ends it by name; with space again, the run goes on to the same model."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer

from ..cli.command import Directory, Running
from .undisturbed import small_training, undisturbed_digests

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk to fill"),
]
ROUNDS = 10


class SmallDisk:
    """A file system of its own in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"
        path.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)], check=True)

    def fill(self) -> None:
        """To the last byte."""
        size = 2**20
        with self._filler.open("wb", buffering=0) as filler:
            while size:
                try:
                    filler.write(bytes(size))
                except OSError:
                    size //= 2

    def free(self) -> None:
        self._filler.unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)  # of a run that has just been killed, too


@pytest.fixture
def kafka_disk(directory: Directory) -> Iterator[SmallDisk]:
    disk = SmallDisk(directory.path / "state" / "kafka")
    yield disk
    disk.unmount()


@pytest.fixture
def state_disk(directory: Directory) -> Iterator[SmallDisk]:
    disk = SmallDisk(directory.path / "state")
    yield disk
    disk.unmount()


def test_a_broker_without_space_ends_the_run_which_goes_on_when_there_is_some(
    directory: Directory, kafka_disk: SmallDisk
) -> None:
    file = small_training(directory, pause=0.4, rounds={"count": ROUNDS})
    run = ("run", file, "--state-dir", "state", "--grace", "2")  # nobody is there to say goodbye to
    filled_under(directory.start(*run), kafka_disk)
    again = directory.fedka(*run)
    assert again.process.returncode == exit_codes.FAILED
    assert f"no space is left on the disk of {kafka_disk.path}" in again.stderr
    kafka_disk.free()
    completes(directory.start(*run))
    assert directory.left_behind() == []


def test_a_state_directory_without_space_ends_the_run_which_goes_on_when_there_is_some(
    directory: Directory, state_disk: SmallDisk, kafka: KafkaServer
) -> None:
    file = small_training(directory, pause=0.4, rounds={"count": ROUNDS})
    run = ("run", file, "--state-dir", "state", "--bootstrap-servers", kafka.bootstrap_servers)
    filled_under(directory.start(*run), state_disk)
    again = directory.fedka(*run)
    assert again.process.returncode == exit_codes.FAILED
    assert f"no space is left on the disk of {state_disk.path}" in again.stderr
    state_disk.free()
    completes(directory.start(*run))
    assert directory.left_behind() == []


def filled_under(running: Running, disk: SmallDisk) -> None:
    running.until("round 2/")
    disk.fill()
    assert running.wait() == exit_codes.RUN_FAILED
    assert "tiny cannot go on: " in running.stderr
    assert f"no space is left on the disk of {disk.path}" in running.stderr
    assert "Once that is mended: fedka run training.yaml --state-dir state" in running.stderr
    assert "Traceback" not in running.stderr
    disk.fill()  # what the run has given back at its end


def completes(running: Running) -> None:
    assert running.wait() == exit_codes.OK, running.stderr
    assert "round 1/" not in running.stderr, "it goes on where it was"
    assert undisturbed_digests(ROUNDS)[-1] in running.stdout
