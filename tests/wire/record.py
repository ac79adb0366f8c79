"""Records the logs of runs with the present version.

    python -m tests.wire.record tests/wire/recorded/VERSION [SCENE...]

Done once for each version whose records look otherwise than the version's before it; what is recorded is never changed
afterwards, as it stands for logs that lie in people's Kafkas. The form of the records is written beside them, so that a
test can say when that time has come.
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
from fedka.wire.records import (
    Commit,
    FailReason,
    ParticipantJoined,
    ParticipantLost,
    Record,
    RoundOpened,
    RunFailed,
    RunSuspended,
    StopOrder,
)

from ..integration.rig import Rig
from ..integration.scripted import Participant
from ..integration.scripts import Gate, failing, honest
from ..integration.topics import delete_records
from .form_of_records import FORMS, forms
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


def ended_early(rig: Rig) -> None:
    """A decided update that is gone, one who leaves, comes back and is removed, a suspension, and an end by order."""
    dropping, leaving, ending = 2, 3, 5  # rounds
    rounds = {"count": 9, "quorum": "50%", "min_available": 1}
    rig.spec(rounds=rounds)
    killed = rig.aggregator.spawn(f"published, not closed#{dropping + 1}")
    gates = [Gate("a", leaving), Gate("a", ending)]
    joined = rig.join(scripts={"a": honest("a", before_upload=lambda *where: [gate.hold(*where) for gate in gates])})
    killed.wait()
    lost = rig.topics.update("b")
    delete_records(rig.bootstrap, lost, BULK_PARTITION, rig.view.watermarks(lost, BULK_PARTITION)[1])
    rig.aggregator.start()
    gates[0].reached()
    joined["b"].bye()
    rig.journal.seen(ParticipantLost)
    joined["b"].hello()
    rig.journal.seen(ParticipantJoined, 3)
    rig.obeyed(rig.spec(rounds=rounds, suspend=True))
    gates[0].open()
    rig.journal.seen(RunSuspended)
    rig.spec(rounds=rounds, participants=("a",))
    gates[1].reached()
    order = StopOrder(reason=FailReason.DEADLINE_EXCEEDED, message="the run has taken too long")
    rig.spec(rounds=rounds, participants=("a",), stop=order)
    rig.journal.seen(RunFailed)
    gates[1].open()


SCENES: dict[str, Callable[[Rig], None]] = {each.__name__: each for each in (complete, troubled, ended_early)}


def whole_log(rig: Rig) -> RecordedLog:
    """Everything that lies in the run's topics."""
    names = rig.topics
    places = [(topic, 0) for topic in (names.spec, names.journal, names.audit, names.model)]
    places += [(names.update(name), partition) for name in rig.participants for partition in (0, BULK_PARTITION)]
    log = RecordedLog(names, VERSION)
    consumer = Consumer(control_consumer_settings(rig.settings))
    for topic, partition in places:
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition))
        left = end - first
        consumer.assign([TopicPartition(topic, partition, first)])
        while left:
            (message,) = consumer.consume(1)
            headers = tuple((name, bytes(value)) for name, value in message.headers() or ())
            log.add(Stored(as_record(message), headers))
            left -= 1
    consumer.close()
    return log


def main(directory: Path, *scenes: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as home, KafkaServer(state_dir=Path(home) / "kafka") as kafka:
        for name in scenes or SCENES:
            rig = Rig(kafka.bootstrap_servers, Path(home) / name, NAMES, coordinates=COORDINATES)
            try:
                SCENES[name](rig)
                rig.completed()
                rig.aggregator.wait()
                log = whole_log(rig)
            finally:
                rig.close()
            save(log, directory / f"{name}.jsonl")
            (directory / f"{name}.told.json").write_text(json.dumps(told(log), indent=1) + "\n")
            print(f"{name}: {sum(map(len, log.places.values()))} records")  # noqa: T201  a program's output
    (directory / FORMS).write_text(json.dumps(forms(), indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
