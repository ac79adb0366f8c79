"""What is counted of reconciles, so that the reconciler need not know who asks for the figures."""

from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    """How a reconcile ended."""

    DONE = "done"
    OUTDATED = "outdated"  # what was observed has changed meanwhile: it comes again at once
    REFUSED = "refused"  # by Kafka or by the cluster, for a reason that the status tells
    KAFKA_AWAY = "kafka_away"
    CLUSTER_AWAY = "cluster_away"
    NOT_LEADER = "not_leader"
    FAILED = "failed"  # unexpected, see the log


class Meter(Protocol):
    """Is told of each reconcile."""

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """One has ended after so many seconds."""
        ...


class NoMeter:
    """For those that nobody asks."""

    def reconciled(self, outcome: Outcome, seconds: float) -> None:
        """Not counted."""
