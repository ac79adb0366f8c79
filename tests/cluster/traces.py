"""What a cluster has on this machine while it runs, none of which may be there afterwards."""

import contextlib
import os
import select
from pathlib import Path

from fedka.descendants import descendants

from .node_namespaces import Network


def processes_of(keeper: int) -> list[int]:
    """Handles of the process and of all that live below it: an id alone may be another process's later."""
    handles = []
    for pid in (keeper, *descendants(keeper)):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            handles.append(os.pidfd_open(pid))
    return handles


def has_ended(handle: int) -> bool:
    """Whether that process has."""
    return bool(select.select([handle], [], [], 0)[0])


def traces(home: Path, network: Network) -> list[str]:
    """Mounts of what lies in `home`, and the interface."""
    mounts = [line for line in Path("/proc/mounts").read_text().splitlines() if str(home) in line]
    return [*mounts, *(path.name for path in Path("/sys/class/net").iterdir() if path.name == network.cable)]
