"""Participants that come, go, repeat themselves, die and come back cost at most their own update."""

from collections.abc import Callable, Sequence

import pytest

from fedka.aggregator.telling import TOLD
from fedka.wire.records import (
    Commit,
    ParticipantAudited,
    ParticipantJoined,
    ParticipantLost,
    Record,
    RejectReason,
    RoundClosed,
    RoundOpened,
    UpdateAccepted,
)

from .conftest import NewRig
from .followed_journal import PATIENCE
from .scripted import Killed, Participant, Script
from .scripts import Gate, breathing, failing, honest
from .vectors import Vector, delta_of

pytestmark = pytest.mark.kafka
ALL = {"a", "b", "c"}


def test_the_same_commit_twice_counts_once(new_rig: NewRig) -> None:
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 2})
    rig.aggregator.start()
    rig.join(scripts={name: honest(name, commit=lambda _who, _opened, commit: [commit, commit]) for name in "ab"})
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    assert len(rig.journal.of(UpdateAccepted)) == 5


def test_another_commit_after_acceptance_does_not_count(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b"), Gate("b", 1)
    rig.spec(rounds={"count": 2})
    rig.aggregator.start()
    joined = rig.join(scripts={"b": gate.script("b")})
    gate.reached()
    opened = rig.journal.first(RoundOpened, lambda record: record.round == 1)
    rig.journal.first(UpdateAccepted, lambda record: record.round == 1 and record.participant == "a")
    assert opened.base is not None
    other = joined["a"].upload(delta_of("other", 1, joined["a"].download(opened.base.pointer)))
    joined["a"].say(joined["a"].commit_for(opened, other))
    gate.open()
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    assert rig.rejections() == []


def test_answers_to_something_else_are_not_looked_at(new_rig: NewRig) -> None:
    def astray(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        wrong = [{"nonce": "f" * 32}, {"run": "another.run.00000000"}, {"round": 77}, {"attempt": 7}]
        return [*(commit.model_copy(update=change) for change in wrong), commit]

    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 2})
    rig.aggregator.start()
    rig.join(scripts={"b": honest("b", commit=astray)})
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    assert rig.rejections() == []


def test_a_failing_app_costs_its_update_not_the_run(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "quorum": "60%"})
    rig.aggregator.start()
    rig.join(scripts={"c": failing("c", 1)})
    rig.completed()
    rig.assert_exact({"a", "b"}, ALL)
    assert [(r.participant, r.round, r.reason) for r in rig.rejections()] == [("c", 1, RejectReason.APP_FAILED)]


def dies_after_commit(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
    if opened.round == 1:
        who.say(commit)
        raise Killed
    return [commit]


def dies_before_commit(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
    if opened.round == 1:
        raise Killed
    return [commit]


def dies_training(who: Participant, opened: RoundOpened, base: Vector) -> Vector:
    raise Killed


@pytest.mark.parametrize(
    "script",
    [honest("c", train=dies_training), honest("c", commit=dies_before_commit), honest("c", commit=dies_after_commit)],
    ids=["training", "before its commit", "after its commit"],
)
def test_a_participant_killed_and_started_again_loses_nothing(new_rig: NewRig, script: Script) -> None:
    rig, gate = new_rig("a", "b", "c"), Gate("b", 1)
    rig.spec(rounds={"count": 2, "quorum": "100%"})
    rig.aggregator.start()
    first = rig.join(scripts={"c": script, "b": gate.script("b")})["c"]
    gate.reached()
    assert first.ended.wait(PATIENCE)
    rig.join(names=["c"])
    gate.open()
    rig.completed()
    rig.assert_exact(ALL, ALL)


def test_a_participant_that_says_goodbye_is_not_waited_for(new_rig: NewRig) -> None:
    def leave(who: Participant, opened: RoundOpened) -> None:
        if opened.round == 1:
            who.bye()
            raise Killed

    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "quorum": "60%", "min_available": 2})
    rig.join(scripts={"c": honest("c", before_upload=leave)})
    rig.aggregator.start()  # all who have said hello before are asked in round 1
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    assert [r.participant for r in rig.journal.of(ParticipantLost)] == ["c"]


def test_who_falls_silent_is_lost_and_comes_back(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b", "c"), Gate("b", 2)
    rig.aggregator.alive_seconds = 1.0  # three of them have to pass; a loaded machine may stand still for one
    rig.spec(rounds={"count": 3, "quorum": "60%", "min_available": 2})
    joined = rig.join(scripts={"c": honest("c", train=dies_training), "b": gate.script("b")})
    rig.aggregator.start()  # as above
    with breathing(joined["a"], joined["b"], every=0.1):
        gate.reached()
        rig.journal.seen(ParticipantLost)
        with breathing(*rig.join(names=["c"]).values(), every=0.1):
            rig.journal.seen(ParticipantJoined, 4)
            gate.open()
            rig.completed()
    assert [r.participant for r in rig.journal.of(ParticipantLost)] == ["c"]
    rig.assert_exact({"a", "b"}, {"a", "b"}, ALL)


def test_too_few_present_are_waited_for_and_nothing_is_missed(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b"), Gate("a", 1)
    rig.spec(rounds={"count": 2, "quorum": "50%"})
    rig.aggregator.start()
    joined = rig.join(scripts={"a": gate.script("a")})
    gate.reached()
    joined["b"].bye()
    rig.journal.seen(ParticipantLost)
    gate.open()
    rig.journal.seen(RoundClosed, 2)
    joined["b"].hello()
    state = rig.completed()
    assert (state.completed, state.missed) == (2, 0)
    assert len(rig.journal.of(ParticipantJoined)) == 3


def test_a_new_hello_counts_from_the_next_round(new_rig: NewRig) -> None:
    rig, gate = new_rig("a", "b"), Gate("a", 1)
    rig.spec(rounds={"count": 2})
    rig.aggregator.start()
    joined = rig.join(scripts={"a": gate.script("a")})
    gate.reached()
    offset = joined["a"].hello(examples=3000)  # its commit follows it in the same log
    gate.open()
    rig.completed()
    asked = [{s.participant: s.hello for s in o.selected}["a"] for o in rig.journal.of(RoundOpened)[1:]]
    assert asked == [0, offset]
    assert [o.weight_scale for o in rig.journal.of(RoundOpened)[1:]] == [128, 4096]


SAYS: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no JSON": lambda: b"\xff{",
    "a list": lambda: b"[]",
    "another version": lambda: b'{"type":"hello","v":2}',
    "an unknown member": lambda: b'{"type":"alive","v":1,"more":1}',
    "a NaN": lambda: b'{"type":"commit","v":1,"metrics":{"loss":NaN}}',
    "too much": lambda: b'{"type":"alive","v":1,"x":"' + b"x" * 300_000 + b'"}',
    "too deep": lambda: b"[" * 100_000,
    "an endless number": lambda: b'{"type":"alive","v":' + b"1" * 10_000 + b"}",
}


def test_rubbish_is_told_of_a_few_times_and_changes_nothing(new_rig: NewRig) -> None:
    def babble(who: Participant, opened: RoundOpened) -> None:
        if opened.round != 1:
            return
        for say in SAYS.values():
            who.say_bytes(say())
        who.say_bytes(b'{"type":"of-a-later-version","v":1}')

    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 2})
    rig.aggregator.start()
    rig.join(scripts={"b": honest("b", before_upload=babble)})
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    refused = [r for r in rig.audit() if isinstance(r, ParticipantAudited) and r.reason is RejectReason.MALFORMED]
    assert len(SAYS) > TOLD
    assert [r.participant for r in refused] == ["b"] * TOLD
