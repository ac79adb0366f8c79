"""The participant's loop against a journal in memory that each test writes."""

import logging
from pathlib import Path

import numpy as np
import pytest

import fedka
from fedka.kafka.errors import (
    AccessRefused,
    ChunkCorrupt,
    ChunksGone,
    KafkaAway,
    KafkaError,
    KafkaTrouble,
    NoSuchOffset,
    TopicMissing,
    TopicRefused,
    WriteForbidden,
)
from fedka.participant.conversation import JournalLost
from fedka.participant.journal import JournalUnreadable
from fedka.participant.loop import Interrupted
from fedka.wire import records as r
from fedka.wire.exact import as_coordinates
from fedka.wire.journal import JournalPosition, start
from fedka.wire.layout import Layout, Tensor

from .memory_wire import ME, MemoryWire, opened
from .small_app import CHUNK_BYTES, COUNTED, DONE, RUN, learner_of, on, participant, steps

Offset = int
BASE = np.array([1.0, 2.0, 3.0, 4.0], dtype=np.float32)


def base_of(wire: MemoryWire, number: int = 0) -> r.ModelRef:
    return wire.publish(number, BASE + number, CHUNK_BYTES)


def accept(wire: MemoryWire, commit: r.Commit, offset: Offset) -> None:
    wire.tell(r.UpdateAccepted(round=commit.round, attempt=commit.attempt, participant=ME, offset=offset))


def close(wire: MemoryWire, number: int, model: r.ModelRef, *, evaluate: bool) -> None:
    wire.tell(r.RoundClosed(round=number, attempt=1, model=model, accepted=1, rejected=0, evaluate=evaluate))


def open_one(wire: MemoryWire, hello: r.Record, offset: Offset) -> None:
    wire.tell(opened(1, base=base_of(wire)))


def coordinates(upload: list[bytes]) -> list[float]:
    return as_coordinates(b"".join(upload)).tolist()


def after_commit(end: r.JournalRecord = DONE):
    """Open round 1 for the hello; end the run with the first commit."""

    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            open_one(wire, record, offset)
        elif isinstance(record, r.Commit):
            accept(wire, record, offset)
            wire.tell(end)

    return react


def test_hello_says_what_the_app_is():
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(DONE)))
    participant(steps(evaluates=False), wire).run()
    assert wire.said == [
        r.Hello(
            examples=COUNTED,
            layout=learner_of(steps()).layout_digest,
            software="test",
            instance="0" * 32,
            evaluates=False,
        )
    ]


def test_the_first_model_is_given_with_its_layout():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        wire.tell(opened(0, base=None) if isinstance(record, r.Hello) else DONE)

    wire = MemoryWire(react)
    participant(steps(), wire).run()
    (commit,) = wire.heard(r.Commit)
    assert isinstance(commit, r.Commit)
    assert commit.definition == Layout(tensors=(Tensor(name="w", dtype="float32", shape=(4,)),))
    assert (commit.round, commit.base, commit.examples) == (0, None, COUNTED)
    assert coordinates(wire.uploads[0]) == [0.5, 0.5, 0.5, 0.5]


def test_an_update_is_what_training_changed():
    wire = MemoryWire(after_commit())
    participant(steps(), wire).run()
    (commit,) = wire.heard(r.Commit)
    assert isinstance(commit, r.Commit)
    assert coordinates(wire.uploads[0]) == [1.0, 1.0, 1.0, 1.0]
    assert (commit.run, commit.round, commit.attempt, commit.nonce) == (RUN, 1, 1, opened(1, base=None).nonce)
    assert (commit.examples, commit.metrics, commit.definition) == (COUNTED, {"loss": 0.25}, None)


def test_the_base_in_the_commit_is_the_model_that_was_trained_from():
    wire = MemoryWire(after_commit())
    participant(steps(), wire).run()
    base = next(iter(wire.models.values()))
    (commit,) = wire.heard(r.Commit)
    assert isinstance(commit, r.Commit)
    assert commit.base == wire.publish(0, as_coordinates(b"".join(base)), CHUNK_BYTES).pointer.digest


def test_who_is_not_selected_does_nothing():
    def react(wire: MemoryWire, *_: object) -> None:
        wire.tell(opened(1, base=base_of(wire), who=("south",)))
        wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(), wire).run()
    assert wire.downloads == 0
    assert not wire.heard(r.Commit)


