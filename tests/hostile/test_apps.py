"""`fedka run` with apps that raise, exit, hang, return rubbish, fork, print without end, die.

Each costs at most its own update, is told with its reason, and leaves nothing behind.
"""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.local.pod_output import MOST_BYTES

from ..cli.command import Directory, Running
from ..cli.trainings import training
from ..cluster.waiting import wait_until
from .test_memory import peak_memory

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(1200)]  # a run of twelve rounds, on a loaded machine, too
HONEST = ["honest-a", "honest-b", "rude", "mortal"]
SAID = [
    "the train function raised ValueError: bad row \N{REPLACEMENT CHARACTER}[2Jforged line",
    "the train function raised SystemExit: 0",
    "the train function raised KeyboardInterrupt",
    "the train function returned None: return fedka.Trained(",
    "the train function returned an object of type dict",
    "Trained.examples is 1099511627776: 1 to 536870912",
    "Trained.metrics['loss'] is nan: only finite numbers",
    "the update, tensor 'weights': a coordinate is nan",
    "the update, tensor 'weights': a coordinate is 10485",
    "the train function raised MemoryError",
    "the train function raised",  # numpy's own name for it
    "tensor 'weights' was float32 [1000] when the model was made and is gone",
]
ROUNDS = len(SAID)
MUCH_TOO_LONG = 300  # seconds of a round: none is to be ended by its deadline
MIB = 2**20
PRINTED, MUCH_PRINTED = 70 * MIB, 2**30  # in lines, and once more in one: more than the two files that are kept
PATIENCE = 900  # seconds for the run
ALLOWED = 32 * MIB  # for the memory of the run that keeps them: less than any of it


@pytest.fixture(scope="module")
def new_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Directory]]:
    made: list[Directory] = []

    def make() -> Directory:
        made.append(Directory(tmp_path_factory.mktemp("apps")))
        shutil.copy(Path(__file__).with_name("unruly_app.py"), made[-1].path)
        return made[-1]

    yield make
    for directory in made:
        directory.end()


@pytest.fixture(scope="module")
def directory(new_directory: Callable[[], Directory]) -> Directory:
    return new_directory()


@dataclass(frozen=True)
class Kept:
    """What the run's process has needed at most, and what is in the directories of its logs."""

    memory: int
    disk: int


@dataclass
class Unruly:
    """A run at its end, and what was kept around the first round, in which the rude one prints."""

    running: Running
    before: Kept
    after: Kept


def started(
    directory: Directory, kafka: KafkaServer, name: str, participants: list[str], config: dict[str, str], **rounds: int
) -> Running:
    app = {"entrypoint": "unruly_app:app", "config": config}
    obj = training(app=app, participants=[{"name": each} for each in participants], rounds=rounds)
    obj["metadata"]["name"] = name
    return directory.start(
        *("run", directory.write(obj, f"{name}.yaml"), "--bootstrap-servers", kafka.bootstrap_servers),
        *("--state-dir", name, "--model-out", f"{name}.safetensors", "--grace", "1", "-o", "json"),
    )


def kept_at(fifo: Path, running: Running, logs: Path) -> Kept:
    """When the rude one waits there; it goes on afterwards."""
    with fifo.open("wb"):
        return Kept(peak_memory(running.process.pid), size_of(logs))


def size_of(logs: Path) -> int:
    total = 0
    for log in logs.iterdir():
        with suppress(FileNotFoundError):  # it is being begun anew
            total += log.stat().st_size
    return total


@dataclass
class Hanging:
    """A run in which one hangs, and what its status says of that one once it is said to be late."""

    directory: Directory
    running: Running
    late: Future[dict[str, Any] | None]


@pytest.fixture(scope="module")
def hanging(new_directory: Callable[[], Directory], kafka: KafkaServer) -> Iterator[Hanging]:
    """Half a minute of waiting: under way beside the other, and looked at meanwhile."""
    directory, names = new_directory(), ["honest-a", "honest-b", "hanging"]
    rounds = {"count": 2, "quorum": 2, "minAvailable": 3, "deadlineSeconds": 5, "maxMissedRounds": 1000}
    running = started(directory, kafka, "hanging", names, {}, **rounds)  # a loaded machine may miss a deadline
    with ThreadPoolExecutor() as beside:
        yield Hanging(directory, running, beside.submit(until_late, directory, running))


def until_late(directory: Directory, running: Running) -> dict[str, Any] | None:
    """What stands in the status while the second round waits for it, too; after the run, it only leaves."""
    saved, seen = directory.path / "hanging" / "training.json", list[dict[str, Any]]()

    def found() -> bool:
        status = json.loads(saved.read_text()).get("status", {}) if saved.exists() else {}
        each = status.get("participants", {}).get("detail", [])
        seen.extend(one for one in each if one["name"] == "hanging" and one.get("reason") == "Late")
        return bool(seen) or running.process.poll() is not None

    wait_until(found, PATIENCE)
    return seen[0] if seen else None


