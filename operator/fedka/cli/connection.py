"""A cluster as a command has it: the API, the namespace that is meant, and what a person may ask beside the port."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.plan.names import LABEL_TRAINING
from fedka.reconcile.ports import (
    JOB,
    POD,
    Cluster,
    ClusterError,
    ClusterUnavailable,
    Conflict,
    Forbidden,
    Invalid,
    Object,
)

FIELD_MANAGER = "fedka-cli"


class PodLogs(Protocol):
    """Logs of pods."""

    def lines(
        self, namespace: str, pod: str, *, follow: bool = False, tail: int | None = None
    ) -> AsyncGenerator[str, None]:
        """The lines of one, as far as they go or (`follow`) to its end."""
        ...


@dataclass(frozen=True, slots=True)
class ClusterPlace:
    """What the command line says of where: None where it says nothing. `program` is how it was called."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None
    program: str = "fedka"

    @property
    def words(self) -> list[str]:
        """The same as options of another command."""
        given = {"-n": self.namespace, "--context": self.context, "--kubeconfig": self.kubeconfig}
        return [word for option, value in given.items() if value is not None for word in (option, value)]


@dataclass(frozen=True, slots=True)
class Connection:
    """An open one. `judge` asks the API server what it would say of an object, and keeps nothing."""

    cluster: Cluster
    namespace: str
    logs: PodLogs
    judge: Callable[[Object], Awaitable[Mapping[str, Any]]]
    place: ClusterPlace


@asynccontextmanager
async def connect(place: ClusterPlace, training: str | None = None) -> AsyncIterator[Connection]:
    """Connect as kubectl would. Of Jobs and pods only those of `training` are seen, if one is named.

    What the body is refused with is raised as CommandFailed, with what to do about it.
    """
    from fedka.kubernetes.api import Api  # noqa: PLC0415  loads an HTTP library, which wrong usage does without
    from fedka.kubernetes.cluster import KubernetesCluster  # noqa: PLC0415  the same
    from fedka.kubernetes.contexts import namespace_of_context  # noqa: PLC0415  the same
    from fedka.kubernetes.dry_run import dry_run  # noqa: PLC0415  the same
    from fedka.kubernetes.login import find_login  # noqa: PLC0415  the same
    from fedka.kubernetes.pod_logs import PodLogs as ApiLogs  # noqa: PLC0415  the same

    file, context = place.kubeconfig, place.context
    with explained():
        namespace = place.namespace or namespace_of_context(kubeconfig=file, context=context, environment=os.environ)
    api = Api(find_login(kubeconfig=file, context=context))
    selectors = {kind: f"{LABEL_TRAINING}={training}" for kind in (JOB, POD) if training is not None}
    cluster = KubernetesCluster(api, namespaces=[namespace], selectors=selectors, reporter=FIELD_MANAGER)

    async def judge(obj: Object) -> Mapping[str, Any]:
        return await dry_run(api, obj, namespace=namespace, field_manager=FIELD_MANAGER)

    try:
        with explained():
            yield Connection(cluster, namespace, ApiLogs(api), judge, place)
    finally:
        await api.close()


@contextmanager
def explained() -> Iterator[None]:
    """Raise what a cluster refuses as CommandFailed."""
    from fedka.kubernetes.answers import Unauthorized  # noqa: PLC0415  as above
    from fedka.kubernetes.login import NoClusterAccess, NoCredentials  # noqa: PLC0415  the same

    try:
        yield
    except Invalid as error:
        raise CommandFailed(str(error), exit_codes.CONFIG) from error
    except (NoClusterAccess, ClusterError) as error:
        fix = {
            NoClusterAccess: "name a kubeconfig with --kubeconfig or in KUBECONFIG, and a --context in it",
            NoCredentials: "log in again with what your cluster's provider has for it, or choose another --context",
            Unauthorized: "the login is wrong or has run out: log in again, or choose another --context",
            Forbidden: "you lack this right: ask whoever runs the cluster for a role that has it",
            ClusterUnavailable: "check that the cluster runs and can be reached, and --context",
            Conflict: "somebody has changed it at the same time: run the command again",
        }.get(type(error))
        raise CommandFailed(f"{error}{f' ({fix})' if fix else ''}", exit_codes.FAILED) from error


def ask_server(place: ClusterPlace, obj: Object) -> None:
    """Show an object to the API server, in the namespace that is meant. Raises Invalid for what it refuses."""

    async def ask() -> None:
        where = place if place.namespace else replace(place, namespace=obj["metadata"].get("namespace"))
        async with connect(where) as connection:
            metadata = {**obj["metadata"], "namespace": connection.namespace}
            try:
                await connection.judge({**obj, "metadata": metadata})
            except Invalid as error:
                refused.append(error)

    refused: list[Invalid] = []
    asyncio.run(ask())
    if refused:
        raise refused[0]
