"""Kafka's own command line tools, `kafka-acls` and `kafka-configs`, which `fedka run` has no use for."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fedka.local.kafka_fetch import default_cache, fetch_kafka, kafka_version
from fedka.local.kafka_java import Java, find_java
from fedka.local.kafka_launch import Launcher

from ..cluster.building import ensure_built
from ..cluster.programs import silent
from ..cluster.secured_kafka import MECHANISM, SecuredKafka
from ..docs.pages import all_commands
from ..docs.running import run

MAIN = {"kafka-acls": "org.apache.kafka.tools.AclCommand", "kafka-configs": "org.apache.kafka.tools.ConfigCommand"}
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def install_tools(directory: Path) -> Path:
    """`directory`, with the programs in it."""
    directory.mkdir()
    java = find_java()
    libraries = f"{_jar()}:{_libraries(java)}"
    for name, main in MAIN.items():
        program = directory / name
        program.write_text(f'#!/bin/sh\nexec {java.command} -XX:TieredStopAtLevel=1 -cp "{libraries}" {main} "$@"\n')
        program.chmod(0o755)
    return directory


def _libraries(java: Java) -> str:
    """The broker's, which are all else that the tools need."""
    fetched = fetch_kafka(
        java=java, cache=default_cache(), environment=os.environ, progress=silent, launcher=Launcher()
    )
    return fetched.classpath


def _jar() -> Path:
    """Fetched once (800 KB)."""
    home = default_cache() / "kafka-tools"
    jar = home / f"kafka-tools-{kafka_version()}.jar"

    def fetch() -> None:
        options = ["--batch-mode", "--no-transfer-progress", "--strict-checksums"]
        wanted = [f"-Dartifact=org.apache.kafka:kafka-tools:{kafka_version()}", f"-DoutputDirectory={home}"]
        subprocess.run(["mvn", *options, COPY, *wanted], check=True, capture_output=True, cwd=home)

    ensure_built(jar, fetch, home=home)
    return jar


def follow(page: str, kafka: SecuredKafka, shown: Mapping[str, str], home: Path) -> int:
    """Run a page's commands for these tools in `home`, where the administrator has a file; how many there were.

    `shown`: what the page has -> what it stands for here.
    """
    (home / "admin.properties").write_text(_administrator(kafka))
    path = f"{install_tools(home / 'bin')}{os.pathsep}{os.environ['PATH']}"
    steps = [each for each in all_commands() if each.place.startswith(page) and each.text.startswith(tuple(MAIN))]
    for step in steps:
        text = step.text
        for placeholder, ours in shown.items():
            text = text.replace(placeholder, ours)
        assert run(replace(step, text=text), home, PATH=path) == ""
    return len(steps)


def _administrator(kafka: SecuredKafka) -> str:
    """The file of settings that an administrator gives to the tools."""
    login = f'username="{kafka.admin_user}" password="{kafka.admin_password}"'
    settings = {
        "security.protocol": "SASL_SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(kafka.ca_file),
        "sasl.mechanism": MECHANISM,
        "sasl.jaas.config": f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
