"""Ports for programs that cannot choose their own and tell.

They lie where neither outgoing connections (32768 and above), nor Kubernetes' node ports (30000 and above), nor the
local Kafka's choice are: what is free now stays free until it is taken. Workers of one test run choose at the same
time, so each has its own.
"""

import os
import random
import socket
from collections.abc import Iterator

CANDIDATES = range(10000, 20000)
MOST_WORKERS = 8


def free_ports(rng: random.Random, address: str) -> Iterator[int]:
    """Different ones that were free when they were given, in no order."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ours = CANDIDATES[worker % MOST_WORKERS :: MOST_WORKERS]
    return (port for port in rng.sample(ours, len(ours)) if _is_free(address, port))


def _is_free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT does not count
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
