"""When a change of the spec shows."""

import pytest

from fedka.cli.changes import effect


@pytest.mark.parametrize(
    ("field", "when"),
    [
        ("suspend", "at once: the open round ends first"),
        ("activeDeadlineSeconds", "at once"),
        ("failurePolicy.maxAggregatorRestarts", "at once"),
        ("ttlSecondsAfterFinished", "at once"),
        ("rounds.count", "at the next round"),
        ("rounds.seed", "never while it runs"),
        ("evaluation.everyRounds", "at the next round"),
        ("participants.a", "a new one joins the next round, one that goes is not asked any more"),
        ("participants.a.config.epochs", "when its Job is next made"),
        ("participants.a.template.spec", "when its Job is next made"),
        ("participants.a.mode", "never while it runs"),
        ("participantTemplate.spec", "when a Job is next made"),
        ("app.config.epochs", "when the training is resumed"),
        ("strategy.type", "never while it runs"),
    ],
)
def test_each_field_shows_when_it_takes_effect(field: str, when: str):
    assert effect(f"spec.{field}") == when
