"""Hostile first models: a layout is a claim of sizes, so nothing is made for one that a quorum does not share."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.local.kafka_server import KafkaServer
from fedka.wire.codec import encode
from fedka.wire.layout import Layout, Tensor
from fedka.wire.records import (
    Commit,
    FailReason,
    LayoutDefined,
    ParticipantAudited,
    Record,
    RejectReason,
    RoundOpened,
)

from ..integration.rig import Rig
from ..integration.scripted import Participant, Script
from ..integration.scripts import honest
from .speech import flood
from .test_memory import NOBODY_IS_LOST, peak_memory

pytestmark = pytest.mark.kafka
MIB = 2**20
ALLOWED = 32 * MIB
Tensors = list[dict[str, object]]


def tensor(name: str = "w", shape: Sequence[float] = (20_000,), dtype: str = "float32") -> dict[str, object]:
    return {"name": name, "dtype": dtype, "shape": list(shape)}


CLAIMS: dict[str, Tensors] = {
    "more than there is": [tensor(shape=(2**62,) * 16)] * 100,
    "as many tensors as Kafka takes": [tensor(f"{number}", shape=(), dtype="bool") for number in range(20_000)],
    "no number": [tensor(shape=(0,))],
    "numbers that grow when they are written again": [tensor(shape=(0, *(1e18,) * 15))] * 500,
    "a negative size": [tensor(shape=(-20_000,)), tensor("v", shape=(40_000,))],
    "a name twice": [tensor(shape=(10_000,)), tensor(shape=(10_000,))],
    "a name with an escape sequence": [tensor("\x1b[2J")],
    "another alphabet": [tensor("вес")],
    "another dtype": [tensor(dtype="object")],
    "nothing": [],
}


def claiming(commit: Commit, tensors: Tensors) -> bytes:
    """The commit with this definition, as it stands: no model of ours would write it."""
    document = json.loads(encode(commit))
    document["definition"] = {"tensors": tensors, "chunkBytes": document["definition"]["chunkBytes"]}
    return json.dumps(document, ensure_ascii=False).encode()


@pytest.fixture
def new_rig(kafka: KafkaServer, tmp_path: Path):
    rigs: list[Rig] = []

    def make(*participants: str) -> Rig:
        rigs.append(Rig(kafka.bootstrap_servers, tmp_path / f"run-{len(rigs)}", participants))
        rigs[-1].aggregator.alive_seconds = NOBODY_IS_LOST
        return rigs[-1]

    yield make
    for rig in rigs:
        print(rig.aggregator.log())  # noqa: T201  pytest shows it where a test fails
        rig.close()


def test_whoever_is_asked_and_lies_is_passed_over(new_rig: Callable[..., Rig]) -> None:
    """One of three is asked first; whatever it claims, the run begins with the model of another."""
    rig, liars, peaks = new_rig("a", "b", "c"), set[str](), list[int]()

    def lie(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        peaks.append(peak_memory(rig.aggregator.pid))
        if opened.round == 0 and (not liars or who.name in liars):
            liars.add(who.name)
            flood(who, *(claiming(commit, tensors) for tensors in CLAIMS.values()))
            return [who.failed_for(opened, "it has lied enough")]
        return [commit]

    rig.spec(rounds={"count": 1, "quorum": 3, "deadline_seconds": 3600})
    rig.aggregator.start()
    rig.join(scripts={name: honest(name, commit=lie) for name in "abc"})
    rig.completed()
    rig.assert_exact({"a", "b", "c"})
    (defined,) = rig.journal.of(LayoutDefined)
    assert defined.layout == rig.layout
    assert defined.participant not in liars
    assert {r.participant for r in rig.rejections()} == liars
    told = {r.reason for r in rig.audit() if isinstance(r, ParticipantAudited) and r.participant in liars}
    assert RejectReason.MALFORMED in told
    assert max(peaks) - min(peaks) < ALLOWED
    assert rig.aggregator.wait() == [exit_codes.OK]


ALL_LIE = {
    "too large": (Layout(tensors=(Tensor(name="w", dtype="float32", shape=(2**62,) * 16),)), RejectReason.TOO_LARGE),
    "no number": (Layout(tensors=(Tensor(name="w", dtype="float32", shape=(0, 2**62)),)), RejectReason.WRONG_LAYOUT),
}


@pytest.mark.parametrize(("layout", "reason"), ALL_LIE.values(), ids=ALL_LIE)
def test_a_claim_that_all_share_ends_the_run_with_its_reason(
    new_rig: Callable[..., Rig], layout: Layout, reason: RejectReason
) -> None:
    rig = new_rig("a")

    def lie(_who: Participant, _opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        return [commit.model_copy(update={"definition": layout, "layout": layout.digest()})]

    rig.spec(rounds={"count": 1})
    rig.aggregator.start()
    rig.join(scripts={"a": Script(layout=layout, commit=lie)})
    state = rig.completed()
    assert state.failed_by is not None
    assert state.failed_by.reason is FailReason.NO_FIRST_MODEL
    assert {r.reason for r in rig.rejections()} == {reason}
    assert all(len(r.message) < 2000 for r in rig.rejections())
    assert rig.journal.of(LayoutDefined) == []
    assert rig.aggregator.wait() == [exit_codes.OK]
