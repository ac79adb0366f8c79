"""Kills any process of a `fedka run`, in any order, for minutes: the run must still come to the same model.

    .venv/bin/python -m tests.pull_plugs [--minutes 10] [--least-kills N] [--seed N]

The run itself, its broker, supervisors, the aggregator and participants are killed with SIGKILL, each kind once and
then as often as the others; for so long, and until so many kills have met somebody. Whenever the run has ended it is
taken up again with the same state directory, as its user would do. Then it is left alone to its end, and trained once
more from the beginning without any disturbance. Exits with 0 if both models have the same digest and nothing is left
behind.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedka import exit_codes

from .cli.command import GENEROUS_SECONDS, Directory, Running
from .failures.undisturbed import small_training

LONGEST_PAUSE_SECONDS = 5.0
LOOK_SECONDS = 0.1
AT_WORK = 0.8  # of the kills wait for a participant that works: a run that is only ever starting is soon understood
MANY_ROUNDS = 100_000
LAST_ROUNDS = 5
PLUGS = {  # what a command line says of a process; the first that fits
    "broker": ("kafka.Kafka", "StorageTool"),
    "aggregator": ("aggregator --unsupervised",),
    "participant": ("participant --unsupervised",),
    "supervisor": ("fedka aggregator", "fedka participant"),
    "run": ("fedka run",),
}


@dataclass
class Pulling:
    """A run, and what was done to it."""

    directory: Directory
    file: str
    drawn: random.Random
    began: float = field(default_factory=time.monotonic)
    killed: Counter[str] = field(default_factory=Counter)
    ends: Counter[int] = field(default_factory=Counter)
    round: int = 0

    def pull(self, seconds: float, least: int) -> None:
        """Kill, and take up again what has died, for so long and so often; at the end nothing of it runs."""
        end = time.monotonic() + seconds
        running = self.start()
        while time.monotonic() < end or self.killed.total() < least:
            if self.drawn.random() < AT_WORK:
                self.until_at_work(running)
            if self.ended(running, self.drawn.uniform(0.0, LONGEST_PAUSE_SECONDS)):
                self.note(running)
                running = self.start()
            else:
                self.kill_one()
        running.send(signal.SIGKILL)
        running.wait()
        self.note(running)
        self.until_gone()

    def finish(self) -> dict[str, Any]:
        """Let it come to its end; the resource's status."""
        running = self.start("--set", f"rounds.count={self.round + LAST_ROUNDS}", "-o", "json")
        code = running.process.wait()
        running.wait()
        if code not in (exit_codes.OK, exit_codes.RUN_FAILED) or not running.stdout:
            raise SystemExit(f"the run could not be taken up again: code {code}\n{running.stderr}")
        status: dict[str, Any] = json.loads(running.stdout)["status"]
        return status

    def start(self, *arguments: str) -> Running:
        return self.directory.start("run", self.file, "--state-dir", "state", *arguments)

    def until_at_work(self, running: Running) -> None:
        end = time.monotonic() + GENEROUS_SECONDS
        while "participant" not in self.plugs() and time.monotonic() < end and not self.ended(running, LOOK_SECONDS):
            continue

    def until_gone(self) -> None:
        """What is tied to a killed run ends in the kernel's own time; until then its state directory is in use."""
        end = time.monotonic() + GENEROUS_SECONDS
        while left := self.directory.left_behind():
            if time.monotonic() > end:
                raise SystemExit(f"what a killed run has left does not end: {left}")
            time.sleep(LOOK_SECONDS)

    def ended(self, running: Running, seconds: float) -> bool:
        """Whether it has, waiting so long at most."""
        try:
            running.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def note(self, running: Running) -> None:
        """What a run that has ended had come to."""
        code = running.wait()
        self.ends[code] += 1
        rounds = [line.split("round ", 1)[1].split("/")[0] for line in running.lines if f"/{MANY_ROUNDS}  " in line]
        self.round = max([self.round, *map(int, rounds)])
        if code != -signal.SIGKILL:
            self.say(f"the run ended by itself with code {code}: {running.lines[-1].strip() if running.lines else ''}")

    def kill_one(self) -> None:
        plugs = self.plugs()
        if not plugs:
            return
        kind = self.drawn.choice(sorted(plugs.keys() - self.killed.keys() or plugs))
        process = self.drawn.choice(sorted(plugs[kind]))
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:  # it was quicker
            return
        self.killed[kind] += 1
        self.say(f"{kind} {process}")

    def plugs(self) -> dict[str, list[int]]:
        """The process ids of each kind."""
        found: dict[str, list[int]] = {}
        for process, command in self.directory.processes():
            kind = next((kind for kind, words in PLUGS.items() if any(word in command for word in words)), None)
            if kind is not None:
                found.setdefault(kind, []).append(process)
        return found

    def say(self, what: str) -> None:
        print(f"{time.monotonic() - self.began:6.1f} s  {what}", flush=True)  # noqa: T201  the script's output


def main() -> int:
    """Pull plugs and compare; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--least-kills", type=int, default=0, help="go on for longer until so many have met somebody")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="of what is drawn")
    arguments = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="fedka-plugs-"))
    directory = Directory(home)
    file = small_training(directory, pause=0.2, rounds={"count": MANY_ROUNDS})
    pulling = Pulling(directory, file, random.Random(arguments.seed))  # noqa: S311  no secret
    pulling.say(f"pulling plugs for {arguments.minutes:g} minutes, seed {arguments.seed}, in {home}")
    pulling.pull(arguments.minutes * 60, arguments.least_kills)
    pulling.say(f"left alone after round {pulling.round}")
    status = pulling.finish()
    return report(pulling, status, undisturbed(directory, file, status["rounds"]["completed"]))


def undisturbed(directory: Directory, file: str, rounds: int) -> str:
    """The digest of the same training when nobody pulls a plug."""
    changes = ("--set", f"rounds.count={rounds}", "--set", "app.config.pause='0'")
    running = directory.start("run", file, "--state-dir", "undisturbed", *changes, "-o", "json")
    running.process.wait()
    running.wait()
    return str(json.loads(running.stdout)["status"]["model"]["digest"])


def report(pulling: Pulling, status: dict[str, Any], digest: str) -> int:
    """Say how it went; the exit code."""
    killed = ", ".join(f"{kind} {count}" for kind, count in sorted(pulling.killed.items()))
    ends = ", ".join(f"code {code}: {count}" for code, count in sorted(pulling.ends.items()))
    rounds, left = status["rounds"], pulling.directory.left_behind()
    same = status["model"]["digest"] == digest
    pulling.say(f"killed {pulling.killed.total()}: {killed}")
    pulling.say(f"the run ended {pulling.ends.total()} times before its end ({ends})")
    pulling.say(f"{status['phase']} with {rounds['completed']} rounds, {rounds['missed']} attempts missed")
    pulling.say(f"digest {status['model']['digest']}: {'the same' if same else f'not the undisturbed {digest}'}")
    pulling.say(f"left behind: {left or 'nothing'}")
    if same and status["phase"] == "Complete" and not left:
        shutil.rmtree(pulling.directory.path)
        return 0
    pulling.say(f"to be looked into: {pulling.directory.path}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
