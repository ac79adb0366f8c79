"""The operator begins to watch only when Kopf can find what there is to watch."""

from typing import Any

from aiohttp import web

from fedka.kubernetes.discovery import until_published
from fedka.reconcile.ports import FEDERATED_TRAINING

from .servers import answering

NO_GROUP: dict[str, Any] = {"groups": []}
GROUP = {"groups": [{"name": "fedka.dev", "versions": [{"groupVersion": "fedka.dev/v1alpha1"}]}]}
NOTHING: dict[str, Any] = {"resources": []}
KIND = {"resources": [{"name": "federatedtrainings"}, {"name": "federatedtrainings/status"}]}


async def test_a_kind_is_waited_for_until_all_documents_name_it():
    groups = [NO_GROUP, GROUP]
    resources = [None, NOTHING, KIND]
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        answers: list[Any] = groups if request.path == "/apis" else resources
        first = answers.pop(0) if len(answers) > 1 else answers[0]
        return web.json_response(first or {"kind": "Status"}, status=200 if first is not None else 404)

    async with answering(answer) as api:
        await until_published(api, FEDERATED_TRAINING, again_seconds=0)
    one, both = ["/apis"], ["/apis", "/apis/fedka.dev/v1alpha1"]
    assert asked == one + both + both + both
