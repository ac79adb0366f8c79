"""Fetches Apache Kafka once and keeps it in a cache outside any project.

The `pom.xml` beside this module names what is fetched, and its hash names the directory: a new version of Fedka that
wants another Kafka fetches it beside the old one.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_errors import KafkaFetchFailed, MavenMissing
from fedka.local.kafka_java import Java
from fedka.local.kafka_launch import Launcher
from fedka.local.kafka_lock import FileLock

RESOURCES = Path(__file__).with_name("kafka")
POM = RESOURCES / "pom.xml"
DIGITS = 12
PATIENCE_SECONDS = 900  # another run is fetching over a slow line


@dataclass(frozen=True)
class Installation:
    """Kafka's jars in a directory of the cache, and a place beside it for what a certain Java makes of them."""

    directory: Path

    @property
    def classpath(self) -> str:
        """Sorted: an archive of classes is valid for the very class path that it was made with."""
        return os.pathsep.join(str(jar) for jar in sorted(self.directory.glob("*.jar")))

    def archive(self, java: Java) -> Path:
        """Where the archive of classes for this Java lies, or would lie."""
        name = hashlib.sha256(f"{java.command.resolve()}\n{java.release}".encode()).hexdigest()[:DIGITS]
        return self.directory.with_name(f"{self.directory.name}.{name}.jsa")


def default_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's cache directory by the XDG convention, which macOS users get as well."""
    return Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache", "fedka")


def kafka_version() -> str:
    """The release that the pom names."""
    version = re.search(r"<kafka\.version>(.+)</kafka\.version>", POM.read_text(encoding="utf-8"))
    assert version is not None
    return version[1]


def fetch_kafka(
    *,
    java: Java,
    cache: Path,
    environment: Mapping[str, str],
    progress: Callable[[str], None],
    launcher: Launcher,
) -> Installation:
    """Returns at once when it is there already. Raises `MavenMissing`, `KafkaFetchFailed`, `KafkaStartCancelled`."""
    name = f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:DIGITS]}"
    installation = Installation(cache / name)
    if installation.directory.is_dir():
        return installation
    cache.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(cache / f"{name}.lock", patience_seconds=PATIENCE_SECONDS, cancelled=launcher.cancelled)
    except BlockingIOError as taken:
        launcher.check()
        raise KafkaFetchFailed(
            f"Another process has been fetching Apache Kafka into {cache} for {PATIENCE_SECONDS} s. "
            f"End it, then try again."
        ) from taken
    try:
        if not installation.directory.is_dir():  # the other run may just have brought it
            maven = _find_maven(environment)
            progress(f"Fetching Apache Kafka {kafka_version()} (43 MB), once")
            _fetch(installation, maven, {"JAVA_HOME": str(java.home)} | dict(environment), launcher)
    finally:
        lock.release()
    return installation


def _find_maven(environment: Mapping[str, str]) -> str:
    maven = shutil.which("mvn", path=environment.get("PATH", os.defpath))
    if maven is None:
        raise MavenMissing(
            f"Apache Kafka {kafka_version()} has not been fetched yet and Maven, which fetches it, was not found. "
            f"Install it (Debian, Ubuntu: apt-get install maven; macOS: brew install maven) "
            f"or use a Kafka that runs already: --bootstrap-servers HOST:PORT."
        )
    return maven


def _fetch(installation: Installation, maven: str, environment: Mapping[str, str], launcher: Launcher) -> None:
    log = installation.directory.with_suffix(".log")
    log.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=installation.directory.parent, prefix="fetching-") as scratch:
        jars = Path(scratch, "jars")
        finished = launcher.run(
            [
                maven,
                "--batch-mode",
                "--no-transfer-progress",
                "--strict-checksums",  # a damaged download is an error, not a warning
                f"--file={POM}",
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={jars}",
            ],
            log=log,
            environment=environment,
        )
        if finished.code != 0 or not any(jars.glob("kafka_*.jar")):
            raise KafkaFetchFailed(
                f"Maven could not fetch Apache Kafka {kafka_version()} (exit code {finished.code}). Its last lines:\n"
                f"{finished.last_lines}\nAll of them: {log}. Try again when the network is back, "
                f"or use a Kafka that runs already: --bootstrap-servers HOST:PORT."
            )
        jars.rename(installation.directory)
