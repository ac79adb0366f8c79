"""When a status may be written."""

import pytest

from fedka.reconcile.throttle import StatusThrottle


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def throttle(seconds: Seconds) -> StatusThrottle[str]:
    return StatusThrottle(now=seconds)


def test_the_first_write_goes_at_once(throttle: StatusThrottle[str]):
    assert throttle.wait("a", size=1000, urgent=False) == 0


def test_progress_of_a_small_object_waits_a_second(throttle: StatusThrottle[str], seconds: Seconds):
    throttle.wait("a", size=1000, urgent=False)
    seconds.now += 0.25
    assert throttle.wait("a", size=1000, urgent=False) == 0.75
    seconds.now += 0.75
    assert throttle.wait("a", size=1000, urgent=False) == 0


def test_progress_of_a_large_object_waits_by_its_size(throttle: StatusThrottle[str]):
    throttle.wait("a", size=200 * 1024, urgent=False)
    assert throttle.wait("a", size=200 * 1024, urgent=False) == 10


def test_a_transition_does_not_wait_for_progress(throttle: StatusThrottle[str]):
    throttle.wait("a", size=200 * 1024, urgent=False)
    assert throttle.wait("a", size=200 * 1024, urgent=True) == 0


def test_all_objects_share_one_rate(throttle: StatusThrottle[str], seconds: Seconds):
    waits = [throttle.wait(f"training-{number}", size=1000, urgent=True) for number in range(21)]
    assert waits[:20] == [0] * 20
    assert waits[20] == pytest.approx(0.05)
    seconds.now += 1.0
    later = [throttle.wait(f"later-{number}", size=1000, urgent=True) for number in range(21)]
    assert later.count(0) == 19  # one turn is that of who waited


def test_who_waits_has_a_turn_and_need_not_ask_before(throttle: StatusThrottle[str], seconds: Seconds):
    for number in range(20):
        throttle.wait(f"first-{number}", size=1000, urgent=True)
    waits = [throttle.wait(f"waiting-{number}", size=1000, urgent=True) for number in range(100)]
    assert waits == pytest.approx([0.05 * (number + 1) for number in range(100)])
    seconds.now += waits[99] + 0.001
    assert throttle.wait("waiting-99", size=1000, urgent=True) == 0


def test_asking_again_neither_costs_a_turn_nor_gains_one(throttle: StatusThrottle[str], seconds: Seconds):
    for number in range(20):
        throttle.wait(f"first-{number}", size=1000, urgent=True)
    first = throttle.wait("a", size=1000, urgent=True)
    assert throttle.wait("a", size=1000, urgent=True) == first
    assert throttle.wait("b", size=1000, urgent=True) == pytest.approx(first + 0.05)
