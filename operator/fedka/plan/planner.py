"""The plan: the sum of what each policy makes of one snapshot. A new policy is one new file and one line here."""

from collections.abc import Callable

from fedka.plan.bundles import bundles
from fedka.plan.finalize import finalize
from fedka.plan.follow import follow
from fedka.plan.identities import revocations
from fedka.plan.jobs import aggregator, participants
from fedka.plan.moments import moments
from fedka.plan.network import network
from fedka.plan.parts import Part, Plan, merge
from fedka.plan.snapshot import Snapshot
from fedka.plan.spec_record import spec_record
from fedka.plan.status import status
from fedka.plan.topics import topics
from fedka.plan.ttl import ttl

Policy = Callable[[Snapshot], Part]

POLICIES: tuple[Policy, ...] = (
    finalize,
    topics,
    follow,
    spec_record,
    revocations,
    bundles,
    network,
    aggregator,
    participants,
    ttl,
    moments,
    status,
)


def make_plan(snapshot: Snapshot) -> Plan:
    """What is to be done now. Pure: the same snapshot gives the same plan, and an applied plan leaves nothing to do."""
    return merge(policy(snapshot) for policy in POLICIES)