def test_a_late_start_trains_for_the_newest_round_only():
    times: list[int] = []
    wire = MemoryWire(on(r.Commit, lambda wire, *_: wire.tell(DONE)))
    wire.tell(opened(1, base=base_of(wire)))
    close(wire, 1, base_of(wire, 1), evaluate=False)
    wire.tell(opened(2, base=base_of(wire, 1)))
    participant(steps(times), wire).run()
    assert times == [2]


def test_an_update_that_was_accepted_before_a_restart_is_not_made_again():
    times: list[int] = []
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(DONE)))
    wire.tell(opened(1, base=base_of(wire)))
    wire.tell(r.UpdateAccepted(round=1, attempt=1, participant=ME, offset=3))
    participant(steps(times), wire).run()
    assert times == []
    assert wire.uploads == []


def test_an_ended_run_is_left_without_a_word():
    wire = MemoryWire(lambda *_: None)
    wire.tell(DONE)
    participant(steps(), wire).run()
    assert wire.said == []


def test_a_failed_run_is_left():
    failed = r.RunFailed(reason=r.FailReason.QUORUM_MISSED, message="too few")
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(failed)))
    participant(steps(), wire).run()
    assert len(wire.said) == 1


def repeat(wire: MemoryWire, number: int, base: r.ModelRef) -> None:
    missed = r.RoundMissed(
        round=1, attempt=1, accepted=0, rejected=0, reason=r.MissReason.DEADLINE, skipped=number != 1
    )
    wire.tell(missed)
    wire.tell(opened(number, attempt=2 if number == 1 else 1, base=base))


def second_attempt(number: int):
    """Round 1 is missed after the first commit and followed by round `number` with the same base."""
    bases: list[r.ModelRef] = []

    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            bases.append(base_of(wire))
            wire.tell(opened(1, base=bases[0]))
        elif isinstance(record, r.Commit) and len(wire.heard(r.Commit)) == 1:
            repeat(wire, number, bases[0])
        else:
            wire.tell(DONE)

    return react


def test_a_repeated_round_gets_the_same_upload_committed_again():
    times: list[int] = []
    wire = MemoryWire(second_attempt(1))
    participant(steps(times), wire).run()
    first, second = wire.heard(r.Commit)
    assert isinstance(first, r.Commit)
    assert isinstance(second, r.Commit)
    assert times == [1]
    assert len(wire.uploads) == 1
    assert second == first.model_copy(update={"attempt": 2, "nonce": second.nonce})
    assert second.nonce == opened(1, attempt=2, base=None).nonce


def test_a_round_after_a_skipped_one_is_trained_for_though_its_base_is_the_same():
    times: list[int] = []
    wire = MemoryWire(second_attempt(2))
    participant(steps(times), wire).run()
    assert times == [1, 2]
    assert [coordinates(upload) for upload in wire.uploads] == [[1.0] * 4, [2.0] * 4]


def test_training_that_outlasts_its_attempt_serves_the_next_one():
    times: list[int] = []
    app = steps(times)
    wires: list[MemoryWire] = []
    train = app._functions["train"]

    def slow(model, context):
        result = train(model, context)
        attempt = wires[0].journal[-1]
        assert attempt.value is not None
        repeat(wires[0], 1, r.RoundOpened.model_validate_json(attempt.value).base)
        return result

    app._functions["train"] = slow
    wire = MemoryWire(after_commit())
    wires.append(wire)
    participant(app, wire).run()
    (commit,) = wire.heard(r.Commit)
    assert isinstance(commit, r.Commit)
    assert times == [1]
    assert (commit.attempt, len(wire.uploads)) == (2, 1)


def test_a_round_that_closed_during_training_is_not_uploaded_for():
    app = steps()
    wires: list[MemoryWire] = []
    train = app._functions["train"]

    def slow(model, context):
        close(wires[0], 1, base_of(wires[0], 1), evaluate=False)
        wires[0].tell(DONE)
        return train(model, context)

    app._functions["train"] = slow
    wire = MemoryWire(on(r.Hello, open_one))
    wires.append(wire)
    participant(app, wire).run()
    assert wire.uploads == []
    assert wire.heard(r.Commit) == []


def test_a_round_that_closed_during_the_upload_is_not_committed_to():
    wire = MemoryWire(on(r.Hello, open_one))

    def end() -> None:
        close(wire, 1, base_of(wire, 1), evaluate=False)
        wire.tell(DONE)

    wire.after_upload = end
    participant(steps(), wire).run()
    assert len(wire.uploads) == 1
    assert wire.heard(r.Commit) == []


