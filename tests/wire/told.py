"""What a recorded log comes to, in each form in which people get to see it."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from fedka.aggregator.claims import read_claims
from fedka.aggregator.replay import replay_rounds
from fedka.aggregator.specs import newest_spec
from fedka.api.status import TrainingStatus
from fedka.cli.journal_read import past_of
from fedka.cli.round_rows import row_of_summary
from fedka.plan.snapshot import Published, RunView, from_milliseconds
from fedka.plan.status import wanted_status
from fedka.reconcile.projection import Projection, caught_up, read_audit, read_journal
from fedka.wire.run_state import At, RunState

from ..plan.case_files import load as snapshot_of
from .recorded_log import RecordedLog

COLUMNS = ("round", "seconds", "accepted", "rejected", "missed", "metrics")  # more may come
OF_THE_JOURNAL = ("phase", "participants", "rounds", "model", "progress", "completion_time")


def view(log: RecordedLog) -> RunView:
    """As the operator projects it."""
    projection = Projection()
    for record in log.journal():
        projection = read_journal(projection, record.value, At(record.offset, record.time_ms))
    for record in log.records(log.topics.audit):
        projection = read_audit(projection, record.value)
    return caught_up(projection).view


def state(log: RecordedLog) -> RunState:
    """As the reducer has it."""
    return read_claims(log.journal()).state


def status(log: RecordedLog) -> TrainingStatus:
    """The resource's status after the end, of a training of these participants."""
    spec = newest_spec(log.spec())
    assert spec is not None
    rounds = {"count": spec.rounds.count}
    participants = [{"name": name} for name in spec.participants]
    base = snapshot_of({"now": 5, "journal": [], "spec": {"rounds": rounds, "participants": participants}})
    published = Published(spec, from_milliseconds(log.spec()[-1].time_ms) or base.now)
    return wanted_status(replace(base, run=view(log), published=published))


def rounds(log: RecordedLog) -> list[dict[str, Any]]:
    """As `fedka rounds` prints them."""
    past = past_of(log.journal())
    rows = [row_of_summary(past.rounds[number]) for number in sorted(past.rounds)]
    return [{column: getattr(row, column) for column in COLUMNS} for row in rows]


def replay(log: RecordedLog) -> list[dict[str, Any]]:
    """As `fedka replay` has them."""
    return [asdict(each) for each in replay_rounds(log, read_claims(log.journal()), log.topics.run)]


def _recovered(log: RecordedLog) -> Any:
    found = state(log)
    attempt = found.attempt
    return {
        "epoch": found.epoch,
        "seq": found.seq,
        "present": dict(found.present),
        "seen_until": dict(found.seen_until),
        "next_round": found.next_round,
        "attempts": found.attempts,
        "model": found.model and found.model.model_dump(mode="json", by_alias=True),
        "layout": found.layout_digest,
        "accepted": attempt and dict(attempt.accepted),
        "rejected": attempt and {name: list(offsets) for name, offsets in attempt.rejected.items()},
        "decided": attempt and [[taken.participant, taken.offset] for taken in attempt.decided],
        "ended": found.ended,
    }


def _shown(log: RecordedLog) -> Any:
    shown = status(log).model_dump(mode="json", by_alias=True, exclude_none=True, include=set(OF_THE_JOURNAL))
    shown["model"].pop("topic")  # a snapshot of the tests is of another run
    return shown


FORMS: dict[str, Callable[[RecordedLog], Any]] = {
    "recovered": _recovered,  # what a successor begins with
    "status": _shown,
    "rounds": rounds,
    "replay": replay,
}


def told(log: RecordedLog) -> dict[str, Any]:
    """All of it, at the end and in the middle, where a round is open."""
    return {
        when: {form: tell(part) for form, tell in FORMS.items()}
        for when, part in {"at the end": log, "in the middle": in_the_middle(log)}.items()
    }


def in_the_middle(log: RecordedLog) -> RecordedLog:
    """The log as it was when the second update of its middle round was accepted."""
    accepted = [record for record in log.journal() if b'"update.accepted"' in (record.value or b"")]
    return log.until(accepted[len(accepted) // 2].time_ms)
