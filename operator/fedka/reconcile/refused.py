"""What the API server, or what that asks for consent, refuses to do with a child: remembered, and no reason to stop.

Asking again at once would be refused again, so the next plan does without it, and the status says why.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from fedka.plan.parts import Refusal
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.ports import Forbidden, Invalid, Kind

T = TypeVar("T")


class ChildRefusedError(Exception):
    """A child cannot be made, changed or deleted; why is remembered."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Of what one reconcile asks for, by a spec of this generation. All raise ChildRefusedError."""

    memory: RunMemory
    generation: int
    now: datetime

    @contextmanager
    def making(self, name: str, kind: Kind) -> Iterator[None]:
        """Create a child, or give it its content. That may be invalid, where all else is only forbidden."""
        with self._remembered(self.memory.refusals, name, f"{kind} {name} is refused", by_content=True):
            yield

    @contextmanager
    def changing(self, name: str, *, uid: str) -> Iterator[None]:
        """Set fields of a Job in which nothing can be wrong: whatever the word, a policy says no."""
        with self._remembered(self.memory.unpatched, uid, f"Job {name} may not be changed"):
            yield

    @contextmanager
    def deleting(self, name: str, kind: Kind, *, remembered_as: str) -> Iterator[None]:
        """Delete a child; the same holds."""
        with self._remembered(self.memory.kept, remembered_as, f"{kind} {name} may not be deleted"):
            yield

    @contextmanager
    def _remembered(
        self, where: dict[str, Refusal], child: str, what: str, *, by_content: bool = False
    ) -> Iterator[None]:
        try:
            yield
        except (Invalid, Forbidden) as error:
            message, invalid = f"{what}: {error}", by_content and isinstance(error, Invalid)
            where[child] = Refusal(message, invalid, self.generation, self.now)
            raise ChildRefusedError(message) from error
        where.pop(child, None)


async def each_of(wanted: Iterable[T], do: Callable[[T], Awaitable[None]], *, check_leader: Callable[[], None]) -> None:
    """Do it for each, where one that is refused keeps none of the others from it. Raises ChildRefusedError for the last
    of those, and what `check_leader` raises.
    """
    refused: ChildRefusedError | None = None
    for each in wanted:
        check_leader()
        try:
            await do(each)
        except ChildRefusedError as error:
            refused = error
    if refused is not None:
        raise refused
