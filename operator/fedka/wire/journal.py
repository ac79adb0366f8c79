"""Which records of a journal exist: fencing by the log, not by transactions.

Two aggregators may be alive at once (a node cut off and replaced), and a dead one's request may land late. Every
reader decides by position alone, with the same pure function, so all agree without talking to each other:

- `aggregator.started` exists if its epoch is higher than the current one;
- any other record exists if its epoch is the current one, its seq is the last one plus one, and its chain is
  BLAKE3(chain before, record before), which covers the `started` of its epoch.

Everything else does not exist. Types that this version does not know take part in seq and chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from blake3 import blake3

from fedka.wire.codec import Decoder, MalformedRecord, encode
from fedka.wire.records import JournalRecord

GENESIS = bytes(32)
STARTED = "aggregator.started"


class Verdict(Enum):
    """What the rule says of a record."""

    VALID = "valid"
    STALE = "stale"  # of an older epoch: a zombie's
    REPEATED = "repeated"  # of the current epoch, but already there: a retried request
    BROKEN = "broken"  # of the current epoch, with a gap or another chain; or not a record at all


@dataclass(frozen=True, slots=True)
class JournalPosition:
    """What a reader must remember: current epoch, last seq within it, and the chain that the next record must carry."""

    epoch: int = 0
    seq: int = -1
    chain: bytes = GENESIS

    def next_seq(self) -> int:
        """The only seq that the next record of this epoch may carry."""
        return self.seq + 1


def judge(position: JournalPosition, data: bytes | None) -> tuple[JournalPosition, Verdict]:
    """The position after a record, and whether the record exists. Pure; needs no knowledge of the record's type."""
    try:
        header = Decoder.header(data)
    except MalformedRecord:
        return position, Verdict.BROKEN
    return judge_by(header, position, data or b"")


def judge_by(header: Mapping[str, Any], position: JournalPosition, data: bytes) -> tuple[JournalPosition, Verdict]:  # noqa: PLR0911 one line a rule
    """The same of a record whose header was looked at already."""
    epoch, seq, chain = header.get("epoch"), header.get("seq"), header.get("chain")
    if type(epoch) is not int or type(seq) is not int or not isinstance(chain, str):
        return position, Verdict.BROKEN
    after = JournalPosition(epoch, seq, link(position.chain, data))
    if header["type"] == STARTED:
        if epoch > position.epoch and seq == 0:
            return after, Verdict.VALID
        if epoch == position.epoch:
            return position, Verdict.REPEATED
        return position, Verdict.STALE if epoch < position.epoch else Verdict.BROKEN
    if epoch != position.epoch or epoch == 0:  # epoch 0 is before the first `started`: nothing belongs to it
        return position, Verdict.STALE if epoch < position.epoch else Verdict.BROKEN
    if seq <= position.seq:
        return position, Verdict.REPEATED
    if seq != position.next_seq() or chain != position.chain.hex():
        return position, Verdict.BROKEN
    return after, Verdict.VALID


def link(chain: bytes, record: bytes) -> bytes:
    """BLAKE3(chain before, record before)."""
    return blake3(chain + record).digest()


def sign(position: JournalPosition, record: JournalRecord) -> tuple[JournalPosition, bytes]:
    """The bytes of a record written by the holder of `position`, and the position after it."""
    signed = record.model_copy(
        update={"epoch": position.epoch, "seq": position.next_seq(), "chain": position.chain.hex()}
    )
    data = encode(signed)
    return JournalPosition(position.epoch, signed.seq, link(position.chain, data)), data


def start(position: JournalPosition, record: JournalRecord) -> bytes:
    """The bytes of an `aggregator.started` for the next epoch after `position`."""
    return encode(record.model_copy(update={"epoch": position.epoch + 1, "seq": 0, "chain": position.chain.hex()}))
