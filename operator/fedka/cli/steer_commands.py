"""The commands that steer a training in a cluster, or hand over a part of it. Each needs the rights kubectl would."""
# ruff: noqa: PLC0415

from typing import TYPE_CHECKING, Annotated

import typer

from fedka.cli.command_line import Debug, app
from fedka.cli.options import Context, Kubeconfig, NameInCluster, Namespace
from fedka.cli.reach import on_training, place_of

if TYPE_CHECKING:
    from fedka.cli.cluster_source import ClusterSource
    from fedka.cli.connection import ClusterPlace, Connection

PANEL = "A training in a cluster"


@app.command(rich_help_panel=PANEL)
def suspend(
    name: NameInCluster,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return once it is suspended.")] = False,
    debug: Debug = False,
) -> None:
    """Suspend a training: the open round ends, then its pods do. Where GitOps keeps the resource, do it there."""
    _switch(place_of(namespace, context, kubeconfig), name, suspend=True, wait=wait, debug=debug)


@app.command(rich_help_panel=PANEL)
def resume(
    name: NameInCluster,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return once it is no longer suspended.")] = False,
    debug: Debug = False,
) -> None:
    """Have a suspended training go on where it was. (A run on this machine goes on by fedka run --state-dir.)"""
    _switch(place_of(namespace, context, kubeconfig), name, suspend=False, wait=wait, debug=debug)


def _switch(place: "ClusterPlace", name: str, *, suspend: bool, wait: bool, debug: bool) -> None:
    async def work(connection: "Connection", source: "ClusterSource") -> None:
        from fedka.cli.switch import switch

        await switch(connection.cluster, source, suspend=suspend, wait=wait)

    on_training(place, name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def bundle(
    name: NameInCluster,
    participant: Annotated[str, typer.Argument(help="The External participant.", show_default=False)],
    *,
    file: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help="Where to write it; - is stdout.", show_default=False)
    ],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    force: Annotated[bool, typer.Option("--force", help="Also that of a Managed one.")] = False,
    debug: Debug = False,
) -> None:
    """Write an External participant's connection bundle, for `fedka join` on its owner's machine."""

    async def work(_connection: "Connection", source: "ClusterSource") -> None:
        from fedka.cli.handover import hand_over

        await hand_over(source, participant, file, force=force)

    on_training(place_of(namespace, context, kubeconfig), name, work, debug=debug)
