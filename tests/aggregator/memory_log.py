"""One topic in memory, as the journal's writer and reader see it."""
# ruff: noqa: ARG002  the ports' signatures

from collections.abc import Callable

from fedka.kafka.log_record import LogRecord
from fedka.kafka.writer import Outcome, Written


class MemoryLog:
    """Both ends of a log; `answering` False: records land, but nobody is told. Times are made up: by the broker, or
    not."""

    def __init__(self, *, answering: bool = True, by_broker: bool = True) -> None:
        self.records: list[LogRecord] = []
        self.low = 0
        self._answering = answering
        self._by_broker = by_broker

    def append(self, data: bytes) -> Written:
        offset = len(self.records)
        record = LogRecord(topic="journal", partition=0, offset=offset, time_ms=1000 + 10 * offset, value=data)
        self.records.append(record)
        return Written(offset=offset, time_ms=record.time_ms, by_broker=self._by_broker)

    def watermarks(self, topic: str, partition: int = 0) -> tuple[int, int]:
        return self.low, len(self.records)

    def read_to_end(self, topic: str, partition: int = 0, offset: int = 0) -> list[LogRecord]:
        return self.records[offset:]

    def write(self, topic: str, partition: int, data: bytes, done: Callable[[Outcome], None] | None = None) -> None:
        written = self.append(data)
        if done is not None and self._answering:
            done(written)

    def write_now(self, topic: str, partition: int, data: bytes) -> Written:
        return self.append(data)
