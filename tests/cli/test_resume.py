"""A run that was ended in any way goes on where it was, and makes the model that it would have made."""

import json
import os
import random
import re
import secrets
import shutil
import signal
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from fedka import exit_codes

from .command import GENEROUS_SECONDS, Directory, Running
from .trainings import APP, training

pytestmark = pytest.mark.kafka

ROUNDS = 60
LONG_ROUNDS = 400
LONG_ENDS = 20
# What a participant adds depends on who it is and on the round: a lost, repeated or swapped update shows in the digest.
TELLING = APP.replace("tensor += 1", "tensor += context.round * len(context.participant) % 7")
PAUSED = {"entrypoint": "tiny_app:app", "config": {"pause": "0.05"}}
TRAINING = training(app=PAUSED, participants=[{"name": "bank-a"}, {"name": "bank-number-two"}], rounds={"count": 1})


class Home:
    """A directory with the training in it, and a run of it that is begun again and again."""

    def __init__(self, directory: Directory, rounds: int, rng: random.Random) -> None:
        self.directory = directory
        self.rounds = rounds
        self.rng = rng
        self.told = 0  # the last round that was told of
        self._stack = ExitStack()
        self._temporary = 0
        directory.app(TELLING)
        directory.write({**TRAINING, "spec": {**TRAINING["spec"], "rounds": {"count": rounds}}})
        self.new_temporary()

    def begin(self) -> Running:
        temporary = str(self.directory.path / f"tmp-{self._temporary}")
        return self.directory.start("run", "training.yaml", "--state-dir", "state", "-o", "json", TMPDIR=temporary)

    def until_some_round(self, running: Running) -> None:
        """At a random point of some round. One that was closed as its run was killed is not told of any more."""
        running.until_lines(f"/{self.rounds}  ", self.rng.randint(1, 6))
        time.sleep(self.rng.random() / 10)

    def until_it_begins(self, running: Running) -> None:
        """At one of the points before the first round."""
        running.until(self.rng.choice(BEGINNINGS))

    def kill_all(self) -> None:
        """SIGKILL for every process of the run, in any order."""
        processes = [pid for pid, _ in self.directory.processes()]
        self.rng.shuffle(processes)
        watched = []
        for pid in processes:
            try:
                watched.append(os.pidfd_open(pid))
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it went with another
        self.directory.started[-1].wait()
        while self.directory.processes():
            time.sleep(0.02)
        for descriptor in watched:
            os.close(descriptor)

    def new_temporary(self) -> None:
        """As after a reboot: nothing is left of what was in the directory for temporary files."""
        shutil.rmtree(self.directory.path / f"tmp-{self._temporary}", ignore_errors=True)
        self._temporary += 1
        (self.directory.path / f"tmp-{self._temporary}").mkdir()

    def reboot(self) -> None:
        """All dead; the ports are others', and so are the process ids in the locks."""
        self.kill_all()
        self.new_temporary()
        state = self.directory.path / "state"
        for lock in ("run.lock", "kafka/lock"):
            if (state / lock).exists():
                (state / lock).write_text(str(os.getpid()))
        for port in self.ports():
            self._stack.enter_context(listening(port))

    def ports(self) -> set[int]:
        settings = self.directory.path / "state/kafka/server.properties"
        return (
            set()
            if not settings.exists()
            else {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", settings.read_text())}
        )

    def files_with(self, content: bytes) -> list[Path]:
        files = [path for path in (self.directory.path / "state").rglob("*") if path.is_file()]
        assert files
        return [path for path in files if content in path.read_bytes()]

    def close(self) -> None:
        self._stack.close()


def listening(port: int) -> socket.socket:
    """Somebody on a port, as soon as a killed broker's threads have let go of it."""
    last = time.monotonic() + GENEROUS_SECONDS
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < last
            time.sleep(0.02)


def interrupt(home: Home) -> None:
    _stop(home, signal.SIGINT)


def terminate(home: Home) -> None:
    _stop(home, signal.SIGTERM)


def _stop(home: Home, number: signal.Signals) -> None:
    running = home.directory.started[-1]
    running.send(number)
    assert running.wait() == exit_codes.INTERRUPTED
    begun = "To go on: fedka run training.yaml --state-dir state"
    assert re.search(f"{begun}|before the run had begun|fedka: interrupted", running.stderr)


def kill_the_run_alone(home: Home) -> None:
    running = home.directory.started[-1]
    running.send(signal.SIGKILL)
    running.wait()


ENDS = [Home.kill_all, Home.reboot, interrupt, terminate, kill_the_run_alone]
QUICK = [(Home.kill_all, True), (Home.kill_all, False), (interrupt, False), (Home.reboot, False)]
BEGINNINGS = ("the run lives in", "Starting Apache Kafka", "phase", "joined")
BOOT = Path("/proc/sys/kernel/random/boot_id")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, kafka, long_mode) -> str:
    """The digest of a run that nothing happened to."""
    rounds = LONG_ROUNDS if long_mode else ROUNDS
    home = Home(Directory(tmp_path_factory.mktemp("undisturbed")), rounds, random.Random(1))  # noqa: S311  no secrets
    arguments = ("--bootstrap-servers", kafka.bootstrap_servers, "-o", "json", "--set", "app.config.pause='0'")
    running = home.directory.start("run", "training.yaml", *arguments)
    assert running.wait() == exit_codes.OK, running.stderr
    return digest_of(running)


@pytest.fixture
def home(directory, long_mode):
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201  a failure can be drawn again
    home = Home(directory, LONG_ROUNDS if long_mode else ROUNDS, random.Random(seed))  # noqa: S311  no secrets
    yield home
    home.close()


def digest_of(running: Running) -> str:
    return json.loads(running.stdout)["status"]["model"]["digest"]


def rounds_of(running: Running) -> list[int]:
    return [int(number) for number in re.findall(r" round (\d+)/\d+ ", running.stderr)]


def test_run_goes_on_after_any_end_to_the_same_model(home, undisturbed, long_mode):
    drawn = [(home.rng.choice(ENDS), home.rng.random() < 1 / 4) for _ in range(LONG_ENDS)]
    for end, early in drawn if long_mode else QUICK:
        running = home.begin()
        home.until_it_begins(running) if early else home.until_some_round(running)
        end(home)
        told = rounds_of(running)
        assert told == list(range(min(told), max(told) + 1)) if told else early, "every round once, in order"
        home.told = max([home.told, *told])
    assert home.files_with(BOOT.read_text().strip().encode()) == [], "nothing is bound to this start of the machine"
    last = home.begin()
    assert last.wait() == exit_codes.OK, last.stderr
    assert digest_of(last) == undisturbed
    done = json.loads(last.stdout)["status"]["rounds"]
    assert (done["completed"], done["missed"]) == (home.rounds, 0)
    assert rounds_of(last)[0] > home.told, "a round that was told of as closed is not trained again"
    assert "Traceback" not in "".join(running.stderr for running in home.directory.started)
    assert home.directory.left_behind() == []
