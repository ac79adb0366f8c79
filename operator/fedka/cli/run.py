"""`fedka run`: one training from its file to its end on this machine.

What can be known to be wrong is said before anything starts; and as a broker takes longer to start than all the rest,
it is begun before the rest of the program has even been loaded.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from fedka import exit_codes
from fedka.cli.early_kafka import early_kafka
from fedka.cli.ending import be_deaf, interrupt_at_the_first
from fedka.cli.errors import CommandFailed
from fedka.cli.interrupted_before import interrupted_before
from fedka.cli.out_file import check_out_file
from fedka.local.disk import is_full, no_space
from fedka.local.invocation import Invocation
from fedka.local.kafka_errors import KafkaFetchFailed, KafkaStartFailed
from fedka.local.state_dir import RUNS, TRAINING_FILE, StateDir, StateDirUnusable, fresh_directory
from fedka.yaml_text import load_yaml

CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    file: str
    state_dir: Path | None = None
    model_out: Path | None = None
    output: str | None = None
    timeout_seconds: float | None = None
    grace_seconds: float = 10.0
    quiet: bool = False
    bootstrap_servers: str | None = None
    overrides: Sequence[str] = ()


def run(options: Options) -> int:
    """Run a training; the exit code. Raises what `fedka.cli.errors` explains."""
    interrupt_at_the_first()  # until the session takes them over
    if options.model_out is not None:
        check_out_file("--model-out", options.model_out)
    _check_state_dir(options.state_dir)
    if options.bootstrap_servers is not None:
        _check_reachable(options.bootstrap_servers)
    invocation = Invocation.of(_name(options.file), options.file, options.overrides, options.bootstrap_servers)
    interrupted = interrupted_before(invocation) if options.state_dir is None else ""
    with _state_dir(options, invocation) as state_dir, early_kafka(state_dir.path, options.bootstrap_servers) as early:
        from fedka.cli.session import Session  # noqa: PLC0415  a broker is starting meanwhile

        training = _training(options)
        return asyncio.run(Session(options, state_dir, early, invocation).run(training, interrupted))


@contextlib.contextmanager
def _state_dir(options: Options, invocation: Invocation) -> Iterator[StateDir]:
    """The run's directory, locked. A new one in which nothing has begun is removed again."""
    fresh = options.state_dir is None
    path = options.state_dir or fresh_directory(RUNS, invocation.training, datetime.now().astimezone())
    state_dir = StateDir(path.resolve())
    keep = False
    try:
        state_dir.logs.mkdir(exist_ok=True)
        invocation.store(state_dir.path)
        yield state_dir
    except (KafkaStartFailed, KafkaFetchFailed):
        keep = True  # its log says why
        raise
    except OSError as error:  # of whichever part wrote there
        if not is_full(error):
            raise
        raise StateDirUnusable(no_space(state_dir.path)) from error
    finally:
        be_deaf()
        state_dir.release()
        if fresh and not keep and not (state_dir.path / TRAINING_FILE).exists():
            state_dir.discard()


def _name(file: str) -> str:
    """The training's name, for the directory's; whatever is wrong with the file is said when it is read in earnest."""
    try:
        name = load_yaml(Path(file).read_text(encoding="utf-8"))["metadata"]["name"]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, KeyError):
        name = None
    return name if isinstance(name, str) and name.replace("-", "").isalnum() else "run"


def _training(options: Options) -> dict[str, Any]:
    from fedka.cli.training_file import read_object  # noqa: PLC0415  a broker is starting meanwhile

    training = read_object(options.file, options.overrides)
    if training["spec"].get("suspend"):
        raise CommandFailed(
            f"{options.file}: spec.suspend is true, and nobody could change it here: remove it, or add "
            "--set suspend=false",
            exit_codes.CONFIG,
        )
    return training


def _check_state_dir(path: Path | None) -> None:
    """An unset shell variable becomes the current directory, which a run would fill with its files."""
    if path is not None and path == Path():
        message = "--state-dir is empty or the current directory; name one of its own, such as --state-dir ./state"
        raise CommandFailed(message, exit_codes.USAGE)


def _check_reachable(servers: str) -> None:
    """That one of the addresses takes connections; Kafka's own clients would wait for one in silence."""
    failures = []
    for server in servers.split(","):
        host, colon, port = server.strip().rpartition(":")
        if not colon or not port.isdecimal():
            raise CommandFailed(f"--bootstrap-servers {server}: write HOST:PORT[,HOST:PORT...]", exit_codes.USAGE)
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            failures.append(f"{server}: {error.strerror or error}")
        else:
            return
    raise CommandFailed(
        f"--bootstrap-servers: no Kafka can be reached ({'; '.join(failures)}): check the address and that Kafka runs, "
        "or leave the option out to have a Kafka started here",
        exit_codes.FAILED,
    )
