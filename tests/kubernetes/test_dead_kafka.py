"""A Kafka that takes connections and never answers, as behind a firewall or a broker that hangs, stalls no other."""

import socket
import threading
from collections.abc import Iterator

import pytest

from fedka.local.kafka_server import KafkaServer

from ..cluster.waiting import wait_until
from .operators import GENEROUS_SECONDS, Operators, training

pytestmark = [pytest.mark.kubernetes, pytest.mark.kafka]
MANY = 12  # more than an operator works on at a time for one Kafka
CHILDREN = 3


class Silence:
    """Accepts whoever connects, and never says a word."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self.asked = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            self._connections.append(connection)
            if connection.recv(1):
                self.asked.set()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._connections):
            each.close()


@pytest.fixture
def silence() -> Iterator[Silence]:
    dead = Silence()
    yield dead
    dead.close()


def test_trainings_of_a_kafka_that_never_answers_hold_up_no_others(
    operators: Operators, kafka: KafkaServer, silence: Silence
):
    clusters = {"live": kafka.bootstrap_servers, "dead": silence.address}
    operator = operators.start(
        kafkaClusters=[{"name": name, "bootstrapServers": servers} for name, servers in clusters.items()]
    )
    operator.until_said(r"leads")
    stuck = [training(f"stuck-{number}", kafka={"clusterName": "dead"}) for number in range(MANY)]
    operators.apply({"apiVersion": "v1", "kind": "List", "items": stuck})
    assert silence.asked.wait(GENEROUS_SECONDS), operator.log.read_text()
    operators.apply(training("fraud", kafka={"clusterName": "live"}))

    def made() -> bool:
        return len(operators.get("jobs")["items"]) == CHILDREN

    assert wait_until(made, GENEROUS_SECONDS), operator.log.read_text()
    assert {job["metadata"]["labels"]["fedka.dev/training"] for job in operators.get("jobs")["items"]} == {"fraud"}
