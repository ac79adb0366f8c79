"""A run's journal read to its end: how far it is, every round that ended, and the model of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from fedka.kafka.access import Settings
from fedka.kafka.log_record import LogRecord
from fedka.kafka.log_view import LogView
from fedka.wire import records as r
from fedka.wire.names import RunTopics
from fedka.wire.reading import Reading, read_on
from fedka.wire.run_state import At, RoundSummary, RunState


@dataclass(slots=True)
class Past:
    """What a journal says. `rounds` are by number, each as it ended; the state itself keeps the last ten only."""

    state: RunState = field(default_factory=RunState)
    rounds: dict[int, RoundSummary] = field(default_factory=dict)
    models: dict[int, r.ModelRef] = field(default_factory=dict)

    def take(self, record: r.JournalRecord, state: RunState) -> None:
        """One more record that exists, and the state after it."""
        self.state = state
        if isinstance(record, r.RoundClosed):
            self.models[record.round] = record.model
        if isinstance(record, r.EvaluationClosed) and record.round in self.rounds:
            past = self.rounds[record.round]
            self.rounds[record.round] = replace(past, metrics=_joined(past.metrics, record.metrics))
        elif self.state.history:
            last = self.state.history[-1]
            self.rounds.setdefault(last.round, last)


def read_past(settings: Settings, topics: RunTopics, principal: str | None = None) -> Past:
    """What a run's journal says up to its end; `principal`: who to name where a right is missing. Blocks.

    Raises a KafkaError.
    """
    view = LogView(settings, name="fedka-journal-reader")
    try:
        if principal is not None:
            view.check_topics([topics.journal, topics.model], principal)
        records = view.read_to_end(topics.journal)
    finally:
        view.close()
    return past_of(records)


def past_of(records: Iterable[LogRecord]) -> Past:
    """What a journal's records say, given from the first one on."""
    reading, past = Reading(), Past()
    for record in records:
        reading, found = read_on(reading, record.value, At(record.offset, record.time_ms))
        if found.said is not None:  # what exists and cannot be read says nothing that this version understands
            past.take(found.said, reading.state)
    return past


def _joined(before: Mapping[str, float], more: Mapping[str, float]) -> Mapping[str, float]:
    return {**before, **more}
