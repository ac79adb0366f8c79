"""The journal's writer: one per process, for one epoch.

A starting aggregator reads the journal to its end, appends `aggregator.started` with the next epoch, reads on to its
own record and writes nothing before that. From then on its state advances with each record as it is written: a write
that fails ends the process, so nothing that was acted on can be missing from the log for long.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from fedka.kafka.log_record import LogRecord
from fedka.kafka.log_view import LogView
from fedka.kafka.writer import Outcome, RecordWriter, Written
from fedka.wire.codec import MalformedRecord, journal_decoder
from fedka.wire.journal import JournalPosition, Verdict, judge, sign, start
from fedka.wire.reading import Reading, read_on
from fedka.wire.records import AggregatorStarted, JournalRecord, RoundClosed, RoundOpened
from fedka.wire.run_state import At, RunState, advance


class Fenced(Exception):
    """Another aggregator has opened a higher epoch: this one must not write any more."""


class JournalBroken(Exception):
    """The journal has lost records, or holds some that this version cannot read: the run cannot go on."""


class TopicMisconfigured(Exception):
    """A topic lacks a setting without which a run would not be what it promises: records need the broker's time."""

    def __init__(self, topic: str) -> None:
        super().__init__(f"topic {topic} needs message.timestamp.type=LogAppendTime: deadlines are judged by it")


class NotInJournal(Exception):
    """A record of our epoch came back as one that does not exist: what we hold is not what the journal says."""


@dataclass(slots=True)
class Replay:
    """A journal as far as it was read, the next offset, and the starts since a round closed."""

    reading: Reading = field(default_factory=Reading)
    next_offset: int = 0
    starts: int = 0

    @property
    def position(self) -> JournalPosition:
        """Where the next record must fit."""
        return self.reading.position

    @property
    def state(self) -> RunState:
        """What the records add up to."""
        return self.reading.state

    def take(self, record: LogRecord) -> Verdict:
        """Read on by one record. Raises JournalBroken for one that exists and cannot be read."""
        self.reading, found = read_on(self.reading, record.value, At(record.offset, record.time_ms))
        self.next_offset = record.offset + 1
        if found.problem is not None:
            newer = "a newer version wrote it: run that version, as this one would go on without what it says"
            raise JournalBroken(f"the record at {record.offset} of the journal: {found.problem} ({newer})")
        if isinstance(found.said, AggregatorStarted):
            self.starts += 1
        elif isinstance(found.said, RoundClosed):
            self.starts = 0
        return found.verdict


DECODER = journal_decoder()
OPENED: str = RoundOpened.model_fields["type"].default


def replay(view: LogView, topic: str) -> Replay:
    """The journal to its end. Raises JournalBroken where its head is gone."""
    low, _ = view.watermarks(topic)
    if low > 0:
        raise JournalBroken(f"the first {low} records of {topic} are gone: a run cannot go on without its journal")
    reading = Replay()
    for record in view.read_to_end(topic):
        reading.take(record)
    if reading.next_offset > 0 and reading.position.epoch == 0:
        raise JournalBroken(f"{topic} holds {reading.next_offset} records but none that opens an epoch")
    return reading


def open_epoch(
    view: LogView, writer: RecordWriter, topic: str, reading: Replay, started: AggregatorStarted
) -> tuple[Replay, int]:
    """Append `started` with the next epoch and read on to it; the replay up to it, and the broker's time of it in ms.

    Raises Fenced where another one's `started` came first, WriteFailed where ours was not acknowledged, and
    TopicMisconfigured where the time of records is not the broker's.
    """
    data = start(reading.position, started)
    written = writer.write_now(topic, 0, data)
    if not written.by_broker:
        raise TopicMisconfigured(topic)
    opened = None  # the epoch that is ours; a retried request may have put it there twice: the first of the two counts
    while reading.next_offset <= written.offset:
        for record in view.read_to_end(topic, offset=reading.next_offset):
            verdict = reading.take(record)
            if verdict is Verdict.VALID and record.value == data:
                opened = reading.position.epoch
            if record.offset == written.offset:
                if opened != reading.position.epoch:
                    raise Fenced(f"another aggregator has opened epoch {reading.position.epoch}")
                return reading, written.time_ms
    raise JournalBroken(f"our own record at {written.offset} of {topic} cannot be read back")


class JournalWriter:
    """Appends records of this epoch and keeps the state that they make."""

    def __init__(
        self,
        *,
        writer: RecordWriter,
        topic: str,
        reading: Replay,
        on_answer: Callable[[JournalRecord, Outcome], None],
        now_ms: Callable[[], float],
    ) -> None:
        self._writer = writer
        self._topic = topic
        self._position = reading.position
        self._read_back = reading.position
        self._unread: deque[bytes] = deque()  # the chain after each record of ours that was not read back yet
        self._on_answer = on_answer
        self._now_ms = now_ms
        self.unanswered = 0
        self.state = reading.state

    @property
    def position(self) -> JournalPosition:
        """The epoch and seq written last."""
        return self._position

    def append(self, record: JournalRecord) -> None:
        """Write the next record. The state advances at once; Kafka's answer comes as an event."""
        self._position, data = sign(self._position, record)
        self._unread.append(self._position.chain)
        at = At(offset=-1, time_ms=int(self._now_ms()))
        signed = record.model_copy(update={"epoch": self._position.epoch, "seq": self._position.seq})
        self.state = advance(self.state, signed, at)
        self.unanswered += 1
        self._writer.write(self._topic, 0, data, lambda outcome: self._on_answer(record, outcome))

    def answered(self, record: JournalRecord, written: Written) -> None:
        """Kafka has a record of ours; of an opening, the deadline counts from the broker's time of it.

        It is what was read back that counts: where an answer was lost and the request repeated, this one tells of the
        second copy, which does not exist.
        """
        self.unanswered -= 1
        attempt = self.state.attempt
        if isinstance(record, RoundOpened) and attempt is not None and attempt.at.offset < 0:
            self._date_opening(record.nonce, At(offset=written.offset, time_ms=written.time_ms))

    def check(self, record: LogRecord) -> None:
        """Read back a record. Raises Fenced or NotInJournal."""
        epoch = self._position.epoch
        self._read_back, verdict = judge(self._read_back, record.value)
        if self._read_back.epoch > epoch:
            raise Fenced(f"epoch {self._read_back.epoch} was opened by another aggregator")
        if verdict is Verdict.BROKEN and _claims(record.value, epoch):
            raise NotInJournal(
                f"the record at {record.offset} of {self._topic} does not fit the journal: starting again"
            )
        if verdict is Verdict.VALID:
            self._recognise(record)

    def _recognise(self, record: LogRecord) -> None:
        """A record that exists in this epoch is the next one of ours, or somebody else believes to hold the epoch."""
        if not self._unread or self._unread.popleft() != self._read_back.chain:
            raise NotInJournal(f"another aggregator wrote the record at {record.offset} of {self._topic} in our epoch")
        if DECODER.header(record.value).get("type") == OPENED:
            opened = DECODER.decode(record.value)
            assert isinstance(opened, RoundOpened)
            self._date_opening(opened.nonce, At(offset=record.offset, time_ms=record.time_ms))

    def _date_opening(self, nonce: str, at: At) -> None:
        attempt = self.state.attempt
        if attempt is not None and attempt.opened.nonce == nonce:
            self.state = self.state._replace(attempt=attempt._replace(at=at))


def _claims(data: bytes | None, epoch: int) -> bool:
    try:
        return DECODER.header(data).get("epoch") == epoch
    except MalformedRecord:
        return False
