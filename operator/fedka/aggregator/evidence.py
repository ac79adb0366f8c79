"""The log of a run as evidence: what there is at a place, or that it has gone, or that it never was.

A port, since a log may also be a copy in files; `KafkaEvidence` is the one over Kafka. Retention may have freed what is
asked for, which proves nothing, while a place that the log never had, or that holds something else than was promised,
proves that somebody said what is not so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from fedka.kafka.access import Settings
from fedka.kafka.errors import ChunksGone, TopicMissing
from fedka.kafka.log_record import LogRecord
from fedka.kafka.log_view import LogView
from fedka.kafka.ranges import Arrived, RangeReader
from fedka.wire.chunks import Pointer
from fedka.wire.layout import Layout
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION, RunTopics


class NotRetained(Exception):
    """What is needed is no longer in the log: nothing can be said."""


class LogCut(Exception):
    """Journal or spec topic do not begin with their first record: nothing of the run can be recomputed."""


class Contradiction(Exception):
    """The log holds something else than what is claimed of it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """Chunks that a pointer names: of a participant's update, or (None) of a global model."""

    participant: str | None
    pointer: Pointer


class Evidence(Protocol):
    """One run's log. Its methods raise a KafkaError where the log cannot be read at all."""

    def journal(self) -> Sequence[LogRecord]:
        """The journal from its first record to its present end. Raises LogCut."""
        ...

    def spec(self) -> Sequence[LogRecord]:
        """The spec topic, likewise."""
        ...

    def control(self, places: Mapping[str, int]) -> Mapping[str, LogRecord]:
        """By participant, the record at an offset of its control log. Raises NotRetained or Contradiction."""
        ...

    def chunks(self, uploads: Sequence[Upload], layout: Layout) -> Iterator[tuple[Upload, int, bytes]]:
        """Every chunk of these uploads with its index, in any order, verified by the pointers' digests.

        Raises NotRetained or Contradiction; what was yielded before then is void.
        """
        ...


class KafkaEvidence:
    """A run's log in Kafka. `principal`: who is to be named where a right is missing.

    What participants wrote is read carefully: a few hundred bytes of theirs may unpack to a gigabyte, and an auditor
    has no successor. The journal, which has many records, is the aggregator's.
    """

    def __init__(self, settings: Settings, topics: RunTopics, principal: str) -> None:
        self._topics = topics
        self._principal = principal
        self._view = LogView(settings, name="fedka-replay-view")
        self._control = LogView(settings, name="fedka-replay-control", careful=True)
        self._reader = RangeReader(settings, name="fedka-replay-ranges", careful=True)
        self._held: dict[str, range] = {}  # by participant: offsets of its control log

    def close(self) -> None:
        """End the clients."""
        self._view.close()
        self._control.close()
        self._reader.close()

    def journal(self) -> Sequence[LogRecord]:
        """See `Evidence`."""
        return self._whole(self._topics.journal)

    def spec(self) -> Sequence[LogRecord]:
        """See `Evidence`."""
        return self._whole(self._topics.spec)

    def control(self, places: Mapping[str, int]) -> Mapping[str, LogRecord]:
        """See `Evidence`."""
        for participant, offset in places.items():
            held = self._offsets(participant)
            if offset < held.start:
                raise _record_gone(participant, offset)
            if offset >= held.stop:
                raise Contradiction(f"the control log of {participant} ends at {held.stop}, before offset {offset}")
        asked = [(self._topics.update(name), CONTROL_PARTITION, offset) for name, offset in places.items()]
        found: dict[str, LogRecord] = {}
        for (name, offset), record in zip(places.items(), self._control.read_each(asked), strict=True):
            if record is None:
                raise self._why_none(name, offset)
            found[name] = record
        return found

    def chunks(self, uploads: Sequence[Upload], layout: Layout) -> Iterator[tuple[Upload, int, bytes]]:
        """See `Evidence`."""
        self._reader.cancel_all()
        for number, upload in enumerate(uploads):
            topic, partition = self._topics.model, 0
            if upload.participant is not None:
                self._offsets(upload.participant)
                topic, partition = self._topics.update(upload.participant), BULK_PARTITION
            self._reader.add(number, topic, partition, upload.pointer, layout)
        while self._reader.busy:
            for event in self._reader.poll():
                if isinstance(event, Arrived):
                    yield uploads[cast("int", event.key)], event.index, event.data
                elif isinstance(event.failure, ChunksGone):
                    raise NotRetained(str(event.failure))
                elif event.failure is not None:
                    raise Contradiction(str(event.failure))

    def _whole(self, topic: str) -> Sequence[LogRecord]:
        self._view.check_topics([topic], self._principal)
        low, _ = self._view.watermarks(topic)
        if low > 0:
            raise LogCut(f"the first {low} records of {topic} are gone: nothing can be recomputed without them")
        return self._view.read_to_end(topic)

    def _offsets(self, participant: str) -> range:
        """Of its control log, asked for once: what a journal names was there before the journal was read."""
        if participant not in self._held:
            topic = self._topics.update(participant)
            try:
                self._view.check_topics([topic], self._principal)
            except TopicMissing:
                raise NotRetained(f"the update topic of {participant} no longer exists") from None
            self._held[participant] = range(*self._view.watermarks(topic, CONTROL_PARTITION))
        return self._held[participant]

    def _why_none(self, participant: str, offset: int) -> Exception:
        """Retention may have freed it since its log was looked at."""
        low, _ = self._view.watermarks(self._topics.update(participant), CONTROL_PARTITION)
        if offset < low:
            return _record_gone(participant, offset)
        return Contradiction(f"offset {offset} of the control log of {participant} holds no record")


def _record_gone(participant: str, offset: int) -> NotRetained:
    return NotRetained(f"what {participant} said at offset {offset} of its control log is no longer retained")
