"""The live view, drawn from a status."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from fedka.api.training import FederatedTraining
from fedka.cli.live import Scene, render

from .trainings import training

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def drawn(status: dict[str, object] | None, note: str = "", seconds: float = 75) -> str:
    seen = None if status is None else FederatedTraining.from_object({**training(), "status": status})
    paper = io.StringIO()
    scene = Scene(seen, note, "here/logs", BEGAN, BEGAN + timedelta(seconds=seconds))
    Console(width=120, file=paper, force_terminal=False).print(render(scene))
    return paper.getvalue()


RUNNING = {
    "phase": "Running",
    "rounds": {
        "current": 3, "completed": 2, "total": 5, "selected": 2, "accepted": 1,
        "history": [
            {"round": 1, "durationSeconds": "1.5", "accepted": 2, "metrics": [{"name": "loss", "value": "0.9123456"}]},
            {"round": 2, "durationSeconds": "1.25", "accepted": 2, "rejected": 1},
        ],
    },
    "participants": {
        "total": 2, "present": 1,
        "detail": [
            {"name": "bank-b", "state": "Failed", "reason": "ExitCode78",
             "message": "12:00:00 ERROR   bank-b: no module fraud\nsupervisor: x"},
            {"name": "bank-a", "state": "Training", "lastRound": 2},
        ],
    },
    "progress": {"percentage": 40, "estimatedRemainingSeconds": 130},
}  # fmt: skip


def test_before_there_is_a_resource_the_note_is_shown():
    assert drawn(None, note="Starting Apache Kafka").split() == ["1:15", "Starting", "Apache", "Kafka"]


def test_header_tells_training_phase_strategy_time_and_time_left():
    header = drawn(RUNNING).splitlines()[0]
    assert header.split("  ") == ["tiny", "Running", "FedAvg", "1:15", "about 2:10 left"]


def test_progress_tells_rounds_updates_and_participants():
    bar = drawn(RUNNING).splitlines()[1]
    assert "2/5 rounds, round 3: 1 of 2 updates, 1 of 2 participants present" in bar


def test_rounds_show_their_metrics_and_rejections():
    lines = drawn(RUNNING).splitlines()
    assert ["1", "1.5", "2", "0", "0.9123"] in [line.split() for line in lines]
    assert ["2", "1.25", "2", "1"] in [line.split() for line in lines]


def test_participant_that_does_not_start_shows_why():
    line = next(line for line in drawn(RUNNING).splitlines() if "bank-b" in line)
    assert line.rstrip().endswith("ExitCode78: no module fraud")


def test_missed_round_is_marked():
    missed = {**RUNNING, "rounds": {**RUNNING["rounds"], "history": [{"round": 1, "missed": True, "accepted": 1}]}}
    assert ["1", "missed", "0"] in [line.split() for line in drawn(missed).splitlines()]


def test_after_the_end_only_those_in_trouble_are_listed():
    text = drawn({**RUNNING, "phase": "Complete"})
    assert "bank-b" in text
    assert "bank-a" not in text


def test_many_participants_are_cut():
    detail = [{"name": f"bank-{number}", "state": "Present"} for number in range(20)]
    assert "and 8 more" in drawn({**RUNNING, "participants": {"total": 20, "detail": detail}})


def test_hours_are_shown_as_hours():
    assert "2:00:05" in drawn(RUNNING, seconds=7205)


def test_place_of_the_logs_is_always_shown():
    assert drawn(RUNNING).rstrip().endswith("logs: here/logs")
