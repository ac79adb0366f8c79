"""A broker that ends while it starts: what it died of decides what its user is told, and whether it is tried again."""

import os
from pathlib import Path

import pytest

from fedka.local.kafka_errors import KafkaDiskFull, KafkaKilled, LocalKafkaError
from fedka.local.kafka_server import KafkaServer

JAVA = """#!/bin/sh
case "$*" in
*-version*) echo 'openjdk version "21.0.2"' >&2 ;;
*StorageTool*)
    for argument in "$@"; do
        case "$argument" in --config=*) mkdir "$(sed -n 's/^log.dirs=//p' "${argument#--config=}")" ;; esac
    done ;;
*) %s ;;
esac
"""


@pytest.mark.kafka  # for its jars
@pytest.mark.parametrize(
    ("does", "raises", "says"),
    [
        ("kill -9 $$", KafkaKilled, r"was ended by signal 9 \(Killed\) while it started"),
        ("echo 'IOException: No space left on device'; exit 1", KafkaDiskFull, "no space is left on the disk of"),
    ],
)
def test_its_end_is_told_by_its_cause(tmp_path: Path, does: str, raises: type[LocalKafkaError], says: str) -> None:
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(JAVA % does)
    java.chmod(0o755)
    environment = {**os.environ, "JAVA_HOME": str(tmp_path / "java")}
    with pytest.raises(raises, match=says):
        KafkaServer(state_dir=tmp_path / "state", environment=environment).start()
