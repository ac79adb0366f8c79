"""Events for the users of a resource: one object per thing said, counted up when it is said again."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from fedka.reconcile.ports import EVENT, Object


def event_object(  # the arguments of Cluster.record_event, and who reports when
    regarding: Object,
    *,
    severity: str,
    reason: str,
    action: str,
    note: str,
    reporter: str,
    instance: str,
    now: datetime,
) -> dict[str, Any]:
    """An events.k8s.io/v1 Event whose name follows from what it says, so that saying it again meets the same object."""
    metadata = regarding["metadata"]
    said = "\0".join((metadata["uid"], severity, reason, action, note))
    digest = hashlib.blake2b(said.encode(), digest_size=8).hexdigest()
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": f"{metadata['name']}.{digest}", "namespace": metadata.get("namespace", "default")},
        "eventTime": micro_time(now),
        "reportingController": reporter,
        "reportingInstance": instance,
        "regarding": {
            "apiVersion": regarding["apiVersion"],
            "kind": regarding["kind"],
            "name": metadata["name"],
            "namespace": metadata.get("namespace", "default"),
            "uid": metadata["uid"],
        },
        "type": severity,
        "reason": reason,
        "action": action,
        "note": note,
    }


def seen_again(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The event with its series counted up by one."""
    count = event.get("series", {}).get("count", 1) + 1
    return event | {"series": {"count": count, "lastObservedTime": micro_time(now)}}


def micro_time(moment: datetime) -> str:
    """A metav1.MicroTime, UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
