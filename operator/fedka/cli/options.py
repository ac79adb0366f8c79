"""Arguments and options that several commands for people have."""

from pathlib import Path
from typing import Annotated

import typer

from fedka.cli import completion

Name = Annotated[
    str,
    typer.Argument(
        help="Name of the training, or of one of its runs in .fedka.",
        show_default=False,
        autocompletion=completion.names,
    ),
]
NameInCluster = Annotated[str, typer.Argument(help="Name of the training.", show_default=False)]
StateDirectory = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="The run on this machine that lives there.",
        show_default="the newest of that name in .fedka, else in a cluster",
    ),
]
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
        show_default="what the bundle says, or the run's own",
    ),
]
