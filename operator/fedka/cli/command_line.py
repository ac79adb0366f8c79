"""What all commands for people share: the program with its help, common options, and how a command ends."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fedka import exit_codes
from fedka.cli.errors import guarded
from fedka.cli.streams import lead_nowhere
from fedka.version import VERSION

KUBECTL_PLUGIN = "kubectl fedka"
CLICK_USAGE = 2  # what the command line library ends with where sysexits has 64

app = typer.Typer(
    name="fedka",
    help="Federated learning on Kubernetes with Kafka as the only wire.",
    epilog="Exit codes: 0 done, 1 unexpected, or the cluster or Kafka said no, 3 the run failed, 4 a replay "
    "differs, 64 wrong usage, 78 wrong file, bundle or app, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


class Output(StrEnum):
    """How a resource is printed."""

    JSON = "json"
    YAML = "yaml"


class JsonOnly(StrEnum):
    """How verdicts are printed."""

    JSON = "json"


TrainingFile = Annotated[
    str, typer.Argument(metavar="FILE", help="A FederatedTraining in YAML; - reads it from stdin.", show_default=False)
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Change the spec, e.g. rounds.count=3. May be repeated.", show_default=False
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show a traceback where something goes wrong.")]


def program() -> str:
    """How this program was called; kubectl finds a plugin by its file's name."""
    return KUBECTL_PLUGIN if Path(sys.argv[0]).name == "kubectl-fedka" else "fedka"


def run_command(arguments: list[str]) -> int:
    """Run one command; its exit code."""

    def command() -> int:
        try:
            app(arguments, prog_name=program())
        except SystemExit as ended:
            told = exit_codes.OK if ended.code is None else exit_codes.FAILED
            code = ended.code if isinstance(ended.code, int) else told
            return exit_codes.USAGE if code == CLICK_USAGE else code
        return exit_codes.OK

    return guarded(command, debug="--debug" in arguments, say=say)  # of the help, say, whose reader has gone


def say(message: str) -> None:
    """A line for people, on stderr. That nobody can read it changes nothing else."""
    try:
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()
    except OSError:
        lead_nowhere(sys.stderr)


def end_with(command: Callable[[], int], *, debug: bool) -> None:
    """Run a command's work and end with its code; what goes wrong is explained."""
    raise typer.Exit(guarded(command, debug=debug, say=say))


def _print_version(asked: bool) -> None:  # noqa: FBT001  typer calls it by position
    if asked:
        sys.stdout.write(f"fedka {VERSION}\n")
        raise typer.Exit


@app.callback()
def main(
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Federated learning on Kubernetes with Kafka as the only wire."""
