"""What is wrong with a resource, said so that its author can mend it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong: where (`spec.rounds.count`), what, and what would be right.

    `place` is the file and line it was read from, where it was read from a file.
    """

    path: str
    problem: str
    fix: str = ""
    place: str = ""

    def __str__(self) -> str:
        where = f"{self.place}: {self.path}" if self.place else self.path
        return f"{where}: {self.problem}" + (f"; {self.fix}" if self.fix else "")


class InvalidResource(Exception):
    """The resource was refused; `errors` holds every cause, at least one."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


def member(path: str, name: str) -> str:
    """The path of a member: `spec` and `rounds` give `spec.rounds`."""
    return f"{path}.{name}" if path else name
