"""Names of a run's topics, in one place so that ACLs, operator, aggregator and participants can never disagree.

The topic is the identity: a participant may write to its own update topic only, and no field inside a record says who
wrote it. Prefixes used in ACLs end in a separator, so that `bank` is no prefix of `bank-b`.
"""

from dataclasses import dataclass

CONTROL_PARTITION = 0
BULK_PARTITION = 1
UPDATE_PARTITIONS = 2


def run_id(namespace: str, training: str, uid: str) -> str:
    """`<namespace>.<training>.<first 8 hex digits of the UID>`: a training made anew is another run."""
    return f"{namespace}.{training}.{uid.replace('-', '')[:8]}"


@dataclass(frozen=True, slots=True)
class RunTopics:
    """The topic names of one run; `prefix` is the installation's, so that two can share a Kafka."""

    run: str
    prefix: str = "fedka"

    @property
    def spec(self) -> str:
        """What is wanted: written by the operator."""
        return f"{self.prefix}.spec.{self.run}"

    @property
    def journal(self) -> str:
        """What happened: written by the aggregator, the truth."""
        return f"{self.prefix}.journal.{self.run}"

    @property
    def audit(self) -> str:
        """Facts about single participants: written by the aggregator, read by operator and auditor."""
        return f"{self.prefix}.audit.{self.run}"

    @property
    def model(self) -> str:
        """Global models in chunks."""
        return f"{self.prefix}.model.{self.run}"

    @property
    def state(self) -> str:
        """Server state of strategies."""
        return f"{self.prefix}.state.{self.run}"

    @property
    def update_prefix(self) -> str:
        """What all update topics of this run begin with."""
        return f"{self.prefix}.update.{self.run}."

    def update(self, participant: str) -> str:
        """The topic of one participant: partition 0 control, partition 1 bulk."""
        return self.update_prefix + participant

    @property
    def users_prefix(self) -> str:
        """What the names of all Kafka users of this run begin with."""
        return f"{self.prefix}.{self.run}."

    @property
    def aggregator_user(self) -> str:
        """The aggregator's Kafka user."""
        return f"{self.users_prefix}aggregator"

    @property
    def reader_user(self) -> str:
        """The Kafka user of whoever fetches the model."""
        return f"{self.users_prefix}reader"

    def participant_user(self, participant: str) -> str:
        """A participant's Kafka user; no participant's name can make it another's."""
        return f"{self.users_prefix}participant.{participant}"
