"""Chunks in: ranges of logs that pointers name, several at a time, each chunk verified as it arrives.

All waiting ranges are assigned at once: one after another, each would pay the fetch's wait. Nothing is held but what
is in librdkafka's bounded queue and one batch.
"""

import logging
import time
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from operator import methodcaller

from confluent_kafka import KafkaError as Code
from confluent_kafka import KafkaException, Message, TopicPartition

from fedka.kafka.access import Settings, range_consumer_settings
from fedka.kafka.complaints import Complaints
from fedka.kafka.errors import ChunkCorrupt, ChunksGone, ChunksUnusable, NoSuchOffset, PointerUnsound, TopicRefused
from fedka.kafka.log_record import FATAL, GONE, UNREADABLE, consumer_of
from fedka.kafka.patience import Patience
from fedka.wire.chunks import ChunkHeaders, Pointer, chunk_digest, root_digest
from fedka.wire.layout import Layout

LOGGER = logging.getLogger("fedka.kafka")
MOST_AT_ONCE = 64
BATCH = 8  # chunks held at a time
STALLED_SECONDS = 1.0
ANSWER_SECONDS = 10.0

_headers_of = methodcaller("headers")  # a call in code that has run often is not checked for such a result, this one is


@dataclass(frozen=True, slots=True)
class Arrived:
    """A verified chunk of the range `key`."""

    key: Hashable
    index: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """All chunks of the range arrived and its root digest fits; or `failure` says why not."""

    key: Hashable
    failure: ChunksUnusable | None = None


@dataclass(slots=True)
class _Range:
    key: Hashable
    topic: str
    partition: int
    pointer: Pointer
    layout: Layout
    wanted: dict[int, int] = field(default_factory=dict)  # offset -> index
    digests: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.wanted = {offset: index for index, offset in enumerate(self.pointer.offsets())}


