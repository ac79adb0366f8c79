"""The bulk side: reads committed ranges, adds them exactly, publishes the new model. One thread, one accumulator.

Memory is two times the model (int64) and bounded queues, whatever the number of participants: chunks are folded as
they arrive, and the base model is streamed back from the log while the new one is written. An update that turns out
bad after some of its chunks were added is read again and subtracted, which is exact.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from fedka.aggregator.events import DataPlaneEnded, Event, Folded, Key, Tainted
from fedka.aggregator.publisher import Publisher
from fedka.aggregator.tasks import Begin, Copy, Fold, Know, Publish, Task
from fedka.kafka.access import Settings
from fedka.kafka.errors import ChunkCorrupt, ChunksGone
from fedka.kafka.ranges import Arrived, Finished, RangeReader
from fedka.wire.exact import NORM_UNITS, ExactSum, OutOfRange, as_coordinates, check_range, norm_units
from fedka.wire.layout import Layout
from fedka.wire.names import BULK_PARTITION, RunTopics
from fedka.wire.records import RejectReason

LOGGER = logging.getLogger("fedka.aggregator")


@dataclass(slots=True)
class _Folding:
    task: Fold
    added: set[int] = field(default_factory=set)
    norm: int = 0
    tried_again: bool = False
    reading: int = 0  # which one its events belong to: those of a cancelled one may still be in a batch
    undoing: Folded | None = None  # what to say once everything is taken back


class DataPlane:
    """Takes tasks, emits events; `emit` is called in its thread."""

    def __init__(
        self,
        *,
        settings: Settings,
        topics: RunTopics,
        emit: Callable[[Event], None],
        at: Callable[[str], None],
        careful: bool = False,
    ) -> None:
        self._reader = RangeReader(settings, name="fedka-aggregator-ranges", careful=careful)
        self._publisher = Publisher(settings=settings, reader=self._reader, topics=topics, emit=emit, at=at)
        self._emit = emit
        self._at = at
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._sum: ExactSum | None = None
        self._folding: dict[Key, _Folding] = {}
        self._folded: dict[Key, _Folding] = {}
        self._tainted = False
        self._thread = threading.Thread(target=self._run, name="data-plane", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Queue a task; tasks are begun in order."""
        self._tasks.put(task)

    def close(self) -> None:
        """Drop what is unfinished and end."""
        if self._thread.is_alive():
            self._tasks.put(None)
            self._thread.join(timeout=10.0)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  raised again by the engine: a silent end here would hang the run
            self._emit(DataPlaneEnded(error))
        self._reader.close()
        self._publisher.close()

    def _work(self) -> None:
        while True:
            try:
                task = self._tasks.get(block=not self._reader.busy)
            except queue.Empty:
                self._read_on()
                continue
            if task is None:
                break
            self._do(task)

    def _do(self, task: Task) -> None:
        match task:
            case Begin():
                self._begin(task.layout)
            case Fold():
                self._folding[task.key] = _Folding(task)
                self._read(self._folding[task.key])
            case Know():
                self._reader.know(task.topic)
            case Publish():
                if self._sum is not None and self._settle(task.keys):
                    self._publisher.publish(task, self._sum)
            case Copy():
                self._publisher.copy(task)

    def _begin(self, layout: Layout) -> None:
        self._reader.cancel_all()
        self._folding.clear()
        if self._sum is None or self._sum.layout != layout:
            self._sum = ExactSum(layout)
        else:
            self._sum.clear()
        self._folded.clear()
        self._tainted = False

    def _read(self, folding: _Folding) -> None:
        task = folding.task
        self._reader.cancel((task.key, folding.reading))
        folding.reading += 1
        self._reader.add((task.key, folding.reading), task.topic, BULK_PARTITION, task.pointer, task.layout)

    def _read_on(self) -> None:
        for event in self._reader.poll():
            key, reading = cast("tuple[Key, int]", event.key)
            folding = self._folding.get(key)
            if folding is None or folding.reading != reading:
                continue
            if isinstance(event, Arrived):
                self._take(folding, event)
            elif folding.undoing is not None:
                self._undone(folding, event)
            else:
                self._finish(folding, event)

    def _take(self, folding: _Folding, chunk: Arrived) -> None:
        x = as_coordinates(chunk.data)
        weight = folding.task.weight
        if folding.undoing is not None:
            if chunk.index in folding.added and weight is not None and self._sum is not None:
                self._sum.subtract(chunk.index, x, weight)
                folding.added.discard(chunk.index)
            return
        if weight is None:
            if not bool(np.isfinite(x).all()):
                self._reject(folding, RejectReason.OUT_OF_RANGE, "the first model holds a value that is not finite")
            return
        try:
            check_range(x)
        except OutOfRange as error:
            self._reject(folding, RejectReason.OUT_OF_RANGE, str(error))
            return
        if chunk.index in folding.added:
            return  # of a second reading after a digest did not fit
        if folding.task.max_norm is not None:
            folding.norm += norm_units(x, folding.task.max_norm)
        if self._sum is not None:
            self._sum.add(chunk.index, x, weight)
            folding.added.add(chunk.index)
            self._at("mid-fold")

    def _finish(self, folding: _Folding, event: Finished) -> None:
        failure = event.failure
        if isinstance(failure, ChunkCorrupt) and not folding.tried_again:
            folding.tried_again = True
            self._read(folding)
        elif failure is not None:
            reasons = {ChunkCorrupt: RejectReason.BAD_DIGEST, ChunksGone: RejectReason.CHUNKS_GONE}
            self._reject(folding, reasons.get(type(failure), RejectReason.BAD_OFFSETS), str(failure))
        elif folding.norm > NORM_UNITS:
            limit = folding.task.max_norm
            self._reject(folding, RejectReason.NORM_TOO_LARGE, f"its L2 norm exceeds update.maxNorm {limit}")
        else:
            self._folded[folding.task.key] = self._folding.pop(folding.task.key)
            self._emit(Folded(folding.task.key))

    def _reject(self, folding: _Folding, reason: RejectReason, message: str) -> None:
        self._take_back(folding, Folded(folding.task.key, reason, message))

    def _take_back(self, folding: _Folding, outcome: Folded) -> None:
        if not folding.added:
            self._reader.cancel((folding.task.key, folding.reading))
            self._folding.pop(folding.task.key, None)
            self._say(outcome)
            return
        folding.undoing = outcome
        self._folding[folding.task.key] = folding
        self._read(folding)

    def _undone(self, folding: _Folding, event: Finished) -> None:
        """A failed reading of a corrupt update stops at the same chunk again: what was added came before it."""
        self._folding.pop(folding.task.key, None)
        self._tainted = self._tainted or bool(folding.added)  # before anybody can order to publish
        if folding.undoing is not None:
            self._say(folding.undoing)
        if folding.added:
            LOGGER.warning("an update of %s can no longer be taken back: %s", folding.task.key[0], event.failure)
            self._emit(Tainted())

    def _say(self, outcome: Folded) -> None:
        """A refusal is news; that a superfluous update was taken back is not."""
        if outcome.reason is not None:
            self._emit(outcome)

    def _settle(self, keys: frozenset[Key]) -> bool:
        """Make the accumulator hold exactly `keys`: over-selection leaves others in it, in part or whole."""
        for key in [key for key in self._folding if key not in keys and self._folding[key].undoing is None]:
            self._take_back(self._folding[key], Folded(key))
        for key in [key for key in self._folded if key not in keys]:
            self._take_back(self._folded.pop(key), Folded(key))
        while self._folding and self._reader.busy:
            self._read_on()
        if self._tainted:
            return False  # as was said: everything will be begun again
        if not self._folding and self._folded.keys() == keys:
            return True
        self._emit(Tainted())
        return False
