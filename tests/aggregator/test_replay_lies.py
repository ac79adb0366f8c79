"""An aggregator that writes what is not so into its journal, in good order: replay finds the round."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fedka.aggregator.claims import read_claims
from fedka.aggregator.replay import Outcome
from fedka.wire.chunks import chunk_digest, root_digest

from ..wire.recorded_log import RecordedLog, load
from .tampering import LAST, Document, assert_differs, flipped, forge, journal_record, others_match, replayed

RECORDED = Path(__file__).parents[1] / "wire" / "recorded" / "0.1"


@pytest.fixture
def log() -> RecordedLog:
    """Rounds 0 to 3 and 5, of two participants."""
    return load(RECORDED / "troubled.jsonl")


def test_a_model_that_is_not_the_mean_is_found(log: RecordedLog) -> None:
    """It publishes what it likes, and its journal is without a seam."""
    _, closed = journal_record(log, "round.closed", LAST)
    chunk = log.at(log.topics.model, 0, closed["model"]["pointer"]["offsets"][0])
    data = flipped(chunk.value)
    log.change(chunk.topic, 0, chunk.offset, data, d=chunk_digest(data))
    digest = root_digest([chunk_digest(data)])
    forge(log, "round.closed", LAST, lambda said: said["model"]["pointer"].update(digest=digest))
    assert read_claims(log.journal()).torn_at is None
    assert_differs(log, LAST, "the updates that it names make another model")


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("round.closing", lambda r: r["accepted"].pop(), "are not those that were accepted"),
        ("round.closing", lambda r: r["accepted"].append(r["accepted"][0]), "are not those that were accepted"),
        ("round.closed", lambda r: r.update(accepted=1), "2 updates were taken"),
        ("round.closed", lambda r: r["metrics"].update(loss=0.1), "the means of its training metrics are"),
        ("round.opened", lambda r: r.update(quorum=3), "2 updates were taken, 3 were needed"),
        ("round.opened", lambda r: r["selected"].pop(), "who was not asked"),
        ("round.opened", lambda r: r["base"].update(round=0), "does not build on the model of the round before it"),
        ("round.opened", lambda r: r.update(weightScale=2**20), "what was announced makes it 128"),
        ("round.opened", lambda r: r.update(generation=7), "the spec topic has no generation 7.0"),
        ("round.opened", lambda r: r["strategy"].update(weighting="Uniform"), "with its strategy and maxNorm"),
        ("round.opened", lambda r: r.update(maxNorm="3"), "with its strategy and maxNorm"),
        ("round.opened", lambda r: r.update(quorum=1), "2 were asked for 2 updates, 1 at least, which no choice"),
        ("round.opened", lambda r: r.update(target=1), "2 were asked for 1 updates, 2 at least, which no choice"),
        ("round.opened", lambda r: r.update(deadlineSeconds=3600), "its deadline is 3600 s, and must be 60 s"),
        ("round.opened", lambda r: r.update(maxModelBytes=2**40), "must take up to 17179869184 by generation 2.0"),
        ("round.opened", lambda r: r["selected"][0].update(since=4000), "of another run or attempt"),
        ("round.opened", lambda r: r["selected"][0].update(hello=1), "holds no hello"),
        ("round.opened", lambda r: r["selected"][0].update(hello=4000), "ends before offset 4000"),
    ],
)
def test_a_journal_that_says_what_the_log_does_not_is_found(
    log: RecordedLog, kind: str, change: Callable[[Document], None], reason: str
) -> None:
    forge(log, kind, LAST, change)
    assert_differs(log, LAST, reason)


@pytest.mark.parametrize("offsets", [[-1], [0, 1], [4000]])
def test_a_pointer_to_no_model_is_found_where_it_is_built_upon(log: RecordedLog, offsets: list[int]) -> None:
    def point(said: Document) -> None:
        (said["model"] if said["type"] == "round.closed" else said["base"])["pointer"].update(offsets=offsets)

    forge(log, "round.closed", 3, point)
    forge(log, "round.opened", LAST, point)
    rounds = replayed(log)
    assert rounds[LAST].outcome is Outcome.DIFFERS
    assert others_match(rounds, LAST)


def test_a_forged_record_tears_the_journal_where_nobody_signs_it_anew(log: RecordedLog) -> None:
    """The round that it tells of differs, and what comes behind does not exist."""
    record, said = journal_record(log, "round.closed", 2)
    said["model"]["pointer"]["digest"] = "0" * 64
    log.change(record.topic, 0, record.offset, json.dumps(said, separators=(",", ":")).encode())
    claims = read_claims(log.journal())
    assert claims.torn_at == record.offset + 1
    rounds = replayed(log)
    assert list(rounds) == [0, 1, 2]
    assert rounds[2].outcome is Outcome.DIFFERS
    assert others_match(rounds, 2)


def test_records_of_dead_aggregators_tear_nothing(log: RecordedLog) -> None:
    assert read_claims(log.journal()).torn_at is None