class RangeReader:
    """Reads ranges; used by one thread. At most one range a partition is read at a time, others of it wait.

    It waits as long as Kafka is away. What reads raises AccessRefused once Kafka has refused the connection for long,
    and TopicRefused where the right to read is lacking.
    """

    def __init__(self, settings: Settings, *, name: str, careful: bool = False) -> None:
        wanted = range_consumer_settings(settings, careful=careful)
        self._refusals = Complaints(settings)
        self._patience = Patience(time.monotonic)
        self._consumer = consumer_of({**wanted, "client.id": name}, on_error=self._refusals.take)
        self._active: dict[tuple[str, int], _Range] = {}
        self._waiting: deque[_Range] = deque()
        self._known: set[str] = set()
        self._complaints: set[str] = set()

    @property
    def busy(self) -> bool:
        """Whether any range is unfinished."""
        return bool(self._active or self._waiting)

    def know(self, topic: str) -> None:
        """Learn about a topic: one that librdkafka does not know stalls its first assignment by 0.9 s."""
        if topic not in self._known:
            try:
                self._consumer.list_topics(topic, timeout=ANSWER_SECONDS)
            except KafkaException as error:  # reading from it waits for Kafka to come back
                LOGGER.warning("asking about topic %s: %s", topic, error.args[0].str())
            else:
                self._answered()
                self._known.add(topic)

    def add(self, key: Hashable, topic: str, partition: int, pointer: Pointer, layout: Layout) -> None:
        """Ask for all chunks of a pointer, which are those of one model of that layout."""
        self._waiting.append(_Range(key, topic, partition, pointer, layout))

    def cancel(self, key: Hashable) -> None:
        """Forget the range `key`; no more events of it come from later polls."""
        self._waiting = deque(waiting for waiting in self._waiting if waiting.key != key)
        for place in [place for place, active in self._active.items() if active.key == key]:
            self._drop(place)

    def cancel_all(self) -> None:
        """Forget all ranges."""
        self._waiting.clear()
        for place in list(self._active):
            self._drop(place)

    def poll(self) -> list[Arrived | Finished]:
        """What arrived; empty where nothing did within a second. Events of a range end with its Finished."""
        events = self._assign_waiting()
        left = sum(len(active.wanted) - len(active.digests) for active in self._active.values())
        if events or left == 0:
            return events
        messages = self._consumer.consume(1, STALLED_SECONDS)
        if messages and left > 1:  # never ask for more than are left: consume would wait for them
            messages += self._consumer.consume(min(left - 1, BATCH - 1), 0)
        for message in messages:
            events.extend(self._take(message))
        return events if messages else self._beyond_the_end()

    def read(self, topic: str, partition: int, pointer: Pointer, layout: Layout) -> Iterator[tuple[int, bytes]]:
        """The chunks of one pointer as they arrive, in any order.

        Raises a ChunksUnusable, and what `poll` raises; what was yielded before then is void.
        """
        self.cancel_all()
        key = object()
        self.add(key, topic, partition, pointer, layout)
        while self.busy:
            for event in self.poll():
                if isinstance(event, Arrived):
                    yield event.index, event.data
                elif event.failure is not None:
                    raise event.failure

    def scan(self, topic: str, partition: int, offset: int) -> Iterator[tuple[int, ChunkHeaders]]:
        """Offsets and headers of the chunks from `offset` to the end that the log has now. Raises ChunksGone."""
        self.cancel_all()
        self.know(topic)
        high = self._end(topic, partition)
        while high is None:
            high = self._end(topic, partition)
        if offset >= high:
            return
        self._consumer.incremental_assign([TopicPartition(topic, partition, offset)])
        try:
            while offset < high:
                for message in self._consumer.consume(1, STALLED_SECONDS):
                    error = message.error()
                    if error is not None and error.code() in GONE:
                        raise ChunksGone(f"chunks in {topic} are no longer in the log")
                    if error is not None and error.code() == Code.TOPIC_AUTHORIZATION_FAILED:
                        raise TopicRefused(f"topic {topic}: {FATAL[error.code()]}")
                    if error is None:
                        offset = (message.offset() or 0) + 1
                        headers = _headers(message)
                        if headers is not None and offset <= high:
                            yield offset - 1, headers
        finally:
            self._consumer.incremental_unassign([TopicPartition(topic, partition)])

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _assign_waiting(self) -> list[Arrived | Finished]:
        """Begin to read what waits; the ends of those that there is no use in reading."""
        later: deque[_Range] = deque()
        assigned = []
        events: list[Arrived | Finished] = []
        while self._waiting and len(self._active) < MOST_AT_ONCE:
            wanted = self._waiting.popleft()
            place = (wanted.topic, wanted.partition)
            if (fault := wanted.pointer.fault(wanted.layout.chunk_count)) is not None:
                failure = PointerUnsound(f"a pointer into {wanted.topic} is unsound: {fault}")
                events.append(Finished(wanted.key, failure))
                continue
            if place in self._active:
                later.append(wanted)
                continue
            self.know(wanted.topic)
            self._active[place] = wanted
            assigned.append(TopicPartition(wanted.topic, wanted.partition, min(wanted.wanted)))
        self._waiting.extendleft(reversed(later))
        if assigned:
            self._consumer.incremental_assign(assigned)
        return events

    def _beyond_the_end(self) -> list[Arrived | Finished]:
        """Ranges that name offsets which no record has: looked for when nothing comes, as asking costs a round trip."""
        events: list[Arrived | Finished] = []
        for place, active in list(self._active.items()):
            high = self._end(*place)
            if high is None:
                self._active[place] = self._active.pop(place)  # asking took its time: the others come first next time
                break
            if max(active.wanted) >= high:
                self._drop(place)
                events.append(_beyond(active))
        return events

    def _at_end(self, place: tuple[str, int], active: _Range, end: int) -> list[Arrived | Finished]:
        """All that there is has been read. Chunks are acknowledged before anybody is told where they lie, so whoever
        names more than that names what never was; waiting for it, a record a second would keep us here.
        """
        if end > max(active.wanted):
            self._drop(place)
            return [Finished(active.key, ChunksGone(f"an offset in {active.topic} that is named holds no record"))]
        high = self._end(*place)  # a new leader's fetches may end too early for a moment, its answer does not
        if high is None or max(active.wanted) < high:
            return []
        self._drop(place)
        return [_beyond(active)]

    def _end(self, topic: str, partition: int) -> int | None:
        """The offset after the last record; None where no broker answered in time."""
        try:
            _, high = self._consumer.get_watermark_offsets(
                TopicPartition(topic, partition), timeout=ANSWER_SECONDS, cached=False
            )
        except KafkaException as error:
            self._no_answer(topic, error.args[0])
            return None
        self._answered()
        return int(high)

    def _no_answer(self, topic: str, answer: Code) -> None:
        if not self._active:  # nothing can come, and what the client has complained of is told here
            self._consumer.poll(0)
        why = self._refusals.explain(f"topic {topic}", answer)
        self._patience.hear(why)
        self._complain(str(why))

    def _answered(self) -> None:
        self._refusals.answered()
        self._patience.answered()

    def _complain(self, trouble: str) -> None:
        """Once for each trouble until something arrives again: an outage would fill the log."""
        if trouble not in self._complaints:
            self._complaints.add(trouble)
            LOGGER.warning("reading chunks: %s", trouble)

    def _drop(self, place: tuple[str, int]) -> None:
        self._active.pop(place)
        self._consumer.incremental_unassign([TopicPartition(*place)])

    def _take(self, message: Message) -> list[Arrived | Finished]:  # noqa: PLR0911 one return a kind of news
        place = (message.topic() or "", message.partition() or 0)
        active = self._active.get(place)
        error = message.error()
        if error is not None and error.code() == Code._PARTITION_EOF:  # noqa: SLF001 librdkafka's own name
            return [] if active is None else self._at_end(place, active, message.offset() or 0)
        if error is not None:
            if active is not None and error.code() in GONE:
                self._drop(place)
                high = self._end(*place)  # a position before the log's beginning and one after its end fail alike
                if high is not None and max(active.wanted) >= high:
                    return [_beyond(active)]
                return [Finished(active.key, ChunksGone(f"chunks in {active.topic} are no longer in the log"))]
            if active is not None and error.code() in UNREADABLE:
                self._drop(place)
                return [Finished(active.key, ChunkCorrupt(f"a record in {active.topic} cannot be decompressed"))]
            if error.code() == Code.TOPIC_AUTHORIZATION_FAILED:
                raise TopicRefused(f"topic {message.topic()}: {FATAL[error.code()]}")
            if error.code() != Code.GROUP_AUTHORIZATION_FAILED:
                self._complain(error.str())
            return []
        if active is None:
            return []
        return self._take_chunk(place, active, message)

    def _take_chunk(self, place: tuple[str, int], active: _Range, message: Message) -> list[Arrived | Finished]:
        offset = message.offset() or 0
        index = active.wanted.get(offset)
        if index is None:
            if offset < max(active.wanted):
                return []  # another upload's chunk in between
            self._drop(place)
            return [Finished(active.key, ChunksGone(f"chunks in {active.topic} are no longer in the log"))]
        if len(message) != active.layout.chunk_size(index):  # before it is copied: a record may unpack to a gigabyte
            self._drop(place)
            fault = f"chunk {index} has {len(message)} bytes where the layout says {active.layout.chunk_size(index)}"
            return [Finished(active.key, ChunkCorrupt(fault))]
        data = message.value() or b""
        digest = chunk_digest(data)
        headers = _headers(message)
        if headers is None or (headers.upload, headers.index, headers.digest) != (
            active.pointer.upload_id,
            index,
            digest,
        ):
            self._drop(place)
            return [Finished(active.key, ChunkCorrupt(f"chunk {index} at {offset} of {active.topic} is another's"))]
        active.digests[index] = digest
        self._complaints.clear()
        events: list[Arrived | Finished] = [Arrived(active.key, index, data)]
        if len(active.digests) == len(active.wanted):
            self._drop(place)
            root = root_digest(active.digests[i] for i in range(len(active.digests)))
            fits = root == active.pointer.digest
            failure = None if fits else ChunkCorrupt(f"the root digest of an upload in {active.topic} does not fit")
            events.append(Finished(active.key, failure))
        return events


def _headers(message: Message) -> ChunkHeaders | None:
    """What stands beside a chunk, or None where it is none of ours. To be asked once a message.

    Kafka takes any bytes for the name of a header. At one that is not UTF-8, confluent-kafka (2.16) raises an error and
    also returns a list with a hole in it, which ends the process if it is touched.
    """
    try:
        headers = _headers_of(message)
    except (SystemError, UnicodeError):
        return None
    return ChunkHeaders.decode(headers)


def _beyond(active: _Range) -> Finished:
    return Finished(active.key, NoSuchOffset(f"{active.topic} ends before an offset that is named"))
