"""What must not count does not: each bad commit is rejected with its reason, and the models are those of the others.

The reason is asked for twice: in the audit topic, and in the status that the operator makes of the same records.

One run, one kind of bad commit a round: in each, `c` writes four of them, then a good one that comes too late.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile

import pytest

from fedka import exit_codes
from fedka.api.reasons import ParticipantState
from fedka.api.status import ParticipantDetail
from fedka.kafka.log_record import LogRecord
from fedka.local.kafka_server import KafkaServer
from fedka.version import VERSION
from fedka.wire.codec import audit_decoder, journal_decoder
from fedka.wire.records import Commit, Record, RoundClosed, RoundOpened, UpdateAudited

from ..wire.recorded_log import RecordedLog, Stored
from ..wire.told import status
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


@pytest.fixture(scope="module")
def read(rig: Rig) -> RecordedLog:
    """What an operator reads of it."""
    rig.aggregator.wait()
    log = RecordedLog(rig.topics, VERSION)
    for topic in (rig.topics.spec, rig.topics.journal, rig.topics.audit):
        for record in rig.view.read_to_end(topic):
            log.add(Stored(record))
    return log


def as_of_round(log: RecordedLog, number: int) -> RecordedLog:
    """The log as it was before this round was closed, with all that is told of its commits."""
    journal, audit = journal_decoder(), audit_decoder()

    def still_open(record: LogRecord) -> bool:
        said = journal.decode(record.value)
        return not (isinstance(said, RoundClosed) and said.round == number)

    def no_later(record: LogRecord) -> bool:
        said = audit.decode(record.value)
        return not (isinstance(said, UpdateAudited) and said.round > number)

    now = RecordedLog(log.topics, log.software)
    told = takewhile(no_later, log.records(log.topics.audit))
    for record in (*log.spec(), *takewhile(still_open, log.journal()), *told):
        now.add(Stored(record))
    return now


def detail(log: RecordedLog, name: str) -> ParticipantDetail:
    participants = status(log).participants
    assert participants is not None
    return next(each for each in participants.detail if each.name == name)


def rejected(rig: Rig, name: str) -> list[UpdateAudited]:
    return [r for r in rig.rejections() if r.round == NAMES.index(name) + 1]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_rejected_with_its_reason(rig: Rig, name: str) -> None:
    assert {(r.participant, r.reason) for r in rejected(rig, name)} == {("c", BAD[name][1])}
    assert all(r.message for r in rejected(rig, name))


@pytest.mark.parametrize("name", NAMES)
def test_its_reason_is_in_the_status_while_its_round_is_open(rig: Rig, read: RecordedLog, name: str) -> None:
    """As the operator shows it who has read so far, and as it stays until an update of `c` counts."""
    log = as_of_round(read, NAMES.index(name) + 1)
    shown = detail(log, "c")
    assert (shown.state, shown.reason) == (ParticipantState.REJECTED, BAD[name][1])
    assert shown.message == rejected(rig, name)[-1].message
    assert [(each.reason, each.message) for each in map(partial(detail, log), "ab")] == [(None, None)] * 2


@pytest.mark.parametrize("name", NAMES)
def test_at_most_three_of_an_attempt_are_looked_at(rig: Rig, name: str) -> None:
    assert len(rejected(rig, name)) == (1 if name == "another layout" else 3)


def test_the_models_are_those_of_the_others(rig: Rig) -> None:
    rig.assert_exact(*[{"a", "b"}] * len(BAD))


def test_the_aggregator_never_crashed(rig: Rig) -> None:
    assert rig.aggregator.wait() == [exit_codes.OK]