def test_an_upload_that_kafka_lost_is_made_again_without_training_again():
    times: list[int] = []
    wire = MemoryWire(after_commit())
    wire.broken_uploads = 2
    participant(steps(times), wire).run()
    assert times == [1]
    assert [coordinates(upload) for upload in wire.uploads] == [[1.0] * 4]


def test_words_are_said_again_until_they_are_heard():
    wire = MemoryWire(after_commit())
    wire.deaf = 3
    participant(steps(), wire).run()
    assert [type(record) for record in wire.said] == [r.Hello, r.Commit]


@pytest.mark.parametrize("trouble", [TopicMissing("topic x does not exist"), KafkaAway("no answer")])
def test_a_participant_that_is_early_waits(trouble, caplog):
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(DONE)))
    wire.troubles = [trouble, trouble]
    participant(steps(), wire).run()
    assert len(wire.heard(r.Hello)) == 1
    assert caplog.text.count(str(trouble)) == 1


REFUSALS = [AccessRefused("the password was refused"), TopicRefused("north lacks Describe on topic x")]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_user_or_right_that_is_not_known_yet_is_waited_for(refusal):
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(DONE)))
    wire.troubles = [refusal] * 5
    participant(steps(), wire).run()
    assert len(wire.heard(r.Hello)) == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_that_stands_ends_the_process(refusal):
    seconds = iter(range(100))
    wire = MemoryWire(lambda *_: None)
    wire.troubles = [refusal] * 100
    with pytest.raises(type(refusal)):
        participant(steps(), wire, clock=lambda: next(seconds)).run()
    assert len(wire.troubles) == 100 - 11


def test_an_answer_in_between_begins_the_time_anew():
    seconds = iter(range(100))
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(DONE)))
    refused = [AccessRefused("the password was refused")] * 9
    wire.troubles = [*refused, KafkaAway("no answer"), *refused]
    participant(steps(), wire, clock=lambda: next(seconds)).run()
    assert wire.troubles == []


def test_a_connection_that_is_refused_later_is_looked_into_and_forgotten_where_kafka_answers():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            wire.troubles = [AccessRefused("the password was refused")] * 2
            wire.trouble(KafkaTrouble("authentication failed", refused=True))
            open_one(wire, record, offset)
        elif isinstance(record, r.Commit):
            wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(), wire).run()
    assert wire.troubles == []
    assert len(wire.heard(r.Commit)) == 1


def test_a_password_that_is_void_from_some_time_on_ends_the_process():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        wire.troubles = [AccessRefused("the password was refused")] * 3
        wire.trouble(KafkaTrouble("authentication failed", refused=True))

    wire = MemoryWire(on(r.Hello, react))
    with pytest.raises(AccessRefused):
        participant(steps(), wire, refused_seconds=0).run()


def test_who_may_write_no_longer_ends(caplog):
    seconds = iter(range(100))
    wire = MemoryWire(lambda *_: None)
    wire.deaf, wire.deafness = 100, WriteForbidden("Topic authorization failed")
    with pytest.raises(WriteForbidden):
        participant(steps(), wire, clock=lambda: next(seconds)).run()
    assert wire.deaf == 100 - 11
    assert "hello was not heard: Topic authorization failed" in caplog.text


def test_a_long_wait_is_told_again(caplog):
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(DONE)))
    wire.troubles = [KafkaAway("no answer")] * 6
    participant(steps(), wire).run()
    assert caplog.text.count("no answer") == 2


def test_a_refused_commit_is_made_afresh_until_refused_for_good():
    times: list[int] = []

    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            open_one(wire, record, offset)
            return
        final = len(wire.heard(r.Commit)) == 2
        wire.tell(r.UpdateRejected(round=1, attempt=1, participant=ME, offset=offset, final=final))
        if final:
            wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(times), wire).run()
    assert times == [1, 1]
    assert len(wire.uploads) == 2


def failing(error: BaseException) -> fedka.App:
    app = steps()

    def train(model, context):
        raise error

    app._functions["train"] = train
    return app


