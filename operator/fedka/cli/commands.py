"""The commands for people. What each needs is loaded when it runs: `--help` and a start must not wait for the rest."""
# ruff: noqa: PLC0415

import sys
from pathlib import Path
from typing import Annotated

import typer

from fedka import exit_codes
from fedka.cli import look_commands, replay_command, runs_commands, steer_commands
from fedka.cli.command_line import Debug, JsonOnly, Output, Overrides, TrainingFile, app, end_with, run_command
from fedka.cli.options import Context, Kubeconfig, Namespace
from fedka.cli.reach import place_of

__all__ = ["look_commands", "replay_command", "run_command", "runs_commands", "steer_commands"]


@app.command()
def validate(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="FederatedTrainings in YAML; - reads one from stdin.", show_default=False
        ),
    ],
    *,
    output: Annotated[JsonOnly | None, typer.Option("-o", "--output", help="Print verdicts as JSON.")] = None,
    server: Annotated[bool, typer.Option("--server", help="Ask the cluster as well, by a dry run.")] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    debug: Debug = False,
) -> None:
    """Check files as an API server would, and say what is wrong with which line."""

    def command() -> int:
        from fedka.cli.validate import validate as check

        if not server:
            return check(files, as_json=output is not None)
        from fedka.cli.connection import ask_server

        place = place_of(namespace, context, kubeconfig)
        return check(files, as_json=output is not None, server=lambda obj: ask_server(place, obj))

    end_with(command, debug=debug)


@app.command()
def plan(
    file: TrainingFile,
    *,
    output: Annotated[Output | None, typer.Option("-o", "--output", help="Print the plan as JSON or YAML.")] = None,
    bootstrap_servers: Annotated[
        str, typer.Option(help="Kafka's address, as the connection bundles would hold it.")
    ] = "localhost:9092",
    identities: Annotated[
        bool, typer.Option("--identities", help="As with a Kafka cluster of identities: Scram: with users and rights.")
    ] = False,
    overrides: Overrides = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what would change of the training that the cluster has.")
    ] = False,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    debug: Debug = False,
) -> None:
    """Show what would be created for a training: topics, users, Secrets, NetworkPolicies, Jobs and the spec record.

    Touches nothing.
    """

    def command() -> int:
        from fedka.cli.plan import planned, print_plan
        from fedka.cli.training_file import as_training, read_object

        obj = read_object(file, overrides or ())
        if compare:
            from fedka.cli.changes import compared

            found = compared(place_of(namespace, context, kubeconfig), obj, output)
            if found is not None:
                return found
        plan = planned(as_training(obj), bootstrap_servers=bootstrap_servers, identities=identities)
        print_plan(plan, output)
        return exit_codes.OK

    end_with(command, debug=debug)


@app.command()
def run(
    file: TrainingFile,
    *,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where the run lives: Kafka's data, logs, participants' state. One that holds a run which was stopped "
            "has it go on. Default: a new directory in .fedka.",
            show_default=False,
        ),
    ] = None,
    model_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the final model there, as safetensors.", show_default=False),
    ] = None,
    output: Annotated[
        Output | None,
        typer.Option(
            "-o", "--output", help="Print the final resource on stdout, and nothing else.", show_default=False
        ),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.001, help="Stop after that long.", show_default=False)
    ] = None,
    grace: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="What a participant gets to end in order when the run is stopped."),
    ] = 10.0,
    bootstrap_servers: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Use this Kafka, and leave the run's topics there.", show_default="start one"
        ),
    ] = None,
    overrides: Overrides = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show trouble only.")] = False,
    debug: Debug = False,
) -> None:
    """Run a training on this machine, over a real Kafka that is started for it: every participant is a process here.

    The app (spec.app.entrypoint) is looked up beside FILE.
    """

    def command() -> int:
        from fedka.cli.run import Options
        from fedka.cli.run import run as run_training

        options = Options(
            file=file,
            state_dir=state_dir,
            model_out=model_out,
            output=None if output is None else output.value,
            timeout_seconds=timeout,
            grace_seconds=grace,
            quiet=quiet,
            bootstrap_servers=bootstrap_servers,
            overrides=overrides or (),
        )
        return run_training(options)

    end_with(command, debug=debug)


@app.command()
def join(
    bundle: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The participant's connection bundle: what `fedka bundle` wrote, its directory, or the Secret as "
            "kubectl prints it; - reads it from stdin.",
            show_default=False,
        ),
    ],
    *,
    application: Annotated[
        str | None,
        typer.Option(
            "--app",
            metavar="MODULE:APP",
            help="Your fedka.App: module:app beside the current directory, or file.py:app.",
            show_default="what the training names",
        ),
    ] = None,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where the app may keep what outlives this process.", show_default="it may not"
        ),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A setting for the app. May be repeated.", show_default=False),
    ] = None,
    bootstrap_servers: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Kafka's address as seen from here.", show_default="what the bundle says"
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Take part in a training from this machine: connects out to Kafka only, and ends when the run does.

    Exit codes: 0 the run has ended, 1 given up after several starts (the log says why), 78 the app or the bundle cannot
    work at any try (e.g. the identity was revoked), 130 left in order.
    """

    def command() -> int:
        from fedka.cli.join import Options
        from fedka.cli.join import join as take_part

        return take_part(
            Options(
                bundle=bundle,
                app=application,
                state_dir=state_dir,
                config=config or (),
                bootstrap_servers=bootstrap_servers,
            )
        )

    end_with(command, debug=debug)


@app.command()
def version() -> None:
    """Print the versions of Fedka, of Python and of what Fedka rests on."""
    from importlib.metadata import version as version_of

    from fedka.version import VERSION

    sys.stdout.write(f"fedka {VERSION}\n")
    sys.stdout.write(f"Python {sys.version.split()[0]}\n")
    for name in ("confluent-kafka", "numpy", "pydantic", "blake3"):
        sys.stdout.write(f"{name} {version_of(name)}\n")


def _pod_command(name: str, text: str) -> None:
    """A command that `main` has sorted out before it could get here; this one is for --help and for completeness."""

    def command(context: typer.Context) -> None:
        from fedka.cli.main import run_in_pod

        raise typer.Exit(run_in_pod(name, context.args))

    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(name, help=text, rich_help_panel="In pods", add_help_option=False, context_settings=anything)(command)


_pod_command("aggregator", "Run the aggregator of one training, by its connection bundle.")
_pod_command("participant", "Run one participant of a training, by its connection bundle.")
_pod_command("operator", "Run the operator, which makes FederatedTrainings happen on a Kubernetes cluster.")
