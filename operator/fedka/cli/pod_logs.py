"""`fedka logs`: what a training's pods have said, each line with its pod's name before it where there are several.

A pod that died has been replaced by a new one, and its log is gone once its Job is; its last words stay in the status.
"""

import asyncio
import sys
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from fedka import exit_codes
from fedka.api.status import ParticipantDetail, TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.cli.command_line import say
from fedka.cli.errors import CommandFailed
from fedka.cli.no_log import why_no_log
from fedka.cli.source import Source
from fedka.cli.story import name_of
from fedka.cli.watch import has_ended
from fedka.error_groups import first_error
from fedka.plan.snapshot import PodView, Role
from fedka.reconcile.ports import ClusterError, Invalid, NotFound

_PENDING = "Pending"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose logs, and how much of them: of one participant, of the aggregator, or (neither) of all."""

    participant: str | None = None
    aggregator: bool = False
    tail: int | None = None

    def includes(self, pod: PodView) -> bool:
        """Whether this pod's is one of them."""
        if self.participant is not None:
            return pod.participant == self.participant
        return pod.role is Role.AGGREGATOR if self.aggregator else True


class Logs:
    """The logs of one training's pods, printed on stdout."""

    def __init__(self, source: Source, wanted: Wanted) -> None:
        self._source = source
        self._wanted = wanted
        self._followed: set[str] = set()  # UIDs of pods

    async def show(self, *, previous: bool = False) -> None:
        """Print what there is; `previous`: of each member's pod before its newest one."""
        training = await self._source.training()
        self._check(training)
        pods = [pod for pod in await self._source.pods() if self._wanted.includes(pod)]
        chosen = list(_of_each(pods, 1 if previous else 0))
        if not chosen:
            raise CommandFailed(self._why_none(training, previous=previous), exit_codes.FAILED)
        for pod in sorted(chosen, key=_member):
            await self._print(pod, prefixed=len(chosen) > 1, follow=False)

    async def follow(self) -> None:
        """Print what comes, of new pods too, until the run has ended and its pods have."""
        training = await self._source.training()
        self._check(training)
        several = self._wanted.participant is None and not self._wanted.aggregator
        try:
            async with asyncio.TaskGroup() as group:
                oldest_first = [*await self._source.pods()][::-1]
                for pod in sorted(oldest_first, key=_member):  # a run may end before its watch comes to them
                    self._take_up(pod, group, prefixed=several)
                watching = group.create_task(self._watch_pods(group, prefixed=several))
                await self._until_the_end()
                watching.cancel()
        except BaseExceptionGroup as errors:  # what one of them has met ends them all, and is the cause
            raise first_error(errors) from None

    async def _watch_pods(self, group: asyncio.TaskGroup, *, prefixed: bool) -> None:
        async with aclosing(self._source.pod_changes()) as pods:
            async for pod in pods:
                self._take_up(pod, group, prefixed=prefixed)

    def _take_up(self, pod: PodView, group: asyncio.TaskGroup, *, prefixed: bool) -> None:
        if self._wanted.includes(pod) and pod.phase != _PENDING and pod.uid not in self._followed:
            self._followed.add(pod.uid)
            group.create_task(self._print(pod, prefixed=prefixed, follow=True))

    async def _until_the_end(self) -> None:
        async with aclosing(self._source.changes()) as changes:
            async for training in changes:
                if training is None or has_ended(training):
                    return

    async def _print(self, pod: PodView, *, prefixed: bool, follow: bool) -> None:
        name, lines_told = name_of(pod), 0
        try:
            async with aclosing(self._source.log(pod.name, follow=follow, tail=self._wanted.tail)) as lines:
                async for line in lines:
                    lines_told += 1
                    sys.stdout.write(f"{name} | {line}\n" if prefixed else f"{line}\n")
                    sys.stdout.flush()
        except Invalid:
            say(_no_log_yet(pod))
        except NotFound:
            say(f"{name}: the log has gone with its pod {pod.name}")
        except ClusterError as error:
            if not follow:
                raise
            say(f"{name}: the log cannot be followed any more: {error}")
        else:
            if not lines_told and pod.phase == _PENDING:  # of a pod without a node the log is empty
                say(_no_log_yet(pod))

    def _why_none(self, training: FederatedTraining, *, previous: bool) -> str:
        who, aggregator = self._wanted.participant, self._wanted.aggregator
        return why_no_log(training, self._source.hints, participant=who, aggregator=aggregator, previous=previous)

    def _check(self, training: FederatedTraining) -> None:
        name = self._wanted.participant
        if name is None:
            return
        participants = {each.name: each for each in training.spec.participants}
        if name in participants and not participants[name].managed:
            raise CommandFailed(f"{name} is External: its log is where its owner runs it", exit_codes.USAGE)
        seen = {detail.name for detail in _details(training)}
        if name not in participants and name not in seen:
            known = ", ".join([*participants][:20])
            raise CommandFailed(f"there is no participant {name}; there are: {known}", exit_codes.USAGE)


def _member(pod: PodView) -> tuple[str, str]:
    return pod.role, name_of(pod)


def _of_each(pods: Iterable[PodView], place: int) -> Iterable[PodView]:
    """Of every member the pod at a place in its line, the newest being at 0."""
    lines: dict[tuple[str, str | None], list[PodView]] = {}
    for pod in pods:
        lines.setdefault((pod.role, pod.participant), []).append(pod)
    return (line[place] for line in lines.values() if len(line) > place)


def _no_log_yet(pod: PodView) -> str:
    why = ": ".join(part for part in (pod.reason, pod.message) if part) or "its container has not started"
    return f"{name_of(pod)} has no log yet: {why}"


def _details(training: FederatedTraining) -> Sequence[ParticipantDetail]:
    seen = (training.status or TrainingStatus()).participants
    return seen.detail if seen is not None else ()
