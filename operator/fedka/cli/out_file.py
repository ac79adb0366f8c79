"""Where a file is to be written: what is wrong with the place is said before anything is done to get its content."""

import os
from pathlib import Path

from fedka import exit_codes
from fedka.cli.errors import CommandFailed


def check_out_file(option: str, path: Path) -> None:
    """That a file can be made there, as `option` of the command asks. Raises CommandFailed."""
    if path.is_dir():
        raise CommandFailed(f"{option} {path}: is a directory; name a file in it", exit_codes.USAGE)
    if not path.parent.is_dir():
        raise CommandFailed(f"{option} {path}: there is no directory {path.parent}; make it first", exit_codes.USAGE)
    if not os.access(path.parent, os.W_OK):
        raise CommandFailed(f"{option} {path}: {path.parent} cannot be written to", exit_codes.USAGE)
