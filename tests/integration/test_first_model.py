"""The first global model comes from a participant, who may be slow, wrong or alone with its layout."""

import numpy as np
import pytest

from fedka.wire.layout import Layout, Tensor
from fedka.wire.records import (
    FailReason,
    LayoutDefined,
    MissReason,
    ParticipantAudited,
    RejectReason,
    RoundMissed,
    RoundOpened,
)

from .conftest import NewRig
from .rig import Rig
from .scripted import Participant, Script
from .scripts import Gate, honest, scripted_by
from .vectors import Vector, first_model

pytestmark = pytest.mark.kafka
ALL = {"a", "b", "c"}
OTHER = Layout(tensors=(Tensor(name="v", dtype="float32", shape=(7,)),), chunk_bytes=4096)


def at_first_attempt(fault: Vector | None):
    """Scripts that answer the first request for a model with this, and later ones well."""

    def first(who: Participant, opened: RoundOpened) -> Vector | None:
        return fault if opened.attempt == 1 else first_model(who.rig.layout)

    return lambda name: honest(name, first=first)


def no_deadline_after_the_first(rig: Rig) -> None:
    """Once the first attempt has been opened: those after it have time, on a loaded machine, too."""
    rig.journal.seen(RoundOpened)
    rig.spec(rounds={"count": 1})


def test_another_is_asked_where_the_first_does_not_answer(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 1, "deadline_seconds": 1})
    rig.aggregator.start()
    rig.join(scripts=scripted_by(at_first_attempt(None), "abc"))
    no_deadline_after_the_first(rig)
    rig.completed()
    rig.assert_exact(ALL)
    first, second = ([s.participant for s in o.selected] for o in rig.journal.of(RoundOpened)[:2])
    assert (len(first), len(second)) == (1, 2)
    assert set(first) < set(second), "a late answer of the first counts as well"
    assert [m.reason for m in rig.journal.of(RoundMissed)] == [MissReason.DEADLINE]


def test_a_first_model_that_is_not_finite_is_rejected(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 1, "deadline_seconds": 1})
    rig.aggregator.start()
    rig.join(scripts=scripted_by(at_first_attempt(np.full(20_000, np.nan, dtype=np.float32)), "abc"))
    no_deadline_after_the_first(rig)
    rig.completed()
    rig.assert_exact(ALL)
    assert {(r.round, r.reason) for r in rig.rejections()} == {(0, RejectReason.OUT_OF_RANGE)}


def test_a_layout_without_a_quorum_is_not_asked(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "quorum": "60%", "min_available": 2})
    rig.aggregator.start()
    rig.join(scripts={"c": honest("c", layout=OTHER)}, names=["c"])
    rig.journal.wait(lambda journal: "c" in journal.state.present, "c's joining")
    rig.join(names=["a"])
    rig.journal.wait(lambda journal: "a" in journal.state.present, "a's joining")
    assert rig.journal.of(RoundOpened) == []
    rig.join(names=["b"])
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    assert rig.journal.of(LayoutDefined)[0].digest == rig.layout.digest()


def test_who_comes_later_with_another_layout_is_told_and_not_asked(new_rig: NewRig) -> None:
    rig = new_rig("a", "b", "c")
    rig.spec(rounds={"count": 2, "min_available": 2})
    rig.aggregator.start()
    gate = Gate("a", 1)
    rig.join(scripts={"a": gate.script("a")}, names=["a", "b"])
    gate.reached()
    rig.join(scripts={"c": honest("c", layout=OTHER)}, names=["c"])
    rig.journal.wait(lambda journal: "c" in journal.state.present, "c's joining")
    gate.open()
    rig.completed()
    rig.assert_exact({"a", "b"}, {"a", "b"})
    refused = [r for r in rig.audit() if isinstance(r, ParticipantAudited) and r.reason is RejectReason.WRONG_LAYOUT]
    assert [r.participant for r in refused] == ["c"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"max_model_bytes": 79_999}, RejectReason.TOO_LARGE),
        ({"definition": OTHER}, RejectReason.WRONG_LAYOUT),
        ({"definition": None}, RejectReason.WRONG_LAYOUT),
    ],
    ids=["too large", "another layout than announced", "no layout"],
)
def test_a_first_model_that_does_not_fit_is_refused_until_nobody_is_left(
    new_rig: NewRig, changes: dict[str, object], reason: RejectReason
) -> None:
    limit = {"max_model_bytes": changes.pop("max_model_bytes")} if "max_model_bytes" in changes else {}
    script = Script(commit=lambda _who, _opened, commit: [commit.model_copy(update=changes)])
    rig = new_rig("a", "b")
    rig.spec(rounds={"count": 1}, **limit)
    rig.aggregator.start()
    rig.join(scripts={"a": script, "b": script})
    state = rig.completed()
    assert state.failed_by is not None
    assert state.failed_by.reason is FailReason.NO_FIRST_MODEL
    assert {r.reason for r in rig.rejections()} == {reason}
    assert rig.journal.of(LayoutDefined) == []
