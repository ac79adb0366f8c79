"""Memory: records of the largest size, more of them than would fit, cost the aggregator a few of them at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.codec import encode
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import MOST_RECORD_BYTES, Commit, Record, RoundOpened

from ..integration.rig import Rig
from ..integration.scripted import Participant
from ..integration.scripts import honest
from .speech import LARGE, changed, flood

pytestmark = pytest.mark.kafka
MIB = 2**20
WRITTEN = 160 * MIB
NOBODY_IS_LOST = 1000.0  # scripted participants do not say that they are there, and a loaded machine may take minutes
ALLOWED = 64 * MIB  # what a batch of them, librdkafka's queue and the inbox hold; without a bound all of it


def peak_memory(pid: int) -> int:
    """The most bytes that a living process ever held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


@pytest.fixture
def rig(kafka: KafkaServer, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(kafka.bootstrap_servers, tmp_path / "run", ["a", "b", "c"])
    rig.aggregator.alive_seconds = NOBODY_IS_LOST
    yield rig
    print(rig.aggregator.log())  # noqa: T201  pytest shows it where a test fails
    rig.close()


def test_a_flood_of_large_records_is_held_a_few_at_a_time(rig: Rig, long_mode: bool) -> None:
    """Commits of the largest size are the slowest to read: those are what piles up."""
    peaks, floods = list[int](), 5 if long_mode else 1

    def drown(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        if opened.round > 0:
            peaks.append(peak_memory(rig.aggregator.pid))
        if not 2 <= opened.round < 2 + floods:
            return [commit]
        offsets = [1] * 60_000  # 120 KB as JSON and half a megabyte as Python's numbers
        large = changed(commit, nonce="f" * 32, update={**commit.update.model_dump(by_alias=True), "offsets": offsets})
        assert len(large) <= MOST_RECORD_BYTES
        flood(who, large, partition=CONTROL_PARTITION, times=WRITTEN // 2 // len(large))
        flood(who, b"x" * LARGE, partition=CONTROL_PARTITION, times=WRITTEN // 2 // LARGE)
        flood(who, encode(who.greeting()))
        return [commit]

    rig.spec(rounds={"count": 2 + floods, "quorum": 2, "deadline_seconds": 3600})
    rig.aggregator.start()
    rig.join(scripts={"c": honest("c", commit=drown)})
    rig.completed()
    rig.assert_exact(*[{"a", "b", "c"}] * (2 + floods))
    _, before, *_, after = peaks  # the sound commit lies behind the flood: in the last round all of it has been read
    assert after - before < ALLOWED, [peak // MIB for peak in peaks]
    assert rig.aggregator.wait() == [exit_codes.OK]
