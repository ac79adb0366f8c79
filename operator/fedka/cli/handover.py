"""`fedka bundle`: an External participant's connection bundle as one file, to be given to its owner."""

import shlex
import sys
from pathlib import Path

from fedka import exit_codes
from fedka.api.training import FederatedTraining
from fedka.cli.cluster_source import ClusterSource
from fedka.cli.command_line import say
from fedka.cli.errors import CommandFailed
from fedka.cli.out_file import check_out_file
from fedka.plan.snapshot import Role
from fedka.wire.bundle_file import pack, write_private

STDOUT = "-"


async def hand_over(source: ClusterSource, participant: str, file: str, *, force: bool) -> None:
    """Write it, for this user alone. Raises CommandFailed, ReaderUnavailable or OSError."""
    if file != STDOUT:
        check_out_file("-o", Path(file))
    training = await source.training()
    found = next((each for each in training.spec.participants if each.name == participant), None)
    if found is None:
        external = ", ".join(each.name for each in training.spec.participants if not each.managed)
        there = f"the External ones are: {external}" if external else "none of its participants is External"
        raise CommandFailed(f"there is no participant {participant}; {there}", exit_codes.USAGE)
    if found.managed and not force:
        raise CommandFailed(
            f"{participant} is Managed: its pod uses this identity, and two processes of one participant undo each "
            "other's work. To have its owner run it, add it under another name with mode: External; --force hands the "
            "bundle over as it is",
            exit_codes.USAGE,
        )
    text = pack(await source.bundle(Role.PARTICIPANT, participant))
    if file == STDOUT:
        sys.stdout.write(text)
        return
    write_private(Path(file), text)
    say(f"{file}: whoever holds it can act as {participant}, so give it to its owner by a way that nobody else reads.")
    say(f"There: fedka join --bundle {Path(file).name} --app MODULE:APP{_settings(training)}")


def _settings(training: FederatedTraining) -> str:
    """An External participant is configured on its own side, so its owner has to hear what the others are told."""
    shared = training.spec.app.config or {}
    return "".join(f" --config {shlex.quote(f'{name}={value}')}" for name, value in shared.items())
