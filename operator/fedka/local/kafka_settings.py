"""The settings of the local Kafka: one small node, used by a handful of clients on the same machine."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

NODE_ID = 1

JVM_OPTIONS = (
    "-Xms256m",  # taken at once: growing the heap step by step costs collections during start-up
    "-Xmx256m",  # measured to be enough for 2000 partitions and a GB/s, as records stay in the page cache
    "-XX:TieredStopAtLevel=1",  # half the CPU to start, and rounds of 4 and of 40 MB are as quick (bench/rounds.py)
    "-XX:+UseSerialGC",  # the smallest collector: no threads and no memory of its own
    "-XX:MaxMetaspaceSize=128m",  # a leak of classes ends the broker, not the machine
    "-XX:-UsePerfData",  # no file in /tmp that outlives a kill
    "-Xlog:disable",  # the remarks of the JVM on each class that it leaves out of an archive: thousands of lines
    "-Xlog:all=error",  # but not its errors
    "-Xshare:auto",  # an archive of classes that does not fit this Java is ignored, not an error
)

SMALL_NODE: Mapping[str, str] = {
    "auto.create.topics.enable": "false",  # a mistyped topic has to be an error
    "offsets.topic.replication.factor": "1",  # there is one node
    "offsets.topic.num.partitions": "1",  # Fedka uses no consumer groups; 50 partitions would only slow the start
    "transaction.state.log.replication.factor": "1",  # there is one node
    "transaction.state.log.min.isr": "1",  # there is one node
    "transaction.state.log.num.partitions": "1",  # Fedka uses no transactions; an app may
    "share.coordinator.state.topic.replication.factor": "1",  # there is one node
    "share.coordinator.state.topic.min.isr": "1",  # there is one node
    "share.coordinator.state.topic.num.partitions": "1",  # Fedka uses no share groups
    "log.cleaner.dedupe.buffer.size": "2097152",  # the 128 MB of the default are half of this heap
    "num.network.threads": "2",  # a handful of clients on the machine that also trains
    "num.io.threads": "4",  # the same
    "broker.session.timeout.ms": "2000",  # a killed broker's registration has to run out: back in 3 s, not 13 s
    "broker.heartbeat.interval.ms": "500",  # several within that session
    "log.retention.check.interval.ms": "10000",  # rounds take milliseconds: 5 minutes of them would fill the disk
    "log.segment.delete.delay.ms": "1000",  # the same, instead of one minute
}


@dataclass(frozen=True)
class Ports:
    """Where the broker listens for clients and, for itself alone, for its controller's."""

    clients: int
    controller: int


@dataclass(frozen=True)
class Listener:
    """How clients connect. Without a `port`, one that is free, and the same again at the next start.

    The protocol is also the listener's name. All but PLAINTEXT needs settings of its own beside.
    """

    address: str = "127.0.0.1"
    port: int | None = None
    protocol: str = "PLAINTEXT"

    def url(self, port: int) -> str:
        """As Kafka writes it."""
        return f"{self.protocol}://{self.address}:{port}"


def server_properties(*, data: Path, listener: Listener, ports: Ports, extra: Mapping[str, str]) -> str:
    """The text of `server.properties`; `extra` goes over everything else.

    The quorum of controllers is static, so that it moves with the port: a dynamic one keeps the first port in its data.
    """
    node = {
        "process.roles": "broker,controller",
        "node.id": str(NODE_ID),
        "controller.quorum.voters": f"{NODE_ID}@127.0.0.1:{ports.controller}",
        "listeners": f"{listener.url(ports.clients)},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": listener.url(ports.clients),
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": f"{listener.protocol}:{listener.protocol},CONTROLLER:PLAINTEXT",
        "security.inter.broker.protocol": listener.protocol,
        "log.dirs": _escaped(str(data)),
    }
    return "".join(f"{key}={value}\n" for key, value in (node | dict(SMALL_NODE) | dict(extra)).items())


def _escaped(value: str) -> str:
    """As a Java properties file wants it: a backslash begins an escape there."""
    return value.replace("\\", "\\\\")
