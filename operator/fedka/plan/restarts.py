"""When a Job that ended before its run did is made again.

A Job's own back-off (10 s, 20 s, ...) would cost more than a round, and its count covers a run's whole life. So the
first restart is at once, the next ones wait a little longer each, and only restarts without a closed round in between
count.
"""

from datetime import datetime, timedelta

from fedka.exit_codes import FENCED, HOPELESS
from fedka.last_words import refusal_in, without_traceback
from fedka.plan.names import child_name
from fedka.plan.parts import KAFKA_REFUSED, Failure
from fedka.plan.snapshot import JobView, PodView, Role, Snapshot

FIRST_DELAY_SECONDS = 1.0
MOST_DELAY_SECONDS = 60.0
FENCED_DELAY = timedelta(seconds=10)  # two aggregators that restart each other at once would never close a round
_SAY_NOTHING = frozenset({"Error", "Completed", "ContainerStatusUnknown"})  # of a container's end
ORDERLY_DELAY = timedelta(seconds=2)  # the journal says that the run has ended, a moment after the pod has
LAST_WORD_DELAY = timedelta(seconds=60)  # an aggregator ends in order with the run alone: it must not fail for that


def failure_of(snapshot: Snapshot, job: JobView) -> Failure | None:
    """What is to be remembered of a Job that ended; None while it has not."""
    if job.finished is None:
        return None
    pod = pod_of(snapshot, job)
    code = pod.exit_code if pod is not None else None
    message = (_said_last(pod) if pod is not None else "") or job.finished.message
    if job.finished.succeeded:
        message = "it ended in order, before the run did"
    before = _restarts_before(snapshot, job)
    return Failure(
        restarts=before if code == FENCED else before + 1,
        at=job.finished.at,
        exit_code=code,
        message=message,
        reason=_reason(pod) if pod is not None else "",
        rounds=rounds_ended(snapshot),
    )


def _reason(pod: PodView) -> str:
    if _is_of_its_log(pod) and refusal_in(pod.message):
        return KAFKA_REFUSED
    return pod.reason if pod.reason not in _SAY_NOTHING else ""


def _said_last(pod: PodView) -> str:
    """Without the traceback that is in its log, where its message is the end of that."""
    if not _is_of_its_log(pod):
        return pod.message
    return refusal_in(pod.message) or without_traceback(pod.message)


def _is_of_its_log(pod: PodView) -> bool:
    return pod.exit_code is not None and pod.reason in ("", "Error")


def _restarts_before(snapshot: Snapshot, job: JobView) -> int:
    """Those in a row that led to this Job; none where a round has been closed since it was made."""
    return 0 if rounds_ended(snapshot) > job.rounds else job.restarts


def restarts_remembered(snapshot: Snapshot, job_name: str) -> int:
    """Those in a row that lead to the next Job of this name, where none stands: whatever else it is made anew for, what
    failed before the last closed round is over.
    """
    failure = _remembered(snapshot, job_name)
    return failure.restarts if failure is not None else 0


def rounds_ended(snapshot: Snapshot) -> int:
    """By which it is told whether any has since."""
    return snapshot.state.completed + snapshot.state.missed


def _remembered(snapshot: Snapshot, job_name: str) -> Failure | None:
    """The failure that a Job of this name is made anew for, unless a round has been closed since."""
    failure = snapshot.failures.get(job_name)
    return None if failure is None or rounds_ended(snapshot) > failure.rounds else failure


def restart_time(job: JobView, failure: Failure) -> datetime:
    """When a Job that failed is made again."""
    if job.finished is not None and job.finished.succeeded:
        return failure.at + (LAST_WORD_DELAY if job.role is Role.AGGREGATOR else ORDERLY_DELAY)
    if failure.exit_code == FENCED:
        return failure.at + FENCED_DELAY
    mended = failure.refused and failure.restarts <= 1  # once: what an administrator denies is denied again
    if failure.exit_code in HOPELESS and not mended:
        return failure.at + timedelta(seconds=MOST_DELAY_SECONDS)
    if failure.restarts <= 1:
        return failure.at
    doublings = min(failure.restarts - 2, 16)
    return failure.at + timedelta(seconds=min(MOST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**doublings))


def aggregator_restarts(snapshot: Snapshot) -> int:
    """Restarts in a row without a closed round: by the journal, or by the Job where none got as far as writing."""
    name = child_name(snapshot.training, Role.AGGREGATOR)
    job = snapshot.jobs.get(name)
    counts = [snapshot.run.restarts]
    if job is not None:
        failure = failure_of(snapshot, job)
        counted = failure is not None and not has_last_word(snapshot, job)
        counts.append(failure.restarts if failure is not None and counted else _restarts_before(snapshot, job))
    else:
        counts.append(restarts_remembered(snapshot, name))
    return max(counts)


def has_last_word(snapshot: Snapshot, job: JobView) -> bool:
    """Whether an aggregator ended in order a moment ago, so that the journal will say how the run did."""
    due = last_word_time(job)
    return due is not None and snapshot.now < due


def last_word_time(job: JobView) -> datetime | None:
    """Until when the journal of an aggregator that ended in order is waited for; None where it has not."""
    ended = job.finished
    if job.role is not Role.AGGREGATOR or ended is None or not ended.succeeded:
        return None
    return ended.at + LAST_WORD_DELAY


def last_failure(snapshot: Snapshot, job_name: str) -> Failure | None:
    """The newest failure of a Job: of the one that stands there, else the one remembered, however long ago: a round
    that others close says nothing of a participant.
    """
    return _of_the_one_there(snapshot, job_name) or snapshot.failures.get(job_name)


def aggregator_failure(snapshot: Snapshot) -> Failure | None:
    """The aggregator's; a round that has been closed since tells that it was got over."""
    name = child_name(snapshot.training, Role.AGGREGATOR)
    return _of_the_one_there(snapshot, name) or _remembered(snapshot, name)


def _of_the_one_there(snapshot: Snapshot, job_name: str) -> Failure | None:
    job = snapshot.jobs.get(job_name)
    return failure_of(snapshot, job) if job is not None else None


def pod_of(snapshot: Snapshot, job: JobView) -> PodView | None:
    """The pod of a Job that tells most: one that ended, else any."""
    pods = snapshot.pods_of(job)
    ended = [pod for pod in pods if pod.exit_code is not None]
    told = ended or pods
    return told[-1] if told else None
