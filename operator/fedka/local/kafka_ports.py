"""Chooses the local Kafka's ports.

They lie below what Linux and macOS hand out to outgoing connections. Inside that range two things go wrong while the
broker is down: another program's connection may take the port, and a client that keeps dialling it may be given the
very port it dials, which connects it to itself and shuts the broker out. They also lie below Kubernetes' node ports.
"""

import random
import socket

from fedka.local.kafka_errors import KafkaStartFailed
from fedka.local.kafka_settings import Listener, Ports

CANDIDATES = range(20000, 30000)
TRIES = 200


def choose_ports(rng: random.Random, listener: Listener) -> Ports:
    """Two that are free now. Another may still be quicker to take them, so a start has to be ready to choose again."""
    free = (port for port in rng.sample(CANDIDATES, TRIES) if are_free(Ports(port, port), listener))
    clients = next(free, None) if listener.port is None else listener.port
    controller = next((port for port in free if port != listener.port), None)
    if clients is None or controller is None:
        raise KafkaStartFailed(
            f"Kafka needs two free ports on {listener.address}, and {TRIES} tries between {CANDIDATES.start} and "
            f"{CANDIDATES.stop - 1} found fewer. Stop what listens there, "
            f"or use a Kafka that runs already: --bootstrap-servers HOST:PORT."
        )
    return Ports(clients=clients, controller=controller)


def are_free(ports: Ports, listener: Listener) -> bool:
    """Whether a broker could listen on both now."""
    return _is_free(listener.address, ports.clients) and _is_free("127.0.0.1", ports.controller)


def _is_free(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # as the broker does: connections of its own predecessor that are still in TIME_WAIT do not count
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
