"""The open attempt: which commits arrived, what is being folded, when it closes.

What decides is in the journal (`state.attempt`); here is only what can be read again: the commits themselves and what
the data plane has of them.
"""

import logging
from collections.abc import Iterable, Mapping

from fedka.aggregator.commits import MOST_LOOKED_AT, Refusal, answers, refuse
from fedka.aggregator.evaluation import means
from fedka.aggregator.events import Folded, Key
from fedka.aggregator.tasks import Begin, Copy, Fold, Publish
from fedka.aggregator.verdicts import Verdicts
from fedka.aggregator.weights import weight_of
from fedka.aggregator.wiring import Wiring
from fedka.kafka.log_record import LogRecord
from fedka.wire.exact import Weight
from fedka.wire.records import (
    Answer,
    Commit,
    Failed,
    Hello,
    LayoutDefined,
    MissReason,
    RejectReason,
    RoundClosing,
    Taken,
)
from fedka.wire.run_state import Attempt, RoundPhase

LOGGER = logging.getLogger("fedka.aggregator")


class Collecting:
    """One attempt, from its opening to the publication of its model."""

    def __init__(
        self,
        wiring: Wiring,
        attempt: Attempt,
        hellos: Mapping[tuple[str, int], Hello],
    ) -> None:
        self._wiring = wiring
        self.opened = attempt.opened
        self._verdicts = Verdicts(wiring, attempt.opened)
        asked = self.opened.selected
        self._hellos = {
            s.participant: hellos[s.participant, s.hello] for s in asked if (s.participant, s.hello) in hellos
        }
        self._since = {s.participant: s.since for s in self.opened.selected}
        self._commits: dict[Key, Commit] = {}
        self._waiting: list[Key] = []  # in order of arrival
        self._folding: set[Key] = set()
        self._folded: set[Key] = set()
        self._publishing = False
        self._resume = attempt.phase is RoundPhase.CLOSING
        self.drained = False
        if wiring.state.layout is not None:
            wiring.data.submit(Begin(wiring.state.layout))

    @property
    def _attempt(self) -> Attempt:
        attempt = self._wiring.state.attempt
        if attempt is None:
            raise AssertionError("no attempt is open")
        return attempt

    def answer(self, participant: str, record: LogRecord, answer: Answer) -> None:
        """A commit or a failure of a participant arrived."""
        if self._is_over():
            return
        if not answers(answer, self.opened, self._wiring.run) or record.offset < self._since.get(participant, 2**63):
            return
        if participant not in self._hellos:  # what it announced is gone, so its weight is unknown
            return
        attempt = self._attempt
        key = (participant, record.offset)
        if Taken(participant=participant, offset=record.offset) in attempt.decided or (
            attempt.accepted.get(participant) == record.offset
        ):
            self._fold_again(key, answer)
            return
        if attempt.phase is RoundPhase.CLOSING or self._is_settled(key) or key in self._commits:
            return
        if record.time_ms > attempt.deadline_ms:
            LOGGER.info("round %d: the answer of %s came after the deadline", self.opened.round, participant)
        elif isinstance(answer, Failed):
            self._verdicts.reject(
                self._attempt, key, Refusal(RejectReason.APP_FAILED, answer.message, final=True), None
            )
        elif isinstance(answer, Commit) and self._unsettled(participant) < MOST_LOOKED_AT:
            self._commits[key] = answer
            self._waiting.append(key)
            self._fold_waiting()

    def folded(self, event: Folded) -> None:
        """The data plane is done with an update."""
        if self._is_over() or event.key not in self._folding:
            return
        self._folding.discard(event.key)
        participant, offset = event.key
        commit = self._commits[event.key]
        if event.reason is None:
            self._folded.add(event.key)
        attempt = self._attempt
        if attempt.accepted.get(participant) == offset:
            if event.reason is not None:
                self._drop(event.key, event.message)
        elif attempt.phase is RoundPhase.CLOSING or self._is_settled(event.key):
            pass  # its participant has said meanwhile that it failed: what was added is taken back before publishing
        elif event.reason is not None:
            self._verdicts.reject(self._attempt, event.key, Refusal(event.reason, event.message), commit)
        else:
            self._verdicts.accept(event.key, commit)
        if not self._is_over():
            self._fold_waiting()

    def drop_the_unknown(self) -> None:
        """After a restart: updates whose weight is unknown, because the hello that announced it is gone."""
        for name, offset in sorted(self._attempt.accepted.items()):
            if name not in self._hellos and not self._is_over():
                self._drop((name, offset), "its hello is no longer in its log")

    def give_up(self, participant: str) -> None:
        """Nothing more of its log can be read: after a restart, not even the commit that was accepted before."""
        if self._is_over():
            return
        offset = self._attempt.accepted.get(participant)
        if offset is not None and (participant, offset) not in self._commits:
            self._drop((participant, offset), "its log can no longer be read")

    def drop_the_gone(self) -> None:
        """After a restart, with all control logs read: updates that were accepted, and whose commits were not there."""
        for name, offset in sorted(self._attempt.accepted.items()):
            if (name, offset) not in self._commits and not self._is_over():
                self._drop((name, offset), "its commit is no longer in its log")

    def first_model_lost(self, message: str) -> None:
        """The chunks of the first model went while they were copied: another participant is to be asked."""
        for taken in self._attempt.decided:
            self._drop((taken.participant, taken.offset), message)

    def refold(self) -> None:
        """The accumulator is tainted: begin again with everything that was accepted or is being looked at."""
        if self._is_over():
            return
        self._publishing = False
        if (layout := self._wiring.state.layout) is not None:
            self._wiring.data.submit(Begin(layout))
        attempt = self._attempt
        known = self._commits.keys()
        keep = {(t.participant, t.offset) for t in attempt.decided} or {*attempt.accepted.items()} | self._folding
        self._folded.clear()
        self._folding.clear()
        for key in sorted(keep & known):
            self._submit(key)

    def check(self, present: Mapping[str, object]) -> bool:
        """Close or miss the attempt if it is time; False once the attempt is over without a model."""
        attempt = self._attempt
        if attempt.phase is RoundPhase.CLOSING:
            self._publish_when_folded()
            return True
        accepted = len(attempt.accepted)
        looking = {key[0] for key in self._folding} | {key[0] for key in self._waiting}
        settled = {*attempt.accepted, *attempt.refused, *attempt.dropped}
        open_names = [name for name in self._hellos if name not in settled]
        possible = sum(1 for name in open_names if name in looking or (name in present and not self.drained))
        quorum_met = accepted >= self.opened.quorum
        if accepted >= self.opened.target or (quorum_met and possible == 0):
            self._tell_the_late(open_names)
            self._close()
        elif accepted + possible < self.opened.quorum:
            self._tell_the_late(open_names)
            reason = MissReason.DEADLINE if self.drained else MissReason.QUORUM_IMPOSSIBLE
            return self._miss(reason)
        return True

    def weighted_metrics(self) -> dict[str, float]:
        """Means of the training metrics over the decided updates."""
        decided = [(taken.participant, taken.offset) for taken in self._attempt.decided]
        return means({key[0]: (self._weight(key).numerator, self._commits[key].metrics) for key in decided})

    def _tell_the_late(self, unanswered: Iterable[str]) -> None:
        if self.drained:
            for name in unanswered:
                self._verdicts.late(name, self.opened.deadline_seconds)

    def _unsettled(self, participant: str) -> int:
        """Commits of a participant that are held: more than can be looked at are not."""
        return sum(1 for name, _ in [*self._waiting, *self._folding] if name == participant)

    def _is_over(self) -> bool:
        """Whether the attempt was closed, missed or cut off by the run's end: answers to it may still arrive."""
        attempt = self._wiring.state.attempt
        return attempt is None or attempt.opened.nonce != self.opened.nonce

    def unsettled(self) -> list[str]:
        """Those asked whose answer can still make a difference: what the others say need not be read in time."""
        names = [selected.participant for selected in self.opened.selected]
        return [name for name in names if not self._has_settled(name)]

    def _has_settled(self, participant: str) -> bool:
        attempt = self._attempt
        return participant in attempt.accepted or participant in attempt.refused or participant in attempt.dropped

    def _is_settled(self, key: Key) -> bool:
        participant, offset = key
        return self._has_settled(participant) or offset in self._attempt.rejected.get(participant, ())

    def _fold_again(self, key: Key, answer: Answer) -> None:
        """After a restart: what the journal calls accepted is final and is only added again."""
        if key not in self._commits and isinstance(answer, Commit):
            self._commits[key] = answer
            self._submit(key)

    def _fold_waiting(self) -> None:
        """Look at waiting commits, as many as the target still has room for: others are not read."""
        attempt = self._attempt
        if attempt.phase is RoundPhase.CLOSING:
            self._waiting.clear()
            return
        self._waiting = [key for key in self._waiting if not self._is_settled(key)]
        for key in list(self._waiting):
            fresh = sum(1 for name, offset in self._folding if self._attempt.accepted.get(name) != offset)
            room = self.opened.target - len(self._attempt.accepted) - fresh
            if room <= 0:
                return
            if self._is_settled(key) or any(key[0] == name for name, _ in self._folding):
                continue
            self._waiting.remove(key)
            commit = self._commits[key]
            layout, announced = self._wiring.state.layout, self._hellos[key[0]].layout
            refusal = refuse(commit, self.opened, layout, announced, self.opened.max_model_bytes)
            if refusal is not None:
                self._verdicts.reject(self._attempt, key, refusal, commit)
                continue
            self._define_layout(key, commit)
            self._submit(key)

    def _define_layout(self, key: Key, commit: Commit) -> None:
        layout = commit.definition
        if self.opened.round == 0 and layout is not None and self._wiring.state.layout is None:
            self._wiring.append(LayoutDefined(layout=layout, digest=commit.layout, participant=key[0]))
            self._wiring.data.submit(Begin(layout))

    def _submit(self, key: Key) -> None:
        layout = self._wiring.state.layout
        if layout is None:
            raise AssertionError("an update cannot be folded before a layout is defined")
        first = self.opened.round == 0
        self._folding.add(key)
        self._wiring.data.submit(
            Fold(
                key=key,
                topic=self._wiring.topics.update(key[0]),
                pointer=self._commits[key].update,
                layout=layout,
                weight=None if first else self._weight(key),
                max_norm=float(self.opened.max_norm) if self.opened.max_norm and not first else None,
            )
        )

    def _weight(self, key: Key) -> Weight:
        return weight_of(self._commits[key], self._hellos[key[0]], self.opened)

    def _drop(self, key: Key, message: str) -> None:
        """A decided update can no longer be read: decide anew without it."""
        self._verdicts.drop(key, message)
        if self._attempt.phase is RoundPhase.CLOSING:
            if len(self._attempt.accepted) >= self.opened.quorum:
                self._close()
            else:
                self._miss(MissReason.UPDATES_LOST)

    def _close(self) -> None:
        accepted = self._attempt.accepted
        decided = tuple(Taken(participant=name, offset=accepted[name]) for name in sorted(accepted))
        self._wiring.append(RoundClosing(round=self.opened.round, attempt=self.opened.attempt, accepted=decided))
        self._publish_when_folded()

    def _publish_when_folded(self) -> None:
        keys = frozenset((taken.participant, taken.offset) for taken in self._attempt.decided)
        layout = self._wiring.state.layout
        if self._publishing or not keys <= self._folded or layout is None:
            return
        self._publishing = True
        if self.opened.base is None:
            key = next(iter(keys))
            topic = self._wiring.topics.update(key[0])
            copy = Copy(nonce=self.opened.nonce, topic=topic, pointer=self._commits[key].update, layout=layout)
            self._wiring.data.submit(copy)
            return
        self._wiring.data.submit(
            Publish(
                nonce=self.opened.nonce,
                keys=keys,
                layout=layout,
                base=self.opened.base.pointer,
                strategy=self.opened.strategy.type,
                weights=sum(self._weight(key).numerator for key in keys),
                scale=self.opened.weight_scale,
                resume=self._resume,
            )
        )

    def _miss(self, reason: MissReason) -> bool:
        self._verdicts.miss(self._attempt, reason)
        return False
