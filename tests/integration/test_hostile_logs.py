"""Control logs that lose their head, hold offsets without a record, or are flooded cost their participant only."""

import signal

import pytest
from confluent_kafka import Producer

from fedka.wire.codec import encode
from fedka.wire.names import CONTROL_PARTITION
from fedka.wire.records import Alive, ParticipantLost, RoundClosed, RoundOpened

from .conftest import NewRig
from .scripted import Participant
from .scripts import Gate, honest
from .topics import delete_records
from .vectors import Vector

pytestmark = pytest.mark.kafka
ALL = {"a", "b", "c"}


def test_a_hello_that_is_gone_costs_its_participant_until_it_says_another(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b", "c"), Gate("a", 2)
    rig.spec(rounds={"count": 3, "quorum": "60%", "min_available": 2})
    joined = rig.join(scripts={"a": gate.script("a")})
    first = rig.aggregator.spawn("acknowledged round.opened#3")  # all are asked from round 1 on
    assert first.wait() == -signal.SIGKILL
    topic = rig.topics.update("c")
    delete_records(rig.bootstrap, topic, CONTROL_PARTITION, rig.view.watermarks(topic, CONTROL_PARTITION)[1])
    rig.aggregator.start()
    rig.journal.seen(ParticipantLost)
    joined["c"].hello()
    gate.open()
    rig.completed()
    rig.assert_exact(ALL, {"a", "b"}, ALL)


def test_a_log_without_its_head_does_not_end_the_aggregator(new_rig: NewRig) -> None:
    """Its participant never said hello: whoever starts reading at 0 finds nothing there."""
    rig = new_rig("a", "b", "c")
    topic = rig.topics.update("c")
    for _ in range(3):
        rig.writer.write_now(topic, CONTROL_PARTITION, encode(Alive()))
    delete_records(rig.bootstrap, topic, CONTROL_PARTITION, 2)
    rig.spec(rounds={"count": 2, "quorum": "60%", "min_available": 2})
    rig.aggregator.start()
    rig.join(names=["a", "b"])
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})


def test_a_marker_of_transactions_holds_up_no_deadline_and_no_restart(new_rig: NewRig) -> None:
    """The last offset of a log may hold no record that a consumer is ever given."""
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "quorum": "60%", "deadline_seconds": 3})

    def mark(who: Participant, _opened: RoundOpened, _base: Vector) -> None:
        producer = Producer({"bootstrap.servers": rig.bootstrap, "transactional.id": who.topic})
        producer.init_transactions(30)
        producer.begin_transaction()
        producer.produce(who.topic, b"{}", partition=CONTROL_PARTITION)
        producer.commit_transaction(30)

    rig.aggregator.start()
    rig.join(scripts={"c": honest("c", train=mark)})
    rig.journal.seen(RoundClosed, 2)
    rig.aggregator.signal()
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})


def test_a_flood_of_rubbish_delays_nobody_for_long(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 3})
    rig.aggregator.start()
    joined = rig.join(names=["a"])
    producer = Producer({"bootstrap.servers": rig.bootstrap, "queue.buffering.max.messages": 300_000})
    for _ in range(100_000):
        producer.produce(joined["a"].topic, b"x", partition=CONTROL_PARTITION)
    assert producer.flush(60) == 0
    rig.join(names=["b"])
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"}, {"a", "b"})
