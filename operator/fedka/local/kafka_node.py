"""One Kafka node on disk: how it is formatted, how it is started, and where it listened last."""

import base64
import contextlib
import os
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_errors import KafkaStartFailed
from fedka.local.kafka_fetch import RESOURCES, Installation, keep_archive
from fedka.local.kafka_java import Java
from fedka.local.kafka_launch import Finished, Launcher
from fedka.local.kafka_process import TiedProcess
from fedka.local.kafka_settings import JVM_OPTIONS, Listener, Ports, server_properties

READY_LINE = "Kafka Server started"  # printed when the broker is unfenced and listens
START_SECONDS = 120.0  # 2 s on a free machine; a crowded one gets its time
ENDED_BY_SIGTERM = 143  # a JVM catches the signal, shuts down in order and exits with 128 + 15


@dataclass(frozen=True)
class KafkaNode:
    """The node whose everything lies in `home`, run by this Java from these jars.

    `format_arguments` go to the tool that makes the data directory, e.g. the first user.
    """

    home: Path
    java: Java
    installation: Installation
    listener: Listener
    properties: Mapping[str, str]
    format_arguments: Sequence[str]
    launcher: Launcher

    @property
    def data(self) -> Path:
        """The broker's own directory; there is one only once it is formatted."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the broker printed, start after start."""
        return self.home / "kafka.log"

    def last_ports(self) -> Ports | None:
        """Those of the last start: clients of an earlier run may still have that address."""
        with contextlib.suppress(FileNotFoundError):
            text = self._settings_file.read_text(encoding="utf-8")
            found = re.search(r"^listeners=.*:(\d+),CONTROLLER://127\.0\.0\.1:(\d+)$", text, re.MULTILINE)
            if found:
                return Ports(clients=int(found[1]), controller=int(found[2]))
        return None

    def format(self, *, ports: Ports, rng: random.Random) -> None:
        """Makes an empty cluster with an identity of its own, unless there is one: all of it or nothing."""
        if self.data.is_dir():
            return
        unfinished = self.home / "data.unfinished"
        settings = self.home / "format.properties"
        settings.write_text(self._settings(unfinished, ports), encoding="utf-8")
        cluster_id = base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=").replace("-", "_")
        finished = self.launcher.run(
            self._command(
                "kafka.tools.StorageTool",
                "format",
                f"--cluster-id={cluster_id}",
                "--ignore-formatted",  # what a broken-off format left behind
                f"--config={settings}",
                *self.format_arguments,
            ),
            log=self.log,
        )
        if finished.code != 0:
            raise KafkaStartFailed(
                f"Kafka could not format its data directory {self.data} (exit code {finished.code}). Its last lines:\n"
                f"{finished.last_lines}\nAll of them: {self.log}."
            )
        unfinished.rename(self.data)
        settings.unlink()

    def serve(self, *, ports: Ports, lock: int) -> TiedProcess | Finished:
        """The broker, ready; or how it ended instead. It keeps the descriptor `lock` open while it lives."""
        self._unfinished_archive.unlink(missing_ok=True)  # of a broker that was killed over it
        self._settings_file.write_text(self._settings(self.data, ports), encoding="utf-8")
        return self.launcher.start(
            self._command("kafka.Kafka", str(self._settings_file), making_archive=self._archive_is_wanted),
            log=self.log,
            ready=READY_LINE,
            timeout_seconds=START_SECONDS,
            keep_open=(lock,),
        )

    def stop(self, process: TiedProcess, *, grace_seconds: float, progress: Callable[[str], None]) -> None:
        """In order: the next start has nothing to recover. The first stop leaves the archive for quick starts."""
        if process.alive and self._archive_is_wanted:
            progress("Preparing Kafka for quicker starts (3 s), once")
        process.terminate(grace_seconds=grace_seconds)
        unfinished = self._unfinished_archive
        try:
            if process.code == ENDED_BY_SIGTERM and unfinished.exists():
                keep_archive(unfinished, self._archive, self.installation)
        except OSError as error:
            progress(f"Kafka will start slowly the next time, as the cache cannot be written to: {error}")
        finally:
            unfinished.unlink(missing_ok=True)

    def _settings(self, data: Path, ports: Ports) -> str:
        return server_properties(data=data, listener=self.listener, ports=ports, extra=self.properties)

    @property
    def _settings_file(self) -> Path:
        return self.home / "server.properties"

    @property
    def _archive(self) -> Path:
        return self.installation.archive(self.java)

    @property
    def _archive_is_wanted(self) -> bool:
        cache = self.installation.directory.parent
        return self.java.can_archive_classes and not self._archive.exists() and os.access(cache, os.W_OK)

    @property
    def _unfinished_archive(self) -> Path:
        return self.home / "classes.jsa"

    def _command(self, main_class: str, *arguments: str, making_archive: bool = False) -> list[str]:
        """A start with the archive of classes takes 1.1 s, without it 2.0 s. Writing it costs 2.7 s at one end."""
        archive = (
            f"-XX:ArchiveClassesAtExit={self._unfinished_archive}"
            if making_archive
            else f"-XX:SharedArchiveFile={self._archive}"
        )
        return [
            str(self.java.command),
            *JVM_OPTIONS,
            archive,
            f"-Dlog4j2.configurationFile={RESOURCES / 'log4j2.xml'}",
            "-cp",
            self.installation.classpath,
            main_class,
            *arguments,
        ]
