"""What the API server would say of an object, without keeping it."""

from typing import Any

from fedka.kubernetes.api import APPLY, Api, path_of
from fedka.reconcile.ports import KINDS, Object


async def dry_run(api: Api, obj: Object, *, namespace: str, field_manager: str) -> dict[str, Any]:
    """The object as it would be stored, all of admission included. Raises a ClusterError: `Invalid` for a refusal."""
    kind = KINDS[obj["kind"]]
    query = {"dryRun": "All", "fieldManager": field_manager, "force": "true", "fieldValidation": "Strict"}
    path = path_of(kind, namespace, obj["metadata"]["name"])
    return await api.send("PATCH", path, query=query, body=obj, content_type=APPLY)
