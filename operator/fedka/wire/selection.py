"""Numbers and percentages of a round, and who is asked.

Operator, aggregator and `fedka plan` must come to the same integers, so the arithmetic lives in one place and uses
integers only. The choice of participants is a ranking by hash: it needs no random generator whose algorithm could
change between versions, and whoever holds the journal can check it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from blake3 import blake3

MOST_SELECTED = 4096  # |sum| < 2^62 in the exact sum holds for at most this many updates


def resolve(count_or_percent: int | str, of: int) -> int:
    """The integer that a count or a percentage such as `"80%"` stands for; percentages of `of` are rounded up.

    Raises ValueError for a string that is not a percentage.
    """
    if isinstance(count_or_percent, int):
        return count_or_percent
    if not count_or_percent.endswith("%"):
        raise ValueError(f"{count_or_percent!r} is neither an integer nor a percentage such as '80%'")
    return -(-int(count_or_percent[:-1]) * of // 100)


@dataclass(frozen=True, slots=True)
class RoundSize:
    """How many participants a round asks (`selected`), how many answers end it (`target`), how many it needs."""

    target: int
    selected: int
    quorum: int


def round_size(*, present: int, sample_size: int | str, over_selection: int | str, quorum: int | str) -> RoundSize:
    """The size of a round with `present` participants.

    target = sampleSize of those present; quorum = its share of the target; selected = the target plus over-selection,
    never more than are present or than the exact sum can hold.
    """
    target = max(1, min(resolve(sample_size, present), present, MOST_SELECTED))
    extra = resolve(over_selection, target)
    selected = min(target + extra, present, MOST_SELECTED)
    return RoundSize(target=target, selected=selected, quorum=max(1, min(resolve(quorum, target), target)))


def choose(
    participants: Iterable[str], count: int, *, run: str, seed: int, round_number: int, attempt: int
) -> list[str]:
    """`count` of the participants, the same for the same arguments whatever their order; sorted by name."""
    ranks = {name: rank(name, run=run, seed=seed, round_number=round_number, attempt=attempt) for name in participants}
    return sorted(sorted(ranks, key=ranks.__getitem__)[:count])


def rank(name: str, *, run: str, seed: int, round_number: int, attempt: int) -> bytes:
    """Where a participant stands in the choice: those of lower rank are asked before those of higher."""
    return blake3(f"{run}\0{seed}\0{round_number}\0{attempt}\0{name}".encode()).digest()
