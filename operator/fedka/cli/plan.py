"""`fedka plan`: what the operator would make of a file, by the operator's own planner.

Nothing is asked of Kafka or of a cluster. A resource gets its UID when it is created, and names end in a hash over it,
so the names shown here are of the right form and end in another hash.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import yaml

from fedka.api.training import FederatedTraining
from fedka.plan.parts import Plan
from fedka.plan.planner import make_plan
from fedka.plan.settings import KafkaCluster, Settings
from fedka.plan.snapshot import Published, RunView, Snapshot
from fedka.wire.bundle import KafkaAccess

SAMPLE_UID = "00000000-0000-4000-8000-000000000000"
HIDDEN = "(not shown)"


def planned(training: FederatedTraining, *, bootstrap_servers: str, uid: str = SAMPLE_UID) -> dict[str, Any]:
    """All that would be created for a new training, as JSON: topics, secrets, jobs, spec record."""
    metadata = training.metadata.model_copy(update={"uid": uid, "generation": 1})
    clusters = {training.spec.kafka.cluster_name: KafkaCluster(KafkaAccess(bootstrap_servers=bootstrap_servers))}
    fresh = Snapshot(
        training=training.model_copy(update={"metadata": metadata}),
        settings=Settings(kafka_clusters=clusters),
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
        "secrets": [_without_values(secret.manifest) for secret in children.bundles],
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


def _without_values(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {**manifest, "data": dict.fromkeys(manifest["data"], HIDDEN)}


def _lines(plan: Mapping[str, Any]) -> list[str]:
    lines = [f"Topics ({len(plan['topics'])})"]
    width = max((len(topic["name"]) for topic in plan["topics"]), default=0)
    for topic in plan["topics"]:
        config = " ".join(f"{name}={value}" for name, value in topic["config"].items())
        plural = "partition " if topic["partitions"] == 1 else "partitions"
        lines.append(f"  {topic['name']:{width}}  {topic['partitions']} {plural}  {config}")
    for title, kind in (("Secrets", "secrets"), ("Jobs", "jobs")):
        lines.append(f"{title} ({len(plan[kind])})")
        lines.extend(f"  {_child(manifest)}" for manifest in plan[kind])
    lines.append("Spec record, for all pods of the run")
    lines.append(f"  {json.dumps(plan['spec'])}")
    lines.append("Names end in a hash over the UID that the resource gets when it is created.")
    return lines


def _child(manifest: Mapping[str, Any]) -> str:
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    if manifest["kind"] == "Secret":
        return f"{namespace}/{name}  {', '.join(manifest['data'])}"
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    return f"{namespace}/{name}  {' '.join(container['command'])}  image {container['image']}"
