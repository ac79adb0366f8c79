"""What the operator remembers of a run between two reconciles. All of it may be lost: a restart finds it again."""

from dataclasses import dataclass, field
from datetime import datetime

from fedka.plan.parts import Failure, NameTaken, Refusal, TopicSpec
from fedka.plan.snapshot import Published, Shortfall, Trouble
from fedka.reconcile.projection import Projection, caught_up
from fedka.reconcile.run_log import LogEnds
from fedka.wire.names import RunTopics


@dataclass(slots=True)
class RunMemory:
    """Of one training, by its UID. Changed in the event loop only."""

    uid: str
    kafka: str = "default"  # the name of its Kafka cluster
    topic_ids: dict[str, str | None] = field(default_factory=dict)
    ensured: dict[str, TopicSpec] = field(default_factory=dict)
    bundles: dict[str, str] = field(default_factory=dict)
    network_policies: dict[str, str] = field(default_factory=dict)
    conflicts: dict[str, NameTaken] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)
    unpatched: dict[str, Refusal] = field(default_factory=dict)  # by the UID of a Job whose change was refused
    kept: dict[str, Refusal] = field(default_factory=dict)  # deletions refused, by a Job's UID or a Secret's name
    failures: dict[str, Failure] = field(default_factory=dict)
    trouble: Trouble | None = None
    doubt: bool = False  # a client has complained; whether Kafka is away is for a look-up to say
    followed: RunTopics | None = None
    ends: LogEnds = field(default_factory=LogEnds)  # what there was to read when it was first followed
    shortfall: Shortfall | None = None  # of the journal, found then
    audit_next: int = 0  # behind the last audit record that was read
    projection: Projection = field(default_factory=Projection)
    published: Published | None = None
    users: set[str] | None = None  # of this run in Kafka, once it was asked
    users_in_doubt: bool = False  # until those who have no pods are made again
    identities_removed: bool = False
    topics_deleted: bool = False
    expects_start: bool = False  # of the aggregator, once the journal has been read
    status_sent_from: str = ""  # the resourceVersion that our last status write replaced

    def note_shortfall(self, *, read: int, now: datetime) -> None:
        """Say whether the journal still holds the record at the offset `read`: the status said that it had been read,
        before the journal's end was asked for.
        """
        self.shortfall = Shortfall(read, self.ends.journal, now) if self.ends.journal <= read else None

    def note_progress(self) -> None:
        """Say that the projection is complete, once it is."""
        view = self.projection.view
        everything = view.offset + 1 >= self.ends.journal and self.audit_next >= self.ends.audit
        if not view.caught_up and everything:
            self.projection = caught_up(self.projection, expects_start=self.expects_start)
            self.expects_start = False
