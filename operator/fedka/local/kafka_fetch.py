"""Fetches Apache Kafka once and keeps it in a cache outside any project.

The `pom.xml` beside this module names what is fetched, and its hash names the directory: a new version of Fedka that
wants another Kafka fetches it beside the old one.
"""

import contextlib
import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
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
    def lock(self) -> Path:
        """Whoever brings or changes something has this locked. It stays: a lock file cannot be removed safely."""
        return self.directory.with_suffix(".lock")

    @property
    def unfinished(self) -> Path:
        """Where it is brought to: one place, so that what a killed process leaves is removed by the next."""
        return self.directory.with_suffix(".fetching")

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
    with _locked(installation, launcher):
        if not installation.directory.is_dir():  # the other run may just have brought it
            maven = _find_maven(environment)
            progress(f"Fetching Apache Kafka {kafka_version()} (43 MB), once")
            _fetch(installation, maven, {"JAVA_HOME": str(java.home)} | dict(environment), launcher)
    return installation


def keep_archive(made: Path, archive: Path, installation: Installation) -> None:
    """Bring an archive of classes into the cache, whole or not at all; nothing where another run does so just now.

    Raises OSError where the cache takes none.
    """
    draft = archive.with_suffix(".unfinished")  # a rename is whole, but ends at the border of a file system
    try:
        lock = FileLock(installation.lock, patience_seconds=0, cancelled=threading.Event())
    except BlockingIOError:
        return
    try:
        shutil.copyfile(made, draft)
        draft.replace(archive)
    finally:
        draft.unlink(missing_ok=True)
        lock.release()


@contextlib.contextmanager
def _locked(installation: Installation, launcher: Launcher) -> Iterator[None]:
    """While this lasts, no other process changes what the cache has of this Kafka."""
    cache = installation.directory.parent
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = FileLock(installation.lock, patience_seconds=PATIENCE_SECONDS, cancelled=launcher.cancelled)
    except BlockingIOError as taken:
        launcher.check()
        raise KafkaFetchFailed(
            f"Another process has been fetching Apache Kafka into {cache} for {PATIENCE_SECONDS} s. "
            f"End it, then try again."
        ) from taken
    except OSError as error:
        raise KafkaFetchFailed(
            f"Apache Kafka has to be fetched once, and the cache {cache} cannot be written to: {error.strerror}. Name "
            f"a directory that can in XDG_CACHE_HOME, or use a Kafka that runs already: --bootstrap-servers HOST:PORT."
        ) from error
    try:
        yield
    finally:
        lock.release()


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
    log, unfinished = installation.directory.with_suffix(".log"), installation.unfinished
    command = [
        maven,
        "--batch-mode",
        "--no-transfer-progress",
        "--strict-checksums",  # a damaged download is an error, not a warning
        f"--file={POM}",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={unfinished}",
    ]
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        log.unlink(missing_ok=True)
        finished = launcher.run(command, log=log, environment=environment)
        if finished.code != 0 or not any(unfinished.glob("kafka_*.jar")):
            raise KafkaFetchFailed(
                f"Maven could not fetch Apache Kafka {kafka_version()} (exit code {finished.code}). Its last lines:\n"
                f"{finished.last_lines}\nAll of them: {log}. Try again when the network is back, or there is room on "
                f"the disk, or use a Kafka that runs already: --bootstrap-servers HOST:PORT."
            )
        unfinished.rename(installation.directory)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)  # there is none any more where all went well
