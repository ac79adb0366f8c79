"""The participants' control logs: from where they are followed, how far they were read, and what must be read first.

Twice the engine must not go on before it has read up to an end taken now: after a restart (a predecessor had seen what
lies there, so a successor that opens a round without it would decide otherwise), and at a deadline (what was committed
in time counts, although it arrives here later).
"""

import logging
from collections.abc import Callable, Iterable

from fedka.aggregator.wiring import Wiring
from fedka.kafka.errors import KafkaAway
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import Spec
from fedka.wire.run_state import RunState

LOGGER = logging.getLogger("fedka.aggregator")
ASK_AGAIN_SECONDS = 1.0

Follow = Callable[[list[tuple[str, int]]], None]
"""Starts to deliver the control records of participants from the given offsets on."""


class Mark:
    """The ends that some control logs had when they were asked for; unknown while Kafka does not answer."""

    def __init__(self, logs: "ControlLogs", participants: Iterable[str]) -> None:
        self._logs = logs
        self._participants = sorted(participants)
        self._ends: dict[str, int] | None = None
        self.next_try: float | None = None
        self.ask()

    def ask(self) -> None:
        """Ask for the ends, unless they are known."""
        if self._ends is None:
            self._ends = self._logs.ends(self._participants)
            self.next_try = None if self._ends is not None else self._logs.now() + ASK_AGAIN_SECONDS

    def is_reached(self) -> bool:
        """Whether everything before the ends has been read."""
        return self._ends is not None and all(self._logs.is_read(name, end) for name, end in self._ends.items())


class ControlLogs:
    """Positions in all control logs that are followed."""

    def __init__(self, wiring: Wiring, follow: Follow) -> None:
        self._wiring = wiring
        self._follow = follow
        self._next: dict[str, int] = {}
        self._unreadable: set[str] = set()

    def follow(self, spec: Spec) -> Mark | None:
        """Follow those who are not followed yet; what must be read of them before a round is opened."""
        starts = _starts(self._wiring.state)
        attempt = self._wiring.state.attempt
        asked = {selected.participant for selected in attempt.opened.selected} if attempt else set()
        new = sorted(({*spec.participants} | asked) - self._next.keys())
        if not new:
            return None
        self._next.update({name: starts.get(name, 0) for name in new})
        self._follow([(name, self._next[name]) for name in new])
        return Mark(self, new)

    def read(self, participant: str, offset: int) -> None:
        """Everything before `offset` was read."""
        self._next[participant] = max(offset, self._next.get(participant, 0))

    def give_up(self, participant: str) -> None:
        """No more of it can be read: nothing waits for that."""
        self._unreadable.add(participant)

    def is_read(self, participant: str, end: int) -> bool:
        """Whether all that can be read before `end` has been."""
        return participant in self._unreadable or self.next_offset(participant) >= end

    def next_offset(self, participant: str) -> int:
        """The offset of the next record to be read."""
        return self._next.get(participant, 0)

    def ends(self, participants: list[str]) -> dict[str, int] | None:
        """The offset after the last record of each, or None where Kafka does not answer."""
        topics = self._wiring.topics
        try:
            ends = self._wiring.view.ends([(topics.update(name), CONTROL_PARTITION) for name in participants])
        except KafkaAway as error:
            LOGGER.warning("%s", error)
            return None
        return dict(zip(participants, ends, strict=True))

    def now(self) -> float:
        """Monotonic seconds."""
        return self._wiring.monotonic()


def _starts(state: RunState) -> dict[str, int]:
    """Where a successor begins: where the predecessor's open attempt and evaluation began, else at the last hello."""
    starts = dict(state.seen_until)
    for selected in (
        *(state.evaluation.selected if state.evaluation else ()),
        *(state.attempt.opened.selected if state.attempt else ()),
    ):
        starts[selected.participant] = min(starts.get(selected.participant, 0), selected.since)
    return starts
