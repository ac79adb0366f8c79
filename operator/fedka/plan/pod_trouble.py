"""What keeps a Job's pod from working, as far as can be seen.

That a namespace takes no pod (Pod Security, a quota) is told by events of the Job alone, which the operator does not
read. That there is none after a while is all that is known, and where to read more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fedka.api.reasons import DetailReason
from fedka.plan.snapshot import JobView, Snapshot

NO_POD_GRACE = timedelta(seconds=10)  # the Job controller makes a pod within one
PASSING = frozenset({"ContainerCreating", "PodInitializing"})  # a pod is in these states for a moment at each start


@dataclass(frozen=True, slots=True)
class Trouble:
    """A word and a sentence. `passing`: as a rule it is over in a moment."""

    reason: str
    message: str
    passing: bool = False

    def __str__(self) -> str:
        return ": ".join(part for part in (self.reason, self.message) if part)


def pod_trouble(snapshot: Snapshot, job: JobView) -> Trouble | None:
    """Why the pod of a Job that is to run does not, if so."""
    alive = [pod for pod in snapshot.pods_of(job) if pod.exit_code is None and not pod.deleting]
    if alive:
        pod = alive[-1]
        return Trouble(pod.reason, pod.message, pod.reason in PASSING) if pod.reason or pod.message else None
    due = no_pod_time(snapshot, job)
    if due is None or snapshot.now < due:
        return None
    namespace = snapshot.training.metadata.namespace
    return Trouble(
        DetailReason.NO_POD,
        f"Job {job.name} has made no pod: its namespace may refuse it (Pod Security, a quota, a limit range); "
        f"kubectl describe job {job.name} -n {namespace}",
    )


def no_pod_time(snapshot: Snapshot, job: JobView) -> datetime | None:
    """When a Job without a pod is in trouble; None where it has one, or needs none."""
    if job.started is None or job.finished is not None or job.suspended or job.deleting:
        return None
    if snapshot.pods_of(job):
        return None
    return job.started + NO_POD_GRACE
