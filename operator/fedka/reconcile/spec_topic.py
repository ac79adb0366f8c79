"""What is wanted, written into the spec topics: how a changed spec reaches running pods, also those outside.

On start the newest record is read back, so that the revision goes on where the operator before has left it.
"""

import asyncio
import logging
from typing import Protocol

from fedka.kafka.access import Settings
from fedka.kafka.errors import KafkaAway, TopicMissing, WriteFailed, WriteForbidden, WriteRefused
from fedka.kafka.log_record import LogRecord
from fedka.kafka.log_view import LogView
from fedka.kafka.writer import RecordWriter, Written
from fedka.plan.snapshot import Published, from_milliseconds
from fedka.reconcile.provisioning import KafkaUnavailable, TopicRefused
from fedka.wire.codec import MalformedRecord, encode, spec_decoder
from fedka.wire.records import Spec

LOGGER = logging.getLogger("fedka.reconcile")
ANSWER_SECONDS = 10.0  # the client itself would go on for two minutes, and the status would say nothing


class SpecTopics(Protocol):
    """Spec topics of one Kafka cluster. Methods raise KafkaUnavailable or TopicRefused."""

    async def newest(self, topic: str) -> Published | None:
        """The record that is in force, if there is any."""
        ...

    async def publish(self, topic: str, spec: Spec) -> Published:
        """Append a record. After a failure it is unknown whether it landed; to repeat it does no harm."""
        ...

    async def close(self) -> None:
        """Wait for what is outstanding, bounded, and end."""
        ...


class KafkaSpecTopics:
    """The adapter over real Kafka."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._writer: RecordWriter | None = None

    async def newest(self, topic: str) -> Published | None:
        """See `SpecTopics.newest`."""
        records = await asyncio.to_thread(self._read, topic)
        return newest(records)

    async def publish(self, topic: str, spec: Spec) -> Published:
        """See `SpecTopics.publish`."""
        if self._writer is None:
            self._writer = RecordWriter(self._settings, name="fedka-operator-spec")
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Written | WriteFailed] = loop.create_future()

        def done(outcome: Written | WriteFailed) -> None:
            loop.call_soon_threadsafe(_answer, answered, outcome)

        try:
            self._writer.write(topic, 0, encode(spec), done)
            async with asyncio.timeout(ANSWER_SECONDS):
                outcome = await answered
        except TimeoutError:
            raise KafkaUnavailable(f"no acknowledgement for topic {topic} within {ANSWER_SECONDS:.0f} s") from None
        except WriteFailed as error:
            outcome = error
        if isinstance(outcome, WriteForbidden):
            raise TopicRefused(f"{outcome}: grant the operator Write on topics of its prefix") from outcome
        if isinstance(outcome, WriteRefused):
            raise TopicRefused(str(outcome)) from outcome
        if isinstance(outcome, WriteFailed):
            raise KafkaUnavailable(str(outcome)) from outcome
        return Published(spec, from_milliseconds(outcome.time_ms))

    async def close(self) -> None:
        """See `SpecTopics.close`."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await asyncio.to_thread(writer.close)

    def _read(self, topic: str) -> list[LogRecord]:
        view = LogView(self._settings, name="fedka-operator-spec-reader")
        try:
            return view.read_to_end(topic)
        except KafkaAway as error:
            raise KafkaUnavailable(str(error)) from error
        except TopicMissing as error:
            raise TopicRefused(str(error)) from error
        finally:
            view.close()


def _answer(answered: asyncio.Future[Written | WriteFailed], outcome: Written | WriteFailed) -> None:
    if not answered.done():  # the caller may have given up
        answered.set_result(outcome)


def newest(records: list[LogRecord]) -> Published | None:
    """The record with the highest (generation, revision); of equals the last."""
    decoder, found = spec_decoder(), None
    for record in records:
        try:
            spec = decoder.decode(record.value)
        except MalformedRecord as error:
            LOGGER.warning("record %d of topic %s is skipped: %s", record.offset, record.topic, error)
            continue
        if spec is None or (found is not None and _rank(spec) < _rank(found.spec)):
            continue
        found = Published(spec, from_milliseconds(record.time_ms))
    return found


def _rank(spec: Spec) -> tuple[int, int]:
    return spec.generation, spec.revision
