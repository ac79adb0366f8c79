"""What the aggregator cannot do however often it is started: it says so once, and is not started again."""

import pytest

from fedka import exit_codes
from fedka.wire.codec import encode
from fedka.wire.records import MOST_RECORD_BYTES, Rounds, Spec, Strategy

from .conftest import NewRig

pytestmark = pytest.mark.kafka


def of_another_version() -> Strategy:
    return Strategy(type="FedTomorrow")


def that_leaves_room_for_nothing() -> Strategy:
    """A spec record may be as large as any: the opening of a round says the same and more."""
    without = Spec(generation=1, participants=("a",), rounds=Rounds(count=3), strategy=Strategy(parameters={"x": ""}))
    room = MOST_RECORD_BYTES - len(encode(without))
    return Strategy(parameters={"x": "y" * (room - 200)})


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        (of_another_version(), "this version of Fedka knows no strategy FedTomorrow, only FedAvg"),
        (that_leaves_room_for_nothing(), f"exceeds the limit of {MOST_RECORD_BYTES}: fewer participants in a round"),
    ],
    ids=["an unknown strategy", "a record too large for any reader"],
)
def test_it_ends_with_the_cause_and_is_not_started_again(new_rig: NewRig, strategy: Strategy, said: str) -> None:
    rig = new_rig("a")
    rig.spec(strategy=strategy)
    rig.aggregator.start()
    rig.join()
    assert rig.aggregator.wait() == [exit_codes.CONFIG]
    assert said in rig.aggregator.log()
    assert "Traceback" not in rig.aggregator.log()
