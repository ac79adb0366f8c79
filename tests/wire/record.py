"""Records the logs of two runs with the present version: `python -m tests.wire.record tests/wire/recorded/VERSION`.

Done once for each version whose records look otherwise than the version's before it; what is recorded is never changed
afterwards, as it stands for logs that lie in people's Kafkas.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from confluent_kafka import Consumer, TopicPartition

from fedka.kafka.access import control_consumer_settings
from fedka.kafka.log_record import as_record
from fedka.local.kafka_server import KafkaServer
from fedka.version import VERSION
from fedka.wire.codec import encode
from fedka.wire.names import BULK_PARTITION
from fedka.wire.records import Commit, ParticipantJoined, Record, RoundOpened

from ..integration.rig import Rig
from ..integration.scripted import Participant
from ..integration.scripts import Gate, failing, honest
from .recorded_log import RecordedLog, Stored, save
from .told import told

NAMES = ("a", "b")
COORDINATES = 40


def complete(rig: Rig) -> None:
    """Three rounds, in which nothing goes wrong."""
    rig.spec(rounds={"count": 3})
    rig.aggregator.start()
    rig.join()


def troubled(rig: Rig) -> None:
    """A retry, a rejected update, an aggregator killed twice, a dead one's late record, a skipped round."""

    def bad_first(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        spoilt = who.upload(np.full(COORDINATES, np.nan, dtype=np.float32))
        return [commit.model_copy(update={"update": spoilt}), commit] if opened.round == 2 else [commit]

    gate, fails = Gate("b", 3), failing("b", 1, 4, attempts=[1])
    fails.before_upload = gate.hold
    rig.spec(rounds={"count": 5, "quorum": "100%"})
    rig.aggregator.start(["acknowledged round.closing#2", "acknowledged round.opened#1", ""])
    rig.join(scripts={"a": honest("a", commit=bad_first), "b": fails})
    gate.reached()
    stale = ParticipantJoined(epoch=1, seq=9, participant="a", offset=0)
    rig.forge(encode(stale))
    rig.spec(rounds={"count": 5, "quorum": "100%", "on_quorum_miss": "Skip"})
    gate.open()


def whole_log(rig: Rig) -> RecordedLog:
    """Everything that lies in the run's topics."""
    names = rig.topics
    places = [(topic, 0) for topic in (names.spec, names.journal, names.audit, names.model)]
    places += [(names.update(name), partition) for name in rig.participants for partition in (0, BULK_PARTITION)]
    log = RecordedLog(names, VERSION)
    consumer = Consumer(control_consumer_settings(rig.settings))
    for topic, partition in places:
        _, left = consumer.get_watermark_offsets(TopicPartition(topic, partition))
        consumer.assign([TopicPartition(topic, partition, 0)])
        while left:
            (message,) = consumer.consume(1)
            headers = tuple((name, bytes(value)) for name, value in message.headers() or ())
            log.add(Stored(as_record(message), headers))
            left -= 1
    consumer.close()
    return log


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    scenes: Sequence[Callable[[Rig], None]] = (complete, troubled)
    with TemporaryDirectory() as home, KafkaServer(state_dir=Path(home) / "kafka") as kafka:
        for scene in scenes:
            rig = Rig(kafka.bootstrap_servers, Path(home) / scene.__name__, NAMES, coordinates=COORDINATES)
            try:
                scene(rig)
                rig.completed()
                log = whole_log(rig)
            finally:
                rig.close()
            save(log, directory / f"{scene.__name__}.jsonl")
            (directory / f"{scene.__name__}.told.json").write_text(json.dumps(told(log), indent=1) + "\n")
            print(f"{scene.__name__}: {sum(map(len, log.places.values()))} records")  # noqa: T201  a program's output


if __name__ == "__main__":
    main(Path(sys.argv[1]))
