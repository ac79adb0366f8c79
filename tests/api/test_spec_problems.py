"""The sizes of a round, resolved: what neither schema nor CEL can compare."""

import pytest

from fedka.api.rules import spec_problems
from fedka.api.training import FederatedTraining
from fedka.api.validation import admit


def problems(training, edit, participants, sample_size, quorum):
    changed = edit(
        training,
        {
            "spec.participants": [{"name": f"p{n}"} for n in range(participants)],
            "spec.rounds": {"count": 1, "sampleSize": sample_size, "quorum": quorum},
        },
    )
    return spec_problems(FederatedTraining.from_object(admit(changed)))


@pytest.mark.parametrize(
    ("participants", "sample_size", "quorum"),
    [
        (1, "100%", "80%"),
        (1, "1%", "1%"),
        (5, "50%", 3),  # 2.5 is rounded up
        (5, 3, 3),
        (5, 3, "100%"),
        (5, 10, 5),  # more than there are: all of them
        (5, 10, "50%"),
        (1000, 1000, 1000),
    ],
)
def test_a_quorum_that_can_be_met(training, edit, participants, sample_size, quorum):
    assert problems(training, edit, participants, sample_size, quorum) == []


@pytest.mark.parametrize(
    ("sizes", "path", "message"),
    [
        ((5, "50%", 4), "spec.rounds.quorum", "is 4 updates, but a round asks for 3 of 5 participants only"),
        ((5, 2, 3), "spec.rounds.quorum", "lower it to at most 2, or raise sampleSize"),
        ((2, "100%", 3), "spec.rounds.quorum", "asks for 2 participants only"),
        ((5, 10, "80%"), "spec.rounds.sampleSize", "the training has 5: the quorum of 8 is never met"),
        ((5, 10, 6), "spec.rounds.sampleSize", "lower it to 5 or add participants"),
    ],
)
def test_a_quorum_that_can_never_be_met(training, edit, sizes, path, message):
    (error,) = problems(training, edit, *sizes)
    assert error.path == path
    assert message in str(error)
