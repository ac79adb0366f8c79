"""What a participant says of itself while rounds go on."""

import pytest

from fedka.wire.records import Evaluation, RoundOpened, RunSuspended

from .conftest import NewRig
from .scripts import Gate

pytestmark = pytest.mark.kafka


def test_a_hello_before_an_accepted_commit_survives_the_aggregator(new_rig: NewRig) -> None:
    """The successor must weigh the next round by what was announced last, as its predecessor would have."""
    rig, gate = new_rig("a", "b"), Gate("a", 1)
    rig.spec(rounds={"count": 2}, evaluation=Evaluation(every_rounds=0))
    rig.aggregator.start()
    joined = rig.join(scripts={"a": gate.script("a")})
    gate.reached()
    offset = joined["a"].hello(examples=3000)
    rig.obeyed(rig.spec(rounds={"count": 2}, evaluation=Evaluation(every_rounds=0), suspend=True))
    gate.open()
    rig.journal.seen(RunSuspended)
    rig.aggregator.signal()
    rig.spec(rounds={"count": 2}, evaluation=Evaluation(every_rounds=0))
    rig.completed()
    opened = [record for record in rig.journal.of(RoundOpened) if record.round > 0]
    hellos = [{asked.participant: asked.hello for asked in record.selected}["a"] for record in opened]
    assert hellos == [0, offset]
