"""The Kafka that `fedka run` starts itself: a real Apache Kafka, one node, without Docker and without an installation.

It is the embedded default and the test bed, so it has to be quick to start, keep its data for the next run in the same
state directory, and never stay behind: it ends with the process that started it, even when that one is killed.
"""

import os
import random
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from fedka.local.disk import WORDS, has_space, is_full, no_space
from fedka.local.kafka_errors import KafkaDiskFull, KafkaKilled, KafkaStartFailed, LocalKafkaError, StateDirInUse
from fedka.local.kafka_fetch import default_cache, fetch_kafka, kafka_version
from fedka.local.kafka_java import find_java
from fedka.local.kafka_launch import Finished, Launcher
from fedka.local.kafka_lock import FileLock
from fedka.local.kafka_node import START_SECONDS, KafkaNode
from fedka.local.kafka_ports import are_free, choose_ports
from fedka.local.kafka_process import TiedProcess
from fedka.local.kafka_settings import Listener, Ports

PORT_TAKEN = "Address already in use"
PORT_ATTEMPTS = 5
STOP_SECONDS = 20.0  # 0.3 s as a rule, 3 s when the archive of classes is written
LOCK_SECONDS = 3.0  # the broker of a run that was killed a moment ago is about to go


def silent(_message: str) -> None:
    """Reports nothing."""


class KafkaServer:
    """A broker whose data, settings and log lie in `state_dir/kafka`.

    All calls block. `start`, `restart` and `kill` are for one thread; `stop` may come from any and cancels a start.
    The same state directory gives the same cluster with its data, at the same address if its port is free.

    `progress` is told what takes time, `listener` is for clients, `properties` go over the broker's settings and
    `format_arguments` to the tool that makes its data directory. `cache` and `environment` say where Kafka is kept and
    Java looked for, and `rng` makes ports and the cluster's identity.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        progress: Callable[[str], None] = silent,
        listener: Listener | None = None,
        properties: Mapping[str, str] | None = None,
        format_arguments: Sequence[str] = (),
        cache: Path | None = None,
        environment: Mapping[str, str] = os.environ,
        rng: random.Random | None = None,
    ) -> None:
        self._home = state_dir.resolve() / "kafka"
        self._progress = progress
        self._listener = listener or Listener()
        self._properties = dict(properties or {})
        self._format_arguments = tuple(format_arguments)
        self._cache = cache or default_cache(environment)
        self._environment = environment
        self._rng = rng or random.SystemRandom()
        self._launcher = Launcher()
        self._busy = threading.RLock()
        self._lock: FileLock | None = None
        self._node: KafkaNode | None = None
        self._process: TiedProcess | None = None
        self._ports: Ports | None = None

    @property
    def log_path(self) -> Path:
        """The broker's log, kept when it ends."""
        return self._home / "kafka.log"

    @property
    def bootstrap_servers(self) -> str:
        """`HOST:PORT`; only after `start`."""
        assert self._ports is not None, "start() has not returned yet"
        return f"{self._listener.address}:{self._ports.clients}"

    @property
    def pid(self) -> int:
        """Only after `start`."""
        assert self._process is not None, "start() has not returned yet"
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the broker's process runs."""
        return self._process is not None and self._process.alive

    def start(self) -> str:
        """Returns the bootstrap servers when the broker answers.

        Raises any `LocalKafkaError`: no Java, no Maven, not fetched, state directory in use, not started, cancelled.
        """
        with self._busy:
            if self.alive:
                return self.bootstrap_servers
            java = find_java(self._environment)
            installation = fetch_kafka(
                java=java,
                cache=self._cache,
                environment=self._environment,
                progress=self._progress,
                launcher=self._launcher,
            )
            self._home.mkdir(parents=True, exist_ok=True)
            lock = self._lock = self._lock or self._take_lock()
            self._node = KafkaNode(
                home=self._home,
                java=java,
                installation=installation,
                listener=self._listener,
                properties=self._properties,
                format_arguments=self._format_arguments,
                launcher=self._launcher,
            )
            try:
                self._serve(self._node, lock)
            except OSError as error:
                self._release()
                if not is_full(error):
                    raise
                raise KafkaDiskFull(no_space(self._home)) from error
            except BaseException:
                self._release()
                raise
            return self.bootstrap_servers

    def stop(self) -> None:
        """Ends the broker in order, or cancels the start in progress. Does nothing when there is neither."""
        self._launcher.cancel()
        with self._busy:
            if self._process is not None and self._node is not None:
                self._node.stop(self._process, grace_seconds=STOP_SECONDS, progress=self._progress)
            self._release()
            self._launcher.allow()

    def kill(self) -> None:
        """SIGKILL, as a crash would end it. `start` brings it back with what the kernel had got of its data."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Stops it in order if it runs, and starts it again at the same address."""
        with self._busy:
            if self.alive and self._process is not None and self._node is not None:
                self._node.stop(self._process, grace_seconds=STOP_SECONDS, progress=self._progress)
            self.start()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _serve(self, node: KafkaNode, lock: FileLock) -> None:
        self._progress(f"Starting Apache Kafka {kafka_version()}")
        for _ in range(PORT_ATTEMPTS):
            ports = self._ports or self._ports_to_try(node)  # once it has run, its clients know the address
            if not are_free(ports, self._listener):
                continue
            node.format(ports=ports, rng=self._rng)
            outcome = node.serve(ports=ports, lock=lock.descriptor)
            if isinstance(outcome, TiedProcess):
                self._process, self._ports = outcome, ports
                lock.write(f"{outcome.pid}")
                return
            if not outcome.printed(PORT_TAKEN):
                raise self._failed(outcome)
        raise KafkaStartFailed(
            f"Kafka found its ports taken {PORT_ATTEMPTS} times in a row, last {ports.clients} and {ports.controller}. "
            f"Stop what listens there. Its log: {self.log_path}."
        )

    def _ports_to_try(self, node: KafkaNode) -> Ports:
        last = node.last_ports()
        usable = last is not None and are_free(last, self._listener) and self._listener.port in (None, last.clients)
        return last if last is not None and usable else choose_ports(self._rng, self._listener)

    def _failed(self, outcome: Finished) -> LocalKafkaError:
        if any(outcome.printed(words) for words in WORDS) or not has_space(self._home):
            return KafkaDiskFull(no_space(self._home))
        kind = KafkaKilled if outcome.code < 0 and not outcome.timed_out else KafkaStartFailed
        if outcome.timed_out:
            what = f"was not ready within {START_SECONDS:g} s"
        elif outcome.code < 0:
            what = f"was ended by signal {-outcome.code} ({signal.strsignal(-outcome.code)}) while it started"
        else:
            what = f"ended with code {outcome.code}"
        return kind(
            f"Apache Kafka {kafka_version()} {what}. Its last lines:\n{outcome.last_lines}\n"
            f"All of them: {self.log_path}."
        )

    def _take_lock(self) -> FileLock:
        path = self._home / "lock"
        try:
            lock = FileLock(path, patience_seconds=LOCK_SECONDS, cancelled=self._launcher.cancelled)
        except BlockingIOError as taken:
            self._launcher.check()
            pid = path.read_text(encoding="utf-8")
            raise StateDirInUse(
                f"The state directory {self._home.parent} is in use by another run, whose Kafka "
                f"{f'has process id {pid}' if pid else 'is just starting'}. "
                f"Stop that run, or give this one another --state-dir."
            ) from taken
        lock.write("")  # the last broker's process id means nothing any more
        return lock

    def _release(self) -> None:
        self._process = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None
