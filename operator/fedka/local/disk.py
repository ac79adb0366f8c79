"""A disk without space: the one cause that stops every part of a run at once, and that its owner can mend."""

import errno
import shutil
from pathlib import Path

WORDS = ("No space left on device", "Disk quota exceeded")  # of programs that we start; as the C library has them
LEAST_BYTES = 2**20  # a broker takes more for its next start
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def is_full(error: OSError) -> bool:
    """Whether it was raised because there is no space."""
    return error.errno in _FULL


def has_space(path: Path) -> bool:
    """Whether anything can be written there."""
    return shutil.disk_usage(path).free >= LEAST_BYTES


def no_space(path: Path) -> str:
    """The sentence that says so and what to do."""
    usage = shutil.disk_usage(next(place for place in (path, *path.parents) if place.exists()))
    return (
        f"no space is left on the disk of {path}: {usage.free / 2**20:.1f} of {usage.total / 2**20:.0f} MiB are free. "
        "Free some; a run keeps some hundred MiB beside its models"
    )
