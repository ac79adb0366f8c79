"""A cluster with a guard in front of it, as admission policies, webhooks and missing rights are one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fedka.local.cluster import InMemoryCluster
from fedka.plan.names import LABEL_PARTICIPANT, LABEL_ROLE
from fedka.reconcile.ports import KINDS, ClusterError, Kind, NotFound, Object

Subject = tuple[str, str | None]


@dataclass
class Strict:
    """What has an answer is refused, by kind and participant (else the role): `answers` to who makes it or gives it all
    its content, `changes` to who sets some fields of one that is there, `deletions`.
    """

    inner: InMemoryCluster
    answers: dict[Subject, ClusterError] = field(default_factory=dict)
    changes: dict[Subject, ClusterError] = field(default_factory=dict)
    deletions: dict[Subject, ClusterError] = field(default_factory=dict)
    asked: list[Subject] = field(default_factory=list)  # to be made
    refused: list[Subject] = field(default_factory=list)

    async def create(self, obj: Object, *, field_manager: str) -> dict[str, Any]:
        self._make(obj)
        return await self.inner.create(obj, field_manager=field_manager)

    async def apply(self, obj: Object, *, field_manager: str) -> dict[str, Any]:
        if obj["metadata"].get("labels"):
            self._make(obj)
        else:
            kind, metadata = KINDS[obj["kind"]], obj["metadata"]
            self._judge(self.changes, await self._subject(kind, metadata["namespace"], metadata["name"]))
        return await self.inner.apply(obj, field_manager=field_manager)

    async def delete(self, kind: Kind, namespace: str | None, name: str, *, uid: str) -> None:
        self._judge(self.deletions, await self._subject(kind, namespace, name))
        await self.inner.delete(kind, namespace, name, uid=uid)

    async def _subject(self, kind: Kind, namespace: str | None, name: str) -> Subject:
        try:
            live = await self.inner.get(kind, namespace, name)
        except NotFound:
            return kind.kind, None
        return _subject(live)

    def _make(self, obj: Object) -> None:
        self.asked.append(_subject(obj))
        self._judge(self.answers, _subject(obj))

    def _judge(self, answers: Mapping[Subject, ClusterError], subject: Subject) -> None:
        if subject in answers:
            self.refused.append(subject)
            raise answers[subject]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def _subject(obj: Object) -> Subject:
    labels: Mapping[str, str] = obj["metadata"].get("labels", {})
    return obj["kind"], labels.get(LABEL_PARTICIPANT) or labels.get(LABEL_ROLE)
