"""Whatever a participant says and writes costs at most its own update, and little of what is kept for ever.

One run, one kind of hostile speech a round: in each, `foe` does its worst before the others' round can close.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from fedka import exit_codes
from fedka.aggregator.commits import MOST_LOOKED_AT
from fedka.aggregator.presence import CHANGES
from fedka.aggregator.telling import PER_SECONDS, TOLD
from fedka.local.kafka_server import KafkaServer
from fedka.wire.records import (
    Commit,
    EvaluationClosed,
    ParticipantAudited,
    ParticipantJoined,
    ParticipantLost,
    Record,
    RejectReason,
    RoundOpened,
    UpdateRejected,
)

from ..integration.rig import Rig
from ..integration.scripted import Participant, Script
from .speech import FLOOD, KINDS
from .test_memory import NOBODY_IS_LOST

pytestmark = pytest.mark.kafka
NAMES = list(KINDS)
FOE_EXAMPLES = 300
KEPT_BYTES = 700  # of a record of the journal or the audit topic, on average: none carries a stranger's megabyte


def speak(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
    """Round r is that of the r-th kind."""
    if opened.round == 0:
        return [commit]
    say, _ = KINDS[NAMES[opened.round - 1]]
    return [commit] if say(who, opened, commit) else []


@pytest.fixture(scope="module")
def rig(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The run, at its end."""
    rig = Rig(kafka.bootstrap_servers, tmp_path_factory.mktemp("speech") / "run", ["a", "b", "foe"])
    rig.aggregator.alive_seconds = NOBODY_IS_LOST
    try:
        rig.spec(rounds={"count": len(KINDS), "quorum": 2, "min_available": 2, "deadline_seconds": 3600})
        rig.join(scripts={"foe": Script(examples=FOE_EXAMPLES, commit=speak, evaluates=False)})
        rig.aggregator.start()  # two would be enough for a round, and all who are there before it are asked
        rig.completed()
        yield rig
    finally:
        print(rig.aggregator.log())  # noqa: T201  pytest shows it where a test fails
        rig.close()


def test_the_models_are_those_of_the_sound_updates(rig: Rig) -> None:
    rig.assert_exact(*({"a", "b", "foe"} if counts else {"a", "b"} for _, counts in KINDS.values()))


def test_the_aggregator_never_crashed(rig: Rig) -> None:
    assert rig.aggregator.wait() == [exit_codes.OK]
    assert "Traceback" not in rig.aggregator.log()


def test_nobody_else_was_rejected_or_lost(rig: Rig) -> None:
    assert {rejection.participant for rejection in rig.rejections()} == {"foe"}
    assert {lost.participant for lost in rig.journal.of(ParticipantLost)} == {"foe"}


@pytest.mark.parametrize(
    ("kind", "reason", "most"),
    [
        ("many bad commits", RejectReason.WRONG_BASE, MOST_LOOKED_AT),
        ("many failures", RejectReason.APP_FAILED, 1),
        ("another's commit", RejectReason.BAD_DIGEST, MOST_LOOKED_AT),
        ("names of headers that are no text", RejectReason.BAD_DIGEST, MOST_LOOKED_AT),
    ],
)
def test_a_flood_of_what_counts_for_nothing_is_rejected_a_few_times(
    rig: Rig, kind: str, reason: RejectReason, most: int
) -> None:
    number = NAMES.index(kind) + 1
    assert Counter(r.reason for r in rig.rejections() if r.round == number) == {reason: most}
    assert len([r for r in rig.journal.of(UpdateRejected) if r.round == number]) == most


def test_a_round_in_which_nothing_is_said_to_it_rejects_nothing(rig: Rig) -> None:
    quiet = {number for number, (_, counts) in enumerate(KINDS.values(), start=1) if counts}
    assert not [r for r in rig.rejections() if r.round in quiet]


def test_the_weight_scale_is_that_of_the_honest_announcements(rig: Rig) -> None:
    assert {opened.weight_scale for opened in rig.journal.of(RoundOpened) if opened.round > 0} == {512}


def test_evaluations_count_for_the_model_that_was_asked_about(rig: Rig) -> None:
    closed = rig.journal.of(EvaluationClosed)
    assert len(closed) == len(KINDS)
    assert {evaluation.participants for evaluation in closed} == {2}
    assert all(abs(evaluation.metrics["mean"]) < 1 for evaluation in closed)


def test_words_are_shown_on_one_line(rig: Rig) -> None:
    said = [record.message for record in rig.audit() if hasattr(record, "message")]
    assert any("xxx" in message for message in said)
    assert all(message.isprintable() for message in said)
    assert "\x1b" not in rig.aggregator.log()


def test_little_is_kept_for_ever(rig: Rig) -> None:
    """A15. What a few records a round and a few a minute amount to, where many thousand were written."""
    minutes = 1 + (rig.journal.times[-1] - rig.journal.times[0]) / 1000 // PER_SECONDS
    about_foe = [r for r in rig.audit() if isinstance(r, ParticipantAudited) and r.participant == "foe"]
    assert len(about_foe) <= 2 * TOLD * (minutes + 1)
    assert len([r for r in rig.journal.of(ParticipantJoined) if r.participant == "foe"]) <= CHANGES
    assert len(rig.journal.of(ParticipantLost)) <= CHANGES
    audited = [record.value or b"" for record in rig.view.read_to_end(rig.topics.audit)]
    assert len(rig.journal.raw) + len(audited) < FLOOD / 5
    assert sum(map(len, rig.journal.raw)) + sum(map(len, audited)) < FLOOD / 5 * KEPT_BYTES
