"""`fedka plan`: what the operator would make of a file, by the operator's own planner.

Nothing is asked of Kafka or of a cluster. A resource gets its UID when it is created, and names end in a hash over it,
so the names shown here are of the right form and end in another hash.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml

from fedka.api.training import FederatedTraining
from fedka.plan.parts import Identity, Plan
from fedka.plan.planner import make_plan
from fedka.plan.settings import KafkaCluster, Settings
from fedka.plan.snapshot import Published, RunView, Snapshot
from fedka.wire.bundle import KafkaAccess

SAMPLE_UID = "00000000-0000-4000-8000-000000000000"
HIDDEN = "(not shown)"


def planned(
    training: FederatedTraining, *, bootstrap_servers: str, identities: bool = False, uid: str = SAMPLE_UID
) -> dict[str, Any]:
    """All that would be created for a new training, as JSON: topics, users, secrets, network policies, jobs, spec
    record. With `identities`, each pod has a user of its own.
    """
    metadata = training.metadata.model_copy(update={"uid": uid, "generation": 1})
    kafka = KafkaCluster(KafkaAccess(bootstrap_servers=bootstrap_servers), identities=identities)
    fresh = Snapshot(
        training=training.model_copy(update={"metadata": metadata}),
        settings=Settings(kafka_clusters={training.spec.kafka.cluster_name: kafka}),
        now=datetime.now(UTC),
    )
    topics = make_plan(fresh)
    provisioned = _with_topics(fresh, topics)
    spec = make_plan(provisioned)
    delivered = provisioned if spec.spec is None else replace(provisioned, published=Published(spec.spec, fresh.now))
    children = make_plan(delivered)
    return {
        "topics": [
            {"name": topic.name, "partitions": topic.partitions, "config": dict(topic.config)}
            for topic in topics.topics
        ],
        "users": [_user(secret.identity) for secret in children.bundles if secret.identity is not None],
        "secrets": [_without_values(secret.manifest) for secret in children.bundles],
        "networkPolicies": [dict(policy.manifest) for policy in children.network_policies],
        "jobs": [dict(job.manifest) for job in children.jobs],
        "spec": None if spec.spec is None else spec.spec.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def print_plan(plan: Mapping[str, Any], output: str | None) -> None:
    """The plan on stdout: `json`, `yaml`, or for people."""
    if output == "json":
        json.dump(plan, sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif output == "yaml":
        yaml.safe_dump(dict(plan), sys.stdout, sort_keys=False)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(plan))


def _with_topics(snapshot: Snapshot, plan: Plan) -> Snapshot:
    """The snapshot once these topics stand and are followed."""
    return replace(
        snapshot,
        ensured={topic.name: topic for topic in plan.topics},
        topic_ids={topic.name: "0" for topic in plan.topics},
        followed=True,
        run=RunView(caught_up=True),
    )


def _user(identity: Identity) -> dict[str, Any]:
    rights = [
        {"topic": grant.topic, "prefixed": grant.prefixed, "operations": sorted(right.value for right in grant.rights)}
        for grant in identity.grants
    ]
    return {"name": identity.user, "rights": rights}


def _without_values(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {**manifest, "data": dict.fromkeys(manifest["data"], HIDDEN)}


def _lines(plan: Mapping[str, Any]) -> list[str]:
    lines = [f"Topics ({len(plan['topics'])})"]
    width = max((len(topic["name"]) for topic in plan["topics"]), default=0)
    for topic in plan["topics"]:
        config = " ".join(f"{name}={value}" for name, value in topic["config"].items())
        plural = "partition " if topic["partitions"] == 1 else "partitions"
        lines.append(f"  {topic['name']:{width}}  {topic['partitions']} {plural}  {config}")
    lines.extend(_users(plan["users"]))
    for title, kind in (("Secrets", "secrets"), ("NetworkPolicies", "networkPolicies"), ("Jobs", "jobs")):
        lines.append(f"{title} ({len(plan[kind])})")
        lines.extend(f"  {_child(manifest)}" for manifest in plan[kind])
    lines.append("Spec record, for all pods of the run")
    lines.append(f"  {json.dumps(plan['spec'])}")
    lines.append("Names end in a hash over the UID that the resource gets when it is created.")
    return lines


def _users(users: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """One line for each right; nothing where there are no users."""
    if users:
        yield f"Users ({len(users)})"
    for user in users:
        yield f"  {user['name']}"
        for right in user["rights"]:
            yield f"    {', '.join(right['operations'])}  {right['topic']}{'*' if right['prefixed'] else ''}"


def _child(manifest: Mapping[str, Any]) -> str:
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    if manifest["kind"] == "Secret":
        return f"{namespace}/{name}  {', '.join(manifest['data'])}"
    if manifest["kind"] == "NetworkPolicy":
        return f"{namespace}/{name}  {', '.join(manifest['spec']['policyTypes'])}"
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    return f"{namespace}/{name}  {' '.join(container['command'])}  image {container['image']}"
