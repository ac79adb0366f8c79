"""Valid documents to begin with: of each type of record, arbitrary ones, and those of recorded runs."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings

from fedka.wire.codec import encode
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import Record

from ..wire.arbitrary import a
from ..wire.recorded_log import RecordedLog, load

RECORDED = Path(__file__).parents[1] / "wire" / "recorded"
EACH = 6


@cache
def logs() -> tuple[RecordedLog, ...]:
    """The recorded runs."""
    return tuple(load(path) for path in sorted(RECORDED.glob("*/*.jsonl")))


@cache
def recorded(kind: str) -> tuple[bytes, ...]:
    """What lies in the topics of a kind, of all recorded runs: `journal`, or `update` for control records."""
    found: dict[bytes, None] = {}
    for log in logs():
        for (topic, partition), held in log.places.items():
            if topic.split(".")[1] == kind and partition == CONTROL_PARTITION:
                found.update(dict.fromkeys(stored.record.value or b"" for stored in held.values()))
    return tuple(found)


@cache
def arbitrary(kinds: Sequence[type[Record]]) -> tuple[bytes, ...]:
    """A few of each type, the same ones at each call."""
    found: list[bytes] = []
    for kind in kinds:

        @settings(
            max_examples=EACH,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(a(kind))
        def collect(record: Record) -> None:
            found.append(encode(record))

        collect()
    return tuple(found)
