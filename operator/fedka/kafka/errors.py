"""What can go wrong between us and Kafka, by what the caller can do about it."""

from dataclasses import dataclass

from fedka.last_words import REFUSED_BY_KAFKA


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


class PasswordRefused(AccessRefused):
    """A broker takes no such user with that password: who made the user may make it anew."""


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


MENDED_BY_THE_OPERATOR = (PasswordRefused, TopicRefused, WriteForbidden)
"""What a user or a right that was lost leads to."""


def last_word(error: Exception) -> str:
    """What a process says of an error that ends it: the operator knows by it what it can mend."""
    return f"{REFUSED_BY_KAFKA}: {error}" if isinstance(error, MENDED_BY_THE_OPERATOR) else str(error)


@dataclass(frozen=True, slots=True)
class KafkaTrouble:
    """News from a client that goes on by itself unless `fatal`: a broker is away, a topic is not there yet.

    `refused`: a broker is there, and does not let the client in.
    """

    message: str
    fatal: bool = False
    refused: bool = False
