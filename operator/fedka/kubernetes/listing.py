"""What a LIST or a WATCH is asked of: a kind, a place, a label selector; and a LIST's pages."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from fedka.kubernetes.answers import AnswerTooLong, VersionGone
from fedka.kubernetes.api import JSON_TYPE, LONGEST_ANSWER, Api, path_of
from fedka.kubernetes.decoding import Decoder, decoded
from fedka.reconcile.ports import ClusterUnavailable, Kind

Json = dict[str, Any]

PAGE = 100  # objects an answer: parsed, one takes up to 40 KiB, and one answer of all the memory of all
NOT_OURS = "is it an API server that answers?"
PAGE_BYTES = 4 * 2**20  # a training of a thousand participants has half a MiB, and ten times as much when it is parsed


@dataclass(frozen=True, slots=True)
class Collection:
    """Objects of one kind, in one namespace or (None) in all, narrowed by a label selector. `decode` makes of a list's
    bytes what is read of it.
    """

    kind: Kind
    namespace: str | None = None
    selector: str = ""
    decode: Decoder = decoded

    @property
    def path(self) -> str:
        """Where it is asked for."""
        return path_of(self.kind, self.namespace)

    @property
    def query(self) -> dict[str, str]:
        """What narrows it."""
        return {"labelSelector": self.selector} if self.selector else {}


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a collection, and the resourceVersion from which a watch of it goes on."""

    items: list[Json]
    version: str


async def pages(api: Api, asked: Collection, *, accept: str = JSON_TYPE) -> AsyncGenerator[Page, None]:
    """All of a collection. Where the server has forgotten the first page's version, the rest comes from a newer one;
    what are too many bytes is asked for in smaller pages.
    """
    token, limit = "", PAGE
    while True:
        query = asked.query | {"limit": str(limit)} | ({"continue": token} if token else {})
        most_bytes = PAGE_BYTES if limit > 1 else LONGEST_ANSWER
        try:
            answer = await api.send(
                "GET", asked.path, query=query, accept=accept, most_bytes=most_bytes, decode=asked.decode
            )
        except AnswerTooLong:
            if limit == 1:
                raise
            limit //= 2
            continue
        except VersionGone as error:
            if not error.go_on:
                raise
            token = error.go_on
            continue
        page, token = _page(asked, answer)
        yield page
        if not token:
            return


def _page(asked: Collection, answer: Json) -> tuple[Page, str]:
    """What an answer holds, and the token to go on by. Raises ClusterUnavailable: a proxy may answer in its own way."""
    try:
        items = [_named(asked.kind, item) for item in answer.get("items") or ()]
        told = [answer["metadata"]["resourceVersion"]]
        told += [item["metadata"][name] for item in items for name in ("uid", "name", "resourceVersion")]
        token = answer["metadata"].get("continue") or ""
    except (LookupError, TypeError, AttributeError):
        told, items, token = [None], [], ""
    if not all(isinstance(word, str) for word in (*told, token)):
        raise ClusterUnavailable(f"GET {asked.path}: the answer is no list: {NOT_OURS}")
    return Page(items, told[0]), token


def _named(kind: Kind, item: Json) -> Json:
    """Items of a list do not say what they are."""
    return {"apiVersion": kind.api_version, "kind": kind.kind} | item if "kind" not in item else item
