"""A run recomputed from its log: what somebody does who takes nobody's word for the global models.

Of every round that the journal closed, the updates that it names are read again from their participants' own logs, held
against the rules that they had to meet, and added with the aggregator's own arithmetic; the digest of what comes out
must be the one that the journal has. The sum is exact, so there is no tolerance: it is the same model or another.

What the log cannot tell is not checked: whether a rejected update deserved it, who was present, how models were
evaluated, and whether a participant's numbers come from its data.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from fedka.aggregator.claims import Claims, ClosedRound
from fedka.aggregator.evidence import Contradiction, Evidence, NotRetained, Upload
from fedka.aggregator.publisher import next_chunk
from fedka.aggregator.rules import (
    Answered,
    check_decision,
    check_digest,
    check_metrics,
    check_opening,
    check_pointer,
    check_update,
)
from fedka.aggregator.specs import read_spec
from fedka.kafka.log_record import LogRecord
from fedka.strategies.choose import StrategyUnknown
from fedka.wire.chunks import chunk_digest, root_digest
from fedka.wire.codec import MalformedRecord, control_decoder
from fedka.wire.exact import NORM_UNITS, ExactSum, OutOfRange, as_coordinates, check_range, norm_units
from fedka.wire.layout import Layout
from fedka.wire.records import Commit, Hello, Spec

DECODER = control_decoder()


class Outcome(StrEnum):
    """What a replayed round came to."""

    MATCHES = "Matches"
    DIFFERS = "Differs"
    NOT_CHECKABLE = "NotCheckable"


class Interrupted(Exception):
    """Nobody waits for the rest."""


@dataclass(frozen=True, slots=True)
class ReplayedRound:
    """`digest` is the journal's; `recomputed` is None where it did not come to that; `reason` is for people."""

    round: int
    attempt: int
    updates: int
    outcome: Outcome
    digest: str
    recomputed: str | None = None
    reason: str = ""


def replay_rounds(
    evidence: Evidence, claims: Claims, run: str, goes_on: Callable[[], bool] = lambda: True
) -> Iterator[ReplayedRound]:
    """Each closed round in order, as soon as it is done. Raises a KafkaError, LogCut, and Interrupted once `goes_on`
    says no.
    """
    specs = [spec for record in evidence.spec() if (spec := read_spec(record)) is not None]
    recomputation = _Recomputation(evidence, run, specs, goes_on)
    for claim in claims.rounds:
        newest = claim is claims.rounds[-1]
        yield recomputation.judged(claim, newest=newest)


