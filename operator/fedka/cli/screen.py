"""What a run shows while it goes on: a live view in a terminal, lines elsewhere, only trouble with `--quiet`.

All of it goes to stderr: stdout is for what was asked for.
"""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from fedka.api.training import FederatedTraining
from fedka.cli.story import Story
from fedka.plan.snapshot import PodView
from fedka.wire import records as r
from fedka.wire.run_state import RunState

if TYPE_CHECKING:
    from rich.console import RenderableType

REFRESHES_PER_SECOND = 8.0  # of the clock and what the status has told since


class Surface(Protocol):
    """Where a run is shown. `note` and `alarm` may be called from any thread."""

    def note(self, message: str) -> None:
        """What goes on now."""
        ...

    def alarm(self, message: str) -> None:
        """What somebody should look at."""
        ...

    def draw(self, training: FederatedTraining) -> None:
        """The resource has changed."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


class Lines:
    """A line for each thing that happens, with the time of day."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def note(self, message: str) -> None:
        """See `Surface`."""
        first, *rest = message.splitlines() or [""]
        lines = [f"{self._clock().astimezone():%H:%M:%S} {first}", *(f"         {line}" for line in rest)]
        sys.stderr.write("".join(f"{line}\n" for line in lines))
        sys.stderr.flush()

    def alarm(self, message: str) -> None:
        """See `Surface`."""
        self.note(message)

    def draw(self, training: FederatedTraining) -> None:
        """Nothing: the story tells it."""

    def close(self) -> None:
        """Nothing."""


class Quiet(Lines):
    """Only what somebody should look at."""

    def note(self, message: str) -> None:
        """Not shown."""

    def alarm(self, message: str) -> None:
        """See `Surface`."""
        super().note(message)


class Terminal:
    """The live view, with trouble in lines above it."""

    def __init__(self, clock: Callable[[], datetime], logs: str, began: datetime | None = None) -> None:
        from rich.console import Console  # noqa: PLC0415  a run without a terminal does not need it
        from rich.live import Live  # noqa: PLC0415

        self._clock = clock
        self._began = began or clock()
        self._logs = logs
        self._note = ""
        self._training: FederatedTraining | None = None
        self._live = Live(
            console=Console(stderr=True), get_renderable=self._scene, refresh_per_second=REFRESHES_PER_SECOND
        )
        self._live.start()

    def note(self, message: str) -> None:
        """Shown until a status says more."""
        self._note = message

    def alarm(self, message: str) -> None:
        """A line above the view."""
        from rich.text import Text  # noqa: PLC0415

        self._live.console.print(Text(f"{self._clock().astimezone():%H:%M:%S} {message}", style="yellow"))

    def draw(self, training: FederatedTraining) -> None:
        """See `Surface`."""
        self._training = training
        if training.status is not None and training.status.rounds is not None and training.status.rounds.history:
            self._note = ""

    def close(self) -> None:
        """Leave the last view standing."""
        self._live.refresh()
        self._live.stop()

    def _scene(self) -> "RenderableType":
        from fedka.cli.live import Scene, render  # noqa: PLC0415

        return render(Scene(self._training, self._note, self._logs, self._began, self._clock()))


class Screen:
    """The observer of a run: tells the story on a surface."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._story = Story(say=surface.note, alarm=surface.alarm)
        self._handed_over: set[str] = set()
        self.reached: RunState | None = None  # by the journal, which the status lags behind

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._story.finish()
        self._surface.close()

    @property
    def unevaluated(self) -> Mapping[str, Sequence[str]]:
        """Whose app could not evaluate models, with the cause of each time."""
        return self._story.unevaluated

    def note(self, message: str) -> None:
        """What goes on now; from any thread."""
        self._surface.note(message)

    def alarm(self, message: str) -> None:
        """What somebody should look at; from any thread."""
        self._surface.alarm(message)

    def trained(self, training: FederatedTraining) -> None:
        """See `Observer`."""
        self._story.trained(training)
        self._surface.draw(training)

    def pod(self, pod: PodView) -> None:
        """See `Observer`."""
        self._story.pod(pod)

    def kafka_died(self, log: Path) -> None:
        """See `Observer`."""
        self.alarm(f"Apache Kafka has ended, which was not asked for: starting it again; its log: {log}")

    def handed_over(self, participant: str, bundle: Path) -> None:
        """See `Observer`."""
        if participant not in self._handed_over:
            self._handed_over.add(participant)
            command = shlex.join(["fedka", "participant", "--bundle", str(bundle)])
            self.alarm(f"{participant} is External; run it beside its app with: {command}")

    def journaled(self, record: r.JournalRecord, before: RunState, after: RunState, *, past: bool) -> None:
        """See `Listener`."""
        self.reached = after
        self._story.journaled(record, before, after, past=past)

    def audited(self, record: r.AuditRecord) -> None:
        """See `Listener`."""
        self._story.audited(record)


def surface(clock: Callable[[], datetime], *, logs: str, quiet: bool, began: datetime | None = None) -> Surface:
    """What fits where stderr goes. `began`: since when the time is counted, if not from now."""
    if quiet:
        return Quiet(clock)
    return Terminal(clock, logs, began) if sys.stderr.isatty() else Lines(clock)
