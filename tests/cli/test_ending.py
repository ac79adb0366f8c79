"""Signals that end a run, in this very process."""

import signal
from collections.abc import Iterator

import pytest

from fedka.cli.ending import be_deaf, ending_signals, interrupt_at_the_first

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_DFL) for number in ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("first", ALL)
def test_only_the_first_interrupts(first: signal.Signals) -> None:
    interrupt_at_the_first()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(first)
    for number in ALL:
        signal.raise_signal(number)


def test_nobody_is_heard_who_comes_too_late() -> None:
    be_deaf()
    for number in ALL:
        signal.raise_signal(number)


def test_a_terminals_end_is_not_heard_where_nohup_said_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert ending_signals() == (signal.SIGINT, signal.SIGTERM)
    interrupt_at_the_first()
    signal.raise_signal(signal.SIGHUP)
