"""A run told in lines: each thing that happens once, rounds with their metrics, trouble with its reason."""

import pytest

from fedka.api.training import FederatedTraining
from fedka.cli.story import Story
from fedka.plan.snapshot import PodView, Role
from fedka.wire import records as r
from fedka.wire.chunks import Pointer
from fedka.wire.run_state import At, RunState, advance

from .clusters import condition
from .trainings import training

NONCE = "0" * 32
MODEL = r.ModelRef(round=0, pointer=Pointer.of(upload=bytes(16), offsets=[0], digest="0" * 64))


class Told:
    """A story, what it has said, and a journal that it is told from."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.alarms: list[str] = []
        self.story = Story(say=self.said.append, alarm=self.alarms.append)
        self.state = RunState()
        self.time_ms = 0
        self.epoch = 0

    def journal(self, *records: r.JournalRecord, past: bool = False, apart_ms: int = 500) -> None:
        for record in records:
            before = self.state
            self.epoch = max(self.epoch, record.epoch)
            record = record.model_copy(update={"epoch": self.epoch})  # noqa: PLW2901  each belongs to the newest epoch
            self.time_ms += apart_ms
            self.state = advance(before, record, At(offset=self.time_ms, time_ms=self.time_ms))
            self.story.journaled(record, before, self.state, past=past)

    def status(self, **status: object) -> None:
        self.story.trained(FederatedTraining.from_object({**training(), "status": status}))


def opened(number: int, attempt: int = 1) -> r.RoundOpened:
    return r.RoundOpened(
        round=number,
        attempt=attempt,
        generation=1,
        revision=0,
        strategy=r.Strategy(),
        target=2,
        quorum=2,
        selected=tuple(r.Selected(participant=name, since=0, hello=0) for name in ("bank-a", "bank-b")),
        weight_scale=1,
        base=MODEL,
        nonce=NONCE,
        deadline_seconds=60,
        count=3,
    )


def closed(number: int, *, evaluate: bool = False, **metrics: float) -> r.RoundClosed:
    model = MODEL.model_copy(update={"round": number})
    return r.RoundClosed(
        round=number, attempt=1, model=model, metrics=metrics, accepted=2, rejected=0, evaluate=evaluate
    )


@pytest.fixture
def told():
    return Told()


def test_closed_round_is_a_line_with_time_updates_and_metrics(told):
    told.journal(opened(1), closed(1, loss=0.25))
    assert told.said == ["round 1/3  0.50 s  2 of 2 updates  loss 0.25"]


def test_round_that_is_evaluated_is_told_once_with_both_kinds_of_metrics(told):
    told.journal(opened(1), closed(1, evaluate=True, loss=0.25), opened(2))
    assert told.said == []
    told.journal(r.EvaluationClosed(round=1, participants=2, metrics={"accuracy": 0.5}))
    assert told.said == ["round 1/3  0.50 s  2 of 2 updates  loss 0.25  accuracy 0.5"]


def test_round_whose_evaluation_never_comes_is_told_when_the_next_one_closes(told):
    told.journal(opened(1), closed(1, evaluate=True), opened(2), closed(2))
    assert [line.split("  ")[0] for line in told.said] == ["round 1/3", "round 2/3"]


def test_held_round_is_told_at_the_end(told):
    told.journal(opened(1), closed(1, evaluate=True))
    told.story.finish()
    assert [line.split("  ")[0] for line in told.said] == ["round 1/3"]


def test_missed_attempt_says_why_and_how_many_were_needed(told):
    missed = r.RoundMissed(round=1, attempt=1, accepted=1, rejected=0, reason=r.MissReason.DEADLINE, skipped=False)
    told.journal(opened(1), missed)
    assert told.alarms == ["round 1 attempt 1 missed: Deadline, 1 update of 2 needed"]


def test_participants_are_told_as_they_come_and_go(told):
    told.journal(
        r.ParticipantJoined(participant="bank-a", offset=0),
        r.ParticipantLost(participant="bank-a"),
        r.ParticipantJoined(participant="bank-a", offset=5),
    )
    assert told.said == ["bank-a joined, 1 present", "bank-a lost, 0 present", "bank-a joined again, 1 present"]


def test_restart_of_the_aggregator_is_told_and_its_first_start_is_not(told):
    told.journal(r.AggregatorStarted(epoch=1, software="fedka"), r.AggregatorStarted(epoch=2, software="fedka"))
    assert told.said == ["the aggregator was started again"]


def test_of_a_resumed_run_only_how_far_it_had_got_is_told(told):
    told.journal(r.AggregatorStarted(epoch=1, software="fedka"), opened(1), closed(1), past=True)
    told.journal(r.AggregatorStarted(epoch=2, software="fedka"))
    assert told.said == ["going on after round 1 of 3"]


def test_rejected_update_names_participant_round_and_reason(told):
    told.story.audited(
        r.UpdateAudited(
            round=4,
            attempt=1,
            participant="bank-a",
            offset=7,
            accepted=False,
            reason=r.RejectReason.APP_FAILED,
            message="training: the train function raised KeyError: 'x'",
        )
    )
    assert told.alarms == [
        "bank-a: its update of round 4 does not count: AppFailed: training: the train function raised KeyError: 'x'"
    ]


def test_accepted_update_is_no_news(told):
    told.story.audited(r.UpdateAudited(round=4, attempt=1, participant="bank-a", offset=7, accepted=True))
    assert told.said == told.alarms == []


def test_failed_pod_is_told_once_with_its_cause(told):
    pod = PodView(
        name="x", uid="1", role=Role.PARTICIPANT, participant="bank-a", exit_code=78,
        message="12:00:00 ERROR   bank-a: no such module; looked in\n  /here",
    )  # fmt: skip
    told.story.pod(pod)
    told.story.pod(pod)
    assert told.alarms == ["bank-a ended with code 78: no such module; looked in"]


def participant_pod(uid: str, exit_code: int | None, message: str = "") -> PodView:
    return PodView(name="x", uid=uid, role=Role.PARTICIPANT, participant="bank-a", exit_code=exit_code, message=message)


def test_killed_pod_is_told_by_its_signal_and_not_by_what_it_happened_to_log_last(told):
    told.story.pod(participant_pod("1", 137, "12:00:00 INFO    bank-a: round 1: update accepted\n"))
    told.story.pod(participant_pod("2", 139))
    assert told.alarms == [
        "bank-a was killed (SIGKILL; by the system, if memory ran out)",
        "bank-a was ended by SIGSEGV",
    ]


def test_aggregator_that_another_one_shut_out_is_told_so(told):
    told.story.pod(PodView(name="x", uid="1", role=Role.AGGREGATOR, exit_code=42))
    assert told.alarms == ["aggregator was shut out, as another aggregator has taken the run over (code 42)"]


def test_participant_that_ends_well_and_is_needed_again_is_told_once(told):
    for uid in "123":
        told.story.pod(participant_pod(uid, None))
        told.story.pod(participant_pod(uid, 0))
    assert told.alarms == [
        "bank-a ended with code 0 before the run had, and is started again: does its app end Python?"
    ]


def test_late_participant_is_told_of(told):
    told.story.audited(r.LateAudited(round=3, attempt=1, participant="bank-a", deadline_seconds=60))
    assert told.said == ["bank-a: no update came within the 60 s of round 3"]


def test_failed_evaluation_is_not_told_as_being_unfit_to_take_part(told):
    told.story.audited(
        r.ParticipantAudited(
            participant="bank-a",
            reason=r.RejectReason.APP_FAILED,
            message="evaluation: the evaluate function raised KeyError: 'x'",
        )
    )
    assert told.alarms == [
        "bank-a: it could not evaluate the model: AppFailed: evaluation: the evaluate function raised KeyError: 'x'"
    ]


def test_evaluation_that_fails_alike_each_round_is_told_once_and_counted(told):
    failed = r.ParticipantAudited(
        epoch=1, seq=1, participant="bank-a", reason=r.RejectReason.APP_FAILED, message="KeyError: 'x'"
    )
    for _ in range(3):
        told.story.audited(failed)
    told.story.audited(failed.model_copy(update={"message": "no disk"}))
    assert len(told.alarms) == 2
    assert told.story.unevaluated == {"bank-a": ["KeyError: 'x'"] * 3 + ["no disk"]}


def test_pod_that_ended_well_is_no_news(told):
    told.story.pod(PodView(name="x", uid="1", role=Role.AGGREGATOR, exit_code=0))
    assert told.said == told.alarms == []


def test_phases_are_told_as_they_change_except_the_end(told):
    for phase in ("Provisioning", "Running", "Running", "Complete"):
        told.status(phase=phase)
    assert told.said == ["phase Provisioning", "phase Running"]


@pytest.mark.parametrize(
    ("trouble", "mended", "end"),
    [
        (("KafkaReady", "False", "KafkaUnreachable"), ("KafkaReady", "True", "TopicsReady"), "Kafka answers again"),
        (
            ("KafkaReady", "False", "KafkaCredentialsRefused"),
            ("KafkaReady", "True", "TopicsReady"),
            "Kafka answers again",
        ),
        (("Stalled", "True", "InvalidSpec"), ("Stalled", "False", "NotStalled"), "InvalidSpec is over"),
        (("Stalled", "True", "UnknownKafkaCluster"), ("Stalled", "False", "NotStalled"), "UnknownKafkaCluster is over"),
    ],
    ids=lambda each: each[2] if isinstance(each, tuple) else "",
)
def test_what_keeps_a_training_from_going_on_is_told_once_and_so_is_its_end(told, trouble, mended, end):
    told.status(conditions=[condition(*trouble, "and why")])
    told.status(conditions=[condition(*trouble, "and why")])
    assert told.alarms == [f"{trouble[2]}: and why"]
    told.status(conditions=[condition(*mended)])
    assert told.said == [end]


def test_what_is_as_it_should_be_is_no_news(told):
    waits = condition("KafkaReady", "False", "TopicsPending")
    told.status(conditions=[waits, condition("Stalled", "False", "NotStalled")])
    told.status(phase="Failed", conditions=[condition("Stalled", "True", "InvalidSpec")])
    assert told.said == told.alarms == []