@pytest.fixture(scope="module")
def unruly(directory: Directory, kafka: KafkaServer, long_mode: bool, hanging: object) -> Unruly:
    """A run to its end with all of them but the one that hangs, which has a run of its own meanwhile."""
    names = [*HONEST, "rubbish", "reshaper", "unloadable"]
    fifos = {name: directory.path / name for name in ("before", "after")}
    for fifo in fifos.values():
        os.mkfifo(fifo)
    running = started(
        directory,
        kafka,
        "unruly",
        names,
        {"printed": str(MUCH_PRINTED if long_mode else PRINTED), **{name: str(fifo) for name, fifo in fifos.items()}},
        count=ROUNDS,
        quorum=len(HONEST),
        minAvailable=len(names) - 1,
        deadlineSeconds=MUCH_TOO_LONG,
    )
    kept = [kept_at(fifo, running, directory.path / "unruly" / "logs") for fifo in fifos.values()]
    running.process.wait(PATIENCE)
    assert running.wait() == exit_codes.OK, running.stderr
    return Unruly(running, *kept)


def detail(running: Running, name: str) -> dict[str, Any]:
    found = json.loads(running.stdout)["status"]["participants"]["detail"]
    return next(each for each in found if each["name"] == name)


def test_the_model_is_that_of_the_sound_updates(unruly: Unruly, directory: Directory) -> None:
    history = json.loads(unruly.running.stdout)["status"]["rounds"]["history"]
    assert {past["accepted"] for past in history} == {len(HONEST)}
    assert np.all(load_file(directory.path / "unruly.safetensors")["weights"] == ROUNDS)


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
def test_what_an_app_returns_or_raises_is_told_with_its_reason(unruly: Unruly, number: int) -> None:
    told = re.search(f"rubbish: its update of round {number} does not count: AppFailed: (.*)", unruly.running.stderr)
    assert told
    assert SAID[number - 1] in told[1]


def test_a_model_of_another_shape_is_told_with_what_to_do(unruly: Unruly) -> None:
    reshaper = detail(unruly.running, "reshaper")
    assert "tensor 'weights' was float32 [1000] when the model was made and is float32 [1000, 2] now" in str(reshaper)
    assert "change values in place" in str(reshaper)


def test_a_module_that_exits_is_told_with_its_reason(unruly: Unruly) -> None:
    unloadable = detail(unruly.running, "unloadable")
    assert (unloadable["state"], unloadable["reason"]) == ("Failed", "ExitCode78")
    assert "importing unruly_app raised SystemExit" in unloadable["message"]


def test_who_died_in_every_way_has_come_back_each_time(unruly: Unruly, directory: Directory) -> None:
    (log,) = (directory.path / "unruly" / "logs").glob("unruly-mortal-*.log")
    written = log.read_text()
    for code in (5, 139, 137, 134):
        assert f"supervisor: ended with code {code}, starting again" in written
    assert detail(unruly.running, "mortal")["state"] == "Done"


def test_what_is_printed_does_not_fill_the_disk(unruly: Unruly, directory: Directory) -> None:
    assert unruly.after.disk - unruly.before.disk <= 2 * MOST_BYTES + MIB
    logs = list((directory.path / "unruly" / "logs").glob("unruly-rude-*"))
    assert len(logs) == 2
    assert all(log.stat().st_size <= MOST_BYTES for log in logs)


def test_what_is_printed_does_not_fill_the_memory(unruly: Unruly) -> None:
    before, after = unruly.before.memory // MIB, unruly.after.memory // MIB
    assert after - before < ALLOWED // MIB, (before, after)


def test_the_log_goes_on_where_the_app_has_closed_its_own(unruly: Unruly, directory: Directory) -> None:
    (log,) = (directory.path / "unruly" / "logs").glob("unruly-rude-*.log")
    assert f"round {ROUNDS}: trained 10 examples" in log.read_text(errors="replace")
    assert "ended, although the app has left threads running" in log.read_text(errors="replace")


def test_nothing_is_left_of_what_the_apps_have_started(unruly: Unruly, directory: Directory) -> None:
    assert directory.left_behind() == []


def test_an_app_that_hangs_costs_its_update_and_is_ended_with_the_run(hanging: Hanging) -> None:
    hanging.running.process.wait(PATIENCE)
    assert hanging.running.wait() == exit_codes.OK, hanging.running.stderr
    assert np.all(load_file(hanging.directory.path / "hanging.safetensors")["weights"] == 2)
    assert "hanging: no update came within the 5 s of round 1" in hanging.running.stderr
    assert hanging.directory.left_behind() == []


def test_an_app_that_hangs_is_late_in_the_status(hanging: Hanging) -> None:
    late = hanging.late.result()
    assert late is not None, hanging.running.stderr
    assert late["message"].startswith("no update of round ")
    assert late["message"].endswith(" had come when its 5 s were over")
