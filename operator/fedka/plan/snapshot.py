"""What is known when a plan is made: one frozen value, so that the same snapshot always gives the same plan.

Views hold only what some policy reads; the reconciler builds them from whole objects and forgets the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, wraps
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from fedka.api.status import TrainingStatus
from fedka.api.training import FederatedTraining
from fedka.plan.parts import Failure, NameTaken, Refusal, TopicSpec
from fedka.plan.settings import KafkaCluster, Settings
from fedka.wire.names import RunTopics, run_id
from fedka.wire.records import Spec
from fedka.wire.run_state import RunState

T = TypeVar("T")


class Role(StrEnum):
    """What a pod of ours does."""

    AGGREGATOR = "aggregator"
    PARTICIPANT = "participant"
    READER = "reader"  # no pod: whoever fetches the model


@dataclass(frozen=True, slots=True)
class Finished:
    """How and when a Job ended."""

    succeeded: bool
    at: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class JobView:
    """A Job of this training. `restarts` and `rounds` are what its annotations say of the time it was made."""

    name: str
    uid: str
    role: Role
    participant: str | None = None
    hash: str = ""
    restarts: int = 0
    rounds: int = 0
    suspended: bool = False
    deleting: bool = False
    started: datetime | None = None
    deadline_seconds: int | None = None
    finished: Finished | None = None


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod of this training. `reason` and `message` say why it waits or ended.

    `image` is what its container was told to run, `image_id` what its node says it runs.
    """

    name: str
    uid: str
    role: Role
    participant: str | None = None
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    deleting: bool = False
    image: str = ""
    image_id: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Kafka did not answer, or refused something."""

    message: str
    at: datetime
    refused: bool = False
    denied: bool = False  # a broker is there and does not accept the operator's credentials


Place = tuple[int, int]  # in the journal: epoch, seq


class ParticipantFacts(NamedTuple):
    """What journal and audit topic say of one participant."""

    last_round: int | None = None  # its update counted in
    last_opened: Place = (0, 0)  # where that round was opened
    rejections: int = 0
    rejected_round: int | None = None  # of the last update that did not count
    refused_at: Place | None = None  # or what was refused last was no update: a hello, an evaluation
    reason: str | None = None  # of the last rejection
    message: str = ""
    metrics: Mapping[str, float] = MappingProxyType({})

    @property
    def refused(self) -> bool:
        """Whether what was refused last still matters: no update of that round or of a later one has counted since.

        Journal and audit topic are read beside each other, so it is told by what each says alone.
        """
        if self.refused_at is not None:
            return self.last_opened <= self.refused_at
        return self.rejected_round is not None and (self.last_round is None or self.last_round < self.rejected_round)


class RunView(NamedTuple):
    """The projection of a run's journal and audit topic. `offset` is that of the last journal record read."""

    state: RunState = RunState()
    offset: int = -1
    caught_up: bool = False
    restarts: int = 0  # of the aggregator, without a closed round in between
    participants: Mapping[str, ParticipantFacts] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Published:
    """The newest record of the spec topic, and the broker's time of it."""

    spec: Spec
    at: datetime


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A journal that ended before a record which, as the status says, had been read: found at the time `at`."""

    read: int
    end: int
    at: datetime


@dataclass(frozen=True)
class Snapshot:
    """All that a plan may depend on.

    `topic_ids` holds what Kafka last said (None: there is no such topic), `ensured` what has been brought about since
    the operator started, `bundles` and `network_policies` the same for those (name -> hash of the content).
    `run` and `published` are None as long as the topics are not followed.
    """

    training: FederatedTraining
    settings: Settings
    now: datetime
    jobs: Mapping[str, JobView] = field(default_factory=dict)
    pods: tuple[PodView, ...] = ()
    children_known: bool = True  # else there may be others than these Jobs and pods, or none of them any more
    conflicts: Mapping[str, NameTaken] = field(default_factory=dict)  # by the child's name
    refusals: Mapping[str, Refusal] = field(default_factory=dict)  # by the child's name
    unpatched: Mapping[str, Refusal] = field(default_factory=dict)  # by the UID of a Job that may not be changed
    kept: Mapping[str, Refusal] = field(default_factory=dict)  # not to be deleted: by a Job's UID or a Secret's name
    failures: Mapping[str, Failure] = field(default_factory=dict)  # by Job name
    topic_ids: Mapping[str, str | None] = field(default_factory=dict)
    ensured: Mapping[str, TopicSpec] = field(default_factory=dict)
    bundles: Mapping[str, str] = field(default_factory=dict)
    network_policies: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble | None = None
    doubt: bool = False  # whether Kafka answers at all is to be looked at
    followed: bool = False
    run: RunView = field(default_factory=RunView)
    shortfall: Shortfall | None = None  # of the journal, when it was last begun to be followed
    published: Published | None = None
    users: frozenset[str] | None = None  # of this run in Kafka; None: not asked yet
    users_in_doubt: bool = False  # whether Kafka still has those of whom no pod of ours would tell
    identities_removed: bool = False
    topics_deleted: bool = False
    reckoned: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @cached_property
    def status(self) -> TrainingStatus:
        """The status as it stands; an empty one at first."""
        return self.training.status or TrainingStatus()

    @property
    def state(self) -> RunState:
        """What the journal says."""
        return self.run.state

    @cached_property
    def kafka(self) -> KafkaCluster | None:
        """The Kafka cluster that the training names, where the operator knows it."""
        return self.settings.kafka_clusters.get(self.training.spec.kafka.cluster_name)

    @cached_property
    def run_id(self) -> str:
        """The run's id in its topics' names."""
        meta = self.training.metadata
        return run_id(meta.namespace, meta.name, meta.uid)

    @cached_property
    def topics(self) -> RunTopics:
        """The run's topic names."""
        return RunTopics(run=self.run_id, prefix=self.kafka.prefix if self.kafka else "fedka")

    @property
    def run_known(self) -> bool:
        """Whether the journal has been read as far as it went when it was first followed, and as the status says.

        What an ended run said stays known after it is no longer followed.
        """
        journal = self.status.journal
        replayed = self.run.caught_up and (journal is None or self.run.offset >= journal.offset)
        return replayed and (self.followed or self.state.ended)

    @property
    def journal_seen(self) -> bool:
        """Whether an aggregator of this run has ever started: from then on no topic may be made anew."""
        return self.status.journal is not None or self.state.epoch > 0

    def pods_of(self, job: JobView) -> Sequence[PodView]:
        """The pods that a Job has made."""
        return _pods_by_member(self).get((job.role, job.participant), ())


def once(reckon: Callable[[Snapshot], T]) -> Callable[[Snapshot], T]:
    """Reckons once for each snapshot what policies ask again for each of a thousand participants."""

    @wraps(reckon)
    def reckoned(snapshot: Snapshot) -> T:
        if reckon not in snapshot.reckoned:
            snapshot.reckoned[reckon] = reckon(snapshot)
        known: T = snapshot.reckoned[reckon]
        return known

    return reckoned


@once
def _pods_by_member(snapshot: Snapshot) -> Mapping[tuple[Role, str | None], Sequence[PodView]]:
    found: dict[tuple[Role, str | None], list[PodView]] = {}
    for pod in snapshot.pods:
        found.setdefault((pod.role, pod.participant), []).append(pod)
    return found


def from_milliseconds(time_ms: int) -> datetime:
    """The broker's time as a datetime."""
    return datetime.fromtimestamp(time_ms / 1000, tz=UTC)
