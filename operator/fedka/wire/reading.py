"""Reading a run off its journal: which records exist, what each says, and the state that they add up to.

One pure step for all readers. What a record means that exists and cannot be read is theirs to decide: who acts on the
run must stop, who only tells of it may go on.
"""

from dataclasses import dataclass, field

from fedka.wire.codec import Decoder, MalformedRecord, journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge_by
from fedka.wire.records import JournalRecord
from fedka.wire.run_state import At, RunState, advance

_DECODER = journal_decoder()


@dataclass(frozen=True, slots=True)
class Reading:
    """A journal as far as it was read, from its first record on."""

    position: JournalPosition = field(default_factory=JournalPosition)
    state: RunState = field(default_factory=RunState)


@dataclass(frozen=True, slots=True)
class Found:
    """What one record is: `said` where it exists and this version knows its type, `problem` where it cannot be read."""

    verdict: Verdict
    said: JournalRecord | None = None
    problem: MalformedRecord | None = None


def read_on(reading: Reading, data: bytes | None, at: At) -> tuple[Reading, Found]:
    """The reading after one more record of the journal."""
    try:
        header, data = Decoder.header(data), data or b""
    except MalformedRecord:
        return reading, Found(Verdict.BROKEN)
    position, verdict = judge_by(header, reading.position, data)
    if verdict is not Verdict.VALID:
        return reading, Found(verdict)
    try:
        said = _DECODER.decode_as(header["type"], data)
    except MalformedRecord as problem:
        return Reading(position, reading.state), Found(verdict, problem=problem)
    state = reading.state if said is None else advance(reading.state, said, at)
    return Reading(position, state), Found(verdict, said)
