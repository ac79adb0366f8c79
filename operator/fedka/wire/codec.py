"""Control records to bytes and back.

A reader must survive whatever lies in a topic: bytes that are not JSON, too large, of an unknown type or version.
Unknown types are skipped (they still take part in the journal's sequence and chain), everything else is refused with
a `MalformedRecord` that says what was wrong.
"""

from typing import Any, Generic, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from fedka.wire import records
from fedka.wire.lines import one_line
from fedka.wire.records import MOST_RECORD_BYTES, Record

R = TypeVar("R", bound=Record)

_LONGEST_REASON = 512


class MalformedRecord(ValueError):
    """The bytes are not a control record that this version reads.

    The message is short and one line whatever the record holds, since others show it and carry it on in records of
    their own.
    """

    def __init__(self, reason: str) -> None:
        line = one_line(reason[: 2 * _LONGEST_REASON])
        super().__init__(line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3] + "...")


class RecordTooLarge(ValueError):
    """A record to be written exceeds the 256 KiB that every reader accepts."""


def encode(record: Record) -> bytes:
    """Compact JSON. Raises RecordTooLarge."""
    data = record.model_dump_json(by_alias=True).encode()
    if len(data) > MOST_RECORD_BYTES:
        raise RecordTooLarge(
            f"a {record.type} record of {len(data)} bytes exceeds the limit of {MOST_RECORD_BYTES}: "
            "fewer participants in a round (rounds.sampleSize), fewer tensors or larger chunks make it smaller"
        )
    return data


class Decoder(Generic[R]):
    """Decodes the records of one kind of topic."""

    def __init__(self, *types: type[R]) -> None:
        self._adapters: dict[str, TypeAdapter[R]] = {
            get_args(cls.model_fields["type"].annotation)[0]: TypeAdapter(cls) for cls in types
        }

    def decode(self, data: bytes | None) -> R | None:
        """The record, or None where its type is unknown. Raises MalformedRecord."""
        return self.decode_as(self.header(data)["type"], data or b"")

    def decode_as(self, type_: str, data: bytes) -> R | None:
        """The same of a record whose header was looked at and says that it is of this type."""
        adapter = self._adapters.get(type_)
        if adapter is None:
            return None
        try:
            # Strict: a lax 1e18 for an integer has 4 bytes here and 19 where we write it again, beyond any bound.
            return adapter.validate_json(data, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise MalformedRecord(f"{type_} record: {where}: {first['msg']}") from None

    @staticmethod
    def header(data: bytes | None) -> dict[str, Any]:
        """The parsed document, checked for size, JSON, type and version only. Raises MalformedRecord."""
        if data is None or len(data) > MOST_RECORD_BYTES:
            raise MalformedRecord(f"a record of {len(data or b'')} bytes: 1 to {MOST_RECORD_BYTES} are allowed")
        try:
            document = from_json(data)
        except (ValueError, RecursionError) as error:
            raise MalformedRecord(f"not JSON: {error}") from None
        if not isinstance(document, dict) or not isinstance(document.get("type"), str):
            raise MalformedRecord("a JSON object with a string member `type` was expected")
        version = document.get("v")
        if type(version) is not int or version != records.VERSION:  # true == 1 == 1.0
            raise MalformedRecord(
                f"version {version!r} of a {document['type']} record: this software reads {records.VERSION}"
            )
        return document


def journal_decoder() -> Decoder[records.JournalRecord]:
    """For journal topics."""
    return Decoder(*get_args(records.AnyJournalRecord))


def control_decoder() -> Decoder[Record]:
    """For the control partitions of update topics."""
    return Decoder(*get_args(records.AnyControlRecord))


def audit_decoder() -> Decoder[records.AuditRecord]:
    """For audit topics."""
    return Decoder(*get_args(records.AnyAuditRecord))


def spec_decoder() -> Decoder[records.Spec]:
    """For spec topics."""
    return Decoder(records.Spec)
