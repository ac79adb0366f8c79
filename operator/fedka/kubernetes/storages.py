"""Kopf is to remember nothing: neither how an object was, nor what was done about it.

Its own storages would write annotations if they were ever used, and copy each object deeply even though they are not.
"""

from typing import Any

import kopf


class NoDiffBase(kopf.DiffBaseStorage):
    """Every object is as it always was."""

    def build(self, **_: Any) -> Any:
        """Nothing of the object matters."""
        return {}

    def fetch(self, **_: Any) -> None:
        """Nothing is known of earlier."""

    def store(self, **_: Any) -> None:
        """Nothing is kept."""


class NoProgress(kopf.ProgressStorage):
    """No handler ever has anything left to do."""

    def fetch(self, **_: Any) -> None:
        """Nothing has been begun."""

    def store(self, **_: Any) -> None:
        """Nothing is kept."""

    def purge(self, **_: Any) -> None:
        """There is nothing."""

    def touch(self, **_: Any) -> None:
        """No object is written to."""

    def clear(self, *, essence: Any) -> Any:
        """It is as it was."""
        return essence
