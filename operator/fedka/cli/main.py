"""The console entry. Pods' commands are sorted out before anything is imported that only people need.

A pod's start is on the way to the first round and on the way back from every crash, so it must not pay for a command
line library, tables and colours.
"""

import gc
import sys
from collections.abc import Sequence

from fedka import exit_codes
from fedka.cli.streams import open_streams

POD_COMMANDS = ("aggregator", "operator", "participant")


def main() -> int:
    """Run the command that `sys.argv` asks for; the exit code, one of `fedka.exit_codes`."""
    open_streams()
    try:
        return _run(sys.argv[1:])
    finally:
        gc.freeze()  # the process ends now: to search for garbage would take it 0.1 s, and half a second with torch


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0] in POD_COMMANDS:
        return run_in_pod(arguments[0], arguments[1:])
    try:
        from fedka.cli.commands import run_command  # noqa: PLC0415  only what is asked for is loaded
    except KeyboardInterrupt:  # a Ctrl-C that comes before there is a command to explain it
        return exit_codes.INTERRUPTED
    return run_command(arguments)


def run_in_pod(command: str, arguments: Sequence[str]) -> int:
    """Run a pod's command; the exit code."""
    if command == "operator":
        from fedka.kubernetes.main import run_operator  # noqa: PLC0415  as above

        return run_operator(arguments)
    from fedka.cli.pods import run_pod  # noqa: PLC0415  the same

    return run_pod(command, arguments)
