"""`--set`: what it can change, and what it says when it cannot."""

import pytest

from fedka.api.errors import InvalidResource
from fedka.cli.errors import CommandFailed
from fedka.cli.training_file import read_object

from .trainings import training


@pytest.fixture
def file(directory):
    return str(directory.path / directory.write(training()))


@pytest.mark.parametrize(
    ("override", "where", "value"),
    [
        ("rounds.count=7", ("spec", "rounds", "count"), 7),
        ("spec.rounds.count=7", ("spec", "rounds", "count"), 7),
        ("rounds.quorum=50%", ("spec", "rounds", "quorum"), "50%"),
        ("evaluation.everyRounds=2", ("spec", "evaluation", "everyRounds"), 2),
        ("app.config.epochs='3'", ("spec", "app", "config", "epochs"), "3"),
        ("participants[0].name=other", ("spec", "participants", 0, "name"), "other"),
        ("participants.bank-b.config.epochs='3'", ("spec", "participants", 1, "config", "epochs"), "3"),
        ("metadata.name=other", ("metadata", "name"), "other"),
    ],
)
def test_override_puts_a_value_in_its_place(file, override, where, value):
    found = read_object(file, [override])
    for step in where:
        found = found[step]
    assert found == value


@pytest.mark.parametrize(
    "override", ["rounds.count", "=3", ".=3", "rounds.count.x=3", "participants.bank-z.name=x", "a=[1"]
)
def test_override_that_makes_no_sense_is_wrong_usage(file, override):
    with pytest.raises(CommandFailed, match="--set") as refused:
        read_object(file, [override])
    assert refused.value.code == 64


def test_overridden_training_is_checked_again(file):
    with pytest.raises(InvalidResource, match=r"with --set: spec\.rounds\.count"):
        read_object(file, ["rounds.count=0"])
