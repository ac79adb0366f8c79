"""The status a kubelet writes for a pod of one container, in each state it can be in."""

from datetime import datetime

from fedka.local.objects import Json, timestamp


def waiting(container: str, reason: str, message: str) -> Json:
    """Not started: `reason` in CamelCase, as `kubectl get pods` shows it."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {"phase": "Pending", "containerStatuses": [_container(container, state, ready=False)]}


def running(container: str, started: datetime) -> Json:
    """Started."""
    state = {"running": {"startedAt": timestamp(started)}}
    statuses = [_container(container, state, ready=True)]
    return {"phase": "Running", "startTime": timestamp(started), "containerStatuses": statuses}


def ended(container: str, code: int, message: str, *, started: datetime, finished: datetime) -> Json:
    """Ended with an exit code; `message` says why, where it failed."""
    terminated = {
        "exitCode": code,
        "reason": "Error" if code else "Completed",
        "startedAt": timestamp(started),
        "finishedAt": timestamp(finished),
    } | ({"message": message} if message else {})
    statuses = [_container(container, {"terminated": terminated}, ready=False)]
    phase = "Failed" if code else "Succeeded"
    return {"phase": phase, "startTime": timestamp(started), "containerStatuses": statuses}


def refused(reason: str, message: str) -> Json:
    """Will never start on this node."""
    return {"phase": "Failed", "reason": reason, "message": message}


def _container(name: str, state: Json, *, ready: bool) -> Json:
    return {"name": name, "state": state, "ready": ready, "restartCount": 0}
