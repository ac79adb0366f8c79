"""Hostile metrics: what a participant reports of its own model shows in the means, and in nothing else."""

from collections.abc import Callable, Iterator

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.codec import encode
from fedka.wire.exact import MOST_EXAMPLES
from fedka.wire.records import (
    Commit,
    Evaluated,
    Evaluation,
    EvaluationAudited,
    EvaluationClosed,
    Record,
    RoundClosed,
    RoundOpened,
    StopRule,
)

from ..integration.rig import Rig
from ..integration.scripted import Participant
from ..integration.scripts import honest
from .speech import changed, flood
from .test_memory import NOBODY_IS_LOST

pytestmark = pytest.mark.kafka
LARGEST = 1.7976931348623157e308
CROWD = {f"{number:02}{'é' * 61}": -LARGEST for number in range(16)}  # as many and as long as a record takes
SCORE = 0.5
Say = Callable[[Participant, Evaluated], list[bytes]]


def refused(_who: Participant, sound: Evaluated) -> list[bytes]:
    """Answers that do not exist; the sound one that follows counts."""
    return [
        encode(sound).replace(b'"metrics":{', b'"metrics":{"nan":NaN,'),
        encode(sound).replace(b'"metrics":{', b'"metrics":{"huge":-1e999,'),
        changed(sound, metrics={**CROWD, "one more": 1.0}),
        changed(sound, metrics={"x" * 64: 1.0}),
        changed(sound, metrics={"": 1.0}),
        changed(sound, metrics={"forged\nline": 1.0}),
        changed(sound, metrics={"score": "1"}),
        changed(sound, metrics={"score": None}),
        changed(sound, examples=2**60, metrics={"score": 1.0}),
        changed(sound, model="0" * 64, metrics={"score": 1.0}),
        encode(sound),
    ]


def crowding(_who: Participant, sound: Evaluated) -> list[bytes]:
    """Sixteen names of its own, in the place of the one that all others report."""
    return [encode(sound.model_copy(update={"metrics": CROWD}))]


def largest(_who: Participant, sound: Evaluated) -> list[bytes]:
    """The largest number with the largest weight: a mean beyond it would be infinite."""
    return [encode(sound.model_copy(update={"metrics": {"score": LARGEST}, "examples": MOST_EXAMPLES}))]


def many(_who: Participant, sound: Evaluated) -> list[bytes]:
    """The first one counts."""
    return [encode(sound), *[encode(sound.model_copy(update={"metrics": {"score": 1.0}}))] * 1000]


KINDS: list[Say] = [refused, crowding, many, largest]


@pytest.fixture(scope="module")
def rig(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A run with one kind a round, at its end. `aa` comes first in every order, and tells the aggregator last."""
    rig = Rig(kafka.bootstrap_servers, tmp_path_factory.mktemp("metrics") / "run", ["aa", "b", "c"])
    rig.aggregator.alive_seconds = NOBODY_IS_LOST

    def evaluate(who: Participant, closed: RoundClosed) -> dict[str, float] | None:
        if who.name != "aa":
            return {"score": SCORE}
        sound = Evaluated(
            run=rig.topics.run,
            round=closed.round,
            model=closed.model.pointer.digest,
            examples=who.script.examples,
            metrics={"score": SCORE},
        )
        flood(who, *KINDS[closed.round - 1](who, sound))
        return None

    def training(who: Participant, opened: RoundOpened) -> dict[str, float]:
        return CROWD if who.name == "aa" else {"loss": 1.0}

    def after_the_evaluation(who: Participant, opened: RoundOpened, commit: Commit) -> list[Record]:
        wanted = opened.round - 1
        rig.journal.wait(lambda journal: len(journal.of(EvaluationClosed)) >= wanted, "the evaluation before")
        return [commit]

    try:
        rule = StopRule(metric="score", goal="Maximize", threshold="0.9")
        rig.spec(
            rounds={"count": len(KINDS) + 3, "quorum": 2, "deadline_seconds": 3600}, evaluation=Evaluation(stop=rule)
        )
        rig.aggregator.start()
        more = {"evaluate": evaluate, "metrics": training, "commit": after_the_evaluation}
        rig.join(scripts={"b": honest("b", **more), "c": honest("c", **more), "aa": honest("a", **more)})
        rig.completed()
        yield rig
    finally:
        print(rig.aggregator.log())  # noqa: T201  pytest shows it where a test fails
        rig.close()


def means(rig: Rig) -> list[dict[str, float]]:
    return [closed.metrics for closed in rig.journal.of(EvaluationClosed)]


def test_what_is_no_evaluation_does_not_count(rig: Rig) -> None:
    assert means(rig)[0] == {"score": SCORE}


def test_nobody_crowds_out_what_the_others_report(rig: Rig) -> None:
    assert means(rig)[1]["score"] == SCORE
    assert len(means(rig)[1]) == 16
    closed = [record for record in rig.journal.of(RoundClosed) if record.round > 0]
    assert all(record.metrics["loss"] == 1.0 for record in closed)


def test_the_first_evaluation_counts(rig: Rig) -> None:
    assert means(rig)[2] == {"score": SCORE}
    audited = [r for r in rig.audit() if isinstance(r, EvaluationAudited) and r.participant == "aa"]
    assert [r.round for r in audited] == [1, 2, 3, 4]


def test_the_largest_number_gives_a_mean_that_is_finite_and_may_end_the_run(rig: Rig) -> None:
    """A stop rule believes what participants report: whoever lies about its score may end a run early (limits)."""
    assert 0.9 < means(rig)[3]["score"] < LARGEST
    assert rig.journal.state.completed == len(KINDS)
    assert rig.journal.state.completed_by is not None
    assert rig.aggregator.wait() == [exit_codes.OK]


def test_training_metrics_do_not_touch_the_model(rig: Rig) -> None:
    rig.assert_exact(*[{"aa", "b", "c"}] * len(KINDS))


def test_the_log_of_the_aggregator_is_not_forged(rig: Rig) -> None:
    assert "\nline" not in rig.aggregator.log()


def test_little_of_it_is_kept(rig: Rig) -> None:
    assert sum(map(len, rig.journal.raw)) < 200 * 1024
