"""Who is there and what they said of themselves."""

import logging
from collections.abc import Iterable

from fedka.aggregator.presence import Presence
from fedka.aggregator.telling import Telling
from fedka.aggregator.wiring import Wiring
from fedka.kafka.errors import KafkaAway
from fedka.kafka.log_record import LogRecord
from fedka.wire.codec import MalformedRecord, control_decoder
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import (
    Hello,
    ParticipantAudited,
    ParticipantJoined,
    ParticipantLost,
    ParticipantRemoved,
    RejectReason,
)

LOGGER = logging.getLogger("fedka.aggregator")
DECODER = control_decoder()
OUTAGE_SECONDS = (
    60.0  # without a word of trouble, and the next is of another: a client tells every 30 s of one that lasts
)


class Roster:
    """Presence and the last hello of each participant."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._presence = Presence(wiring.alive_seconds)
        self._telling = Telling(wiring.monotonic)
        self._hellos: dict[str, tuple[int, Hello]] = {}
        self._members: frozenset[str] = frozenset()
        self._troubled = float("-inf")

    def recover(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Hello]:
        """Read the hellos of those present, and those at (participant, offset) that an open attempt refers to.

        Whose hello is no longer in its log is lost: it says another one when it reads that.
        """
        state = self._wiring.state
        found = self._read_hellos(state.present.items()) | self._read_hellos(wanted)
        for name, offset in sorted(state.present.items()):
            if (name, offset) in found:
                self._hellos[name] = (offset, found[name, offset])
            else:
                LOGGER.warning("%s is lost: its hello at offset %d is no longer in its log", name, offset)
                self._wiring.append(ParticipantLost(participant=name))
        state = self._wiring.state
        self._presence.track(state.present, self._wiring.monotonic())
        self._presence.restart(self._wiring.monotonic())
        return found

    def _read_hellos(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Hello]:
        """The hellos at (participant, offset), as far as they are still there; one place a participant."""
        wanted = sorted(places)
        topics = self._wiring.topics
        records = self._wiring.view.read_each(
            [(topics.update(name), CONTROL_PARTITION, offset) for name, offset in wanted]
        )
        found = {place: _hello_in(record) for place, record in zip(wanted, records, strict=True)}
        return {place: hello for place, hello in found.items() if hello is not None}

    def set_members(self, members: Iterable[str]) -> None:
        """Who the spec names; others are removed."""
        self._members = frozenset(members)
        for name in sorted(set(self._wiring.state.present) - self._members):
            LOGGER.info("%s is no longer in the spec", name)
            self._wiring.append(ParticipantRemoved(participant=name))
        self._track()

    def present(self) -> dict[str, tuple[int, Hello]]:
        """Those present, with the offset of their last hello."""
        return {name: self._hellos[name] for name in self._wiring.state.present}

    def heard(self, participant: str) -> None:
        """Any record of a participant."""
        self._presence.heard(participant, self._wiring.monotonic())

    def hello(self, participant: str, record: LogRecord, hello: Hello) -> None:
        """A participant presents itself; one that is present already counts anew from the next round.

        One that is no member may become one, and says no other hello then.
        """
        self._hellos[participant] = (record.offset, hello)
        if participant not in self._members:
            return
        if self._telling.may(participant):
            self._tell(participant, hello)
        self.join(participant)

    def _tell(self, participant: str, hello: Hello) -> None:
        layout = self._wiring.state.layout_digest
        fault = layout is not None and hello.layout != layout
        self._wiring.audit(
            ParticipantAudited(
                participant=participant,
                examples=hello.examples,
                software=hello.software,
                reason=RejectReason.WRONG_LAYOUT if fault else None,
                message="its model's tensors, dtypes or shapes are not those of the run" if fault else "",
            )
        )
        if fault:
            LOGGER.warning("%s has a model of another layout and is not asked", participant)

    def join(self, participant: str) -> None:
        """Count a participant in, if it said hello, is not in already, and has not come and gone too often.

        What it says next asks again, so whoever had to wait is let in as long as it is there.
        """
        if participant in self._wiring.state.present or participant not in self._hellos:
            return
        if participant not in self._members:
            return
        if not self._presence.may_join(participant, self._wiring.monotonic()):
            return
        self._wiring.append(ParticipantJoined(participant=participant, offset=self._hellos[participant][0]))
        LOGGER.info("%s joined", participant)
        self._track()

    def leave(self, participant: str, why: str) -> None:
        """Count a participant out."""
        if participant in self._wiring.state.present:
            LOGGER.warning("%s is lost: %s", participant, why)
            self._wiring.append(ParticipantLost(participant=participant))
            self._track()

    def give_up(self, participant: str, offset: int) -> None:
        """Nothing more that it says can be read."""
        why = f"its log cannot be read on: the record at offset {offset} cannot be decompressed"
        self._wiring.audit(ParticipantAudited(participant=participant, reason=RejectReason.MALFORMED, message=why))
        self.leave(participant, why)

    def trouble(self) -> None:
        """Kafka, or a part of it, went away: nobody's silence up to now counts.

        A broker of several that stays away is told of again and again; that keeps nobody present who is not heard of.
        """
        now = self._wiring.monotonic()
        if now - self._troubled > OUTAGE_SECONDS:
            self._presence.restart(now)
        self._troubled = now

    def check(self) -> None:
        """Find those who are lost."""
        if self._presence.is_silent(self._wiring.monotonic()) and not self._kafka_answers():
            self._presence.restart(self._wiring.monotonic())
        for name in self._presence.lost(self._wiring.monotonic()):
            self.leave(name, f"nothing was heard of it for {3 * self._wiring.alive_seconds:g} s")

    def next_check(self) -> float | None:
        """When `check` has something to do, in monotonic seconds."""
        return self._presence.next_check()

    def _kafka_answers(self) -> bool:
        """Whether Kafka is there, and was there for a while: a slow answer is that of a broker that has just come."""
        asked = self._wiring.monotonic()
        try:
            self._wiring.view.ends([(self._wiring.topics.journal, 0)])
        except KafkaAway as error:
            LOGGER.warning("%s", error)
            return False
        return self._wiring.monotonic() - asked < self._wiring.alive_seconds / 2

    def _track(self) -> None:
        self._presence.track(self._wiring.state.present, self._wiring.monotonic())


def _hello_in(record: LogRecord | None) -> Hello | None:
    """The hello, or None where there is another record in its place: a log may have been cut and written anew."""
    try:
        decoded = DECODER.decode(record.value) if record is not None else None
    except MalformedRecord:
        return None
    return decoded if isinstance(decoded, Hello) else None


class ControlReader:
    """Decodes control records; rubbish is told of, but only so often."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._telling = Telling(wiring.monotonic)

    def decode(self, participant: str, record: LogRecord) -> object | None:
        """A control record, or None where it is unknown or rubbish."""
        try:
            return DECODER.decode(record.value)
        except MalformedRecord as error:
            if self._telling.may(participant):
                LOGGER.warning("%s wrote a record that is refused: %s", participant, error)
                self._wiring.audit(
                    ParticipantAudited(
                        participant=participant, reason=RejectReason.MALFORMED, message=str(error)[:2000]
                    )
                )
            return None
