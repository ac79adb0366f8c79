"""Listening to the journal and speaking in the own control partition, through outages and restarts.

The journal arrives in a queue from the tail's thread and is folded in the main thread, when that has time for it.
What must be heard is said again until it is, for as long as it matters.
"""

import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from fedka.kafka.errors import KafkaAway, KafkaTrouble, TopicMissing, TopicRefused, WriteFailed
from fedka.kafka.log_record import LogRecord
from fedka.kafka.patience import Patience
from fedka.participant.announced import AnnouncedExamples
from fedka.participant.journal import JournalView
from fedka.participant.news import news
from fedka.participant.ports import Event, Wire
from fedka.wire.records import Bye, Hello, ParticipantLost, Record, RoundOpened
from fedka.wire.run_state import RunState

LOGGER = logging.getLogger("fedka.participant")
MOST_RETRY_SECONDS = 5.0
REMIND_TRIES = 6  # a silent minute looks like a process that hangs


class JournalLost(Exception):
    """The journal cannot be followed any more; Kafka said why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this process is: run, participant, 32 random hex digits of the process, its software."""

    run: str
    participant: str
    instance: str
    software: str


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a hello says of the app: the digest of its model's layout, and whether it can evaluate."""

    layout: str
    evaluates: bool


class Conversation:
    """One participant's talk with the run's aggregator; used by the main thread only."""

    def __init__(
        self,
        identity: Identity,
        abilities: Abilities,
        announced: AnnouncedExamples,
        wire: Wire,
        *,
        retry_seconds: float,
        patience: Patience,
    ) -> None:
        self._me = identity
        self._abilities = abilities
        self._announced = announced
        self._wire = wire
        self._retry_seconds = retry_seconds
        self._patience = patience
        self._in_doubt = False  # whether Kafka still lets us in
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._journal = JournalView()
        self._hello_due = True
        self._said = False
        self._trouble = ""

    @property
    def state(self) -> RunState:
        """The run, as far as the journal was folded."""
        return self._journal.state

    @property
    def closed(self) -> RoundOpened | None:
        """The attempt that closed last."""
        return self._journal.closed

    def begin(self) -> None:
        """Wait until the run's topics are there, fold the journal to its end, and follow it from there.

        Raises TopicRefused or AccessRefused.
        """
        for record in self._until_let_in(self._wire.read_journal):
            self._journal.take(record)
        self._wire.follow_journal(self._journal.next_offset, self._events.put)

    def _until_let_in(self, then: Callable[[], Sequence[LogRecord]]) -> Sequence[LogRecord]:
        """Wait until Kafka shows the run's topics, and does what comes then. Raises TopicRefused or AccessRefused."""
        pause = self._retry_seconds / 8  # topics that are just being made are there at once
        for tries in itertools.count(1):
            try:
                self._wire.check()
                done = then()
            except (TopicMissing, TopicRefused, KafkaAway) as error:
                self._patience.hear(error)
                if tries % REMIND_TRIES == 0:
                    self._trouble = ""
                self._note(f"waiting: {error}")
                self._wait(pause)
                pause = min(2 * pause, MOST_RETRY_SECONDS)
            else:
                self._patience.answered()
                return done
        raise AssertionError("it is tried for ever")

    def greet(self) -> None:
        """Say hello where one is due: at the start, when there are more examples, after having been lost."""
        while self._hello_due and not self.state.ended:
            self._hello_due = False
            hello = Hello(
                examples=self._announced.number,
                layout=self._abilities.layout,
                software=self._me.software,
                instance=self._me.instance,
                evaluates=self._abilities.evaluates,
            )
            self._said = True  # from now on it may have been heard, although no answer to it has come yet
            self.say(hello, lambda: not self.state.ended)

    def announce(self, examples: int) -> None:
        """Say hello anew if more examples were trained on than were announced."""
        if self._announced.raise_to(examples):
            self._hello_due = True
            self.greet()

    def part(self) -> None:
        """Say goodbye, once, if a hello may have been heard and the run goes on."""
        if not self._said or self.state.ended:
            return
        try:
            self._wire.say_soon(Bye(), lambda _outcome: None)  # sent by close(), which waits a little
        except WriteFailed as error:
            LOGGER.warning("bye was not heard: %s", error)

    def say(self, record: Record, matters: Callable[[], bool]) -> int | None:
        """Say something until it is heard; its offset, or None once it no longer matters."""
        while matters():
            try:
                offset = self._wire.say(record)
            except WriteFailed as error:
                self.hold(f"{record.type} was not heard", error)
            else:
                self._patience.answered()
                return offset
        return None

    def hold(self, what: str, error: WriteFailed) -> None:
        """Something failed that will be tried again: give Kafka a moment, or go on with the next event. Raises
        WriteForbidden where that has been said for so long that it will stay so, and what `drain` raises.
        """
        self._patience.hear(error)
        self._note(f"{what}: {error}")
        self._wait(self._retry_seconds)
        self._dispel_doubt()

    def listen(self) -> None:
        """Wait for the journal's next record, and fold all that have come. Raises what `drain` raises."""
        self._wait(None)
        self._dispel_doubt()

    def drain(self) -> None:
        """Fold what has come meanwhile. Raises TopicRefused or AccessRefused where Kafka lets us in no longer."""
        self._take_all()
        self._dispel_doubt()

    def _dispel_doubt(self) -> None:
        """A connection was refused: if that is more than a passing moment of a broker, a new process is needed, with
        whatever its bundle holds by then.
        """
        while self._in_doubt:
            self._in_doubt = False
            self._until_let_in(tuple)

    def _take_all(self) -> None:
        while True:
            try:
                self._take(self._events.get_nowait())
            except Empty:
                return

    def _wait(self, seconds: float | None) -> None:
        try:
            self._take(self._events.get(timeout=seconds))
        except Empty:
            return
        self._take_all()

    def _take(self, event: Event) -> None:
        if isinstance(event, KafkaTrouble):
            if event.fatal:
                raise JournalLost(event.message)
            self._note(event.message)
            self._in_doubt = self._in_doubt or event.refused
            return
        self._trouble = ""
        record = self._journal.take(event)
        if record is None:
            return
        if isinstance(record, ParticipantLost) and record.participant == self._me.participant:
            self._hello_due = True
        line = news(record, self._me.participant)
        if line:
            LOGGER.info("%s", line)

    def _note(self, trouble: str) -> None:
        if trouble != self._trouble:  # an outage is one line, not one a second
            LOGGER.warning("%s", trouble)
        self._trouble = trouble
