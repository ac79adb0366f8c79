"""A screen whose reader goes away."""

import errno

import pytest

from fedka.cli.audience import Audience


class Failing:
    def __init__(self, failure: OSError | None = None) -> None:
        self.failure = failure
        self.told: list[str] = []

    def note(self, message: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.told.append(message)

    alarm = note

    def draw(self, _training) -> None:
        self.note("drawn")

    def close(self) -> None:
        self.note("closed")


@pytest.fixture
def left() -> list[str]:
    return []


def test_everything_is_shown_while_somebody_reads(left):
    surface = Failing()
    audience = Audience(surface, lambda: left.append("left"))
    audience.note("a note")
    audience.alarm("an alarm")
    audience.draw(None)
    audience.close()
    assert (surface.told, left) == (["a note", "an alarm", "drawn", "closed"], [])


def test_a_reader_who_leaves_is_told_of_once_and_nothing_more_is_shown(left):
    surface = Failing(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    audience = Audience(surface, lambda: left.append("left"))
    audience.note("a note")
    surface.failure = None
    audience.alarm("an alarm")
    audience.close()
    assert (surface.told, left) == ([], ["left"])


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_terminal_that_is_gone_and_a_full_disk_stop_nothing(left, number):
    audience = Audience(Failing(OSError(number, "no")), lambda: left.append("left"))
    audience.note("a note")
    assert left == []
