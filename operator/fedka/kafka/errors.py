"""What can go wrong between us and Kafka, by what the caller can do about it."""

from dataclasses import dataclass


class KafkaError(Exception):
    """Any failure of a Kafka client of ours."""


class TopicMissing(KafkaError):
    """A topic that must exist does not."""


class TopicRefused(KafkaError):
    """The principal lacks a right on a topic."""


class KafkaAway(KafkaError):
    """No broker answered in time."""


class AccessRefused(KafkaAway):
    """A broker is there, and the password or a certificate does not fit: only another bundle may help."""


class WriteFailed(KafkaError):
    """A record was not acknowledged; whether it landed is unknown."""


class WriteRefused(WriteFailed):
    """The broker takes no such record, e.g. none so large."""


class WriteForbidden(WriteRefused):
    """The right to write to the topic is lacking."""


class ChunksUnusable(KafkaError):
    """What a pointer names is not to be had, whoever asks for it and however often."""


class ChunksGone(ChunksUnusable):
    """Chunks that a pointer names are no longer, or not, in the log."""


class NoSuchOffset(ChunksUnusable):
    """A pointer names an offset that the log has not reached."""


class PointerUnsound(ChunksUnusable):
    """A pointer cannot be one to a model of that layout: its chunks are too few or too many, or share a place."""


class ChunkCorrupt(ChunksUnusable):
    """A chunk is not what the pointer or its own headers promise."""


@dataclass(frozen=True, slots=True)
class KafkaTrouble:
    """News from a client that goes on by itself unless `fatal`: a broker is away, a topic is not there yet."""

    message: str
    fatal: bool = False
