import pytest

from fedka.aggregator.commits import Refusal, answers, refuse
from fedka.wire.chunks import Pointer
from fedka.wire.layout import Layout, Tensor
from fedka.wire.records import Commit, RejectReason, RoundOpened

from .runs import LAYOUT, NONCE, OTHER, POINTER, RUN, commit, opened

BOUND = LAYOUT.total_bytes


def verdict(
    given: Commit,
    to: RoundOpened | None = None,
    layout: Layout | None = LAYOUT,
    announced: str = LAYOUT.digest(),
    bound: int = BOUND,
) -> Refusal | None:
    return refuse(given, to or opened(), layout, announced, bound)


def pointing(*offsets: int) -> Pointer:
    return Pointer.of(upload=bytes(16), offsets=offsets, digest="a" * 64)


def test_a_sound_commit_is_not_refused() -> None:
    assert verdict(commit()) is None


def test_a_sound_first_model_is_not_refused() -> None:
    assert verdict(commit(0), opened(0), layout=None) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"base": "0" * 64}, RejectReason.WRONG_BASE),
        ({"base": None}, RejectReason.WRONG_BASE),
        ({"layout": OTHER.digest()}, RejectReason.WRONG_LAYOUT),
        ({"update": pointing(4, 5)}, RejectReason.WRONG_SIZE),
        ({"update": pointing(4, 5, 6, 7)}, RejectReason.WRONG_SIZE),
        ({"update": pointing(4, 5, 5)}, RejectReason.BAD_OFFSETS),
        ({"update": pointing(4, 5, 74)}, RejectReason.BAD_OFFSETS),
        ({"update": pointing(-1, 5, 6)}, RejectReason.BAD_OFFSETS),
        ({"update": pointing(2**63 - 2, 2**63 - 1, 2**63)}, RejectReason.BAD_OFFSETS),
    ],
)
def test_the_first_fault_is_the_reason(changes: dict[str, object], reason: RejectReason) -> None:
    refusal = verdict(commit(**changes))
    assert refusal is not None
    assert refusal.reason is reason


def test_chunks_may_lie_apart_as_far_as_another_upload_in_between() -> None:
    assert verdict(commit(update=pointing(4, 5, 73))) is None


def test_only_another_layout_is_final() -> None:
    wrong_layout, wrong_base = verdict(commit(layout=OTHER.digest())), verdict(commit(base="0" * 64))
    assert wrong_layout is not None
    assert wrong_base is not None
    assert (wrong_layout.final, wrong_base.final) == (True, False)


def negative() -> Layout:
    return Layout(tensors=(Tensor(name="w", dtype="float32", shape=(-1, -3000)),), chunk_bytes=4096)


@pytest.mark.parametrize(
    ("given", "announced"),
    [
        (commit(0, definition=None), LAYOUT),
        (commit(0, definition=OTHER), LAYOUT),
        (commit(0, layout=OTHER.digest()), LAYOUT),
        (commit(0), OTHER),
        (commit(0, definition=negative(), layout=negative().digest()), negative()),
    ],
    ids=["none", "not the announced", "not its digest", "announced another", "negative dimensions"],
)
def test_a_first_model_needs_the_layout_that_was_announced(given: Commit, announced: Layout) -> None:
    refusal = verdict(given, opened(0), layout=None, announced=announced.digest())
    assert refusal is not None
    assert (refusal.reason, refusal.final) == (RejectReason.WRONG_LAYOUT, True)


def test_a_first_model_beyond_the_bound_is_refused_before_anything_is_allocated() -> None:
    refusal = verdict(commit(0), opened(0), layout=None, bound=BOUND - 1)
    assert refusal is not None
    assert (refusal.reason, refusal.final) == (RejectReason.TOO_LARGE, True)
    assert str(BOUND) in refusal.message


def test_a_second_first_model_must_have_the_layout_of_the_first() -> None:
    refusal = verdict(commit(0), opened(0), layout=OTHER)
    assert refusal is not None
    assert refusal.reason is RejectReason.WRONG_LAYOUT


@pytest.mark.parametrize("change", [{"run": "other"}, {"round": 2}, {"attempt": 2}, {"nonce": "0" * 32}])
def test_an_answer_to_something_else_is_not_an_answer(change: dict[str, object]) -> None:
    assert answers(commit(), opened(), RUN)
    assert not answers(commit(**change), opened(), RUN)


def test_the_nonce_is_the_openings() -> None:
    assert opened().nonce == NONCE
    assert POINTER.offsets() == [4, 5, 6]
