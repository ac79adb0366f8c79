"""A run's whole log in a file: every record of every topic, as it lay there.

One JSON object a line: the first says whose log it is, each other is a record. What a record holds is text where it is
JSON itself, so that a reader can see what a version wrote, and base64 where it is a chunk.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fedka.aggregator.evidence import Contradiction, NotRetained, Upload
from fedka.kafka.log_record import LogRecord
from fedka.wire.chunks import ChunkHeaders, Pointer, chunk_digest, root_digest
from fedka.wire.layout import Layout
from fedka.wire.names import BULK_PARTITION, RunTopics

Place = tuple[str, int]  # topic, partition


@dataclass(frozen=True)
class Stored:
    """One record, with its headers."""

    record: LogRecord
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class RecordedLog:
    """The records by topic and partition, then by offset. An `Evidence`: what was taken out of it has gone."""

    topics: RunTopics
    software: str
    places: dict[Place, dict[int, Stored]] = field(default_factory=dict)

    def add(self, stored: Stored) -> None:
        record = stored.record
        self.places.setdefault((record.topic, record.partition), {})[record.offset] = stored

    def at(self, topic: str, partition: int, offset: int) -> LogRecord:
        return self.places[topic, partition][offset].record

    def change(self, topic: str, partition: int, offset: int, value: bytes, **headers: bytes) -> None:
        """Somebody tampers with the log."""
        stored = self.places[topic, partition][offset]
        changed = tuple((name, headers.get(name, old)) for name, old in stored.headers)
        self.add(Stored(replace(stored.record, value=value), changed))

    def lose(self, topic: str, partition: int, before: int) -> None:
        """What retention does."""
        held = self.places[topic, partition]
        self.places[topic, partition] = {offset: stored for offset, stored in held.items() if offset >= before}

    def under(self, prefix: str) -> "RecordedLog":
        """The same of another installation: a run's records do not know by what its topics' names begin."""
        topics = RunTopics(run=self.topics.run, prefix=prefix)
        other = RecordedLog(topics, self.software)
        for held in self.places.values():
            for stored in held.values():
                name = prefix + stored.record.topic.removeprefix(self.topics.prefix)
                other.add(replace(stored, record=replace(stored.record, topic=name)))
        return other

    def until(self, time_ms: int) -> "RecordedLog":
        """What there was at a time."""
        held = {
            place: {offset: stored for offset, stored in held.items() if stored.record.time_ms <= time_ms}
            for place, held in self.places.items()
        }
        return RecordedLog(self.topics, self.software, held)

    def records(self, topic: str, partition: int = 0) -> list[LogRecord]:
        return [stored.record for _, stored in sorted(self.places.get((topic, partition), {}).items())]

    def journal(self) -> Sequence[LogRecord]:
        return self.records(self.topics.journal)

    def spec(self) -> Sequence[LogRecord]:
        return self.records(self.topics.spec)

    def control(self, places: Mapping[str, int]) -> Mapping[str, LogRecord]:
        return {name: self._held((self.topics.update(name), 0), offset).record for name, offset in places.items()}

    def chunks(self, uploads: Sequence[Upload], layout: Layout) -> Iterator[tuple[Upload, int, bytes]]:
        for upload in uploads:
            place = (self.topics.model, 0)
            if upload.participant is not None:
                place = (self.topics.update(upload.participant), BULK_PARTITION)
            digests = []
            for index, offset in enumerate(upload.pointer.offsets()):
                data = self._chunk(place, offset, upload.pointer, index)
                if len(data) != layout.chunk_size(index):
                    raise Contradiction("of another size")
                digests.append(chunk_digest(data))
                yield upload, index, data
            if root_digest(digests) != upload.pointer.digest:
                raise Contradiction("the root digest does not fit")

    def _chunk(self, place: Place, offset: int, pointer: Pointer, index: int) -> bytes:
        stored = self._held(place, offset)
        data = stored.record.value or b""
        if ChunkHeaders.decode(stored.headers) != ChunkHeaders(pointer.upload_id, index, chunk_digest(data)):
            raise Contradiction(f"chunk {index} of {place[0]} is another's")
        return data

    def _held(self, place: Place, offset: int) -> Stored:
        held = self.places.get(place)
        if not held or offset < min(held):
            raise NotRetained(f"offset {offset} of {place[0]} is no longer retained")
        if offset not in held:
            raise Contradiction(f"{place[0]} ends before offset {offset}")
        return held[offset]


def save(log: RecordedLog, path: Path) -> None:
    head = {"run": log.topics.run, "prefix": log.topics.prefix, "software": log.software}
    lines = [head, *(_line(stored) for held in log.places.values() for _, stored in sorted(held.items()))]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def load(path: Path) -> RecordedLog:
    head, *lines = (json.loads(line) for line in path.read_text().splitlines())
    log = RecordedLog(RunTopics(run=head["run"], prefix=head["prefix"]), head["software"])
    for line in lines:
        log.add(_stored(line))
    return log


def _line(stored: Stored) -> dict[str, Any]:
    record, value = stored.record, stored.record.value or b""
    held = {"bytes": base64.b64encode(value).decode()} if stored.headers else {"text": value.decode()}
    headers = {name: value.hex() for name, value in stored.headers}
    where = {"topic": record.topic, "partition": record.partition, "offset": record.offset, "time": record.time_ms}
    return {**where, **({"headers": headers} if headers else {}), **held}


def _stored(line: Mapping[str, Any]) -> Stored:
    value = base64.b64decode(line["bytes"]) if "bytes" in line else line["text"].encode()
    record = LogRecord(line["topic"], line["partition"], line["offset"], line["time"], value)
    return Stored(record, tuple((name, bytes.fromhex(value)) for name, value in line.get("headers", {}).items()))
