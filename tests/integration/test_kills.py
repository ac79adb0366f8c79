"""An aggregator killed anywhere changes nothing: same digests, nobody trains twice, no round is lost."""

import signal
import threading
from collections import Counter

import pytest

from fedka import exit_codes
from fedka.wire.records import RoundClosed, RoundOpened, UpdateAccepted

from .conftest import NewRig
from .followed_journal import eventually
from .rig import Rig
from .scripted import Participant, Script
from .vectors import EXAMPLES, Vector, delta_of, expected_digests

pytestmark = pytest.mark.kafka
ROUNDS = 2
KILLS = {  # in the order in which a run comes by; each process dies at one of them, its successor at the next
    "joining": ["started", "before participant.joined#2", "appended participant.joined"],
    "first opening": ["before round.opened", "appended round.opened", "acknowledged round.opened"],
    "first model": ["before layout.defined", "appended layout.defined", "before update.accepted"],
    "first closing": [
        "appended round.closing",
        "model half published#2",
        "published, not closed",
        "appended round.closed",
    ],
    "between rounds": ["acknowledged round.closed#2", "before round.opened", "appended round.opened"],
    "adding": ["mid-fold#3", "mid-fold#8", "mid-fold", "before update.accepted", "appended update.accepted"],
    "accepting": ["before update.accepted#2", "acknowledged update.accepted", "before update.accepted"],
    "deciding": ["before round.closing#2", "appended round.closing", "acknowledged round.closing"],
    "publishing": ["model half published#8", "model half published#2", "model half published", "published, not closed"],
    "closing": ["before round.closed#3", "appended round.closed", "acknowledged round.closed"],
    "evaluating": ["before evaluation.closed", "appended evaluation.closed", "acknowledged evaluation.closed"],
    "ending": ["before evaluation.closed#2", "before run.completed", "appended run.completed"],
}


class Counted:
    """Scripts that count how often each participant trains in each attempt."""

    def __init__(self) -> None:
        self.trained: Counter[tuple[str, int, int]] = Counter()

    def train(self, who: Participant, opened: RoundOpened, base: Vector) -> Vector:
        self.trained[who.name, opened.round, opened.attempt] += 1
        return delta_of(who.name, opened.round, base)

    def of(self, rig: Rig, **more: object) -> dict[str, Script]:
        return {name: Script(examples=EXAMPLES[name], train=self.train, **more) for name in rig.participants}  # type: ignore[arg-type]

    def once_each(self, rig: Rig, rounds: int) -> bool:
        return self.trained == Counter({(n, r, 1): 1 for n in rig.participants for r in range(1, rounds + 1)})


def assert_same_as_unkilled(rig: Rig, counted: Counted, rounds: int = ROUNDS) -> None:
    """The run completed as if nobody had been killed."""
    state = rig.completed()
    assert state.completed_by is not None
    assert rig.journal.digests == expected_digests(rig.layout, [rig.examples()] * rounds)
    assert (state.completed, state.missed) == (rounds, 0)
    assert counted.once_each(rig, rounds)
    taken = Counter((a.round, a.participant) for a in rig.journal.of(UpdateAccepted) if a.round > 0)
    assert taken == Counter({(number, name): 1 for number in range(1, rounds + 1) for name in rig.participants})


@pytest.mark.parametrize("kills", KILLS.values(), ids=KILLS.keys())
def test_kills_change_nothing(new_rig: NewRig, kills: list[str]) -> None:
    rig, counted = new_rig("a", "b"), Counted()
    rig.spec(rounds={"count": ROUNDS + 1})
    rig.aggregator.start(kill_at=kills)
    rig.join(scripts=counted.of(rig))
    assert_same_as_unkilled(rig, counted, rounds=ROUNDS + 1)
    assert rig.aggregator.wait() == [-signal.SIGKILL] * len(kills) + [exit_codes.OK]


def test_a_kill_while_participants_upload_changes_nothing(new_rig: NewRig) -> None:
    rig, counted = new_rig("a", "b"), Counted()
    holding, go_on = threading.Event(), threading.Event()

    def hold(who: Participant, opened: RoundOpened) -> None:
        if opened.round == 2 and who.name == "b":
            holding.set()
            assert go_on.wait(60)

    rig.spec(rounds={"count": ROUNDS})
    rig.aggregator.start()
    rig.join(scripts=counted.of(rig, before_upload=hold))
    assert holding.wait(60)
    rig.aggregator.signal(signal.SIGKILL)
    go_on.set()
    assert_same_as_unkilled(rig, counted)
    assert rig.aggregator.wait() == [-signal.SIGKILL, exit_codes.OK]


def test_a_commit_written_while_nobody_aggregates_counts(new_rig: NewRig) -> None:
    rig, counted = new_rig("a", "b"), Counted()
    rig.spec(rounds={"count": ROUNDS})
    first = rig.aggregator.spawn("acknowledged round.opened#2")
    rig.join(scripts=counted.of(rig))
    assert first.wait() == -signal.SIGKILL
    eventually(lambda: all(1 in participant.answered for participant in rig.scripted), "the commits of round 1")
    rig.aggregator.start()
    assert_same_as_unkilled(rig, counted)


def test_a_second_aggregator_fences_the_first(new_rig: NewRig) -> None:
    rig, counted = new_rig("a", "b"), Counted()
    rig.spec(rounds={"count": ROUNDS})
    first = rig.aggregator.spawn()
    rig.join(scripts=counted.of(rig), names=["a"])
    rig.journal.wait(lambda journal: "a" in journal.state.present, "a's joining")
    rig.aggregator.start()
    assert first.wait(60) == exit_codes.FENCED
    rig.join(scripts=counted.of(rig), names=["b"])
    assert_same_as_unkilled(rig, counted)
    assert rig.aggregator.wait() == [exit_codes.OK]


def test_two_aggregators_started_at_once_leave_one(new_rig: NewRig) -> None:
    rig, counted = new_rig("a", "b"), Counted()
    rig.spec(rounds={"count": ROUNDS})
    both = [rig.aggregator.spawn(), rig.aggregator.spawn()]
    eventually(lambda: any(process.poll() is not None for process in both), "the fencing of one")
    rig.join(scripts=counted.of(rig))
    assert_same_as_unkilled(rig, counted)
    assert sorted(process.wait(60) for process in both) == [exit_codes.OK, exit_codes.FENCED]


def test_a_paused_aggregator_that_wakes_late_is_fenced(new_rig: NewRig) -> None:
    rig, counted = new_rig("a", "b"), Counted()
    holding, go_on = threading.Event(), threading.Event()

    def hold(who: Participant, opened: RoundOpened) -> None:
        if opened.round == 1 and who.name == "b":
            holding.set()
            assert go_on.wait(60)

    rig.spec(rounds={"count": ROUNDS})
    paused = rig.aggregator.spawn()
    rig.join(scripts=counted.of(rig, before_upload=hold))
    assert holding.wait(60)
    paused.send_signal(signal.SIGSTOP)
    rig.aggregator.start()
    go_on.set()
    rig.journal.seen(RoundClosed, 2)
    paused.send_signal(signal.SIGCONT)
    assert paused.wait(60) == exit_codes.FENCED
    assert_same_as_unkilled(rig, counted)
