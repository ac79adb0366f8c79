"""A run recomputed from its log: whoever changes what a model depends on is found out, what has gone is said."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fedka.aggregator.claims import read_claims
from fedka.aggregator.replay import Interrupted, Outcome, replay_rounds
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION

from ..wire.recorded_log import RecordedLog, Stored, load
from .tampering import (
    LAST,
    Document,
    assert_differs,
    chunk_of,
    commit_place,
    flipped,
    forge,
    journal_record,
    others_match,
    replayed,
    rewrite_commit,
    rewrite_update,
)

RECORDED = Path(__file__).parents[1] / "wire" / "recorded" / "0.1"


@pytest.fixture
def log() -> RecordedLog:
    """Rounds 0 to 3 and 5, of two participants."""
    return load(RECORDED / "troubled.jsonl")


# --- what is as it was said -----------------------------------------------------------------------------------


def test_every_round_of_an_honest_run_matches(log: RecordedLog) -> None:
    rounds = replayed(log)
    assert list(rounds) == [0, 1, 2, 3, LAST]
    assert others_match(rounds)
    assert all(each.recomputed == each.digest for each in rounds.values())
    assert [each.updates for each in rounds.values()] == [1, 2, 2, 2, 2]
    assert rounds[1].attempt == 2


def test_a_run_under_way_is_replayed_as_far_as_it_is(log: RecordedLog) -> None:
    _, closed = journal_record(log, "round.closed", 3)
    rounds = replayed(log.until(log.journal()[closed["seq"] + 20].time_ms))
    assert list(rounds) == [0, 1, 2, 3]
    assert others_match(rounds)


def test_a_journal_without_a_closed_round_has_nothing_to_replay(log: RecordedLog) -> None:
    assert replayed(log.until(log.journal()[2].time_ms)) == {}


def test_nobody_who_has_left_is_waited_for(log: RecordedLog) -> None:
    claims = read_claims(log.journal())
    with pytest.raises(Interrupted):
        list(replay_rounds(log, claims, log.topics.run, lambda: False))


# --- what has gone --------------------------------------------------------------------------------------------


def test_rounds_whose_updates_have_gone_cannot_be_checked_and_later_ones_can(log: RecordedLog) -> None:
    log.lose(log.topics.update("a"), BULK_PARTITION, chunk_of(log, 3, "a").offset)
    rounds = replayed(log)
    assert [number for number, each in rounds.items() if each.outcome is Outcome.NOT_CHECKABLE] == [0, 1, 2]
    assert others_match(rounds, 0, 1, 2)
    assert "no longer retained" in rounds[1].reason


def test_without_the_base_model_a_round_cannot_be_checked(log: RecordedLog) -> None:
    _, opened = journal_record(log, "round.opened", 2)
    log.lose(log.topics.model, 0, opened["base"]["pointer"]["offsets"][0] + 1)
    rounds = replayed(log)
    assert [number for number, each in rounds.items() if each.outcome is Outcome.NOT_CHECKABLE] == [1, 2]
    assert others_match(rounds, 1, 2)


def test_without_a_hello_the_weights_are_unknown(log: RecordedLog) -> None:
    log.lose(log.topics.update("b"), CONTROL_PARTITION, 1)
    rounds = replayed(log)
    assert {each.outcome for number, each in rounds.items() if number > 0} == {Outcome.NOT_CHECKABLE}
    assert others_match(rounds, 1, 2, 3, LAST)


def test_that_the_newest_model_has_gone_is_no_fault_of_its_round(log: RecordedLog) -> None:
    log.lose(log.topics.model, 0, 100)
    assert replayed(log)[0].outcome is Outcome.MATCHES


def test_a_round_by_a_strategy_that_this_version_does_not_have_cannot_be_checked(log: RecordedLog) -> None:
    _, opened = journal_record(log, "round.opened", 3)
    number = (opened["generation"], opened["revision"])
    for record in log.spec():
        said = json.loads(record.value or b"")
        if (said["generation"], said["revision"]) == number:
            said["strategy"]["type"] = "FedTomorrow"
            published = replace(record, offset=record.offset + 1000, value=json.dumps(said).encode())
            log.add(Stored(published))
    forge(log, "round.opened", 3, lambda said: said["strategy"].update(type="FedTomorrow"))
    rounds = replayed(log)
    assert rounds[3].outcome is Outcome.NOT_CHECKABLE
    assert "knows no strategy FedTomorrow, only FedAvg" in rounds[3].reason
    assert others_match(rounds, 3)


# --- who changed the log --------------------------------------------------------------------------------------


def test_a_flipped_byte_of_an_update_is_found(log: RecordedLog) -> None:
    chunk = chunk_of(log, 3, "b")
    log.change(chunk.topic, BULK_PARTITION, chunk.offset, flipped(chunk.value))
    assert_differs(log, 3, "is another's")


def test_an_update_rewritten_with_all_its_digests_makes_another_model(log: RecordedLog) -> None:
    update = np.frombuffer(chunk_of(log, 3, "b").value or b"", dtype="<f4").copy()
    update[7] += np.float32(0.001)
    rewrite_update(log, 3, "b", update.tobytes())
    rounds = replayed(log)
    assert rounds[3].outcome is Outcome.DIFFERS
    assert rounds[3].reason == "the updates that it names make another model"
    assert rounds[3].recomputed not in (None, rounds[3].digest)
    assert others_match(rounds, 3)


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0**14])
def test_an_update_that_had_to_be_rejected_is_named(log: RecordedLog, value: float) -> None:
    data = np.frombuffer(chunk_of(log, 3, "b").value or b"", dtype="<f4").copy()
    data[7] = value
    rewrite_update(log, 3, "b", data.tobytes())
    assert_differs(log, 3, "the update of b: a coordinate is")


def test_a_first_model_that_is_not_finite_is_named(log: RecordedLog) -> None:
    rewrite_update(log, 0, "a", np.full(40, np.nan, dtype="<f4").tobytes())
    assert_differs(log, 0, "holds a value that is not finite")


def test_a_changed_chunk_of_a_model_is_found_where_it_is_built_upon(log: RecordedLog) -> None:
    _, closed = journal_record(log, "round.closed", 2)
    chunk = log.at(log.topics.model, 0, closed["model"]["pointer"]["offsets"][0])
    log.change(chunk.topic, 0, chunk.offset, flipped(chunk.value))
    assert_differs(log, 3, "is another's")


def test_a_changed_chunk_of_the_newest_model_is_found_too(log: RecordedLog) -> None:
    _, closed = journal_record(log, "round.closed", LAST)
    chunk = log.at(log.topics.model, 0, closed["model"]["pointer"]["offsets"][0])
    log.change(chunk.topic, 0, chunk.offset, flipped(chunk.value))
    assert_differs(log, LAST, "what was published is another")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda c: c.update(nonce="0" * 32), "of another run or attempt"),
        (lambda c: c.update(run="somebody.else.00000000"), "of another run or attempt"),
        (lambda c: c.update(attempt=2), "of another run or attempt"),
        (lambda c: c.update(base="0" * 64), "had to be refused: it was trained from another model"),
        (lambda c: c.update(layout="0" * 64), "had to be refused: its tensors"),
        (lambda c: c["update"].update(offsets=[7, 1]), "had to be refused: it names 2 chunks"),
        (lambda c: c.update(examples=1), "make another model"),
        (lambda c: c["metrics"].update(loss=99.0), "the means of its training metrics are"),
        (lambda c: c.update(type="alive"), "alive record"),
        (lambda c: c["update"].update(offsets=[4000]), "ends before offset 4000"),
    ],
)
def test_a_commit_that_is_not_what_the_round_needed_is_named(
    log: RecordedLog, change: Callable[[Document], None], reason: str
) -> None:
    rewrite_commit(log, 3, "b", change)
    assert_differs(log, 3, reason)


def test_more_examples_than_were_announced_count_for_nothing(log: RecordedLog) -> None:
    rewrite_commit(log, 3, "b", lambda said: said.update(examples=2**29))
    assert others_match(replayed(log))


def test_a_commit_that_came_too_late_is_named(log: RecordedLog) -> None:
    topic, offset = commit_place(log, 3, "b")
    stored = log.places[topic, CONTROL_PARTITION][offset]
    opened, said = journal_record(log, "round.opened", 3)
    late = opened.time_ms + said["deadlineSeconds"] * 1000 + 7
    log.add(replace(stored, record=replace(stored.record, time_ms=late)))
    assert_differs(log, 3, "the commit of b came 7 ms after the deadline")
