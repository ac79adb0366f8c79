"""What the engine hears. Threads put these on its one queue; nothing else reaches it."""

from dataclasses import dataclass

from fedka.kafka.errors import KafkaError, KafkaTrouble
from fedka.kafka.log_record import LogRecord
from fedka.kafka.writer import Outcome
from fedka.wire.chunks import Pointer
from fedka.wire.records import JournalRecord, RejectReason, Spec

Key = tuple[str, int]
"""An update: the participant and the control offset of its commit."""


@dataclass(frozen=True, slots=True)
class SpecSeen:
    """A record of the spec topic, as it was read."""

    spec: Spec


@dataclass(frozen=True, slots=True)
class ControlSeen:
    """A record of a participant's control partition."""

    participant: str
    record: LogRecord


@dataclass(frozen=True, slots=True)
class ControlRead:
    """Everything before `offset` of a participant's control partition has been delivered."""

    participant: str
    offset: int


@dataclass(frozen=True, slots=True)
class ControlUnreadable:
    """A participant's control partition holds a record at `offset` behind which nothing can be read."""

    participant: str
    offset: int


@dataclass(frozen=True, slots=True)
class JournalSeen:
    """A record of the journal, our own or a foreign one."""

    record: LogRecord


@dataclass(frozen=True, slots=True)
class JournalAnswered:
    """Kafka's answer to a journal record of ours."""

    record: JournalRecord
    outcome: Outcome
    at: float  # monotonic seconds


@dataclass(frozen=True, slots=True)
class TroubleSeen:
    """A client could not reach Kafka, or worse."""

    trouble: KafkaTrouble


@dataclass(frozen=True, slots=True)
class Folded:
    """An update is verified and added; or `reason` and `message` say why it is not."""

    key: Key
    reason: RejectReason | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Tainted:
    """The accumulator holds something that can no longer be taken back: fold everything again."""


@dataclass(frozen=True, slots=True)
class Published:
    """The new global model of the attempt with this nonce is in the log."""

    nonce: str
    pointer: Pointer


@dataclass(frozen=True, slots=True)
class PublishFailed:
    """The base model, or the first model's chunks, can no longer be read."""

    nonce: str
    message: str


@dataclass(frozen=True, slots=True)
class DataPlaneEnded:
    """The data plane's thread ended by a fault of ours: nobody would fold or publish any more."""

    error: Exception


@dataclass(frozen=True, slots=True)
class KeptOut:
    """Kafka has refused for long what it had granted to this process."""

    error: KafkaError


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The process was asked to end."""


Event = (
    SpecSeen
    | ControlSeen
    | ControlRead
    | ControlUnreadable
    | JournalSeen
    | JournalAnswered
    | TroubleSeen
    | Folded
    | Tainted
    | Published
    | PublishFailed
    | DataPlaneEnded
    | KeptOut
    | Interrupted
)
