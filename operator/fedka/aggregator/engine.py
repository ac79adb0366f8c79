"""The round engine's loop: one queue of events, one thread that decides.

Nothing here sleeps: it waits on the queue until the next event or the next timer (deadline, presence, evaluation).
"""

import logging
import queue
from contextlib import suppress

from fedka import exit_codes
from fedka.aggregator import boundary, events
from fedka.aggregator.collecting import Collecting
from fedka.aggregator.control_logs import ControlLogs, Follow, Mark
from fedka.aggregator.evaluating import Evaluating
from fedka.aggregator.inbox import Inbox
from fedka.aggregator.journal import TopicMisconfigured
from fedka.aggregator.opening import asks_for_evaluation, opened_record
from fedka.aggregator.roster import ControlReader, Roster
from fedka.aggregator.specs import supersedes
from fedka.aggregator.wiring import Wiring
from fedka.kafka.errors import KafkaError, WriteFailed
from fedka.kafka.log_record import LogRecord
from fedka.wire.records import (
    Alive,
    Answer,
    Bye,
    Evaluated,
    Failed,
    FailReason,
    Hello,
    ModelRef,
    RoundClosed,
    RunCompleted,
    RunFailed,
    RunResumed,
    RunSuspended,
    Spec,
)
from fedka.wire.run_state import RoundPhase

LOGGER = logging.getLogger("fedka.aggregator")


