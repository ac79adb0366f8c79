"""What a plan consists of. Every policy gives a `Part`; the plan is their sum.

Everything here says what should be, never how to get there: applying a plan twice does no more than once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from fedka.api.reasons import DetailReason
from fedka.api.status import TrainingStatus
from fedka.wire.records import Spec


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it should be. `config` holds only what differs from the broker's defaults; other settings stay."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


class Right(StrEnum):
    """What an identity may do with topics, in Kafka's words."""

    READ = "Read"
    WRITE = "Write"
    DESCRIBE = "Describe"


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights on one topic, or on all topics whose name begins with `topic`, which then ends in a separator."""

    topic: str
    rights: frozenset[Right]
    prefixed: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """A SCRAM user of Kafka, and all that it may do. Its password is made when the plan is carried out."""

    user: str
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class BundleSecret:
    """A Secret to have, made once: one of the same name and hash is kept, one of another hash is replaced.

    With `identity`, the Secret also holds that user's password, which no plan knows: it is made once and outlives a
    replacement of the Secret. `in_use_by` is the Job whose pods have read the Secret: it is then kept whatever its
    hash, and where it is gone, a new password is made and the Job deleted, as its pods hold one that is void.
    `anew`: whether the user and its rights were made before or not, they are made again, with the password in the
    Secret, as Kafka may have lost them.
    """

    name: str
    hash: str
    manifest: Mapping[str, Any]
    identity: Identity | None = None
    in_use_by: "JobDeletion | None" = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """A NetworkPolicy to have, with exactly this content."""

    name: str
    hash: str
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A Job to create; one of ours that is there already is kept."""

    name: str
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class JobPatch:
    """The two fields of a live Job that may change."""

    name: str
    uid: str
    suspend: bool
    deadline_seconds: int | None = None


KAFKA_REFUSED = "KafkaRefused"  # the user of the pod, or a right that it needs


@dataclass(frozen=True, slots=True)
class Failure:
    """The last end of a Job that had to be replaced: how often in a row that was, and what was said.

    `rounds` had ended by then: once another has, the row is over. `reason` is Kubernetes' word for it where that says
    more than the exit code, as OOMKilled does, or KAFKA_REFUSED; `mended`: what was refused has been made again since.
    """

    restarts: int
    at: datetime
    exit_code: int | None = None
    message: str = ""
    reason: str = ""
    rounds: int = 0
    mended: bool = False

    @property
    def refused(self) -> bool:
        """Whether Kafka did not let the pod in, so that its user has to be made again before it can fare better."""
        return self.reason == KAFKA_REFUSED and not self.mended

    @property
    def cause(self) -> str:
        """One word."""
        return self.reason or (DetailReason.PROCESS_ENDED if self.exit_code is None else f"ExitCode{self.exit_code}")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the API server said to a child that it would not take, change or let go: it breaks a rule, or is forbidden
    for the time being.

    `generation` is that of the spec which the child was made from, or was to go by.
    """

    message: str
    invalid: bool
    generation: int
    at: datetime


@dataclass(frozen=True, slots=True)
class NameTaken:
    """A child's name that belongs to somebody else."""

    sentence: str
    at: datetime


@dataclass(frozen=True, slots=True)
class JobDeletion:
    """A Job to delete; `failure` is to be remembered until its successor stands."""

    name: str
    uid: str
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class EventNote:
    """Something to tell the training's users."""

    severity: Literal["Normal", "Warning"]
    reason: str
    action: str
    note: str


@dataclass(frozen=True, slots=True)
class IdentityRemoval:
    """The run's users to remove: these, and all with a right on `topic` whose name begins with the prefix, which holds
    the run's id.
    """

    users: tuple[str, ...]
    topic: str
    prefix: str


@dataclass(frozen=True, slots=True)
class TopicRemoval:
    """The run's topics to delete: these, and all whose name begins with the prefix (it holds the run's id)."""

    names: tuple[str, ...]
    prefix: str


@dataclass(frozen=True, slots=True)
class Part:
    """A policy's contribution, and the plan itself. What is empty asks for nothing.

    `finalizer`: True to add, False to remove. `follow`: True to read the run's topics from now on, False to stop.
    `requeue_after`: seconds until the plan may become another by time alone.
    """

    finalizer: bool | None = None
    topics: tuple[TopicSpec, ...] = ()
    look_up: tuple[str, ...] = ()
    follow: bool | None = None
    spec: Spec | None = None
    bundles: tuple[BundleSecret, ...] = ()
    bundle_removals: tuple[str, ...] = ()
    network_policies: tuple[NetworkPolicy, ...] = ()
    jobs: tuple[NewJob, ...] = ()
    job_patches: tuple[JobPatch, ...] = ()
    job_deletions: tuple[JobDeletion, ...] = ()
    look_up_users: bool = False
    revocations: tuple[str, ...] = ()
    identity_removal: IdentityRemoval | None = None
    topic_removal: TopicRemoval | None = None
    delete_training: bool = False
    status: TrainingStatus | None = None
    events: tuple[EventNote, ...] = ()
    requeue_after: float | None = None

    def is_empty(self) -> bool:
        """Whether there is nothing to do now."""
        return all(getattr(self, name) == default for name, default in _DEFAULTS if name != "requeue_after")

    def teaches(self) -> bool:
        """Whether carrying it out teaches something of Kafka on which the next plan depends."""
        looked = self.look_up or self.look_up_users or self.follow is not None
        removed = self.revocations or self.identity_removal or self.topic_removal
        return bool(self.topics or self.spec or looked or removed)


Plan = Part
NOTHING = Part()
"""What most policies have to say most of the time."""

_DEFAULTS = tuple((entry.name, entry.default) for entry in fields(Part))


class PolicyConflictError(RuntimeError):
    """Two policies decided the same thing: a mistake in the planner."""


def merge(parts: Iterable[Part]) -> Plan:
    """The sum of parts: tuples are joined, the earliest requeue wins, all else may be said by one part only."""
    merged: dict[str, Any] = {}
    for part in parts:
        if part is NOTHING:
            continue
        for name, default in _DEFAULTS:
            value = getattr(part, name)
            if value != default:
                merged[name] = _join(name, merged.get(name), value)
    return Part(**merged) if merged else NOTHING


def _join(name: str, old: Any, new: Any) -> Any:
    if old is None:
        return new
    if isinstance(new, tuple):
        return old + new
    if name == "requeue_after":
        return min(old, new)
    raise PolicyConflictError(f"two policies decide {name}: {old!r} and {new!r}")


def seconds_until(moment: datetime, now: datetime) -> float:
    """For `requeue_after`; never below zero."""
    return max(0.0, (moment - now).total_seconds())
