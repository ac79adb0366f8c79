"""Why a pod does not run, or how it ended, in a word and a sentence: what people would look up with `kubectl describe`.

Only what stands in the pod is known here. A volume that cannot be mounted is told by events alone, so a pod that is
being created says what it waits for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fedka.plan.snapshot import Role
from fedka.reconcile.ports import Object

BEING_MADE = frozenset({"ContainerCreating", "PodInitializing"})
_SOURCES = {
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """`exit_code` is that of the container which does the role's work."""

    reason: str = ""
    message: str = ""
    exit_code: int | None = None


def told_by(pod: Object, role: Role) -> Told:
    """What the pod says of itself; nothing while all is well."""
    status = pod.get("status", {})
    state = _state(status.get("containerStatuses", ()), role)
    if ended := state.get("terminated"):
        return _ended(pod, role, ended)
    if status.get("phase") == "Failed":  # evicted, or not admitted by its node
        return Told(status.get("reason", ""), status.get("message", ""))
    if (first := _initializing(status)) is not None:
        return first
    if waiting := state.get("waiting"):
        reason = waiting.get("reason", "")
        message = waiting.get("message", "") or (_waits_for(pod) if reason in BEING_MADE else "")
        return Told(reason, message)
    return _unscheduled(status)


def container_of(pod: Object, role: Role) -> Mapping[str, Any]:
    """The spec of the container that does the role's work; empty where there is none."""
    containers = pod.get("spec", {}).get("containers", ())
    return next((each for each in containers if each.get("name") == role), {})


def image_id(pod: Object, role: Role) -> str:
    """What the node says the role's container runs."""
    statuses = pod.get("status", {}).get("containerStatuses", ())
    return next((each.get("imageID", "") for each in statuses if each.get("name") == role), "")


def _state(statuses: Any, role: Role) -> Mapping[str, Any]:
    return next((each.get("state", {}) for each in statuses if each.get("name") == role), {})


def _ended(pod: Object, role: Role, ended: Mapping[str, Any]) -> Told:
    reason, message = ended.get("reason", ""), ended.get("message", "")
    if reason == "OOMKilled":
        limit = container_of(pod, role).get("resources", {}).get("limits", {}).get("memory")
        cause = (
            f"at its memory limit of {limit}; raise resources.limits.memory" if limit else "as its node had none left"
        )
        message = f"it was killed {cause}" + (f"; it said last: {message}" if message else "")
    return Told(reason, message, ended.get("exitCode"))


def _initializing(status: Mapping[str, Any]) -> Told | None:
    """What keeps an init container from coming to its end, while the others wait for it."""
    for container in status.get("initContainerStatuses", ()):
        state = container.get("state", {})
        ended, waiting = state.get("terminated", {}), state.get("waiting", {})
        name = f"init container {container.get('name')}"
        if ended.get("exitCode"):
            return Told(ended.get("reason", ""), f"{name} ended with {ended['exitCode']}: {ended.get('message', '')}")
        if waiting.get("reason") and waiting["reason"] not in BEING_MADE:
            return Told(waiting["reason"], f"{name}: {waiting.get('message', '')}")
    return None


def _waits_for(pod: Object) -> str:
    needed = ", ".join(_needed(pod))
    name = pod["metadata"]["name"]
    return f"it needs {needed}: while one of these is missing it waits; kubectl describe pod {name}" if needed else ""


def _needed(pod: Object) -> Iterator[str]:
    for volume in pod.get("spec", {}).get("volumes", ()):
        for source, (kind, member) in _SOURCES.items():
            if source in volume:
                yield f"{kind} {volume[source].get(member)}"


def _unscheduled(status: Mapping[str, Any]) -> Told:
    for condition in status.get("conditions", ()):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Told(condition.get("reason", ""), condition.get("message", ""))
    return Told()