def after_failure():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            open_one(wire, record, offset)
        elif isinstance(record, r.Failed):
            wire.tell(DONE)

    return react


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("age"), "training: the train function raised KeyError: 'age'"),
        (SystemExit(3), "training: the train function raised SystemExit: 3"),
    ],
)
def test_an_exception_in_user_code_costs_the_update_and_says_why(error, message, caplog):
    wire = MemoryWire(after_failure())
    participant(failing(error), wire).run()
    (failed,) = wire.heard(r.Failed)
    assert isinstance(failed, r.Failed)
    assert (failed.message, failed.round, failed.attempt) == (message, 1, 1)
    assert "Traceback" in caplog.text


def test_a_long_message_does_not_leave_in_full():
    wire = MemoryWire(after_failure())
    participant(failing(ValueError("x" * 10_000)), wire).run()
    (failed,) = wire.heard(r.Failed)
    assert isinstance(failed, r.Failed)
    assert len(failed.message) == 300


def test_after_a_failure_the_next_round_is_trained_for():
    app = steps()
    train = app._functions["train"]

    def sometimes(model, context):
        if context.round == 1:
            raise ValueError("bad luck")
        return train(model, context)

    app._functions["train"] = sometimes

    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            open_one(wire, record, offset)
        elif isinstance(record, r.Failed):
            model = base_of(wire, 1)
            close(wire, 1, model, evaluate=False)
            wire.tell(opened(2, base=model))
        elif isinstance(record, r.Commit):
            wire.tell(DONE)

    wire = MemoryWire(react)
    participant(app, wire).run()
    assert [coordinates(upload) for upload in wire.uploads] == [[2.0] * 4]


def test_numbers_that_cannot_travel_cost_the_update():
    app = steps()

    def train(model, context):
        model["w"][2] = np.nan
        return fedka.Trained(examples=1)

    app._functions["train"] = train
    wire = MemoryWire(after_failure())
    participant(app, wire).run()
    (failed,) = wire.heard(r.Failed)
    assert isinstance(failed, r.Failed)
    assert "tensor 'w': a coordinate is nan" in failed.message


def test_a_model_of_another_layout_is_named():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            layout = Layout(tensors=(Tensor(name="w", dtype="float32", shape=(2, 2)),))
            wire.tell(r.LayoutDefined(layout=layout, digest=layout.digest(), participant="south"))
            open_one(wire, record, offset)
        else:
            wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(), wire).run()
    (failed,) = wire.heard(r.Failed)
    assert isinstance(failed, r.Failed)
    assert "tensor 'w' float32 [4] here, 'w' float32 [2, 2] in the run" in failed.message


@pytest.mark.parametrize(
    "gone", [ChunksGone("no longer there"), NoSuchOffset("never there"), ChunkCorrupt("another's")]
)
def test_a_base_that_cannot_be_had_costs_the_update(gone: KafkaError):
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            base = base_of(wire)
            wire.models.clear()
            wire.tell(opened(1, base=base))
        else:
            wire.tell(DONE)

    wire = MemoryWire(react)
    wire.gone = gone
    participant(steps(), wire).run()
    (failed,) = wire.heard(r.Failed)
    assert isinstance(failed, r.Failed)
    assert str(gone) in failed.message


def evaluating(answer: type[r.Record], who: tuple[str, ...] = (ME,)):
    """Round 1 closes at the hello and its model is to be evaluated; the answer ends the run."""

    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            wire.tell(opened(1, base=base_of(wire), who=who))
            close(wire, 1, base_of(wire, 1), evaluate=True)
            if ME not in who:
                wire.tell(DONE)
        elif isinstance(record, answer):
            wire.tell(DONE)

    return react


def test_the_new_model_is_evaluated_by_those_who_were_selected():
    wire = MemoryWire(evaluating(r.Evaluated))
    participant(steps(), wire).run()
    (evaluated,) = wire.heard(r.Evaluated)
    assert isinstance(evaluated, r.Evaluated)
    assert (evaluated.round, evaluated.examples, evaluated.metrics) == (1, 7, {"first": 2.0})


def test_who_was_not_selected_does_not_evaluate():
    wire = MemoryWire(evaluating(r.Evaluated, who=("south",)))
    participant(steps(), wire).run()
    assert wire.heard(r.Evaluated) == []


def test_an_exception_while_evaluating_is_answered_too():
    app = steps()

    def evaluate(model, context):
        raise ZeroDivisionError

    app._functions["evaluate"] = evaluate
    wire = MemoryWire(evaluating(r.Failed))
    participant(app, wire).run()
    (failed,) = wire.heard(r.Failed)
    assert isinstance(failed, r.Failed)
    assert (failed.round, failed.attempt) == (1, 1)
    assert failed.message.startswith("evaluation: the evaluate function raised ZeroDivisionError")


