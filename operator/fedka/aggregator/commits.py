"""What is checked of a commit before a byte of its chunks is read."""

from dataclasses import dataclass

from fedka.wire.chunks import lie_close
from fedka.wire.layout import Layout
from fedka.wire.records import Answer, Commit, RejectReason, RoundOpened

MOST_LOOKED_AT = 3  # commits of a participant per attempt: a flood of bad ones stays small in the journal


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a commit does not count; `final`: no other one of this attempt can either."""

    reason: RejectReason
    message: str
    final: bool = False


def answers(answer: Answer, opened: RoundOpened, run: str) -> bool:
    """Whether a commit or failure is meant for this attempt; others are late or foreign and are not rejections."""
    return (answer.run, answer.round, answer.attempt, answer.nonce) == (
        run,
        opened.round,
        opened.attempt,
        opened.nonce,
    )


def refuse(  # noqa: PLR0911 one return a fault
    commit: Commit, opened: RoundOpened, layout: Layout | None, announced: str, max_model_bytes: int
) -> Refusal | None:
    """The first thing wrong with a commit for `opened`, or None.

    Round 0 brings its own layout, which must be the one whose digest its giver announced in the hello (`announced`):
    a quorum shares that one.
    """
    base = opened.base.pointer.digest if opened.base else None
    if commit.base != base:
        return Refusal(RejectReason.WRONG_BASE, "it was trained from another model than the round's base model")
    if opened.round == 0:
        defined = commit.definition
        sound = defined is not None and defined.digest() == commit.layout == announced and defined.is_sane()
        if defined is None or not sound:
            return Refusal(
                RejectReason.WRONG_LAYOUT, "the first model needs a sound layout with its digest", final=True
            )
        if defined.total_bytes > max_model_bytes:
            fault = f"the model has {defined.total_bytes} bytes, update.maxModelBytes allows {max_model_bytes}"
            return Refusal(RejectReason.TOO_LARGE, fault, final=True)
        layout = layout or defined
    if layout is None or layout.digest() != commit.layout:
        fault = "its tensors, dtypes or shapes are not those of the run's model"
        return Refusal(RejectReason.WRONG_LAYOUT, fault, final=True)
    unsound = commit.update.fault(layout.chunk_count)
    if unsound is not None:
        counted = len(commit.update.deltas) == layout.chunk_count
        return Refusal(RejectReason.BAD_OFFSETS if counted else RejectReason.WRONG_SIZE, unsound)
    if not lie_close(commit.update.offsets()):
        return Refusal(RejectReason.BAD_OFFSETS, "its chunks' offsets lie too far apart")
    return None
