"""`fedka aggregator` and `fedka participant`: what runs in pods, and where others run a participant of their own.

The first process is a supervisor that knows nothing but how to start the worker again; the worker is the same command
with `--unsupervised`, so a process list shows both for what they are.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fedka import exit_codes

UNSUPERVISED = "--unsupervised"
VARIABLE = "FEDKA_BUNDLE"  # fedka.wire.bundle says it too, but loading that would cost the supervisor 60 ms


def run_pod(role: str, arguments: Sequence[str]) -> int:
    """Run a pod's command: as its first process, or as the worker; the exit code."""
    if UNSUPERVISED not in arguments and not {"-h", "--help"} & set(arguments):
        from fedka.supervisor import supervise  # noqa: PLC0415  the worker does without

        return supervise([*this_program(), role, UNSUPERVISED, *arguments])
    return _work(role, arguments)


def this_program() -> list[str]:
    """How this very program is started again."""
    script = Path(sys.argv[0]).absolute()  # the working directory may become another
    return [sys.executable, str(script)] if script.name == "fedka" else [sys.executable, "-m", "fedka"]


def _work(role: str, arguments: Sequence[str]) -> int:
    bundle = _bundle(role, arguments)
    if isinstance(bundle, int):
        return bundle
    if role == "aggregator":
        from fedka.aggregator.main import run_aggregator  # noqa: PLC0415  neither loads the other
        from fedka.cli.logs import log_to_stderr  # noqa: PLC0415  the participant's log has the app's lines, too

        log_to_stderr(role)
        return run_aggregator(bundle)
    from fedka.participant.main import run_participant  # noqa: PLC0415

    return run_participant(bundle)


def _bundle(role: str, arguments: Sequence[str]) -> Path | int:
    """The bundle's directory, or the code to exit with: after --help, or for a command line that is wrong."""
    import argparse  # noqa: PLC0415  the supervisor does without

    parser = argparse.ArgumentParser(
        prog=f"fedka {role}",
        description=f"Run the {role} of one training: until the run has ended, and again whenever it dies.",
        exit_on_error=False,
    )
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        type=Path,
        default=os.environ.get(VARIABLE) or None,
        help=f"the connection bundle, a directory with bundle.json in it (default: ${VARIABLE})",
    )
    parser.add_argument(UNSUPERVISED, action="store_true", help="run once: do not start again what dies")
    try:
        chosen = parser.parse_args(arguments)
    except SystemExit as ended:  # argparse ends with 2 for what everybody else calls 64, which no one starts again
        return exit_codes.USAGE if ended.code else exit_codes.OK
    except argparse.ArgumentError as error:
        print(f"fedka {role}: {error}", file=sys.stderr)  # noqa: T201  the pod's log
        return exit_codes.USAGE
    if chosen.bundle is None:
        print(  # noqa: T201  the pod's log
            f"fedka {role}: no connection bundle: name its directory with --bundle DIR or in {VARIABLE}",
            file=sys.stderr,
        )
        return exit_codes.USAGE
    return Path(chosen.bundle)
