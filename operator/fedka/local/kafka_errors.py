"""What can go wrong with the Kafka that Fedka starts itself, one class for each cause that a caller can act on."""


class LocalKafkaError(Exception):
    """The local Kafka cannot be had; the message says why and what to do. Parent of all errors of this module."""


class JavaMissing(LocalKafkaError):
    """No Java of a sufficient release was found."""


class MavenMissing(LocalKafkaError):
    """Apache Kafka has not been fetched yet and there is no Maven to fetch it with."""


class KafkaFetchFailed(LocalKafkaError):
    """Maven ran and did not bring Apache Kafka."""


class KafkaStartFailed(LocalKafkaError):
    """The broker ended, or did not become ready in time."""


class KafkaKilled(KafkaStartFailed):
    """A signal ended the broker while it started: nothing says that another start would end alike."""


class KafkaDiskFull(LocalKafkaError):
    """The broker's disk has no space left."""


class KafkaStartCancelled(LocalKafkaError):
    """`KafkaServer.stop` was called while `start` was still at work."""


class StateDirInUse(LocalKafkaError):
    """Another live broker works in the same state directory."""
