"""NetworkPolicies: nobody connects to a training's pods, and an aggregator connects to what the platform's owner says.

Every arrow of a run is a Kafka client connecting out, so ingress needs no exception. Egress is another matter: Kafka's
addresses cannot be guessed from its names, so its rules are the operator's configuration, taken as they are. And
participants need their own data, wherever that lies, so only the aggregator's egress is policed.
"""

from typing import Any

from fedka.plan.hashing import digest
from fedka.plan.names import ANNOTATION_HASH, child_metadata, labels
from fedka.plan.parts import NOTHING, NetworkPolicy, Part
from fedka.plan.refusals import unavailable
from fedka.plan.snapshot import Role, Snapshot
from fedka.plan.stage import Stage, stage
from fedka.plan.topics import topics_made


def network(snapshot: Snapshot) -> Part:
    """One policy for the aggregator and one for all participants, before any of their pods."""
    if stage(snapshot) is not Stage.LIVE or not snapshot.run_known or not topics_made(snapshot):
        return NOTHING
    wanted = (_policy(snapshot, role) for role in (Role.AGGREGATOR, Role.PARTICIPANT))
    return Part(network_policies=tuple(policy for policy in wanted if _is_due(snapshot, policy)))


def _is_due(snapshot: Snapshot, policy: NetworkPolicy) -> bool:
    if unavailable(snapshot, policy.name):
        return False
    return snapshot.network_policies.get(policy.name) != policy.hash


def _policy(snapshot: Snapshot, role: Role) -> NetworkPolicy:
    spec = _spec(snapshot, role)
    content = digest(spec)
    metadata = child_metadata(snapshot.training, role, None, {ANNOTATION_HASH: content})
    manifest = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
    return NetworkPolicy(name=metadata["name"], hash=content, manifest=manifest)


def _spec(snapshot: Snapshot, role: Role) -> dict[str, Any]:
    egress = snapshot.kafka.egress if snapshot.kafka is not None and role is Role.AGGREGATOR else ()
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": labels(snapshot.training, role)},
        "policyTypes": ["Ingress"],  # with no rule: nobody may connect
    }
    return spec | ({"policyTypes": ["Ingress", "Egress"], "egress": [dict(rule) for rule in egress]} if egress else {})
