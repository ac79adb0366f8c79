"""The Jobs of a training: made, made again when they fail, stopped and resumed, and ended when they hang.

Jobs are create-only while a run lives. A changed app or template is taken up when a suspended training goes on: the
Job is deleted and made again, as a Job's template cannot change.
"""

from typing import Any

from fedka.api.pods import PodTemplate
from fedka.exit_codes import CONFIG, FENCED
from fedka.plan.bundles import members
from fedka.plan.hashing import digest
from fedka.plan.identities import held_back
from fedka.plan.images import default_image, pins
from fedka.plan.names import ANNOTATION_HASH, ANNOTATION_RESTARTS, ANNOTATION_ROUNDS, child_metadata, child_name, labels
from fedka.plan.outcome import END_GRACE, outcome
from fedka.plan.parts import NOTHING, NewJob, Part, merge, seconds_until
from fedka.plan.pod_template import pod_template
from fedka.plan.refusals import deleted, patched, unavailable
from fedka.plan.restarts import failure_of, restart_time, restarts_remembered, rounds_ended
from fedka.plan.snapshot import JobView, Role, Snapshot
from fedka.plan.stage import Stage, stage
from fedka.plan.topics import topics_made


def aggregator(snapshot: Snapshot) -> Part:
    """The aggregator's Job."""
    return _job(snapshot, Role.AGGREGATOR, None)


def participants(snapshot: Snapshot) -> Part:
    """A Job for each Managed participant; those of participants no longer in the spec go."""
    spec = snapshot.training.spec
    wanted = [_job(snapshot, Role.PARTICIPANT, p.name) for p in spec.participants if p.managed]
    names = {child_name(snapshot.training, role, participant) for role, participant in members(snapshot)}
    extra = [job for job in snapshot.jobs.values() if job.name not in names and not job.deleting]
    if stage(snapshot) in {Stage.DELETING, Stage.BLOCKED}:
        extra = []
    return merge([*wanted, *(deleted(snapshot, job) for job in extra)])


def _job(snapshot: Snapshot, role: Role, participant: str | None) -> Part:
    job = snapshot.jobs.get(child_name(snapshot.training, role, participant))
    now = stage(snapshot)
    if job is None:
        return _create(snapshot, role, participant) if now is Stage.LIVE else NOTHING
    if job.deleting:
        return NOTHING
    if now is Stage.ENDED:
        return _end(snapshot, job)
    if now is Stage.SUSPENDED:
        return _suspend(snapshot, job)
    if now is Stage.LIVE:
        return _resume(snapshot, job) if job.suspended else _replace(snapshot, job)
    return NOTHING


def _has_bundle(snapshot: Snapshot, participant: str | None) -> bool:
    """Whether all is there of which a pod's Secret is made: no pod may start with one that the spec has outdated."""
    return snapshot.run_known and topics_made(snapshot, participant) and not held_back(snapshot)


def _create(snapshot: Snapshot, role: Role, participant: str | None) -> Part:
    if not _has_bundle(snapshot, participant):
        return NOTHING
    name = child_name(snapshot.training, role, participant)
    needed = (child_name(snapshot.training, role), name)  # no pod without the NetworkPolicy of its role
    if any(unavailable(snapshot, each) for each in needed):
        return NOTHING
    return Part(jobs=(NewJob(name, job_manifest(snapshot, role, participant)),))


def _replace(snapshot: Snapshot, job: JobView) -> Part:
    """A Job that ended although the run lives is deleted; what follows is made once it has gone."""
    failure = failure_of(snapshot, job)
    if failure is None or not snapshot.run_known:
        return NOTHING
    due = restart_time(job, failure)
    if snapshot.now < due:
        return Part(requeue_after=seconds_until(due, snapshot.now))
    return deleted(snapshot, job, failure)


def _suspend(snapshot: Snapshot, job: JobView) -> Part:
    if job.suspended or job.finished is not None:
        return NOTHING
    return patched(snapshot, job, suspend=True, deadline_seconds=job.deadline_seconds)


def _resume(snapshot: Snapshot, job: JobView) -> Part:
    if not _has_bundle(snapshot, job.participant):
        return NOTHING
    wanted = job_hash(snapshot, job.role, job.participant)
    if job.hash != wanted:
        return deleted(snapshot, job)
    return patched(snapshot, job, suspend=False, deadline_seconds=job.deadline_seconds)


def _end(snapshot: Snapshot, job: JobView) -> Part:
    """What has not exited a while after the end is ended by its deadline: it changes nothing in the result."""
    end = outcome(snapshot)
    if end is None or job.finished is not None or job.suspended or job.deadline_seconds is not None:
        return NOTHING
    due = end.at + END_GRACE
    if snapshot.now < due:
        return Part(requeue_after=seconds_until(due, snapshot.now))
    elapsed = int((snapshot.now - job.started).total_seconds()) if job.started is not None else 0
    return patched(snapshot, job, suspend=False, deadline_seconds=max(1, elapsed + 1))


def job_hash(snapshot: Snapshot, role: Role, participant: str | None) -> str:
    """Tells whether a Job's pod is the one wanted now."""
    return digest(_template(snapshot, role, participant))


def job_manifest(snapshot: Snapshot, role: Role, participant: str | None) -> dict[str, Any]:
    """The Job as it is created."""
    name = child_name(snapshot.training, role, participant)
    annotations = {
        ANNOTATION_HASH: job_hash(snapshot, role, participant),
        ANNOTATION_RESTARTS: str(restarts_remembered(snapshot, name)),
        ANNOTATION_ROUNDS: str(rounds_ended(snapshot)),
    }
    rules = [
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [FENCED, CONFIG]}},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": child_metadata(snapshot.training, role, participant, annotations),
        "spec": {
            "suspend": False,
            "backoffLimit": 0,  # a Job's own back-off begins at 10 s and counts a run's whole life
            "podReplacementPolicy": "Failed",  # never two pods of one identity at once
            "podFailurePolicy": {"rules": rules},
            "template": _template(snapshot, role, participant),
        },
    }


def _template(snapshot: Snapshot, role: Role, participant: str | None) -> dict[str, Any]:
    training, code = snapshot.training, None
    templates: tuple[PodTemplate | None, ...] = (training.spec.aggregator.template,)
    if role is Role.PARTICIPANT:
        own = next((p.template for p in training.spec.participants if p.name == participant), None)
        templates = (training.spec.participant_template, own)
        code = training.spec.app.code_config_map_ref
    return pod_template(
        role=role,
        image=default_image(snapshot, role),
        secret=child_name(training, role, participant),
        labels=labels(training, role, participant),
        templates=templates,
        code=code.name if code is not None else None,
        pins=pins(snapshot),
    )
