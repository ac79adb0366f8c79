"""What a Job asks for next: the Job controller's decisions, as a pure function of the Job, its pods and the time.

Only what a Job of one pod at a time needs. A pod that somebody deletes is replaced and not counted as a failure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fedka.local.objects import Json, moment, timestamp

COMPLETE, FAILED, FAILURE_TARGET, SUSPENDED = "Complete", "Failed", "FailureTarget", "Suspended"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do for a Job now."""

    status: Json
    create_pod: bool = False
    delete_pods: tuple[str, ...] = ()
    look_again: float | None = None
    """Seconds until the Job's deadline, if nothing happens before."""


@dataclass(frozen=True, slots=True)
class _Reason:
    reason: str
    message: str


def decide(job: Json, pods: Sequence[Json], now: datetime) -> Decision:
    """The Job's next step. `pods` are those it controls; ones under deletion count as active until they are gone."""
    status = dict(job.get("status") or {})
    active = tuple(pod["metadata"]["name"] for pod in pods if _phase(pod) not in ("Succeeded", "Failed"))
    if _condition(status, COMPLETE) or _condition(status, FAILED):
        return Decision(status, delete_pods=active)
    status |= {
        "active": len(active),
        "succeeded": sum(_phase(pod) == "Succeeded" for pod in pods),
        "failed": sum(_phase(pod) == "Failed" and _action(job, pod)[0] != "Ignore" for pod in pods),
    }
    failure = _failure(job, status, pods, now)
    if failure is not None:
        return _failing(status, failure, active, now)
    if status["succeeded"]:
        done = _with_condition(status, COMPLETE, _Reason("CompletionsReached", "Reached expected number of pods"), now)
        return Decision(done | {"completionTime": timestamp(now)})
    if job["spec"]["suspend"]:
        return _suspended(status, active, now)
    return _running(job, status, active, now)


def _failing(status: Json, why: _Reason, active: tuple[str, ...], now: datetime) -> Decision:
    """Failed is said once the last pod has gone; FailureTarget keeps the reason until then."""
    target = _with_condition(status, FAILURE_TARGET, why, now)
    return Decision(target, delete_pods=active) if active else Decision(_with_condition(target, FAILED, why, now))


def _suspended(status: Json, active: tuple[str, ...], now: datetime) -> Decision:
    why = _Reason("JobSuspended", "Job suspended")
    return Decision(_with_condition(status, SUSPENDED, why, now), delete_pods=active)


def _running(job: Json, status: Json, active: tuple[str, ...], now: datetime) -> Decision:
    if _condition(status, SUSPENDED):
        status = _with_condition(status, SUSPENDED, _Reason("JobResumed", "Job resumed"), now, value="False")
        status |= {"startTime": timestamp(now)}  # the deadline counts from the resumption
    status = {"startTime": timestamp(now)} | status
    deadline = _deadline(job, status)
    look_again = None if deadline is None else max(0.0, (deadline - now).total_seconds())
    return Decision(status, create_pod=not active, look_again=look_again)


def _failure(job: Json, status: Json, pods: Sequence[Json], now: datetime) -> _Reason | None:
    target = _condition(status, FAILURE_TARGET)
    if target:
        return _Reason(target["reason"], target["message"])
    for pod in pods:
        action, message = _action(job, pod)
        if action == "FailJob":
            return _Reason("PodFailurePolicy", message)
    if status["failed"] > job["spec"]["backoffLimit"]:
        return _Reason("BackoffLimitExceeded", "Job has reached the specified backoff limit")
    deadline = _deadline(job, status)
    if deadline is not None and deadline <= now:
        return _Reason("DeadlineExceeded", "Job was active longer than specified deadline")
    return None


def _deadline(job: Json, status: Mapping[str, Any]) -> datetime | None:
    if job["spec"].get("suspend") or _condition(status, SUSPENDED):
        return None
    seconds, started = job["spec"].get("activeDeadlineSeconds"), status.get("startTime")
    return None if seconds is None or started is None else moment(started) + timedelta(seconds=seconds)


def _action(job: Json, pod: Json) -> tuple[str, str]:
    """What the Job's podFailurePolicy says of a failed pod, and the message for FailJob. Count without a rule."""
    rules = job["spec"].get("podFailurePolicy", {}).get("rules", ())
    if _phase(pod) != "Failed":
        return "Count", ""
    metadata = pod["metadata"]
    for index, rule in enumerate(rules):
        for container in pod["status"].get("containerStatuses", ()):
            code = container.get("state", {}).get("terminated", {}).get("exitCode", 0)
            if _matches(rule.get("onExitCodes"), container["name"], code):
                where = f"Container {container['name']} for pod {metadata['namespace']}/{metadata['name']}"
                return rule["action"], f"{where} failed with exit code {code} matching FailJob rule at index {index}"
    return "Count", ""


def _matches(requirement: Mapping[str, Any] | None, container: str, code: int) -> bool:
    """Whether an onExitCodes requirement speaks of this exit; a success is never a failure."""
    if requirement is None or code == 0 or requirement.get("containerName", container) != container:
        return False
    listed = code in requirement["values"]
    return listed if requirement["operator"] == "In" else not listed


def _phase(pod: Json) -> str | None:
    phase: str | None = pod.get("status", {}).get("phase")
    return phase


def _condition(status: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The condition of that name, if it is True."""
    conditions = status.get("conditions") or ()
    return next((each for each in conditions if each["type"] == name and each["status"] == "True"), None)


def _with_condition(status: Json, name: str, why: _Reason, now: datetime, *, value: str = "True") -> Json:
    conditions = status.get("conditions") or []
    if any(each["type"] == name and each["status"] == value for each in conditions):
        return status
    condition = {
        "type": name,
        "status": value,
        "reason": why.reason,
        "message": why.message,
        "lastProbeTime": timestamp(now),
        "lastTransitionTime": timestamp(now),
    }
    return status | {"conditions": [*(each for each in conditions if each["type"] != name), condition]}
