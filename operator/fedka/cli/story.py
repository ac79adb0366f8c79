"""A run told in lines: one for each thing that happened, each told once.

Rounds and participants come from the journal, as the status shows no more than ten rounds and that once a second;
phases and trouble with Kafka come from the status; what keeps a pod from starting comes from the pod.
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fedka.api.conditions import Condition, ConditionStatus, find_condition
from fedka.api.reasons import ENDS, ConditionType
from fedka.api.training import FederatedTraining
from fedka.cli.causes import cause_of
from fedka.exit_codes import FENCED
from fedka.plan.events import TROUBLES
from fedka.plan.snapshot import PodView, Role
from fedka.wire import records as r
from fedka.wire.run_state import RunState

_KILLED = 128  # and the signal's number: the code of what a signal ended


@dataclass(slots=True)
class Story:
    """Told through `say`; `alarm` gets what somebody should look at."""

    say: Callable[[str], None]
    alarm: Callable[[str], None]
    conditions: Sequence[ConditionType] = (ConditionType.KAFKA_READY, ConditionType.STALLED)  # whose troubles are told
    _phase: str | None = None
    _troubles: dict[ConditionType, str | None] = field(default_factory=dict)
    _pods: set[str] = field(default_factory=set)
    _left: dict[str, str] = field(default_factory=dict)  # who ended with code 0, and the UID of that pod
    _left_early: set[str] = field(default_factory=set)
    _held: tuple[int, str] | None = None  # a round's line that waits for its evaluation
    _resumed: bool = False
    _unevaluated: dict[str, list[str]] = field(default_factory=dict)  # who, and why, once for each model

    @property
    def unevaluated(self) -> Mapping[str, Sequence[str]]:
        """Whose app could not evaluate models, with the cause of each time."""
        return self._unevaluated

    def trained(self, training: FederatedTraining) -> None:
        """See `Observer`."""
        status = training.status
        if status is None:
            return
        if status.phase is not None and status.phase != self._phase:
            self._phase = status.phase
            if status.phase not in ENDS:
                self.say(f"phase {status.phase}")
        if status.phase in ENDS:  # the end is what the summary tells
            return
        for type_ in self.conditions:
            self._condition(type_, find_condition(status.conditions, type_))

    def _condition(self, type_: ConditionType, condition: Condition | None) -> None:
        """A trouble, once, and that it is over: what the operator makes an Event of."""
        before = self._troubles.get(type_)
        reason = condition.reason if condition is not None and condition.reason in TROUBLES[type_] else None
        if reason == before or condition is None:
            return
        self._troubles[type_] = reason
        if reason is not None:
            self.alarm(f"{reason}: {condition.message}")
        elif type_ is not ConditionType.KAFKA_READY:
            self.say(f"{before} is over")
        elif condition.status is ConditionStatus.TRUE:
            self.say("Kafka answers again")

    def pod(self, pod: PodView) -> None:
        """See `Observer`: a pod that failed is told of, once; so is who ends well, and has to be started again."""
        name = name_of(pod)
        left = self._left.get(name)
        if left is not None and left != pod.uid and name not in self._left_early:
            self._left_early.add(name)
            self.alarm(f"{name} ended with code 0 before the run had, and is started again: does its app end Python?")
        if pod.exit_code == 0:
            self._left[name] = pod.uid
        if pod.exit_code in (None, 0) or pod.uid in self._pods:
            return
        self._pods.add(pod.uid)
        cause = cause_of(pod.message)
        self.alarm(f"{name} {ending_of(pod)}{f': {cause.splitlines()[0]}' if cause else ''}")

    def audited(self, record: r.AuditRecord) -> None:
        """See `Listener`: what was refused, and why."""
        if isinstance(record, r.LateAudited):
            when = f"within the {record.deadline_seconds} s of round {record.round}"
            self.say(f"{record.participant}: no update came {when}")
            return
        if isinstance(record, r.UpdateAudited) and not record.accepted:
            what = f"its update of round {record.round} does not count"
        elif isinstance(record, r.ParticipantAudited) and record.reason is not None:
            if record.reason is r.RejectReason.APP_FAILED:  # of one that trains, the round's update tells it
                causes = self._unevaluated.setdefault(record.participant, [])
                causes.append(record.message)
                if record.message in causes[:-1]:  # it fails alike after every round
                    return
                what = "it could not evaluate the model"
            else:
                what = "it cannot take part as it is"
        else:
            return
        self.alarm(f"{record.participant}: {what}: {record.reason}{': ' if record.message else ''}{record.message}")

    def journaled(self, record: r.JournalRecord, before: RunState, after: RunState, *, past: bool) -> None:
        """See `Listener`. Of a run that goes on, only how far it had got is told."""
        if past:
            self._resumed = True
        elif isinstance(record, r.AggregatorStarted):
            if before.epoch > 0:
                done = f"going on after round {before.completed + before.missed} of {before.planned}"
                self.say(done if self._resumed else "the aggregator was started again")
            self._resumed = False
        elif isinstance(record, r.ParticipantJoined):
            again = record.participant in before.seen_until
            self.say(f"{record.participant} joined{' again' if again else ''}, {len(after.present)} present")
        elif isinstance(record, r.ParticipantLost | r.ParticipantRemoved):
            what = "lost" if isinstance(record, r.ParticipantLost) else "removed"
            self.say(f"{record.participant} {what}, {len(after.present)} present")
        else:
            self._round(record, before, after)

    def finish(self) -> None:
        """Tell what was held back."""
        if self._held is not None:
            self.say(self._held[1])
            self._held = None

    def _round(self, record: r.JournalRecord, before: RunState, after: RunState) -> None:
        if isinstance(record, r.RoundOpened) and record.round == 0:
            self.say(f"asking {', '.join(each.participant for each in record.selected)} for the first model")
        elif isinstance(record, r.RoundClosed):
            self.finish()
            line = round_line(record, before, after)
            self._held = (record.round, line)
            if not record.evaluate:
                self.finish()
        elif isinstance(record, r.EvaluationClosed):
            if self._held is not None and self._held[0] == record.round:
                self._held = (record.round, f"{self._held[1]}{_metrics(record.metrics)}")
                self.finish()
            elif record.metrics:
                self.say(f"round {record.round} evaluated {_metrics(record.metrics)}".replace("  ", " "))
        elif isinstance(record, r.RoundMissed):
            self.finish()
            again = "skipped" if record.skipped else f"attempt {record.attempt} missed"
            accepted = f"{record.accepted} updates" if record.accepted != 1 else "1 update"
            self.alarm(f"round {record.round} {again}: {record.reason}, {accepted} of {_quorum(before)} needed")
        elif isinstance(record, r.RunCompleted | r.RunFailed):
            self.finish()


def round_line(record: r.RoundClosed, before: RunState, after: RunState) -> str:
    """A closed round in a line; round 0 is the first model."""
    attempt = before.attempt
    seconds = after.history[-1].duration_ms / 1000 if record.round and after.history else None
    if seconds is None:
        return "first model received"
    selected = len(attempt.opened.selected) if attempt is not None else record.accepted
    count = attempt.opened.count if attempt is not None else after.planned
    rejected = f", {record.rejected} rejected" if record.rejected else ""
    line = f"round {record.round}/{count}  {seconds:.2f} s  {record.accepted} of {selected} updates{rejected}"
    return f"{line}{_metrics(record.metrics)}"


def name_of(pod: PodView) -> str:
    """Whose pod it is."""
    return "aggregator" if pod.role is Role.AGGREGATOR else pod.participant or pod.name


def ending_of(pod: PodView) -> str:
    """How it ended; a shell's 137 says little to who has killed nothing."""
    code = pod.exit_code or 0
    by = code - _KILLED
    if code == FENCED:
        return "was shut out, as another aggregator has taken the run over (code 42)"
    if by == signal.SIGKILL:
        return "was killed (SIGKILL; by the system, if memory ran out)"
    return f"ended with code {code}" if by not in set(signal.Signals) else f"was ended by {signal.Signals(by).name}"


def _metrics(metrics: Mapping[str, float]) -> str:
    return "".join(f"  {name} {metrics[name]:.4g}" for name in sorted(metrics))


def _quorum(state: RunState) -> int:
    return state.attempt.opened.quorum if state.attempt is not None else 0
