"""Where tables are printed: on stdout, as wide as the terminal, or as a line may be where there is none."""

import sys

from rich.console import Console
from rich.table import Table

WIDTH_IN_A_FILE = 160  # where there is no terminal, a line is cut by whoever reads it
ROOM = 10_000


class _Paper(Console):
    def on_broken_pipe(self) -> None:
        """Raise it, as any other write does: whoever read our output has seen enough, which is no failure."""
        raise  # noqa: PLE0704  it is being handled by whoever calls this


def paper() -> Console:
    """A console on stdout as it is now."""
    width = None if sys.stdout.isatty() else WIDTH_IN_A_FILE
    return _Paper(file=sys.stdout, width=width, highlight=False)


def print_table(table: Table) -> None:
    """Whole: where there is no room for its numbers they would be cut, so the terminal may rather wrap its lines."""
    console = paper()
    wanted = console.measure(table, options=console.options.update(max_width=ROOM)).minimum
    console.width = max(console.width, wanted)
    console.print(table)
