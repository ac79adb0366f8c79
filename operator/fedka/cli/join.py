"""`fedka join`: an External participant on its owner's machine, from a connection bundle and an app to an exit code.

It runs what a pod runs, under the same supervisor; only what a kubelet would do beside is done here: the bundle's
files are laid out for this user alone and taken away at the end, and the app is found where its owner says.
"""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from pydantic import ValidationError

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.pods import UNSUPERVISED, this_program
from fedka.supervisor import supervise
from fedka.wire.bundle import DOCUMENT, AppSettings, Bundle, BundleUnreadable, read_bundle
from fedka.wire.bundle_file import read_files, unpack, write_files

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    bundle: str
    app: str | None = None
    state_dir: Path | None = None
    config: Sequence[str] = ()
    bootstrap_servers: str | None = None


def join(options: Options) -> int:
    """Take part until the run has ended; the exit code. Raises BundleUnreadable or CommandFailed."""
    with _tidy_when_told_to_stop():
        files = unpack(sys.stdin.read(), "stdin") if options.bundle == STDIN else read_files(Path(options.bundle))
        where, entrypoint = (Path.cwd(), None) if options.app is None else app_place(options.app)
        with tempfile.TemporaryDirectory(prefix="fedka-join-") as directory:  # made for this user alone
            bundle_dir = Path(directory)
            write_files(bundle_dir, files)
            bundle = _as_wanted(read_bundle(bundle_dir), options, entrypoint)
            (bundle_dir / DOCUMENT).write_text(bundle.model_dump_json(by_alias=True, exclude_none=True))
            _greet(bundle)
            worker = [*this_program(), "participant", UNSUPERVISED, "--bundle", directory]
            os.chdir(where)  # where the worker looks for the app
            return supervise(worker)


def app_place(app: str) -> tuple[Path, str]:
    """Where `module:object` or `path/to/file.py:object` is looked up, and its entrypoint."""
    source, colon, name = app.rpartition(":")
    if not colon or not source or not name:
        raise CommandFailed(f"--app {app}: write module:object or file.py:object, e.g. fraud:app", exit_codes.USAGE)
    if not source.endswith(".py"):
        return Path.cwd(), app
    file = Path(source)
    if not file.is_file():
        raise CommandFailed(f"--app {app}: there is no file {file}", exit_codes.USAGE)
    return file.resolve().parent, f"{file.stem}:{name}"


def _as_wanted(bundle: Bundle, options: Options, entrypoint: str | None) -> Bundle:
    """The bundle with the owner's own app, configuration and place for state."""
    if bundle.role != "participant" or bundle.participant is None or bundle.app is None:
        raise BundleUnreadable(f"{options.bundle}: a bundle of role {bundle.role}: only a participant's can join")
    config = {**bundle.app.config, **dict(_setting(each) for each in options.config)}
    state = None if options.state_dir is None else str(options.state_dir.resolve())
    servers = options.bootstrap_servers or bundle.kafka.bootstrap_servers
    try:
        app = AppSettings(entrypoint=entrypoint or bundle.app.entrypoint, config=config)
    except ValidationError as error:
        raise CommandFailed(f"--app {options.app}: {error.errors()[0]['msg']}", exit_codes.USAGE) from None
    kafka = bundle.kafka.model_copy(update={"bootstrap_servers": servers})
    return bundle.model_copy(update={"app": app, "state_directory": state, "kafka": kafka})


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise CommandFailed(f"--config {text}: write NAME=VALUE, such as epochs=2", exit_codes.USAGE)
    return name, value


def _greet(bundle: Bundle) -> None:
    sys.stderr.write(
        f"{bundle.participant} of training {bundle.namespace}/{bundle.training}, over Kafka at "
        f"{bundle.kafka.bootstrap_servers}; only the app's updates leave this machine. Ctrl-C leaves in order.\n"
    )
    sys.stderr.flush()


@contextmanager
def _tidy_when_told_to_stop() -> Iterator[None]:
    """SIGTERM ends it like Ctrl-C, and so does a terminal that is closed: the password must not stay behind."""
    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, _as_sigterm),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_sigterm(_number: int, _frame: FrameType | None) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
