"""The commands for the runs that lie on this machine: a list of them, and how to throw one away."""
# ruff: noqa: PLC0415

from typing import Annotated

import typer

from fedka.cli import completion
from fedka.cli.command_line import Debug, JsonOnly, app, end_with, say

PANEL = "Runs on this machine"


@app.command(rich_help_panel=PANEL)
def runs(
    *,
    output: Annotated[JsonOnly | None, typer.Option("-o", "--output", help="Print as JSON.")] = None,
    debug: Debug = False,
) -> None:
    """List the runs in .fedka, the newest first: what became of each, and the room that it takes."""

    def command() -> int:
        from fedka.cli.runs import list_runs

        return list_runs(as_json=output is not None)

    end_with(command, debug=debug)


@app.command(rich_help_panel=PANEL)
def remove(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Runs by their directories' names in .fedka, as `fedka runs` lists them.",
            show_default=False,
            autocompletion=completion.run_names,
        ),
    ],
    *,
    keep_topics: Annotated[
        bool, typer.Option("--keep-topics", help="Leave what runs have in a Kafka that they did not start.")
    ] = False,
    debug: Debug = False,
) -> None:
    """Throw runs away: their directories with Kafka's data, models, logs and what participants kept. Not undone.

    Also their topics in a Kafka named with --bootstrap-servers, unless spec.kafka.reclaimPolicy is Retain.
    """

    def command() -> int:
        from fedka.cli.runs import remove_runs

        return remove_runs(names, keep_topics=keep_topics, say=say)

    end_with(command, debug=debug)
