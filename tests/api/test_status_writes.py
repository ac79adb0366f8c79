"""Writes to the status subresource: unknown members are dropped, bounds are kept, the rest is not judged."""

from datetime import UTC, datetime

import pytest

from fedka.api.conditions import make_condition
from fedka.api.errors import InvalidResource
from fedka.api.reasons import ConditionType, ParticipantState, Phase, Reason
from fedka.api.status import (
    JournalPosition,
    MetricValue,
    ModelStatus,
    ParticipantDetail,
    ParticipantsStatus,
    Progress,
    RoundRecord,
    RoundsStatus,
    TrainingStatus,
)
from fedka.api.validation import admit, admit_status

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def full_status() -> TrainingStatus:
    loss = MetricValue(name="loss", value="0.213")
    return TrainingStatus(
        observed_generation=3,
        applied_generation=3,
        phase=Phase.RUNNING,
        conditions=(
            make_condition(
                ConditionType.READY, status=True, reason=Reason.RUNNING, message="goes on", generation=3, now=NOW
            ),
        ),
        kafka_id="consortium.fraud.1a2b3c4d",
        rounds=RoundsStatus(
            current=12,
            completed=11,
            total=20,
            summary="11/20",
            open_time=NOW,
            deadline_time=NOW,
            history=(RoundRecord(round=11, duration_seconds="41.2", accepted=4, metrics=(loss,)),),
        ),
        participants=ParticipantsStatus(
            total=1, present=1, summary="1/1", detail=(ParticipantDetail(name="a", state=ParticipantState.TRAINING),)
        ),
        model=ModelStatus(round=11, digest="blake3:00", topic="fedka.model.x", metrics=(loss,)),
        progress=Progress(percentage=55, estimated_remaining_seconds=1700),
        journal=JournalPosition(topic_id="x", offset=1234, epoch=1, seq=310),
        start_time=NOW,
    )


def test_a_full_status_passes_unchanged(training):
    status = full_status().to_object()
    assert admit_status({**training, "status": status})["status"] == status
    assert TrainingStatus.model_validate(status, by_name=False, by_alias=True) == full_status()


def test_drops_members_that_the_schema_does_not_know(training):
    written = {"phase": "Running", "mood": "good", "rounds": {"current": 1, "colour": "red"}}
    assert admit_status({**training, "status": written})["status"] == {"phase": "Running", "rounds": {"current": 1}}


def test_an_older_reader_ignores_what_a_newer_writer_added():
    assert TrainingStatus.model_validate({"phase": "Running", "mood": "good"}).phase is Phase.RUNNING


@pytest.mark.parametrize(
    ("status", "path"),
    [
        ({"phase": "Dancing"}, "status.phase"),
        ({"progress": {"percentage": 101}}, "status.progress.percentage"),
        ({"rounds": {"history": [{"round": n} for n in range(11)]}}, "status.rounds.history"),
        ({"conditions": [{"type": "Ready"}]}, "status.conditions[0].status"),
        ({"startTime": "yesterday"}, "status.startTime"),
        ({"startTime": "2026-01-31T12:00:00"}, "status.startTime"),
        ({"participants": {"detail": [{"name": "a", "state": "Lost"}] * 2}}, "status.participants.detail[1]"),
        ({"rounds": []}, "status.rounds"),
    ],
)
def test_refuses_what_is_out_of_bounds(training, status, path):
    with pytest.raises(InvalidResource) as raised:
        admit_status({**training, "status": status})
    assert path in [error.path for error in raised.value.errors]


def test_does_not_judge_the_spec(training, edit):
    broken = edit(training, {"spec.rounds.count": 0, "status": {"phase": "Failed"}})
    assert admit_status(broken)["spec"] == broken["spec"]


def test_an_absent_status_is_an_empty_one(training):
    assert admit_status(training)["status"] == {}


def test_admit_drops_unknown_members_of_a_status_instead_of_refusing_them(training):
    assert admit({**training, "status": {"mood": "good"}})["status"] == {}


def test_admit_raises_with_every_error(training, edit):
    with pytest.raises(InvalidResource) as raised:
        admit(edit(training, {"spec.rounds.count": 0, "spec.suspend": 3}))
    assert {error.path for error in raised.value.errors} == {"spec.rounds.count", "spec.suspend"}
    assert "spec.rounds.count: must be at least 1" in str(raised.value)
