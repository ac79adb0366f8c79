"""A run's journal as a test follows it: by the rule, waiting for what it says."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from fedka.kafka.access import Settings
from fedka.kafka.log_record import LogRecord, Start
from fedka.kafka.tail import Tail
from fedka.wire.codec import journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge
from fedka.wire.names import RunTopics
from fedka.wire.records import JournalRecord, RoundClosed
from fedka.wire.run_state import At, RunState, advance

PATIENCE = 60.0
J = TypeVar("J", bound=JournalRecord)


class Journal:
    """Follows a run's journal by the rule and lets a test wait for what it says."""

    def __init__(self, settings: Settings, topics: RunTopics) -> None:
        self.position = JournalPosition()
        self._decoder = journal_decoder()
        self._changed = threading.Condition()
        self.state = RunState()
        self.records: list[JournalRecord] = []
        self.times: list[int] = []
        self.raw: list[bytes] = []  # whatever lies there
        self.verdicts: list[Verdict] = []
        self._tail = Tail(settings, [Start(topics.journal)], deliver=self._take, trouble=lambda _: None, name="test")
        self._tail.start()

    def _take(self, record: LogRecord) -> None:
        with self._changed:
            self.position, verdict = judge(self.position, record.value)
            self.verdicts.append(verdict)
            self.raw.append(record.value or b"")
            if verdict is Verdict.VALID:
                decoded = self._decoder.decode(record.value)
                assert decoded is not None, record.value
                self.records.append(decoded)
                self.times.append(record.time_ms)
                self.state = advance(self.state, decoded, At(record.offset, record.time_ms))
            self._changed.notify_all()

    def wait(self, until: Callable[["Journal"], object], what: str) -> None:
        with self._changed:
            told, end = len(self.raw), time.monotonic() + PATIENCE
            while not until(self):  # asked now and then, too: participants' failures are no records
                if len(self.raw) > told:  # a loaded machine is slow, and comes on
                    told, end = len(self.raw), time.monotonic() + PATIENCE
                if time.monotonic() < end:
                    self._changed.wait(1.0)
                    continue
                seen = "\n".join(str(record)[:200] for record in self.records[-15:])
                raise AssertionError(f"{what} did not happen, nor anything for {PATIENCE} s; it ends with\n{seen}")

    def of(self, kind: type[J]) -> list[J]:
        with self._changed:
            return [record for record in self.records if isinstance(record, kind)]

    @property
    def digests(self) -> list[str]:
        return [record.model.pointer.digest for record in self.of(RoundClosed)]

    def seen(self, kind: type[JournalRecord], count: int = 1) -> None:
        """Wait for so many records of a kind."""
        self.wait(lambda journal: len(journal.of(kind)) >= count, f"record {kind.__name__} number {count}")

    def first(self, kind: type[J], where: Callable[[J], bool] = lambda _: True) -> J:
        """Wait for a record of a kind that is as told, and give the first of them."""
        self.wait(lambda journal: any(map(where, journal.of(kind))), f"such a {kind.__name__}")
        return next(record for record in self.of(kind) if where(record))

    def close(self) -> None:
        self._tail.close()


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that no event tells of."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {PATIENCE} s")
        time.sleep(0.02)
