"""How many examples this participant announces, kept across restarts.

An update counts at most for as many examples as the hello before its round announced. Without an `@app.examples`
function the number is what the last training returned; before the first one it is 1, as a large guess would take
weight from everybody else.
"""

from pathlib import Path

from fedka.whole_file import replace_text
from fedka.wire.records import MOST_EXAMPLES

FILE = "examples"
UNKNOWN = 1


class AnnouncedExamples:
    """The number, remembered in `state_dir` where there is one."""

    def __init__(self, state_dir: Path | None, counted: int | None) -> None:
        self._path = None if state_dir is None else state_dir / FILE
        self.number = counted if counted is not None else self._remembered()

    def raise_to(self, examples: int) -> bool:
        """Announce at least so many from now on; whether that is more than before."""
        if examples <= self.number:
            return False
        self.number = examples
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(self._path, str(examples))
        return True

    def _remembered(self) -> int:
        if self._path is None or not self._path.exists():
            return UNKNOWN
        data = self._path.read_bytes()[: len(str(MOST_EXAMPLES)) + 1]
        number = int(data) if data.isdigit() else UNKNOWN
        return number if 1 <= number <= MOST_EXAMPLES else UNKNOWN  # somebody else wrote it
