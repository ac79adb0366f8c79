"""A training in a cluster, as the commands that show one see it."""

import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

from fedka import exit_codes
from fedka.api.training import FederatedTraining
from fedka.cli.bundle_reader import bundle_reader
from fedka.cli.connection import Connection
from fedka.cli.errors import CommandFailed
from fedka.cli.names_known import did_you_mean, there_are
from fedka.cli.source import NoSuchTraining, ReaderUnavailable, RunReader
from fedka.plan.names import LABEL_UID, child_name
from fedka.plan.snapshot import PodView, Role
from fedka.reconcile.ports import FEDERATED_TRAINING, POD, SECRET, EventType, Forbidden, NotFound
from fedka.reconcile.views import pod_view
from fedka.wire.bundle_file import secret_files


class ClusterSource:
    """A `Source` on the `Cluster` port; also its own `Hints`."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._cluster = connection.cluster
        self._namespace = connection.namespace
        self._logs = connection.logs
        self._place = connection.place
        self._name = name

    @property
    def hints(self) -> "ClusterSource":
        """See `Source`."""
        return self

    @property
    def sees_audit(self) -> bool:
        """See `Source`: that is the operator's and an auditor's right."""
        return False

    def command(self, verb: str, *arguments: str) -> str:
        """See `Hints`."""
        return f"{self._place.program} {shlex.join([*verb.split(), self._name, *arguments, *self._place.words])}"

    async def training(self) -> FederatedTraining:
        """See `Source`."""
        return FederatedTraining.from_object(await self._get())

    async def changes(self) -> AsyncGenerator[FederatedTraining | None, None]:
        """See `Source`."""
        uid = (await self._get())["metadata"]["uid"]
        async with aclosing(self._cluster.watch([FEDERATED_TRAINING])) as events:
            async for event in events:
                if event.object["metadata"].get("uid") != uid:
                    continue
                if event.type is EventType.DELETED:
                    yield None
                    return
                yield FederatedTraining.from_object(dict(event.object))

    async def pods(self) -> Sequence[PodView]:
        """See `Source`."""
        uid = (await self._get())["metadata"]["uid"]
        found = await self._cluster.list(POD, namespace=self._namespace, labels={LABEL_UID: uid})
        found.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
        return [view for pod in found if (view := pod_view(pod)) is not None]

    async def pod_changes(self) -> AsyncGenerator[PodView, None]:
        """See `Source`."""
        uid = (await self._get())["metadata"]["uid"]
        async with aclosing(self._cluster.watch([POD])) as events:
            async for event in events:
                metadata = event.object["metadata"]
                if event.type is EventType.DELETED or metadata.get("labels", {}).get(LABEL_UID) != uid:
                    continue
                view = pod_view(event.object)
                if view is not None and metadata.get("namespace") == self._namespace:
                    yield view

    def log(self, pod: str, *, follow: bool, tail: int | None) -> AsyncGenerator[str, None]:
        """See `Source`."""
        return self._logs.lines(self._namespace, pod, follow=follow, tail=tail)

    def reader(self, bootstrap_servers: str | None = None) -> AbstractAsyncContextManager[RunReader]:
        """See `Source`: by the reader's Secret."""
        return self._reader(bootstrap_servers)

    async def bundle(self, role: Role, participant: str | None = None) -> dict[str, bytes]:
        """The files of a connection bundle. Raises ReaderUnavailable where there is none, or no right to see it."""
        training = await self.training()
        name = child_name(training, role, participant)
        where = f"Secret {self._namespace}/{name}"
        try:
            secret = await self._cluster.get(SECRET, self._namespace, name)
        except NotFound:
            phase = training.status.phase if training.status is not None else None
            raise ReaderUnavailable(
                f"there is no {where}: the operator makes it when the run is provisioned, and the training is "
                f"{phase or 'not seen by an operator yet'}"
            ) from None
        except Forbidden:
            raise ReaderUnavailable(
                f"you may not read {where}: ask for the right to get this one Secret "
                f"(kubectl create role ... --verb=get --resource=secrets --resource-name={name} -n {self._namespace})"
            ) from None
        if secret["metadata"].get("labels", {}).get(LABEL_UID) != training.metadata.uid:
            raise ReaderUnavailable(f"{where} belongs to somebody else: it is not labelled as this training's")
        return secret_files(secret, where)

    @asynccontextmanager
    async def _reader(self, bootstrap_servers: str | None) -> AsyncIterator[RunReader]:
        files = await self.bundle(Role.READER)
        async with bundle_reader(files, bootstrap_servers) as reader:
            yield reader

    async def _get(self) -> dict[str, Any]:
        try:
            return await self._cluster.get(FEDERATED_TRAINING, self._namespace, self._name)
        except NotFound:
            raise NoSuchTraining(await self._who_there_is()) from None

    async def _who_there_is(self) -> str:
        try:
            found = await self._cluster.list(FEDERATED_TRAINING, namespace=self._namespace)
        except NotFound:
            raise CommandFailed(
                "this cluster does not know FederatedTrainings: install Fedka first, e.g. "
                "helm install fedka charts/fedka --namespace fedka-system --create-namespace",
                exit_codes.FAILED,
            ) from None
        except Forbidden:
            return f"there is no training {self._name} in namespace {self._namespace}"
        names = sorted(each["metadata"]["name"] for each in found)
        near = did_you_mean(self._name, names)
        there = there_are(names) if names else "there is none; name another namespace with -n"
        hint = f"{near} {there}" if near else there
        return f"there is no training {self._name} in namespace {self._namespace}: {hint}"
