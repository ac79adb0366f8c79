"""Spec records: which one is in force."""

import logging
from collections.abc import Iterable

from fedka.kafka.log_record import LogRecord
from fedka.wire.codec import MalformedRecord, spec_decoder
from fedka.wire.records import Spec

LOGGER = logging.getLogger("fedka.aggregator")
DECODER = spec_decoder()


def read_spec(record: LogRecord) -> Spec | None:
    """The spec in a record, or None where it is none that this version reads."""
    try:
        return DECODER.decode(record.value)
    except MalformedRecord as error:
        LOGGER.error("the spec record at %d is refused: %s", record.offset, error)  # noqa: TRY400 it says it all
        return None


def supersedes(new: Spec, old: Spec | None) -> bool:
    """The higher (generation, revision) wins; of equals the later one."""
    return old is None or (new.generation, new.revision) >= (old.generation, old.revision)


def newest_spec(records: Iterable[LogRecord]) -> Spec | None:
    """The one in force: whoever starts must not act on those that it has replaced."""
    newest: Spec | None = None
    for record in records:
        spec = read_spec(record)
        if spec is not None and supersedes(spec, newest):
            newest = spec
    return newest
