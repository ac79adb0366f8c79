"""The commands that look at a training, on this machine or in a cluster. They change nothing.

In a cluster each needs the rights that kubectl would need; here, to read the run's directory.
"""
# ruff: noqa: PLC0415

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fedka.cli import completion
from fedka.cli.command_line import Debug, Output, app
from fedka.cli.options import Context, Kubeconfig, Name, Namespace, Servers, StateDirectory
from fedka.cli.reach import look_at, now, place_of

if TYPE_CHECKING:
    from fedka.cli.source import Source

PANEL = "A training, on this machine or in a cluster"


class RoundsOutput(StrEnum):
    """How rounds are printed."""

    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


@app.command(rich_help_panel=PANEL)
def status(
    name: Name,
    *,
    state_dir: StateDirectory = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[Output | None, typer.Option("-o", "--output", help="Print the resource instead.")] = None,
    debug: Debug = False,
) -> None:
    """Show a training on one screen: how far it is, who takes part, what is amiss, what to do next."""

    async def work(source: "Source") -> None:
        from fedka.cli.status import status as show

        await show(source, output=output, clock=now)

    look_at(place_of(namespace, context, kubeconfig), state_dir, name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def rounds(
    name: Name,
    *,
    state_dir: StateDirectory = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Annotated[RoundsOutput | None, typer.Option("-o", "--output", help="Print in another form.")] = None,
    bootstrap_servers: Servers = None,
    debug: Debug = False,
) -> None:
    """List the rounds that have ended: how long each took, whose updates counted, and what was refused why.

    In a cluster all of them need the right to get the reader's Secret; without it the last ten are listed.
    """

    async def work(source: "Source") -> None:
        from fedka.cli.rounds import rounds as show

        await show(source, output=output, bootstrap_servers=bootstrap_servers)

    look_at(place_of(namespace, context, kubeconfig), state_dir, name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def watch(
    name: Name,
    *,
    state_dir: StateDirectory = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show trouble only.")] = False,
    debug: Debug = False,
) -> None:
    """Follow a training to its end.

    Exit codes: 0 Complete, 3 Failed, or stopped on this machine before its end, 130 interrupted (the training goes on).
    """

    async def work(source: "Source") -> int:
        from fedka.cli.watch import watch as follow

        return await follow(source, quiet=quiet, clock=now)

    look_at(place_of(namespace, context, kubeconfig), state_dir, name, work, debug=debug)


@app.command(rich_help_panel=PANEL)
def logs(
    name: Name,
    participant: Annotated[
        str | None,
        typer.Argument(help="One participant.", show_default="all", autocompletion=completion.participants),
    ] = None,
    *,
    state_dir: StateDirectory = None,
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

    async def work(source: "Source") -> None:
        from fedka.cli.pod_logs import Logs, Wanted

        shown = Logs(source, Wanted(participant, aggregator, tail))
        await (shown.follow() if follow else shown.show(previous=previous))

    look_at(place_of(namespace, context, kubeconfig), state_dir, name, work, debug=debug)


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
    state_dir: StateDirectory = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    bootstrap_servers: Servers = None,
    debug: Debug = False,
) -> None:
    """Write the global model as safetensors: fetched from Kafka, in a cluster as the reader, verified by its digest."""

    async def work(source: "Source") -> None:
        from fedka.cli.model_get import get_model

        await get_model(source, file, round_number=round_number, bootstrap_servers=bootstrap_servers)

    look_at(place_of(namespace, context, kubeconfig), state_dir, name, work, debug=debug)
