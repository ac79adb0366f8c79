"""How a command gets at the training that it is about, wherever that lives."""
# ruff: noqa: PLC0415

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fedka import exit_codes
from fedka.cli.command_line import KUBECTL_PLUGIN, end_with, program, say

if TYPE_CHECKING:
    from fedka.cli.cluster_source import ClusterSource
    from fedka.cli.connection import ClusterPlace, Connection
    from fedka.cli.source import Source

Change = Callable[["Connection", "ClusterSource"], Awaitable[int | None]]
Look = Callable[["Source"], Awaitable[int | None]]


def place_of(namespace: str | None, context: str | None, kubeconfig: str | None) -> "ClusterPlace":
    """What the command line says of where."""
    from fedka.cli.connection import ClusterPlace

    return ClusterPlace(namespace, context, kubeconfig, program())


def now() -> datetime:
    """The time of day, for what is shown."""
    return datetime.now(UTC)


def on_training(place: "ClusterPlace", name: str, work: Change, *, debug: bool) -> None:
    """End with what `work` says of a training in a cluster."""
    end_with(lambda: asyncio.run(_connected(place, name, work)), debug=debug)


def look_at(place: "ClusterPlace", state_dir: Path | None, name: str, work: Look, *, debug: bool) -> None:
    """End with what `work` says of a training, in a cluster or on this machine."""

    async def looked() -> int:
        from fedka.cli.place import find_run

        in_cluster = bool(place.words) or program() == KUBECTL_PLUGIN
        found = find_run(name, state_dir=state_dir, in_cluster=in_cluster)
        if found is None:
            return await (_in_cluster(place, name, work) if in_cluster else _in_cluster_at_last(place, name, work))
        from fedka.cli.local_source import local_source

        if found.note:
            say(found.note)
        async with local_source(found.directory, name, named=found.named, say=say) as source:
            return _code(await work(source))

    end_with(lambda: asyncio.run(looked()), debug=debug)


async def _in_cluster(place: "ClusterPlace", name: str, work: Look) -> int:
    return await _connected(place, name, lambda _connection, source: work(source))


async def _in_cluster_at_last(place: "ClusterPlace", name: str, work: Look) -> int:
    """The same; where there is no cluster or not that training, both places that were looked at are named."""
    from fedka.cli.errors import CommandFailed
    from fedka.cli.place import nothing_here
    from fedka.cli.source import NoSuchTraining
    from fedka.kubernetes.login import NoClusterAccess
    from fedka.reconcile.ports import ClusterUnavailable

    try:
        return await _in_cluster(place, name, work)
    except NoSuchTraining as error:
        raise NoSuchTraining(f"{nothing_here(name)}; in the cluster {error}") from error
    except CommandFailed as error:
        if isinstance(error.__cause__, NoClusterAccess | ClusterUnavailable):
            raise CommandFailed(f"{nothing_here(name)}; in a cluster: {error}", error.code) from error
        raise


async def _connected(place: "ClusterPlace", name: str, work: Change) -> int:
    from fedka.cli.cluster_source import ClusterSource
    from fedka.cli.connection import connect

    async with connect(place, name) as connection:
        return _code(await work(connection, ClusterSource(connection, name)))


def _code(code: int | None) -> int:
    return exit_codes.OK if code is None else code
