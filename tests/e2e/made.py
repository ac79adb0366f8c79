"""What was made in a namespace, as often as it was made: two of one name, one after the other, are two."""

from collections.abc import Callable
from typing import Any

from kubernetes import watch

from .trainings import Api

LISTENS_SECONDS = 1  # what has happened already is told at once


class Made:
    """In the namespace since this was made."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._namespace = namespace
        self._lists = {"jobs": api.batch.list_namespaced_job, "pods": api.core.list_namespaced_pod}
        self._since = {kind: list_(namespace).metadata.resource_version for kind, list_ in self._lists.items()}

    def jobs(self) -> list[str]:
        return self._names("jobs")

    def pods(self) -> list[str]:
        return self._names("pods")

    def _names(self, kind: str) -> list[str]:
        list_: Callable[..., Any] = self._lists[kind]
        told = watch.Watch().stream(
            list_, self._namespace, resource_version=self._since[kind], timeout_seconds=LISTENS_SECONDS
        )
        return [change["object"].metadata.name for change in told if change["type"] == "ADDED"]
