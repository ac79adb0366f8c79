"""Whether a local run can still come to a round."""

from typing import Any

import pytest

from fedka.api.training import FederatedTraining
from fedka.local.prospects import MOST_PODS, Prospects, prospects
from fedka.plan.snapshot import PodView, Role


def of(count: int, **rounds: Any) -> Prospects:
    participants = [{"name": f"bank-{number}"} for number in range(count)]
    spec = {"app": {"entrypoint": "a:b"}, "rounds": {"count": 1, **rounds}, "participants": participants}
    return prospects(
        FederatedTraining.from_object(
            {"apiVersion": "fedka.dev/v1alpha1", "kind": "FederatedTraining", "metadata": {"name": "t"}, "spec": spec}
        )
    )


def pod(number: int, code: int | None, *, uid: str = "") -> PodView:
    name = f"bank-{number}"
    return PodView(name=name, uid=uid or name, role=Role.PARTICIPANT, participant=name, exit_code=code)


@pytest.mark.parametrize(
    ("rounds", "lost", "hopeless"),
    [
        ({"quorum": "100%"}, 1, True),
        ({"quorum": "50%"}, 2, False),
        ({"quorum": "50%"}, 3, True),
        ({"quorum": 1}, 3, False),
        ({"quorum": 1}, 4, True),
        ({"quorum": 1, "minAvailable": 4}, 1, True),
        ({"quorum": 1, "minAvailable": 2}, 2, False),
    ],
)
def test_participants_that_cannot_come_count_against_what_a_round_needs(rounds, lost, hopeless):
    view = of(4, **rounds)
    for number in range(lost):
        view.take(pod(number, 78))
    assert (view.verdict() is not None) is hopeless


@pytest.mark.parametrize("code", [None, 0, 1, 42, 130, 137])
def test_an_end_that_may_pass_is_not_held_against_anybody(code):
    view = of(2)
    view.take(pod(0, code))
    assert view.verdict() is None


def test_one_that_never_came_and_failed_again_and_again_will_not_come():
    view = of(2)
    for number in range(MOST_PODS):
        assert view.verdict() is None
        view.take(pod(0, 1, uid=f"pod-{number}"))
    assert view.verdict() is not None


def test_one_pod_seen_twice_is_one_failure():
    view = of(2)
    for _ in range(MOST_PODS):
        view.take(pod(0, 1, uid="same"))
    assert view.verdict() is None


def test_one_that_has_been_there_may_fail_often():
    view = of(2)
    view.joined("bank-0")
    for number in range(2 * MOST_PODS):
        view.take(pod(0, 1, uid=f"pod-{number}"))
    assert view.verdict() is None


def test_verdict_says_how_many_are_left_and_which_pods_say_why():
    view = of(3, quorum=2)
    view.take(pod(2, 78))
    view.take(pod(1, 64))
    verdict = view.verdict()
    assert verdict is not None
    assert verdict.message == "only 1 of 3 participants can take part, and a round needs 2"
    assert [each.participant for each in verdict.pods] == ["bank-1", "bank-2"]
    assert verdict.code == 78


def test_aggregator_that_cannot_start_ends_all_hope():
    view = of(2)
    view.take(PodView(name="x", uid="x", role=Role.AGGREGATOR, exit_code=78))
    assert view.verdict() is not None


def test_aggregator_that_was_fenced_does_not():
    view = of(2)
    view.take(PodView(name="x", uid="x", role=Role.AGGREGATOR, exit_code=42))
    assert view.verdict() is None
