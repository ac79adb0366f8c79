"""Chunks that retention has freed: an accepted update is dropped, a base model that is gone ends the run."""

import signal

import pytest

from fedka.wire.names import BULK_PARTITION
from fedka.wire.records import FailReason, MissReason, RoundClosing, RoundMissed, UpdateDropped

from .conftest import NewRig
from .rig import Rig
from .scripts import Gate
from .topics import delete_records

pytestmark = pytest.mark.kafka
ALL = {"a", "b", "c"}


def lose_update(rig: Rig, name: str) -> None:
    topic = rig.topics.update(name)
    _, end = rig.view.watermarks(topic, BULK_PARTITION)
    delete_records(rig.bootstrap, topic, BULK_PARTITION, end)


def killed_with_round_one_decided(rig: Rig, quorum: str) -> None:
    rig.spec(rounds={"count": 2, "quorum": quorum})
    first = rig.aggregator.spawn("published, not closed#2")
    rig.join()
    assert first.wait() == -signal.SIGKILL


def test_a_decided_update_that_is_gone_is_dropped_and_the_round_decided_anew(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    killed_with_round_one_decided(rig, "60%")
    lose_update(rig, "c")
    rig.aggregator.start()
    rig.completed()
    rig.assert_exact({"a", "b"}, ALL)
    assert [d.participant for d in rig.journal.of(UpdateDropped)] == ["c"]
    assert [len(c.accepted) for c in rig.journal.of(RoundClosing) if c.round == 1] == [3, 2]


def test_below_the_quorum_the_round_is_missed(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    killed_with_round_one_decided(rig, "100%")
    lose_update(rig, "c")
    rig.scripted[2].forget_uploads()
    rig.aggregator.start()
    rig.completed()
    rig.assert_exact(ALL, ALL)
    assert [(m.round, m.reason) for m in rig.journal.of(RoundMissed)] == [(1, MissReason.UPDATES_LOST)]


def test_an_accepted_update_that_is_gone_before_the_decision_is_not_waited_for(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b", "c"), Gate("c", 1)
    rig.spec(rounds={"count": 2, "quorum": "60%"})
    first = rig.aggregator.spawn("acknowledged update.accepted#3")
    rig.join(scripts={"c": gate.script("c")})
    assert first.wait() == -signal.SIGKILL
    lose_update(rig, "b")
    rig.aggregator.start()
    gate.open()
    rig.completed()
    rig.assert_exact({"a", "c"}, ALL)


def test_a_base_model_that_is_gone_ends_the_run(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    killed_with_round_one_decided(rig, "60%")
    _, end = rig.view.watermarks(rig.topics.model)
    delete_records(rig.bootstrap, rig.topics.model, 0, end)
    rig.aggregator.start()
    state = rig.completed()
    assert state.failed_by is not None
    assert state.failed_by.reason is FailReason.MODEL_LOST
