"""Waiting until the API server tells of a kind that it already serves.

Kopf looks once for what there is to watch. A CRD that has just been made is served a moment before it is published, and
an operator that starts in between would watch nothing, for ever and without a word.
"""

import asyncio
import logging

from fedka.kubernetes.api import Api
from fedka.reconcile.ports import Kind, NotFound

LOGGER = logging.getLogger("fedka.kubernetes")
AGAIN_SECONDS = 0.5


async def until_published(api: Api, kind: Kind, *, again_seconds: float = AGAIN_SECONDS) -> None:
    """Return once the kind, of a named group, can be found by whoever knows nothing of it. Raises a ClusterError."""
    told = False
    while not await _is_published(api, kind):
        if not told:
            LOGGER.info("the API server is to publish %s yet", kind.plural)
            told = True
        await asyncio.sleep(again_seconds)


async def _is_published(api: Api, kind: Kind) -> bool:
    group = kind.api_version.partition("/")[0]
    groups = (await api.send("GET", "/apis"))["groups"]
    versions = {version["groupVersion"] for each in groups if each["name"] == group for version in each["versions"]}
    if kind.api_version not in versions:
        return False
    try:
        found = await api.send("GET", f"/apis/{kind.api_version}")
    except NotFound:
        return False
    return any(resource["name"] == kind.plural for resource in found["resources"])
