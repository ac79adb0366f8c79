"""The journal's rule under everything that a log, a network and two living aggregators can do to it.

Writers start, read, write on without waiting for acks, stop, and come back as zombies. Their requests land once, more
than once, late or never; strangers write rubbish; and the broker may lose the end of its log although it was acked.
Whatever happens, what exists must read as one story told by one writer at a time, each of whom knew all of it.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from fedka.wire import records as r
from fedka.wire.codec import journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge, sign, start

UNKNOWN = b"weather.changed"


def fold(log: list[bytes], position: JournalPosition) -> tuple[JournalPosition, list[bytes]]:
    """The position at the end of a log, and what of it exists."""
    existing = []
    for data in log:
        position, verdict = judge(position, data)
        if verdict is Verdict.VALID:
            existing.append(data)
    return position, existing


@dataclass(eq=False)
class Writer:
    """An aggregator: what it asked to begin with and, once that is in the log, what it believes."""

    number: int
    started: bytes
    position: JournalPosition | None = None
    knows: tuple[bytes, ...] = ()
    fenced: bool = False


@dataclass(eq=False)
class Request:
    """A produce request on its way: it may land any number of times."""

    data: bytes
    writer: Writer | None
    believed: tuple[bytes, ...] = ()
    landed: list[int] = field(default_factory=list)


class Histories(RuleBasedStateMachine):
    writers = Bundle("writers")
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.log: list[bytes] = []
        self.sent: dict[bytes, list[Request]] = {}
        self.number = 0
        self.cursors: list[tuple[int, JournalPosition, list[bytes]]] = [(0, JournalPosition(), [])]

    def send(self, request: Request) -> Request:
        self.sent.setdefault(request.data, []).append(request)
        return request

    @initialize(target=writers)
    def first(self) -> Writer:
        return self.begin()

    @rule(target=writers)
    def another_starts(self) -> Writer:
        """Its `started` lands at once; `late_start` is the other way."""
        return self.begin()

    def begin(self) -> Writer:
        writer = self.asks_to_start()
        self.land_started(writer)
        return writer

    def asks_to_start(self) -> Writer:
        self.number += 1
        end, _ = fold(self.log, JournalPosition())
        return Writer(self.number, start(end, r.AggregatorStarted(software=f"writer {self.number}")))

    @rule(target=writers)
    def late_start(self) -> Writer:
        """It has read to the end; whatever happens next happens before its `started` lands."""
        return self.asks_to_start()

    @rule(writer=writers)
    def land_started(self, writer: Writer) -> None:
        """The first time the writer reads on to its own record (B2); a later time is a duplicate of the request."""
        self.send(Request(writer.started, None))
        before, existing = fold(self.log, JournalPosition())
        self.log.append(writer.started)
        if writer.position is not None or writer.fenced:
            return
        after, verdict = judge(before, writer.started)
        if verdict is Verdict.VALID:
            writer.position, writer.knows = after, (*existing, writer.started)
        else:
            writer.fenced = True

    @rule(target=requests, writer=writers, unknown=st.booleans())
    def writes_on(self, writer: Writer, unknown: bool) -> Request:
        """A zombie too, and without waiting for what it wrote before (which A7 forbids, so readers must bear it)."""
        if writer.position is None:
            return Request(b"nothing", None)
        accepted = r.UpdateAccepted(round=writer.number, attempt=1, participant="p", offset=len(writer.knows))
        believed = writer.knows
        ahead, data = sign(writer.position, accepted)
        if unknown:
            data = data.replace(b"update.accepted", UNKNOWN)
            ahead, verdict = judge(writer.position, data)
            assert verdict is Verdict.VALID
        writer.position, writer.knows = ahead, (*believed, data)
        return self.send(Request(data, writer, believed))

    @rule(request=requests)
    def lands(self, request: Request) -> None:
        self.log.append(request.data)

    @rule(request=consumes(requests))
    def is_lost(self, request: Request) -> None:
        """It never lands, or never again."""

    @rule(writer=writers)
    def exits(self, writer: Writer) -> None:
        writer.position, writer.fenced = None, True

    @rule(data=st.binary(max_size=30))
    def rubbish(self, data: bytes) -> None:
        self.log.append(data)

    @rule(request=requests, where=st.integers(0, 500), change=st.integers(1, 255))
    def a_changed_record(self, request: Request, where: int, change: int) -> None:
        """Kafka's checksums and ACLs keep that out; the rule only sees to it that no story of two pasts comes of it."""
        data = bytearray(request.data)
        data[where % len(data)] ^= change
        self.log.append(self.send(Request(bytes(data), request.writer, request.believed)).data)

    @rule(request=requests, seq=st.integers(0, 6), epoch=st.integers(0, 4))
    def a_forged_record(self, request: Request, seq: int, epoch: int) -> None:
        record = journal_decoder().decode(request.data) if request.writer else None
        if record is not None:
            forged = record.model_copy(update={"seq": seq, "epoch": epoch}).model_dump_json(by_alias=True).encode()
            if forged not in self.sent:
                self.log.append(forged)

    @rule(lost=st.integers(1, 6))
    def the_broker_loses_its_tail(self, lost: int) -> None:
        """Acked or not (A8): readers reread from 0."""
        del self.log[-lost:]
        self.cursors = [(0, JournalPosition(), [])]

    @rule()
    def a_reader_keeps_its_full_position(self) -> None:
        position, existing = fold(self.log, JournalPosition())
        self.cursors.append((len(self.log), position, existing))

    @invariant()
    def all_readers_agree_wherever_they_resume(self) -> None:
        whole = fold(self.log, JournalPosition())
        for offset, position, before in self.cursors:
            resumed, existing = fold(self.log[offset:], position)
            assert (resumed, before + existing) == whole

    @invariant()
    def every_record_that_exists_was_written_by_one_who_knew_all_that_exists_before_it(self) -> None:
        _, existing = fold(self.log, JournalPosition())
        for index, data in enumerate(existing):
            assert data in self.sent, "what nobody sent does not exist"
            assert any(
                request.writer is None or request.believed == tuple(existing[:index]) for request in self.sent[data]
            )

    @invariant()
    def epochs_rise_and_each_has_one_writer_and_no_gap(self) -> None:
        _, existing = fold(self.log, JournalPosition())
        epoch, seq, writer = 0, -1, None
        for data in existing:
            assert data in self.sent, "what nobody sent does not exist"
            request = self.sent[data][0]
            position, _ = judge(JournalPosition(), data)
            if request.writer is None:
                assert position.epoch > epoch
                epoch, seq, writer = position.epoch, 0, None
            else:
                assert writer in {None, request.writer.number}
                writer, seq = request.writer.number, seq + 1
                assert f'"seq":{seq},'.encode() in data
                assert f'"epoch":{epoch},'.encode() in data


Histories.TestCase.pytestmark = [pytest.mark.slow]
Histories.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestHistories = Histories.TestCase
