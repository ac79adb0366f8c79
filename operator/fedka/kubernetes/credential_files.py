"""The operator's own credentials for Kafka lie in files that a kubelet writes anew when their Secret changes.

Clients have read them once, and so has all that was made of them: an operator that is to use others ends, and the
kubelet starts it again at once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from fedka.kubernetes.configuration import OperatorConfiguration

LOOK_SECONDS = 5.0  # a kubelet takes up to a minute to write them


def credential_files(configuration: OperatorConfiguration) -> Sequence[Path]:
    """Those of all Kafka clusters: users, passwords, authorities."""
    clusters = configuration.kafka_clusters
    named = (file for each in clusters for file in (each.ca_file, each.username_file, each.password_file))
    return [file for file in named if file is not None]


def contents(files: Sequence[Path]) -> Mapping[Path, bytes]:
    """What can be read of them."""
    found = {}
    for file in files:
        try:
            found[file] = file.read_bytes()
        except OSError:  # not there at the start is for the clients to say; later on, it is being written
            continue
    return found


async def until_changed(known: Mapping[Path, bytes], *, period: float = LOOK_SECONDS) -> Path:
    """Wait until one of these files has another content than is known of it; which one."""
    while True:
        await asyncio.sleep(period)
        for file, content in contents(list(known)).items():
            if content != known[file]:
                return file
