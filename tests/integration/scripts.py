"""What scripted participants do that is of use in several tests."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fedka.wire.records import Commit, Record, RoundOpened

from .followed_journal import PATIENCE
from .scripted import Participant, Script
from .vectors import EXAMPLES, Vector, delta_of


def honest(name: str, **more: object) -> Script:
    """Answers everything, with the examples that the name stands for."""
    return Script(examples=EXAMPLES[name], **more)  # type: ignore[arg-type]


def silent(name: str, *rounds: int) -> Script:
    """Does not answer in these rounds."""

    def train(who: Participant, opened: RoundOpened, base: Vector) -> Vector | None:
        return None if opened.round in rounds else delta_of(who.name, opened.round, base)

    return honest(name, train=train)


def failing(name: str, *rounds: int, attempts: Sequence[int] = range(1, 100)) -> Script:
    """Its own code raises in these rounds."""

    def answer(who: Participant, opened: RoundOpened, commit: Commit) -> Sequence[Record]:
        fails = opened.round in rounds and opened.attempt in attempts
        return [who.failed_for(opened, "ValueError: of a test")] if fails else [commit]

    return honest(name, commit=answer)


class Gate:
    """Holds one participant before its upload in a round, until the test opens the gate."""

    def __init__(self, name: str, round_number: int) -> None:
        self._held = (name, round_number)
        self._reached, self._opened = threading.Event(), threading.Event()

    def hold(self, who: Participant, opened: RoundOpened) -> None:
        if (who.name, opened.round) == self._held:
            self._reached.set()
            assert self._opened.wait(PATIENCE)

    def reached(self) -> None:
        assert self._reached.wait(PATIENCE), f"{self._held} was not reached"

    def open(self) -> None:
        self._opened.set()

    def script(self, name: str) -> Script:
        return honest(name, before_upload=self.hold)


def scripted_by(make: Callable[[str], Script], names: Sequence[str]) -> dict[str, Script]:
    """The same script for each."""
    return {name: make(name) for name in names}


@contextmanager
def breathing(*participants: Participant, every: float) -> Iterator[None]:
    """These say all the time that they are there."""
    done = threading.Event()

    def breathe(participant: Participant) -> None:
        while not done.wait(every):
            participant.alive()

    threads = [threading.Thread(target=breathe, args=[participant]) for participant in participants]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()
