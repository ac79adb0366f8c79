"""What a command says when it cannot go on, and the code that it ends with: one place, so no command shows a traceback.

Only errors whose message tells the user what to do are listed. Everything else is a defect of Fedka: its last line is
shown, and `--debug` shows all of it.
"""

import errno
import sys
from collections.abc import Callable
from typing import Any

from fedka import exit_codes
from fedka.cli.streams import lead_nowhere

_RIGHTS = (errno.EACCES, errno.EPERM, errno.EROFS)


class CommandFailed(Exception):
    """The command ends with `code`; the message names the thing, the limit and the fix."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def guarded(command: Callable[[], int], *, debug: bool, say: Callable[[str], Any]) -> int:
    """The command's exit code; what it raises is said through `say`, without a traceback unless `debug`."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        lead_nowhere(sys.stdout)
        return exit_codes.OK
    except KeyboardInterrupt:
        say("fedka: interrupted")
        return exit_codes.INTERRUPTED
    except Exception as error:
        if debug:
            raise
        message, code = explained(error)
        say(message)
    return code


def explained(error: Exception) -> tuple[str, int]:
    """The lines to show, and the exit code."""
    # Imported here: whoever raised one of them has loaded its module already, and a command that succeeds needs none.
    from fedka.api.errors import InvalidResource  # noqa: PLC0415
    from fedka.api.loading import TrainingFileError  # noqa: PLC0415
    from fedka.cli.model_fetch import NoModel  # noqa: PLC0415
    from fedka.cli.source import NoSuchTraining, ReaderUnavailable  # noqa: PLC0415
    from fedka.kafka.errors import KafkaError  # noqa: PLC0415
    from fedka.local.disk import is_full  # noqa: PLC0415
    from fedka.local.kafka_errors import LocalKafkaError  # noqa: PLC0415
    from fedka.local.saved import SavedTrainingUnusable  # noqa: PLC0415
    from fedka.local.state_dir import StateDirUnusable  # noqa: PLC0415
    from fedka.reconcile.ports import Invalid  # noqa: PLC0415
    from fedka.wire.bundle import BundleUnreadable  # noqa: PLC0415

    of_this_machine = (LocalKafkaError, StateDirUnusable, SavedTrainingUnusable)
    if isinstance(error, CommandFailed):
        return f"fedka: {error}", error.code
    if isinstance(error, InvalidResource | TrainingFileError):
        return str(error), exit_codes.CONFIG
    if isinstance(error, Invalid):  # the file changed what a run under way does not let go
        return f"fedka: {error}\n(to begin a new run, give another --state-dir)", exit_codes.CONFIG
    if isinstance(error, BundleUnreadable):
        return f"fedka: {error}", exit_codes.CONFIG
    if isinstance(error, (*of_this_machine, NoSuchTraining, ReaderUnavailable, NoModel, KafkaError)):
        return f"fedka: {error}", exit_codes.FAILED
    if isinstance(error, OSError) and is_full(error):
        where = f" of {error.filename}" if error.filename else ""
        message = f"fedka: no space is left on the disk{where}: free some, and give the command again"
    elif isinstance(error, OSError) and error.filename and error.errno in _RIGHTS:
        message = f"fedka: {error.filename}: {error.strerror}: see whose it is, or name another place"
    else:
        where = "run the command again with --debug to see where, and report it"
        message = f"fedka: unexpected {type(error).__name__}: {error}\n({where})"
    return message, exit_codes.FAILED
