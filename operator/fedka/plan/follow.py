"""Whose journal is read: that of a run that lives, from the first record on."""

from fedka.api.conditions import ConditionStatus, find_condition
from fedka.api.reasons import ConditionType
from fedka.plan.outcome import order_is_due
from fedka.plan.parts import NOTHING, Part
from fedka.plan.snapshot import Snapshot
from fedka.plan.stage import Stage, stage


def follow(snapshot: Snapshot) -> Part:
    """Begin once the journal exists, stop once the status holds the end and why and all are told, or when the
    training goes.
    """
    now = stage(snapshot)
    if now in {Stage.DELETING, Stage.BLOCKED}:
        wanted = False
    elif now is Stage.ENDED:
        told = snapshot.run_known or not snapshot.state.ended  # the audit topic may be read after the journal
        wanted = snapshot.followed and not (_end_recorded(snapshot) and told and not order_is_due(snapshot))
    else:
        names = snapshot.topics
        made = all(snapshot.topic_ids.get(name) for name in (names.spec, names.journal, names.audit))
        wanted = made if snapshot.trouble is None else snapshot.followed
    return Part(follow=wanted) if wanted is not snapshot.followed else NOTHING


def _end_recorded(snapshot: Snapshot) -> bool:
    found = (
        find_condition(snapshot.status.conditions, type_) for type_ in (ConditionType.COMPLETE, ConditionType.FAILED)
    )
    return any(condition is not None and condition.status is ConditionStatus.TRUE for condition in found)
