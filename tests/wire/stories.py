"""Journals as an aggregator may write them, and what they come to, counted apart from the reducer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hypothesis import strategies as st

from fedka.wire import records as r
from fedka.wire.chunks import Pointer
from fedka.wire.layout import Layout, Tensor
from fedka.wire.run_state import At, RunState, advance

NAMES = ("ada", "bea", "cyd", "dan")
LAYOUT = Layout(tensors=(Tensor(name="w", dtype="float32", shape=(3,)),))


def model(round_number: int) -> r.ModelRef:
    upload = round_number.to_bytes(16, "big")
    return r.ModelRef(round=round_number, pointer=Pointer.of(upload=upload, offsets=[round_number], digest="d" * 64))


def opened(round_number: int, attempt: int = 1, *, count: int = 3, names: tuple[str, ...] = NAMES) -> r.RoundOpened:
    return r.RoundOpened(
        round=round_number,
        attempt=attempt,
        generation=1,
        revision=0,
        strategy=r.Strategy(),
        target=len(names),
        quorum=1,
        selected=tuple(r.Selected(participant=name, since=10, hello=2) for name in names),
        weight_scale=1024,
        base=model(round_number - 1) if round_number else None,
        nonce="0" * 32,
        deadline_seconds=60,
        count=count,
    )


def accepted(round_number: int, name: str, offset: int = 20, attempt: int = 1) -> r.UpdateAccepted:
    return r.UpdateAccepted(round=round_number, attempt=attempt, participant=name, offset=offset)


def rejected(
    round_number: int, name: str, offset: int = 20, attempt: int = 1, *, final: bool = False
) -> r.UpdateRejected:
    return r.UpdateRejected(round=round_number, attempt=attempt, participant=name, offset=offset, final=final)


def dropped(round_number: int, name: str, offset: int = 20, attempt: int = 1) -> r.UpdateDropped:
    return r.UpdateDropped(round=round_number, attempt=attempt, participant=name, offset=offset)


def closing(round_number: int, *names: str, offset: int = 20, attempt: int = 1) -> r.RoundClosing:
    taken = tuple(r.Taken(participant=name, offset=offset) for name in names)
    return r.RoundClosing(round=round_number, attempt=attempt, accepted=taken)


def closed(
    round_number: int, attempt: int = 1, *, evaluate: bool = False, loss: float = 0.5, taken: int = 1, refused: int = 0
) -> r.RoundClosed:
    return r.RoundClosed(
        round=round_number,
        attempt=attempt,
        model=model(round_number),
        metrics={"loss": loss},
        accepted=taken,
        rejected=refused,
        evaluate=evaluate,
    )


def missed(round_number: int, attempt: int = 1, *, skipped: bool) -> r.RoundMissed:
    reason = r.MissReason.DEADLINE
    return r.RoundMissed(round=round_number, attempt=attempt, accepted=0, rejected=0, reason=reason, skipped=skipped)


def tell(records: Sequence[r.JournalRecord], state: RunState | None = None, first: int = 0) -> RunState:
    """The state after records at offsets from `first` on, one a second."""
    state = state or RunState()
    for offset, record in enumerate(records, first):
        state = advance(state, record, At(offset, 1000 * offset))
    return state


Outcome = Literal["closed", "skipped", "retried"]


@dataclass
class Story:
    """Records in order, and what happened in them."""

    records: list[r.JournalRecord] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome]] = field(default_factory=list)
    count: int = 0


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """A run of a few rounds: every one is closed, skipped or tried again, with restarts and strays in between."""
    story = Story(count=draw(st.integers(1, 5)))
    story.records.append(r.AggregatorStarted(software="s"))
    story.records += [r.ParticipantJoined(participant=name, offset=2) for name in NAMES]
    story.records += [opened(0, names=NAMES[:1]), accepted(0, NAMES[0]), closing(0, NAMES[0]), closed(0)]
    number, attempt = 1, 1
    while number <= story.count:
        story.records += [*_between(draw), opened(number, attempt, count=story.count), *_answers(draw, number, attempt)]
        outcome = draw(st.sampled_from(["closed", "closed", "skipped", "retried"])) if attempt < 4 else "closed"
        story.outcomes.append((number, outcome))
        if outcome == "closed":
            names = draw(st.lists(st.sampled_from(NAMES), unique=True))
            story.records += [closing(number, *names, attempt=attempt), closed(number, attempt, taken=len(names))]
        else:
            story.records.append(missed(number, attempt, skipped=outcome == "skipped"))
        number, attempt = (number, attempt + 1) if outcome == "retried" else (number + 1, 1)
    story.records.append(r.RunCompleted(reason="RoundsDone"))
    return story


def _between(draw: st.DrawFn) -> list[r.JournalRecord]:
    name = draw(st.sampled_from(NAMES))
    return draw(
        st.sampled_from(
            [
                [],
                [r.AggregatorStarted(software="again")],
                [r.ParticipantLost(participant=name)],
                [r.ParticipantJoined(participant=name, offset=9)],
                [r.RunSuspended(), r.RunResumed()],
            ]
        )
    )


def _answers(draw: st.DrawFn, number: int, attempt: int) -> list[r.JournalRecord]:
    """Of this attempt and of others, which must not count."""
    name, offset = st.sampled_from(NAMES), st.integers(10, 40)
    whose = st.sampled_from([(number, attempt), (number, attempt + 1), (number - 1, attempt), (number + 7, 1)])
    answers = []
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from([accepted, rejected, dropped]))
        of_round, of_attempt = draw(whose)
        answers.append(kind(of_round, draw(name), draw(offset), of_attempt))
    return answers
