"""Changes to a recorded log that somebody could make: by its own rights, or as the aggregator does, signed anew."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from fedka.aggregator.claims import read_claims
from fedka.aggregator.replay import Outcome, ReplayedRound, replay_rounds
from fedka.kafka.log_record import LogRecord
from fedka.wire.chunks import chunk_digest, root_digest
from fedka.wire.journal import GENESIS, link
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION

from ..wire.recorded_log import RecordedLog

LAST = 5
Document = dict[str, Any]


def replayed(log: RecordedLog) -> dict[int, ReplayedRound]:
    claims = read_claims(log.journal())
    return {each.round: each for each in replay_rounds(log, claims, log.topics.run)}


def others_match(rounds: Mapping[int, ReplayedRound], *spoilt: int) -> bool:
    return all(each.outcome is Outcome.MATCHES for number, each in rounds.items() if number not in spoilt)


def assert_differs(log: RecordedLog, number: int, reason: str, *also: int) -> None:
    rounds = replayed(log)
    assert rounds[number].outcome is Outcome.DIFFERS
    assert reason in rounds[number].reason
    assert others_match(rounds, number, *also)


def journal_record(log: RecordedLog, kind: str, number: int, *, last: bool = True) -> tuple[LogRecord, Document]:
    """The last (or first) record of a type for a round."""
    found = [(record, json.loads(record.value or b"")) for record in log.journal()]
    mine = [(record, said) for record, said in found if said["type"] == kind and said.get("round") == number]
    return mine[-1 if last else 0]


def forge(log: RecordedLog, kind: str, number: int, change: Callable[[Document], None]) -> None:
    """An aggregator that writes another record in this one's place, and goes on from there."""
    record, said = journal_record(log, kind, number)
    change(said)
    log.change(record.topic, 0, record.offset, json.dumps(said, separators=(",", ":")).encode())
    sign_anew(log)


def sign_anew(log: RecordedLog) -> None:
    chain, epoch = GENESIS, 0
    for record in log.journal():
        said = json.loads(record.value or b"")
        if said["epoch"] < epoch:
            continue
        epoch = said["epoch"]
        said["chain"] = chain.hex()
        data = json.dumps(said, separators=(",", ":")).encode()
        log.change(record.topic, 0, record.offset, data)
        chain = link(chain, data)


def commit_place(log: RecordedLog, number: int, participant: str) -> tuple[str, int]:
    """Topic and offset of the commit that a round took."""
    _, closing = journal_record(log, "round.closing", number)
    (offset,) = [taken["offset"] for taken in closing["accepted"] if taken["participant"] == participant]
    return log.topics.update(participant), offset


def rewrite_commit(log: RecordedLog, number: int, participant: str, change: Callable[[Document], None]) -> None:
    topic, offset = commit_place(log, number, participant)
    said = json.loads(log.at(topic, CONTROL_PARTITION, offset).value or b"")
    change(said)
    log.change(topic, CONTROL_PARTITION, offset, json.dumps(said, separators=(",", ":")).encode())


def chunk_of(log: RecordedLog, number: int, participant: str) -> LogRecord:
    topic, offset = commit_place(log, number, participant)
    commit = json.loads(log.at(topic, CONTROL_PARTITION, offset).value or b"")
    return log.at(topic, BULK_PARTITION, commit["update"]["offsets"][0])


def flipped(data: bytes | None) -> bytes:
    """One bit of the lowest byte of the first coordinate."""
    assert data
    return bytes([data[0] ^ 1]) + data[1:]


def rewrite_update(log: RecordedLog, number: int, participant: str, data: bytes) -> None:
    """All of it by the participant's own rights: the chunk, its digest, the commit's digest."""
    chunk = chunk_of(log, number, participant)
    log.change(chunk.topic, BULK_PARTITION, chunk.offset, data, d=chunk_digest(data))
    digest = root_digest([chunk_digest(data)])
    rewrite_commit(log, number, participant, lambda said: said["update"].update(digest=digest))
