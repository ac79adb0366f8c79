"""A record that nobody can decompress: 3 KB of zstd that are more zeros than librdkafka agrees to make.

Kafka takes it, and no reader gets past it: without care its participant would hold up every deadline, and the loss of
anybody, for ever.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.chunks import Pointer
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION
from fedka.wire.records import (
    Commit,
    ParticipantAudited,
    ParticipantLost,
    Record,
    RejectReason,
    RoundClosed,
    RoundOpened,
)

from ..integration.rig import Rig
from ..integration.scripted import Participant
from ..integration.scripts import Gate, honest
from ..integration.vectors import delta_of
from .test_memory import NOBODY_IS_LOST, peak_memory

pytestmark = pytest.mark.kafka
BATCHES, UNPACKED = 50, 7 * 2**20
OF_ITS_OWN = 70 * 2**20  # what a process holds that has read nothing large
ZEROS = 105_000_000  # librdkafka makes 100,000,000 bytes of a zstd batch at most (receive.message.max.bytes)


def poison(who: Participant, partition: int, zeros: int = ZEROS) -> int:
    """Write such a record; its offset."""
    producer = Producer(
        {
            "bootstrap.servers": who.rig.bootstrap,
            "compression.codec": "zstd",
            "message.max.bytes": 2 * zeros,
            "queue.buffering.max.kbytes": 2 * zeros // 1024,
        }
    )
    offsets: list[int] = []
    producer.produce(who.topic, bytes(zeros), partition=partition, on_delivery=lambda _, m: offsets.append(m.offset()))
    assert producer.flush(120) == 0
    return offsets[0]


# A process begins with the peak of the one that started it, and a worker of the suite has had a gigabyte.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def memory_of_a_replay(rig: Rig) -> int:
    """The most bytes that an auditor's process holds, which no predecessor has warned. It finds all as it was said."""
    replay = [sys.executable, "-m", "fedka", "replay", "--bundle", str(rig.bundle)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, *replay], env=environment, check=False, stdout=subprocess.PIPE, text=True
    )
    assert measured.returncode == exit_codes.OK
    return int(measured.stdout) * 1024


@pytest.fixture
def rig(kafka: KafkaServer, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(kafka.bootstrap_servers, tmp_path / "run", ["a", "b", "c", "d"])
    rig.aggregator.alive_seconds = NOBODY_IS_LOST
    yield rig
    print(rig.aggregator.log())  # noqa: T201  pytest shows it where a test fails
    rig.close()


def test_it_costs_its_participant_and_nobody_else(rig: Rig) -> None:
    """`c` says it, `d` hides it among its chunks; both then go on as if nothing had been."""

    def among_words(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        if opened.round == 1:
            poison(who, CONTROL_PARTITION)
        return [commit]

    def among_chunks(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        if opened.round != 1:
            return [commit]
        bad = poison(who, BULK_PARTITION)
        was = commit.update
        offsets = [*was.offsets()[:-1], bad]
        update = Pointer.of(upload=was.upload_id, offsets=offsets, digest=was.digest)
        return [commit.model_copy(update={"update": update})] * 3

    rig.spec(rounds={"count": 3, "quorum": 2, "min_available": 2, "deadline_seconds": 3600})
    gate = Gate("a", 3)
    scripts = {"a": gate.script("a"), "c": honest("c", commit=among_words), "d": honest("d", commit=among_chunks)}
    rig.join(scripts=scripts)
    rig.aggregator.start()  # two would be enough for a round, and all who are there before it are asked
    rig.journal.seen(RoundClosed, 3)
    gate.reached()
    rig.aggregator.signal()  # a successor comes upon it again
    gate.open()
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b", "d"}, {"a", "b", "d"})
    assert {lost.participant for lost in rig.journal.of(ParticipantLost)} == {"c"}
    assert {(r.participant, r.round, r.reason) for r in rig.rejections()} == {("d", 1, RejectReason.BAD_DIGEST)}
    told = {r.message for r in rig.audit() if isinstance(r, ParticipantAudited) and r.reason is RejectReason.MALFORMED}
    assert len(told) == 1
    assert "cannot be decompressed" in told.pop()
    assert rig.aggregator.wait()[-1] == exit_codes.OK
    assert "Traceback" not in rig.aggregator.log()


def test_what_unpacks_to_more_than_there_is_memory_for_is_got_past_in_the_end(rig: Rig) -> None:
    """Fifty batches of 300 bytes each become 350 MiB at once where a fetch brings them together.

    The kills stand for those of a machine that has not so much: the fourth process reads them one by one.
    """
    peaks: list[int] = []

    def many(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        if opened.round == 2:  # all that was written has been read
            peaks.append(peak_memory(rig.aggregator.pid))
        if opened.round != 1:
            return [commit]
        first = commit.update.offsets()[0]
        for partition in (CONTROL_PARTITION, BULK_PARTITION):
            for _ in range(BATCHES):
                poison(who, partition, UNPACKED)
        offsets = [first, *who.upload(delta_of("d", 1, who.download(opened.base.pointer))).offsets()[1:]]
        bad = Pointer.of(upload=commit.update.upload_id, offsets=offsets, digest=commit.update.digest)
        return [commit.model_copy(update={"update": bad}), commit]

    rig.spec(rounds={"count": 2, "quorum": 4, "deadline_seconds": 3600})
    rig.aggregator.start(["acknowledged round.opened#2", "started", "started"])
    rig.join(scripts={"d": honest("d", commit=many)})
    rig.completed()
    rig.assert_exact(*[{"a", "b", "c", "d"}] * 2)
    assert {(r.participant, r.reason) for r in rig.rejections()} == {("d", RejectReason.BAD_DIGEST)}
    peaks.append(memory_of_a_replay(rig))
    most = OF_ITS_OWN + BATCHES * UNPACKED / 2  # all of it, where they are read at once
    assert max(peaks) < most, [peak // 2**20 for peak in peaks]
    assert rig.aggregator.wait()[-1] == exit_codes.OK
