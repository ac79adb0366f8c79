"""`fedka replay` on the command line."""
# ruff: noqa: PLC0415

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fedka.cli import completion
from fedka.cli.command_line import Debug, JsonOnly, app, end_with
from fedka.cli.look_commands import PANEL
from fedka.cli.options import Context, Kubeconfig, Namespace, Servers, StateDirectory
from fedka.cli.reach import look_at, place_of

if TYPE_CHECKING:
    from fedka.cli.source import Source


@app.command(rich_help_panel=PANEL)
def replay(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of the training, or of one of its runs in .fedka.",
            show_default="what --bundle is for",
            autocompletion=completion.names,
        ),
    ] = None,
    *,
    state_dir: StateDirectory = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="An auditor's connection bundle, or its directory: no cluster is asked then.",
            show_default=False,
        ),
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    bootstrap_servers: Servers = None,
    output: Annotated[JsonOnly | None, typer.Option("-o", "--output", help="Print the report as JSON.")] = None,
    debug: Debug = False,
) -> None:
    """Recompute a run's global models from its log alone, and compare them with what was published.

    Says of each round whether it matches, differs, or cannot be checked since its updates are no longer retained.

    Exit codes: 0 all that can be checked matches, 1 nothing could be checked, 4 something differs.
    """
    as_json = output is not None
    if bundle is not None:
        if state_dir is not None or namespace or context or kubeconfig:
            raise typer.BadParameter("--bundle says where the run is: leave --state-dir and the cluster's options out")
        end_with(lambda: asyncio.run(_by_bundle(bundle, name, bootstrap_servers, as_json=as_json)), debug=debug)
    if name is None:
        raise typer.BadParameter("name a training, or give an auditor's --bundle")

    async def work(source: "Source") -> int:
        from fedka.cli.replay import replay as recompute

        return await recompute(source.reader(bootstrap_servers), as_json=as_json)

    look_at(place_of(namespace, context, kubeconfig), state_dir, name, work, debug=debug)


async def _by_bundle(path: Path, name: str | None, bootstrap_servers: str | None, *, as_json: bool) -> int:
    from fedka.cli.bundle_reader import bundle_reader
    from fedka.cli.replay import replay as recompute
    from fedka.wire.bundle_file import read_files

    return await recompute(bundle_reader(read_files(path), bootstrap_servers, name), as_json=as_json)
