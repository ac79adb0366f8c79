"""The commands that look at a training in a cluster, or change one. Each needs the rights that kubectl would need."""
# ruff: noqa: PLC0415

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fedka import exit_codes
from fedka.cli.command_line import Debug, Output, app, end_with, program

if TYPE_CHECKING:
    from fedka.cli.cluster_source import ClusterSource
    from fedka.cli.connection import ClusterPlace, Connection

PANEL = "In a cluster"
Name = Annotated[str, typer.Argument(help="Name of the training.", show_default=False)]
Namespace = Annotated[
    str | None, typer.Option("-n", "--namespace", help="Its namespace.", show_default="the context's")
]
Context = Annotated[
    str | None, typer.Option("--context", help="Context of the kubeconfig.", show_default="the current one")
]
Kubeconfig = Annotated[
    str | None, typer.Option("--kubeconfig", metavar="FILE", help="The kubeconfig.", show_default="as kubectl has it")
]
Servers = Annotated[
    str | None,
    typer.Option(
        "--bootstrap-servers",
        metavar="HOST:PORT",
        help="Kafka's address as seen from here.",
        show_default="what the bundle says",
    ),
]
Work = Callable[["Connection", "ClusterSource"], Awaitable[int | None]]


class RoundsOutput(StrEnum):
    """How rounds are printed."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


def on_training(place: "ClusterPlace", name: str, work: Work, *, debug: bool) -> None:
    """End with what `work` says of one training."""

    async def connected() -> int:
        from fedka.cli.cluster_source import ClusterSource
        from fedka.cli.connection import connect

        async with connect(place, name) as connection:
            code = await work(connection, ClusterSource(connection, name))
            return exit_codes.OK if code is None else code

    end_with(lambda: asyncio.run(connected()), debug=debug)


def place_of(namespace: str | None, context: str | None, kubeconfig: str | None) -> "ClusterPlace":
    """What the command line says of where."""
    from fedka.cli.connection import ClusterPlace

    return ClusterPlace(namespace, context, kubeconfig, program())


def now() -> datetime:
    """The time of day, for what is shown."""
    return datetime.now(UTC)


@app.command(rich_help_panel=PANEL)
def status(
    name: Name,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[Output | None, typer.Option("-o", "--output", help="Print the resource instead.")] = None,
    debug: Debug = False,
) -> None:
    """Show a training on one screen: how far it is, who takes part, what is amiss, what to do next."""

    async def work(_connection: "Connection", source: "ClusterSource") -> None:
        from fedka.cli.status import status as show

        await show(source, output=output, clock=now)

    on_training(place_of(namespace, context, kubeconfig), name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def rounds(
    name: Name,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[RoundsOutput | None, typer.Option("-o", "--output", help="Print in another form.")] = None,
    bootstrap_servers: Servers = None,
    debug: Debug = False,
) -> None:
    """List the rounds that have ended: all of them with the right to get the reader's Secret, else the last ten."""

    async def work(_connection: "Connection", source: "ClusterSource") -> None:
        from fedka.cli.rounds import rounds as show

        await show(source, output=output, bootstrap_servers=bootstrap_servers)

    on_training(place_of(namespace, context, kubeconfig), name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def watch(
    name: Name,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show trouble only.")] = False,
    debug: Debug = False,
) -> None:
    """Follow a training to its end. Exit codes: 0 Complete, 3 Failed, 130 interrupted (the training goes on)."""

    async def work(_connection: "Connection", source: "ClusterSource") -> int:
        from fedka.cli.watch import watch as follow

        return await follow(source, quiet=quiet, clock=now)

    on_training(place_of(namespace, context, kubeconfig), name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def logs(
    name: Name,
    participant: Annotated[str | None, typer.Argument(help="One participant.", show_default="all")] = None,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    tail: Annotated[
        int | None, typer.Option(metavar="LINES", min=0, help="The last lines of each only.", show_default="all")
    ] = None,
    aggregator: Annotated[bool, typer.Option("--aggregator", help="The aggregator only.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    previous: Annotated[bool, typer.Option("--previous", "-p", help="Of the pods before the present ones.")] = False,
    debug: Debug = False,
) -> None:
    """Print the logs of a training's pods, each line with its participant where there are several."""
    if participant is not None and aggregator:
        raise typer.BadParameter("name a participant or --aggregator, not both")
    if follow and previous:
        raise typer.BadParameter("--previous has ended: there is nothing to follow")

    async def work(_connection: "Connection", source: "ClusterSource") -> None:
        from fedka.cli.pod_logs import Logs, Wanted

        shown = Logs(source, Wanted(participant, aggregator, tail))
        await (shown.follow() if follow else shown.show(previous=previous))

    on_training(place_of(namespace, context, kubeconfig), name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def suspend(
    name: Name,
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
    name: Name,
    *,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return once it is no longer suspended.")] = False,
    debug: Debug = False,
) -> None:
    """Have a suspended training go on where it was."""
    _switch(place_of(namespace, context, kubeconfig), name, suspend=False, wait=wait, debug=debug)


def _switch(place: "ClusterPlace", name: str, *, suspend: bool, wait: bool, debug: bool) -> None:
    async def work(connection: "Connection", source: "ClusterSource") -> None:
        from fedka.cli.switch import switch

        await switch(connection.cluster, source, suspend=suspend, wait=wait)

    on_training(place, name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def bundle(
    name: Name,
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


model = typer.Typer(help="Get a training's global model.", no_args_is_help=True)
app.add_typer(model, name="model", rich_help_panel=PANEL)


@model.command("get")
def model_get(
    name: Name,
    *,
    file: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.", show_default=False)
    ],
    round_number: Annotated[
        int | None, typer.Option("--round", min=0, help="That of a round.", show_default="the newest")
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    bootstrap_servers: Servers = None,
    debug: Debug = False,
) -> None:
    """Write the global model as safetensors: fetched from Kafka with the reader's identity, verified by its digest."""

    async def work(_connection: "Connection", source: "ClusterSource") -> None:
        from fedka.cli.model_get import get_model

        await get_model(source, file, round_number=round_number, bootstrap_servers=bootstrap_servers)

    on_training(place_of(namespace, context, kubeconfig), name, work, debug=debug)
