"""The rules that a closed round had to meet, held against the log by whoever replays it.

They are the aggregator's own (`fedka.aggregator.commits`, `fedka.wire.exact`), asked from the other side: there an
update that breaks one is rejected, here a round that took it contradicts its log.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fedka.aggregator.boundary import size_of
from fedka.aggregator.claims import ClosedRound
from fedka.aggregator.commits import answers as is_answer
from fedka.aggregator.commits import refuse
from fedka.aggregator.evaluation import means
from fedka.aggregator.evidence import Contradiction
from fedka.aggregator.opening import deadline_of
from fedka.aggregator.weights import scale_of, weight_of
from fedka.wire.chunks import Pointer
from fedka.wire.exact import Weight
from fedka.wire.layout import Layout
from fedka.wire.records import Commit, Hello, RoundOpened, Spec
from fedka.wire.selection import RoundSize, rank


@dataclass(frozen=True, slots=True)
class Answered:
    """An update that was taken: its commit, the hello that its round refers to, and when the broker had the commit."""

    commit: Commit
    hello: Hello
    time_ms: int

    def weight(self, opened: RoundOpened) -> Weight:
        """What it counts in this round."""
        return weight_of(self.commit, self.hello, opened)


def check_decision(claim: ClosedRound) -> None:
    """Those decided are those accepted, each once, all asked, and enough. Raises Contradiction, as all of these do."""
    attempt, opened = claim.attempt, claim.attempt.opened
    decided = {taken.participant: taken.offset for taken in attempt.decided}
    if len(decided) != len(attempt.decided) or decided != dict(attempt.accepted):
        raise Contradiction("the updates that it was made of are not those that were accepted")
    asked = [selected.participant for selected in opened.selected]
    if len(set(asked)) != len(asked) or not decided.keys() <= set(asked):
        raise Contradiction("somebody is in it who was not asked, or was asked twice")
    if len(decided) < max(1, opened.quorum) or claim.closed.accepted != len(decided):
        raise Contradiction(f"{len(decided)} updates were taken, {max(1, opened.quorum)} were needed")
    if claim.base is None and len(decided) != 1:
        raise Contradiction(f"the first model comes from one participant, not from {len(decided)}")


def check_opening(claim: ClosedRound, specs: Sequence[Spec], hellos: Mapping[str, Hello], run: str) -> None:
    """It builds on the model before it, by a spec that was published, on the scale that the announced examples give."""
    opened = claim.attempt.opened
    if opened.base != claim.base or (claim.base is None) != (opened.round == 0):
        raise Contradiction("it does not build on the model of the round before it")
    number = (opened.generation, opened.revision)
    in_force = [s for s in specs if (s.generation, s.revision) == number and _is_in_force(opened, s)]
    if not in_force:
        raise Contradiction(f"the spec topic has no generation {number[0]}.{number[1]} with its strategy and maxNorm")
    departures = [_departure(claim, spec, run) for spec in in_force]
    if all(departures):
        raise Contradiction(f"{departures[-1]} by generation {number[0]}.{number[1]} of the spec")
    scale = scale_of(opened.strategy, hellos.values())
    if opened.weight_scale != scale:
        raise Contradiction(f"its weight scale is {opened.weight_scale}, what was announced makes it {scale}")


def check_update(claim: ClosedRound, participant: str, answered: Answered, run: str) -> None:
    """The commit is of this run and attempt, came in time, and nothing in it would have been refused."""
    attempt, opened = claim.attempt, claim.attempt.opened
    commit = answered.commit
    since = next(selected.since for selected in opened.selected if selected.participant == participant)
    if not is_answer(commit, opened, run) or attempt.accepted[participant] < since:
        raise Contradiction(f"the commit of {participant} that it names is of another run or attempt")
    late_ms = answered.time_ms - attempt.deadline_ms
    if late_ms > 0:
        raise Contradiction(f"the commit of {participant} came {late_ms} ms after the deadline")
    refusal = refuse(commit, opened, claim.layout, answered.hello.layout, opened.max_model_bytes)
    if refusal is not None:
        raise Contradiction(f"the commit of {participant} had to be refused: {refusal.message}")


def check_pointer(pointer: Pointer, layout: Layout) -> None:
    """It names as many chunks as the layout has, each at a place of its own."""
    fault = pointer.fault(layout.chunk_count)
    if fault is not None:
        raise Contradiction(f"a pointer cannot be one to a model of the run's layout: {fault}")


def check_digest(claim: ClosedRound, recomputed: str) -> None:
    """What was recomputed is what was published."""
    if recomputed != claim.closed.model.pointer.digest:
        raise Contradiction("the updates that it names make another model")


def check_metrics(claim: ClosedRound, answers: Mapping[str, Answered]) -> None:
    """The means of the training metrics, which are exact too; which of too many are told is not judged."""
    opened, told = claim.attempt.opened, dict(claim.closed.metrics)
    given = {
        name: (each.weight(opened).numerator, {of: each.commit.metrics[of] for of in told if of in each.commit.metrics})
        for name, each in answers.items()
    }
    found = {} if claim.base is None else means(given)
    if told != found:
        raise Contradiction(f"the means of its training metrics are {found}, and not {told}")


def _is_in_force(opened: RoundOpened, spec: Spec) -> bool:
    return (opened.strategy, opened.max_norm) == (spec.strategy, spec.max_norm)


def _departure(claim: ClosedRound, spec: Spec, run: str) -> str:
    """How an opening departs from the spec that it names, or nothing."""
    opened = claim.attempt.opened
    seconds, size = deadline_of(spec, opened.round), RoundSize(opened.target, len(opened.selected), opened.quorum)
    if opened.deadline_seconds != seconds:
        return f"its deadline is {opened.deadline_seconds} s, and must be {seconds} s"
    if opened.max_model_bytes != spec.max_model_bytes:
        return f"it takes models of {opened.max_model_bytes} bytes, and must take up to {spec.max_model_bytes}"
    if opened.round == 0:
        fits = size == RoundSize(target=1, selected=size.selected, quorum=1)
        return "" if fits else f"{size.quorum} of {size.target} first models were wanted, and one is enough"
    sizes = [size_of(spec, number) for number in range(size.selected, len(claim.present) + 1)]
    if size not in sizes:
        asked = f"{size.selected} were asked for {size.target} updates, {size.quorum} at least"
        return f"{asked}, which no choice from the {len(claim.present)} present comes to"
    if size not in sizes[: 1 + _behind(claim, spec, run)]:
        return "others than those who were asked come first"
    return ""


def _behind(claim: ClosedRound, spec: Spec, run: str) -> int:
    """How many may have been there to choose from, and were not asked: their ranks come after those of who was.

    Whoever ranks before them had a model of another layout then, which the journal does not tell.
    """
    opened = claim.attempt.opened
    asked = {selected.participant for selected in opened.selected}
    place = partial(rank, run=run, seed=spec.rounds.seed, round_number=opened.round, attempt=opened.attempt)
    last = max(place(name) for name in asked)
    return sum(place(name) > last for name in claim.present - asked)