class _Recomputation:
    """One accumulator and what participants announced, for all rounds."""

    def __init__(self, evidence: Evidence, run: str, specs: Sequence[Spec], goes_on: Callable[[], bool]) -> None:
        self._evidence = evidence
        self._run = run
        self._specs = specs
        self._goes_on = goes_on
        self._sum: ExactSum | None = None
        self._hellos: dict[tuple[str, int], Hello] = {}

    def judged(self, claim: ClosedRound, *, newest: bool) -> ReplayedRound:
        """The verdict; the chunks of the newest model are looked at too, as no later round does."""
        recomputed = None
        try:
            recomputed = self._recomputed(claim)
            check_digest(claim, recomputed)
            if newest:
                self._look_at_model(claim)
        except (NotRetained, StrategyUnknown) as error:
            return _outcome(claim, Outcome.NOT_CHECKABLE, recomputed, str(error))
        except Contradiction as error:
            return _outcome(claim, Outcome.DIFFERS, recomputed, str(error))
        return _outcome(claim, Outcome.MATCHES, recomputed, "")

    def _recomputed(self, claim: ClosedRound) -> str:
        check_decision(claim)
        opened = claim.attempt.opened
        hellos = self._announced({asked.participant: asked.hello for asked in opened.selected})
        check_opening(claim, self._specs, hellos, self._run)
        answers = self._answers(claim, hellos)
        check_metrics(claim, answers)
        return self._copied(claim, answers) if claim.base is None else self._summed(claim, answers)

    def _announced(self, places: Mapping[str, int]) -> dict[str, Hello]:
        unknown = {name: offset for name, offset in places.items() if (name, offset) not in self._hellos}
        for name, record in self._evidence.control(unknown).items():
            hello = _decoded(record, name)
            if not isinstance(hello, Hello):
                raise Contradiction(f"offset {record.offset} of the control log of {name} holds no hello")
            self._hellos[name, record.offset] = hello
        return {name: self._hellos[name, offset] for name, offset in places.items()}

    def _answers(self, claim: ClosedRound, hellos: Mapping[str, Hello]) -> dict[str, Answered]:
        records = self._evidence.control({taken.participant: taken.offset for taken in claim.attempt.decided})
        found = {}
        for name, record in records.items():
            commit = _decoded(record, name)
            if not isinstance(commit, Commit):
                raise Contradiction(f"offset {record.offset} of the control log of {name} holds no commit")
            answered = Answered(commit, hellos[name], record.time_ms)
            check_update(claim, name, answered, self._run)
            found[name] = answered
        return found

    def _copied(self, claim: ClosedRound, answers: Mapping[str, Answered]) -> str:
        """The first model is what one participant gave."""
        ((name, answered),) = answers.items()
        digests: dict[int, bytes] = {}
        for _, index, data in self._chunks([Upload(name, answered.commit.update)], claim.layout):
            if not bool(np.isfinite(as_coordinates(data)).all()):
                raise Contradiction(f"the first model, given by {name}, holds a value that is not finite")
            digests[index] = chunk_digest(data)
        return _root(digests)

    def _summed(self, claim: ClosedRound, answers: Mapping[str, Answered]) -> str:
        opened, layout = claim.attempt.opened, claim.layout
        total = self._folded(claim, answers)
        weights = sum(answered.weight(opened).numerator for answered in answers.values())
        digests: dict[int, bytes] = {}
        base = Upload(None, claim.base.pointer) if claim.base is not None else None
        for _, index, data in self._chunks([base] if base is not None else [], layout):
            chunk = next_chunk(
                total, index, data, strategy=opened.strategy.type, weights=weights, scale=opened.weight_scale
            )
            digests[index] = chunk_digest(chunk.data)
        return _root(digests)

    def _folded(self, claim: ClosedRound, answers: Mapping[str, Answered]) -> ExactSum:
        opened, layout = claim.attempt.opened, claim.layout
        total = self._accumulator(layout)
        limit = None if opened.max_norm is None else float(opened.max_norm)
        norms = dict.fromkeys(answers, 0)
        uploads = [Upload(name, answered.commit.update) for name, answered in answers.items()]
        for upload, index, data in self._chunks(uploads, layout):
            name, x = str(upload.participant), as_coordinates(data)
            try:
                check_range(x)
            except OutOfRange as error:
                raise Contradiction(f"the update of {name}: {error}") from None
            norms[name] += norm_units(x, limit) if limit is not None else 0
            total.add(index, x, answers[name].weight(opened))
        beyond = sorted(name for name, units in norms.items() if units > NORM_UNITS)
        if beyond:
            raise Contradiction(f"the L2 norm of the update of {beyond[0]} exceeds update.maxNorm {opened.max_norm}")
        return total

    def _accumulator(self, layout: Layout) -> ExactSum:
        if self._sum is None or self._sum.layout != layout:
            self._sum = ExactSum(layout)
        else:
            self._sum.clear()
        return self._sum

    def _look_at_model(self, claim: ClosedRound) -> None:
        """That it has gone matters to whoever wants to fetch it, and not to whether it was right."""
        try:
            for _ in self._chunks([Upload(None, claim.closed.model.pointer)], claim.layout):
                pass
        except NotRetained:
            return
        except Contradiction as error:
            raise Contradiction(f"the model was recomputed, but what was published is another: {error}") from None

    def _chunks(self, uploads: Sequence[Upload], layout: Layout) -> Iterator[tuple[Upload, int, bytes]]:
        for upload in uploads:
            check_pointer(upload.pointer, layout)
        for found in self._evidence.chunks(uploads, layout):
            if not self._goes_on():
                raise Interrupted
            yield found


def _decoded(record: LogRecord, participant: str) -> object:
    try:
        return DECODER.decode(record.value)
    except MalformedRecord as error:
        raise Contradiction(f"offset {record.offset} of the control log of {participant}: {error}") from None


def _root(digests: Mapping[int, bytes]) -> str:
    return root_digest(digests[index] for index in range(len(digests)))


def _outcome(claim: ClosedRound, outcome: Outcome, recomputed: str | None, reason: str) -> ReplayedRound:
    return ReplayedRound(
        round=claim.closed.round,
        attempt=claim.closed.attempt,
        updates=len(claim.attempt.decided),
        outcome=outcome,
        digest=claim.closed.model.pointer.digest,
        recomputed=recomputed,
        reason=reason,
    )