class Engine:
    """Decides. `follow` is called with (participant, offset) pairs whose control partitions are to be followed."""

    def __init__(
        self,
        *,
        wiring: Wiring,
        inbox: Inbox,
        follow: Follow,
    ) -> None:
        self._wiring = wiring
        self._inbox = inbox
        self._logs = ControlLogs(wiring, follow)
        self._roster = Roster(wiring)
        self._reader = ControlReader(wiring)
        self._evaluating = Evaluating(wiring, self._roster)
        self._collecting: Collecting | None = None
        self._spec: Spec | None = None
        self._unread: Mark | None = None  # to be read before anything is decided: who said goodbye may be back
        self._in_time: Mark | None = None  # to be read after a deadline, before its round is judged
        self._why = ""
        self._exit: int | None = None
        self._recovered: dict[tuple[str, int], Hello] = {}

    def recover(self) -> None:
        """Take up what the journal left open."""
        state = self._wiring.state
        opened = state.attempt.opened if state.attempt else None
        asked = opened.selected if opened else ()
        self._recovered = self._roster.recover((s.participant, s.hello) for s in asked)
        if opened is not None:
            LOGGER.info("going on with round %d, attempt %d", opened.round, opened.attempt)

    def run(self) -> int:
        """Work until the run or this process ends; the exit code."""
        while self._exit is None:
            timer = self._next_timer()
            with suppress(queue.Empty):  # then the timer is due
                self.handle(self._inbox.get(timeout=self._seconds_to(timer)))
            if timer is not None and self._wiring.monotonic() >= timer:
                self._on_timer()
            self._advance()
        return self._exit

    def handle(self, event: events.Event) -> None:  # noqa: C901, PLR0912 one case an event
        """Take one event in."""
        match event:
            case events.ControlSeen():
                self._on_control(event.participant, event.record)
            case events.ControlRead():
                self._logs.read(event.participant, event.offset)
            case events.ControlUnreadable():
                self._on_unreadable(event.participant, event.offset)
            case events.JournalAnswered():
                self._on_answer(event)
            case events.JournalSeen():
                self._wiring.journal.check(event.record)
            case events.Folded():
                if self._collecting is not None:
                    self._collecting.folded(event)
            case events.Published():
                self._on_published(event)
            case events.SpecSeen():
                self._on_spec(event.spec)
            case events.Tainted():
                if self._collecting is not None:
                    self._collecting.refold()
            case events.PublishFailed():
                self._on_publish_failed(event)
            case events.TroubleSeen():
                self._on_trouble(event)
            case events.DataPlaneEnded() | events.KeptOut():
                raise event.error
            case events.Interrupted():
                LOGGER.info("asked to end: the run goes on when an aggregator is started again")
                self._exit = exit_codes.INTERRUPTED

    # --- events ----------------------------------------------------------------------------------------------

    def _on_answer(self, event: events.JournalAnswered) -> None:
        if isinstance(event.outcome, WriteFailed):
            raise event.outcome
        self._wiring.clock.observe(event.outcome.time_ms, event.at)
        self._wiring.journal.answered(event.record, event.outcome)
        self._wiring.at(f"acknowledged {event.record.type}")

    def _on_trouble(self, event: events.TroubleSeen) -> None:
        if event.trouble.fatal:
            raise KafkaError(event.trouble.message)
        LOGGER.warning("Kafka: %s", event.trouble.message)
        self._roster.trouble()

    def _on_spec(self, spec: Spec) -> None:
        if not supersedes(spec, self._spec):
            return
        begins, self._spec = self._spec is None, spec
        mark = self._logs.follow(spec)
        self._unread = mark if begins else self._unread  # who is added later holds nobody up
        self._roster.set_members(spec.participants)
        if self._collecting is None:
            self._take_up_attempt()
        if spec.stop is not None and not self._wiring.state.ended:
            self._wiring.append(RunFailed(reason=spec.stop.reason, message=spec.stop.message))
        self._wiring.at(f"obeying generation {spec.generation}")

    def _take_up_attempt(self) -> None:
        attempt = self._wiring.state.attempt
        if attempt is not None and self._spec is not None:
            self._start_collecting(self._recovered)
            if self._collecting is not None:
                self._collecting.drop_the_unknown()

    def _start_collecting(self, hellos: dict[tuple[str, int], Hello]) -> None:
        attempt = self._wiring.state.attempt
        if attempt is None:
            raise AssertionError("no attempt to collect for")
        self._in_time = None
        self._collecting = Collecting(self._wiring, attempt, hellos)

    def _on_control(self, participant: str, record: LogRecord) -> None:
        if not record.by_broker:
            raise TopicMisconfigured(record.topic)
        self._logs.read(participant, record.offset + 1)
        self._roster.heard(participant)
        decoded = self._reader.decode(participant, record)
        match decoded:
            case Hello():
                self._roster.hello(participant, record, decoded)
            case Alive():
                self._roster.join(participant)
            case Bye():
                self._roster.leave(participant, "it said goodbye")
            case Evaluated():
                self._evaluating.answer(participant, decoded)
            case Answer():
                if isinstance(decoded, Failed):
                    self._evaluating.failed(participant, decoded)
                if self._collecting is not None:
                    self._collecting.answer(participant, record, decoded)
            case _:
                pass

    def _on_unreadable(self, participant: str, offset: int) -> None:
        self._logs.give_up(participant)
        self._roster.give_up(participant, offset)
        if self._collecting is not None:
            self._collecting.give_up(participant)

    def _on_published(self, event: events.Published) -> None:
        state, collecting = self._wiring.state, self._collecting
        if (
            state.attempt is None
            or state.attempt.opened.nonce != event.nonce
            or collecting is None
            or self._spec is None
        ):
            return
        self._wiring.at("published, not closed")
        opened = state.attempt.opened
        evaluate = asks_for_evaluation(opened, self._spec, self._roster.present())
        if state.evaluation is not None and evaluate:
            self._evaluating.close()
        metrics = collecting.weighted_metrics() if opened.round > 0 else {}
        duration = (self._wiring.clock.now_ms(self._wiring.monotonic()) - state.attempt.at.time_ms) / 1000.0
        self._wiring.append(
            RoundClosed(
                round=opened.round,
                attempt=opened.attempt,
                model=ModelRef(round=opened.round, pointer=event.pointer),
                metrics=metrics,
                accepted=len(state.attempt.decided),
                rejected=state.attempt.rejections,
                evaluate=evaluate,
            )
        )
        self._collecting = None
        text = "".join(f", {name}={value:.4g}" for name, value in metrics.items())
        LOGGER.info(
            "round %d closed in %.3f s: %d accepted%s", opened.round, duration, len(state.attempt.decided), text
        )

    def _on_publish_failed(self, event: events.PublishFailed) -> None:
        attempt, collecting = self._wiring.state.attempt, self._collecting
        if attempt is None or attempt.opened.nonce != event.nonce or collecting is None:
            return
        if attempt.opened.round == 0:
            collecting.first_model_lost(event.message)
        else:
            fault = f"the base model can no longer be read: {event.message}"
            self._wiring.append(RunFailed(reason=FailReason.MODEL_LOST, message=fault[:2000]))

    # --- what follows from events and time -----------------------------------------------------------------------

    def _advance(self) -> None:
        """Bring the run as far as it can go now."""
        if self._unread is not None and self._unread.is_reached():
            self._unread = None
            if self._collecting is not None:
                self._collecting.drop_the_gone()
        while self._exit is None and self._spec is not None and not self._wiring.state.ended and self._unread is None:
            self._evaluating.check()
            if self._wiring.state.attempt is not None:
                if not self._advance_attempt():
                    return
            elif not self._step():
                return
        if self._wiring.state.ended and self._wiring.journal.unanswered == 0 and self._exit is None:
            self._exit = exit_codes.OK

    def _advance_attempt(self) -> bool:
        """True where the attempt came to its end and the next step is due."""
        collecting = self._collecting
        if collecting is None:
            return False
        if self._in_time is not None and self._in_time.is_reached():
            collecting.drained = True
        if collecting.check(self._wiring.state.present):
            return False
        self._collecting = None
        return True

    def _step(self) -> bool:
        """Do what comes next without an open attempt; False where there is nothing but to wait."""
        if self._spec is None:
            return False
        hellos = {name: hello for name, (_, hello) in self._roster.present().items()}
        step = boundary.next_step(self._wiring.state, self._spec, hellos, self._wiring.run, self._asked())
        match step:
            case boundary.Wait():
                if step.why != self._why:
                    LOGGER.info("waiting: %s", step.why)
                self._why = step.why
                return False
            case boundary.Open():
                self._why = ""
                self._open(step, self._spec)
                return False
            case boundary.Suspend():
                LOGGER.info("suspended")
                self._wiring.append(RunSuspended())
            case boundary.Resume():
                LOGGER.info("resumed")
                self._wiring.append(RunResumed())
            case boundary.Complete():
                LOGGER.info("complete: %s", step.message)
                self._wiring.append(RunCompleted(reason=step.reason, message=step.message))
            case boundary.Fail():
                LOGGER.error("failed: %s", step.message)
                self._wiring.append(RunFailed(reason=step.reason, message=step.message))
        return True

    def _asked(self) -> frozenset[str]:
        return frozenset(self._wiring.state.asked_for_model)

    def _open(self, step: boundary.Open, spec: Spec) -> None:
        present = self._roster.present()
        chosen = {name: present[name] for name in step.selected}
        opened = opened_record(
            step,
            spec,
            asked=chosen,
            since=self._logs.next_offset,
            base=self._wiring.state.model,
            nonce=self._wiring.nonce(),
        )
        self._wiring.append(opened)
        LOGGER.info("round %d opened: %d asked, %d needed", step.round, len(chosen), step.size.quorum)
        self._start_collecting({(name, offset): hello for name, (offset, hello) in chosen.items()})

    # --- timers ---------------------------------------------------------------------------------------------------

    def _deadline(self) -> float | None:
        attempt = self._wiring.state.attempt
        if attempt is None or self._collecting is None or attempt.phase is not RoundPhase.COLLECTING:
            return None
        return self._wiring.clock.at(attempt.deadline_ms) if self._in_time is None else None

    def _next_timer(self) -> float | None:
        marks = [mark.next_try for mark in (self._unread, self._in_time) if mark is not None]
        times = [self._deadline(), self._roster.next_check(), self._evaluating.next_check(), *marks]
        known = [time for time in times if time is not None]
        return min(known) if known else None

    def _seconds_to(self, timer: float | None) -> float | None:
        return None if timer is None else max(0.0, timer - self._wiring.monotonic())

    def _on_timer(self) -> None:
        self._roster.check()
        now = self._wiring.monotonic()
        for mark in (self._unread, self._in_time):
            if mark is not None and mark.next_try is not None and now >= mark.next_try:
                mark.ask()
        deadline = self._deadline()
        if deadline is not None and now >= deadline and self._collecting is not None:
            self._in_time = Mark(self._logs, self._collecting.unsettled())