def test_an_app_that_does_not_evaluate_goes_on_with_the_next_round():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            model = base_of(wire, 1)
            wire.tell(opened(1, base=base_of(wire)))
            close(wire, 1, model, evaluate=True)
            wire.tell(opened(2, base=model))
        else:
            wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(evaluates=False), wire).run()
    assert [type(record) for record in wire.said] == [r.Hello, r.Commit]


def test_a_model_is_fetched_once_for_evaluation_and_training():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        if isinstance(record, r.Hello):
            model = base_of(wire, 1)
            wire.tell(opened(1, base=base_of(wire)))
            close(wire, 1, model, evaluate=True)
            wire.tell(opened(2, base=model))
        elif isinstance(record, r.Commit):
            wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(), wire).run()
    assert wire.downloads == 1
    assert coordinates(wire.uploads[0]) == [2.0] * 4


def test_more_examples_than_announced_are_announced_before_the_commit():
    wire = MemoryWire(after_commit())
    participant(steps(counts=False), wire).run()
    first, second, commit = wire.said
    assert isinstance(first, r.Hello)
    assert isinstance(second, r.Hello)
    assert (first.examples, second.examples) == (1, COUNTED)
    assert isinstance(commit, r.Commit)


def test_what_was_trained_on_is_announced_after_a_restart(tmp_path: Path):
    participant(steps(counts=False), MemoryWire(after_commit()), state_dir=tmp_path).run()
    wire = MemoryWire(on(r.Hello, lambda wire, *_: wire.tell(DONE)))
    participant(steps(counts=False), wire, state_dir=tmp_path).run()
    (hello,) = wire.heard(r.Hello)
    assert isinstance(hello, r.Hello)
    assert hello.examples == COUNTED


def test_who_was_lost_says_hello_again():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        wire.tell(r.ParticipantLost(participant=ME) if offset == 0 else DONE)

    wire = MemoryWire(react)
    participant(steps(), wire).run()
    assert [type(record) for record in wire.said] == [r.Hello, r.Hello]


def test_the_loss_of_another_is_no_reason_for_a_hello():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        wire.tell(r.ParticipantLost(participant="south"))
        wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(), wire).run()
    assert len(wire.said) == 1


def test_records_of_a_replaced_aggregator_do_not_exist():
    times: list[int] = []

    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        zombie = opened(1, base=base_of(wire)).model_copy(update={"epoch": 0, "seq": 1})
        wire.write(zombie.model_dump_json(by_alias=True).encode())
        wire.write(b"not a record at all")
        wire.tell(DONE)

    wire = MemoryWire(react)
    participant(steps(times), wire).run()
    assert times == []


def test_a_record_that_exists_but_cannot_be_read_ends_the_process():
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        odd = start(JournalPosition(epoch=1), r.AggregatorStarted(software="test")).replace(b'"test"', b"7")
        wire.write(odd)

    with pytest.raises(JournalUnreadable):
        participant(steps(), MemoryWire(react)).run()


def test_transient_trouble_is_logged_and_survived(caplog):
    def react(wire: MemoryWire, record: r.Record, offset: Offset) -> None:
        wire.trouble(KafkaTrouble("broker is away"))
        wire.trouble(KafkaTrouble("broker is away"))
        wire.tell(DONE)

    participant(steps(), MemoryWire(react)).run()
    assert caplog.text.count("broker is away") == 1


def test_a_lost_journal_ends_the_process():
    wire = MemoryWire(lambda wire, *_: wire.trouble(KafkaTrouble("records were deleted", fatal=True)))
    with pytest.raises(JournalLost, match="records were deleted"):
        participant(steps(), wire).run()


def test_an_interrupted_participant_says_bye():
    wire = MemoryWire(after_commit())
    with pytest.raises(Interrupted):
        participant(failing(Interrupted()), wire).run()
    assert isinstance(wire.said[-1], r.Bye)


def test_the_log_tells_what_happened(caplog):
    caplog.set_level(logging.INFO, logger="fedka")
    ticks = iter([0.0, 0.4])
    participant(steps(), MemoryWire(after_commit()), clock=lambda: next(ticks)).run()
    lines = [record.getMessage() for record in caplog.records]
    assert "round 1: trained 40 examples in 0.4 s, loss=0.25" in lines
    assert "round 1: update accepted" in lines
    assert "training complete (RoundsDone)" in lines
