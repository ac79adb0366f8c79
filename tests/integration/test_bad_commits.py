"""What must not count does not: each bad commit is rejected with its reason, and the models are those of the others.

One run, one kind of bad commit a round: in each, `c` writes four of them, then a good one that comes too late.
"""

from collections.abc import Iterator, Sequence

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.records import Commit, Record, RoundOpened, UpdateAudited

from .bad_commits import BAD
from .rig import Rig
from .scripted import Participant
from .scripts import honest

pytestmark = pytest.mark.kafka
NAMES = list(BAD)
COMMITS = 4


def misbehave(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
    """Round r is that of the r-th kind."""
    if opened.round == 0:
        return [commit]
    bad, _ = BAD[NAMES[opened.round - 1]]
    return [*(bad(who, opened, commit) for _ in range(COMMITS)), commit]


@pytest.fixture(scope="module")
def rig(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The run, at its end."""
    rig = Rig(kafka.bootstrap_servers, tmp_path_factory.mktemp("bad") / "run", "abc")
    try:
        rig.spec(rounds={"count": len(BAD), "quorum": "60%"})
        rig.aggregator.start()
        rig.join(scripts={"c": honest("c", commit=misbehave, evaluates=False)})
        rig.completed()
        yield rig
    finally:
        rig.close()


def rejected(rig: Rig, name: str) -> list[UpdateAudited]:
    return [r for r in rig.rejections() if r.round == NAMES.index(name) + 1]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_rejected_with_its_reason(rig: Rig, name: str) -> None:
    assert {(r.participant, r.reason) for r in rejected(rig, name)} == {("c", BAD[name][1])}
    assert all(r.message for r in rejected(rig, name))


@pytest.mark.parametrize("name", NAMES)
def test_at_most_three_of_an_attempt_are_looked_at(rig: Rig, name: str) -> None:
    assert len(rejected(rig, name)) == (1 if name == "another layout" else 3)


def test_the_models_are_those_of_the_others(rig: Rig) -> None:
    rig.assert_exact(*[{"a", "b"}] * len(BAD))


def test_the_aggregator_never_crashed(rig: Rig) -> None:
    assert rig.aggregator.wait() == [exit_codes.OK]
