"""Work that blocks, such as questions to Kafka, in a thread that nobody has to wait for.

`asyncio.to_thread` takes a thread that the program's end waits for: a Ctrl-C while Kafka does not answer would count
only once it had.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def apart(work: Callable[[], T]) -> T:
    """What the work returns or raises. Where the caller is cancelled, it is left to itself, and ends with the program.

    So it must hold nothing that has to be given back but memory and connections.
    """
    told: Future[T] = Future()

    def do() -> None:
        try:
            settle = partial(told.set_result, work())
        except BaseException as error:  # noqa: BLE001  whoever waits raises it
            settle = partial(told.set_exception, error)
        with suppress(InvalidStateError):  # cancelled meanwhile: nobody waits
            settle()

    threading.Thread(target=do, name="fedka-apart", daemon=True).start()
    return await asyncio.wrap_future(told)
