"""Access to a run by the files of a connection bundle, whoever handed them over."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.source import RunReader
from fedka.kafka.access import client_settings
from fedka.wire.bundle import read_bundle
from fedka.wire.bundle_file import write_files


@asynccontextmanager
async def bundle_reader(
    files: Mapping[str, bytes], bootstrap_servers: str | None, training: str | None = None
) -> AsyncIterator[RunReader]:
    """What the bundle's user may read, at `bootstrap_servers` if given.

    Raises BundleUnreadable, and CommandFailed where it is not for `training`.
    """
    with TemporaryDirectory(prefix="fedka-reader-") as directory:
        write_files(Path(directory), files)
        bundle = read_bundle(Path(directory))
        if training not in (None, bundle.training):
            message = (
                f"the bundle is for training {bundle.training}, not for {training}: leave the name out, or give its own"
            )
            raise CommandFailed(message, exit_codes.USAGE)
        access = bundle.kafka
        if bootstrap_servers is not None:
            access = access.model_copy(update={"bootstrap_servers": bootstrap_servers})
        settings = client_settings(access, Path(directory))
        if access.password_file is not None:  # a signal may end this process without tidying up
            (Path(directory) / Path(access.password_file).name).unlink(missing_ok=True)
        yield RunReader(settings, bundle.topics, access.username or "the reader")
