"""The largest and strangest records that the limit of 256 KiB leaves: bounded memory, and an answer."""

import tracemalloc
from collections.abc import Iterator

import pytest

from fedka.wire import records as r
from fedka.wire.codec import Decoder, MalformedRecord
from fedka.wire.journal import JournalPosition, judge
from fedka.wire.records import MOST_RECORD_BYTES

from ..wire.arbitrary import ALL_TYPES

EVERYTHING: Decoder[r.Record] = Decoder(*ALL_TYPES)
MOST_BYTES = 32 * 2**20  # that one record may take for a moment: an aggregator's pod has 256 MiB
HEX16, HEX32 = "0" * 32, "0" * 64
JOURNAL = '"v":1,"epoch":1,"seq":1,"round":1,"attempt":1'
COMMIT = f'{{"type":"commit","v":1,"run":"r","round":1,"attempt":1,"nonce":"{HEX16}","layout":"{HEX32}","examples":1'
POINTER = f'"upload":"{HEX16}","digest":"{HEX32}"'
TENSORS = f'{COMMIT},"update":{{{POINTER},"offsets":[1]}},"definition":{{"tensors":['

# Beginning, what is repeated as often as it fits, end.
FILLED: dict[str, tuple[str, str, str]] = {
    "faults in a decision": (f'{{"type":"round.closing",{JOURNAL},"accepted":[', "1", "]}"),
    "empty parts of a decision": (f'{{"type":"round.closing",{JOURNAL},"accepted":[', "{}", "]}"),
    "unknown members": (f'{{"type":"round.closing",{JOURNAL}', ',"k%d":1', "}"),
    "faults in a spec": ('{"type":"spec","v":1,"generation":1,"participants":[', "1", '],"rounds":{"count":1}}'),
    "faults in a pointer": (f'{COMMIT},"update":{{{POINTER},"offsets":[', '""', "]}}"),
    "a pointer to everything": (f'{COMMIT},"update":{{{POINTER},"offsets":[', "1", "]}}"),
    "metrics": (f'{COMMIT},"update":{{{POINTER},"offsets":[1]}},"metrics":{{"a":1', ',"k%d":1', "}}"),
    "metrics without a number": (f'{COMMIT},"update":{{{POINTER},"offsets":[1]}},"metrics":{{"a":1', ',"k%d":""', "}}"),
    "tensors without a name": (TENSORS, '{"name":"","dtype":"x","shape":[]}', "]}}"),
    "tensors": (TENSORS, '{"name":"a","dtype":"bool","shape":[9]}', "]}}"),
    "dimensions": (TENSORS + '{"name":"a","dtype":"bool","shape":[', '""', "]}]}}"),
    "the same member": ('{"type":"alive","v":1', ',"v":1', "}"),
    "digits": ('{"type":"alive","v":1,"x":', "9", "}"),
    "escapes": ('{"type":"alive","v":1,"x":"', "\\u0041", '"}'),
    "half surrogates": ('{"type":"failed","v":1,"message":"', "\\ud800", '"}'),
    "empty objects": ('{"type":"alive","v":1,"x":[', "{}", "]}"),
    "open brackets": ('{"type":"alive","v":1,"x":', "[", ""),
    "nested objects": ('{"type":"alive","v":1,"x":', '{"a":', ""),
}


def filled(begin: str, part: str, end: str) -> bytes:
    comma = "," if begin[-1] == "[" and part[0] != "[" else ""
    parts: list[str] = []
    left = MOST_RECORD_BYTES - len(begin) - len(end)
    for each in _numbered(part):
        left -= len(each) + len(comma)
        if left < 0:
            break
        parts.append(each)
    return (begin + comma.join(parts) + end).encode()


def _numbered(part: str) -> Iterator[str]:
    number = 0
    while True:
        yield part % number if "%d" in part else part
        number += 1


@pytest.mark.parametrize("name", FILLED)
def test_a_record_filled_with_one_thing_takes_little_memory(name: str) -> None:
    data = filled(*FILLED[name])
    assert MOST_RECORD_BYTES - 100 <= len(data) <= MOST_RECORD_BYTES
    tracemalloc.start()
    try:
        judge(JournalPosition(), data)
        try:
            record = EVERYTHING.decode(data)
        except MalformedRecord:
            record = None
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert record is None or isinstance(record, r.Record)
    assert peak < MOST_BYTES
