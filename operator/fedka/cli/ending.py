"""The signals that end a run: only the first of them may cut anything short.

A second Ctrl-C that raised KeyboardInterrupt in the tidying up after the first would leave the mess that this prevents.
"""

import signal
from types import FrameType


def ending_signals() -> tuple[signal.Signals, ...]:
    """What a run is stopped by; not by a terminal's end where it was started with nohup."""
    hang_up = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGINT, signal.SIGTERM, *hang_up)


def interrupt_at_the_first() -> None:
    """Let the first of them raise KeyboardInterrupt, and those after it nothing."""
    for number in ending_signals():
        signal.signal(number, _interrupt)


def be_deaf() -> None:
    """Ignore them for the rest of this process: what is left to do takes a moment."""
    for number in ending_signals():
        signal.signal(number, signal.SIG_IGN)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    be_deaf()
    raise KeyboardInterrupt
