"""Where a training is looked at: the port between the commands that show one and the place where it lives."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from fedka.api.training import FederatedTraining
from fedka.kafka.access import Settings
from fedka.plan.snapshot import PodView
from fedka.wire.names import RunTopics


class NoSuchTraining(Exception):
    """There is no training of that name; the message names those that there are."""


class ReaderUnavailable(Exception):
    """Kafka cannot be read with what there is: the message says what is missing."""


@dataclass(frozen=True, slots=True)
class RunReader:
    """What it takes to read a run's journal and models."""

    settings: Settings
    topics: RunTopics
    principal: str


class Hints(Protocol):
    """The commands that fit the place, for people to copy."""

    def command(self, verb: str, *arguments: str) -> str:
        """`fedka VERB NAME ARGUMENTS` as it has to be written here."""
        ...


class Source(Protocol):
    """One training. Its methods raise NoSuchTraining, or what the place is refused with."""

    @property
    def hints(self) -> Hints:
        """What to tell people."""
        ...

    @property
    def sees_audit(self) -> bool:
        """Whether its reader may read the facts about single participants."""
        ...

    async def training(self) -> FederatedTraining:
        """As it stands."""
        ...

    def changes(self) -> AsyncGenerator[FederatedTraining | None, None]:
        """It as it stands, then after every change; None, as the last, once it is gone (use `aclosing`)."""
        ...

    async def pods(self) -> Sequence[PodView]:
        """Its pods, the newest of each member first."""
        ...

    def pod_changes(self) -> AsyncGenerator[PodView, None]:
        """Each pod there is, then every change of one, until closed (use `aclosing`)."""
        ...

    def log(self, pod: str, *, follow: bool, tail: int | None) -> AsyncGenerator[str, None]:
        """The lines of a pod's log; with `follow` until it has ended (use `aclosing`)."""
        ...

    def reader(self, bootstrap_servers: str | None = None) -> AbstractAsyncContextManager[RunReader]:
        """Access to its run in Kafka, at `bootstrap_servers` if given. Raises ReaderUnavailable."""
        ...
