"""What an aggregator opens, held against the spec as replay does: the truth is never called a lie."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.aggregator.boundary import Open, next_step
from fedka.aggregator.claims import ClosedRound
from fedka.aggregator.evidence import Contradiction
from fedka.aggregator.opening import opened_record
from fedka.aggregator.rules import check_opening
from fedka.wire.records import Hello, ModelRef, RoundClosed, RoundOpened, Spec
from fedka.wire.run_state import At, Attempt, RunState

from .runs import LAYOUT, NONCE, OTHER, POINTER, RUN, begun, hello, spec

EVERYBODY = "abcdefghij"
PARTS = st.one_of(st.integers(1, 12), st.integers(1, 100).map(lambda percent: f"{percent}%"))
ROUNDS = {
    "sample_size": PARTS,
    "over_selection": st.one_of(st.integers(0, 5), st.integers(0, 100).map(lambda percent: f"{percent}%")),
    "quorum": PARTS,
    "seed": st.integers(0, 2**31),
    "min_available": st.just(1),
}


def opening(state: RunState, wanted: Spec, present: dict[str, Hello]) -> tuple[ClosedRound, dict[str, Hello]]:
    """What the engine opens next, as a journal claims it, with the hellos of those who are asked."""
    step = next_step(state, wanted, present, RUN)
    assert isinstance(step, Open)
    asked = {name: (0, present[name]) for name in step.selected}
    record = opened_record(step, wanted, asked=asked, since=lambda _name: 1, base=state.model, nonce=NONCE)
    return claim(record, state.model, frozenset(present)), {name: present[name] for name in step.selected}


def claim(record: RoundOpened, base: ModelRef | None, present: frozenset[str]) -> ClosedRound:
    model = ModelRef(round=record.round, pointer=POINTER)
    closed = RoundClosed(
        round=record.round, attempt=record.attempt, model=model, accepted=1, rejected=0, evaluate=False
    )
    return ClosedRound(Attempt(record, At(0, 0)), closed, LAYOUT, base, present)


@given(
    present=st.sets(st.sampled_from(EVERYBODY), min_size=1),
    strangers=st.sets(st.sampled_from(EVERYBODY)),
    rounds=st.fixed_dictionaries(ROUNDS),
    first=st.booleans(),
    attempts=st.integers(0, 1),
)
def test_whatever_an_aggregator_opens_is_by_its_spec(
    present: set[str], strangers: set[str], rounds: dict[str, object], first: bool, attempts: int
) -> None:
    """Some of those present may have another layout: nobody can see that afterwards."""
    if not present - strangers:
        strangers = set()
    there = {name: hello(layout=OTHER if name in strangers and not first else LAYOUT) for name in present}
    state = RunState(attempts=attempts) if first else begun(attempts=attempts)
    wanted = spec(EVERYBODY, rounds=rounds)
    claimed, asked = opening(state, wanted, there)
    check_opening(claimed, [wanted], asked, RUN)


@pytest.fixture
def sampled() -> tuple[Spec, ClosedRound, dict[str, Hello]]:
    """Half of ten are asked; the other five of them fit as well."""
    wanted = spec(EVERYBODY, rounds={"sample_size": "50%", "quorum": "100%"})
    claimed, asked = opening(begun(), wanted, {name: hello() for name in EVERYBODY})
    assert len(asked) == 5
    return wanted, claimed, asked


def test_a_favourite_in_place_of_who_comes_first_is_found(sampled: tuple[Spec, ClosedRound, dict[str, Hello]]) -> None:
    wanted, claimed, asked = sampled
    favourite = min(set(EVERYBODY) - asked.keys())
    opened = claimed.attempt.opened
    named = (opened.selected[0].model_copy(update={"participant": favourite}), *opened.selected[1:])
    forged = claimed.attempt._replace(opened=opened.model_copy(update={"selected": named}))
    announced = {each.participant: hello() for each in named}
    with pytest.raises(Contradiction, match=r"others than those who were asked come first by generation 1\.0"):
        check_opening(replace(claimed, attempt=forged), [wanted], announced, RUN)


def test_a_choice_by_another_seed_is_found(sampled: tuple[Spec, ClosedRound, dict[str, Hello]]) -> None:
    wanted, claimed, asked = sampled
    other = wanted.model_copy(update={"rounds": wanted.rounds.model_copy(update={"seed": 7})})
    with pytest.raises(Contradiction, match="others than those who were asked come first"):
        check_opening(claimed, [other], asked, RUN)


def test_of_two_specs_of_one_number_either_may_have_been_in_force(
    sampled: tuple[Spec, ClosedRound, dict[str, Hello]],
) -> None:
    wanted, claimed, asked = sampled
    other = wanted.model_copy(update={"max_model_bytes": 1})
    check_opening(claimed, [wanted, other], asked, RUN)
    check_opening(claimed, [other, wanted], asked, RUN)


def test_a_first_model_of_more_than_one_is_found() -> None:
    wanted = spec("ab")
    claimed, asked = opening(RunState(), wanted, {name: hello() for name in "ab"})
    opened = claimed.attempt.opened.model_copy(update={"quorum": 2, "target": 2})
    forged = replace(claimed, attempt=claimed.attempt._replace(opened=opened))
    with pytest.raises(Contradiction, match="2 of 2 first models were wanted, and one is enough"):
        check_opening(forged, [wanted], asked, RUN)
