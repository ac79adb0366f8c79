"""A run with its screen, from the first process to the last, and the signals that may end it before.

The first Ctrl-C, SIGTERM or end of the terminal has the parts stopped in order; the second does not wait for them.
"""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any

from fedka import exit_codes
from fedka.api.reasons import Phase
from fedka.api.training import FederatedTraining
from fedka.cli import summary
from fedka.cli.audience import Audience
from fedka.cli.command_line import say
from fedka.cli.differences import ignored_changes
from fedka.cli.early_kafka import EarlyKafka
from fedka.cli.ending import ending_signals
from fedka.cli.logs import log_to_file
from fedka.cli.model_fetch import NoModel, fetch_model, fetched
from fedka.cli.run import Options
from fedka.cli.screen import Screen, surface
from fedka.cli.training_file import STDIN
from fedka.kafka.access import client_settings
from fedka.kafka.errors import KafkaError
from fedka.local.invocation import Invocation, shown
from fedka.local.run import Request, local_run
from fedka.local.run_watch import LocalRun
from fedka.local.saved import SavedTraining
from fedka.local.state_dir import TRAINING_FILE, StateDir
from fedka.wire.names import RunTopics

SETTLE_SECONDS = 3.0  # status writes come once a second
AGAIN_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the exit code, what to tell about it, and the resource as last seen."""

    code: int
    text: str
    training: FederatedTraining | None


class Session:
    """One run."""

    def __init__(self, options: Options, state_dir: StateDir, early: EarlyKafka | None, invocation: Invocation) -> None:
        self._options = options
        self._state_dir = state_dir
        self._early = early
        self._invocation = invocation
        self._place = summary.Place(options.file, shown(state_dir.path), options.bootstrap_servers, options.overrides)
        self._stopping = False
        self._work: asyncio.Task[Outcome] | None = None
        self._killing: asyncio.Task[None] | None = None
        self._run: LocalRun | None = None

    async def run(self, training: dict[str, Any], interrupted: str = "") -> int:
        """Until the run has ended or was stopped; the exit code. `interrupted`: what to say of an earlier run."""
        log_to_file(self._state_dir.logs / "operator.log", "operator")
        loop = asyncio.get_running_loop()
        shown_on = surface(_now, logs=str(self._place.state_dir / "logs"), quiet=self._options.quiet)
        with Screen(Audience(shown_on, left=lambda: loop.call_soon_threadsafe(self._stop))) as screen:
            if interrupted:
                screen.alarm(interrupted)
            screen.note(f"the run lives in {self._place.state_dir}")
            if self._early is not None:
                self._early.show_on(screen)
            for number in ending_signals():
                loop.add_signal_handler(number, self._interrupt, screen)
            self._work = asyncio.ensure_future(self._until_the_end(training, screen))
            outcome = await self._outcome(self._work, screen)
        code = self._tell(outcome)
        with contextlib.suppress(KeyboardInterrupt):  # of one that comes between the two: it is too late to matter
            for number in ending_signals():
                loop.remove_signal_handler(number)  # as its end would; and one that came after it would leave a mess
                signal.signal(number, signal.SIG_IGN)
        return code

    async def _outcome(self, work: asyncio.Task[Outcome], screen: Screen) -> Outcome:
        try:
            return await work
        except asyncio.CancelledError:
            text = summary.stopped(self._last_seen(), self._place, "stopped", screen.reached)
            return Outcome(exit_codes.INTERRUPTED, text, self._last_seen())
        except TimeoutError:
            why = f"--timeout of {self._options.timeout_seconds:g} s is over: stopped"
            text = summary.stopped(self._last_seen(), self._place, why, screen.reached)
            return Outcome(exit_codes.RUN_FAILED, text, self._last_seen())

    async def _until_the_end(self, training: dict[str, Any], screen: Screen) -> Outcome:
        request = Request(
            training=training,
            state_dir=self._state_dir,
            image_dir=_directory_of(self._options.file),
            environment=os.environ,
            grace_seconds=self._options.grace_seconds,
        )
        kafka = self._early or str(self._options.bootstrap_servers)
        ignored = ignored_changes(SavedTraining(self._state_dir.path / TRAINING_FILE).load(), training)
        async with (
            asyncio.timeout(self._options.timeout_seconds) as limit,
            local_run(request, screen, kafka=kafka, clock=_now, random=SystemRandom()) as run,
        ):
            self._run = run
            replace(self._invocation, kafka=run.access.bootstrap_servers).store(self._state_dir.path)
            if ignored:
                screen.alarm(ignored)
            given_up = await run.ended()
            limit.reschedule(None)
            if given_up is not None:
                text = summary.given_up(run.training, self._place, given_up, screen.reached)
                return Outcome(given_up.code, text, run.training)
            return await self._collect(run, screen)

    async def _collect(self, run: LocalRun, screen: Screen) -> Outcome:
        """Let the pods leave, and fetch what was asked for."""
        code = exit_codes.OK if _phase(run.training) is Phase.COMPLETE else exit_codes.RUN_FAILED
        leaving = asyncio.ensure_future(run.left())
        path = self._options.model_out
        if path is not None:
            try:
                await self._fetch(run, path)
            except (NoModel, KafkaError, OSError) as error:
                screen.alarm(f"--model-out {path}: the model was not written: {error}")
                code, path = code or exit_codes.FAILED, None
        await leaving
        if self._options.output is not None:
            await run.settled(SETTLE_SECONDS)
        return Outcome(code, summary.ended(run.training, self._place, path, screen.unevaluated), run.training)

    async def _fetch(self, run: LocalRun, path: Path) -> None:
        status, metadata = run.training.status, run.training.metadata
        if status is None or status.kafka_id is None:
            raise NoModel("the run never began")
        settings, topics = client_settings(run.access), RunTopics(run=status.kafka_id)
        await fetched(path, lambda goes_on: fetch_model(settings, topics, metadata.name, path, goes_on=goes_on))

    def _interrupt(self, screen: Screen) -> None:
        if not self._stopping:
            screen.alarm("stopping in order; once more stops at once")
            self._stop()
        elif self._killing is None:
            self._killing = asyncio.ensure_future(self._kill())

    def _stop(self) -> None:
        if not self._stopping and self._work is not None:
            self._stopping = True
            self._work.cancel()

    async def _kill(self) -> None:
        """What is being waited for in the orderly stop is ended the hard way, and the stop goes on from there."""
        if self._early is not None:
            self._early.kill()
        while pods := [task for task in asyncio.all_tasks() if task.get_name().startswith("pod ")]:
            for pod in pods:  # two cancels at once count as one: the first asks for an orderly end, the next ends that
                pod.cancel()
            await asyncio.wait(pods, timeout=AGAIN_SECONDS)

    def _last_seen(self) -> FederatedTraining | None:
        return self._run.training if self._run is not None else None

    def _tell(self, outcome: Outcome) -> int:
        """The resource on stdout if it was asked for, else the summary; the exit code."""
        well = outcome.code == exit_codes.OK
        if self._options.output is not None:
            if outcome.training is not None:
                summary.print_resource(outcome.training, self._options.output)
            if not (self._options.quiet and well):
                say(outcome.text)
        elif well:
            if not self._options.quiet:
                sys.stdout.write(f"{outcome.text}\n")
        else:
            say(outcome.text)
        return outcome.code


def _now() -> datetime:
    return datetime.now(UTC)


def _phase(training: FederatedTraining) -> Phase | None:
    return training.status.phase if training.status is not None else None


def _directory_of(file: str) -> Path:
    """Where the app is looked up: beside the file."""
    return Path.cwd() if file == STDIN else Path(file).resolve().parent
