"""What a run has in a Kafka that it did not start itself, and how it goes with the run, as on a cluster.

There the operator deletes a training's topics when the training is deleted. A run on this machine has no such moment
but the removal of its state directory: until then its journal and its models are looked at through the directory.
"""

from collections.abc import Mapping
from typing import Any

from fedka.api.learning import ReclaimPolicy
from fedka.kafka.access import client_settings
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.provisioning import ProvisioningError
from fedka.wire.bundle import KafkaAccess
from fedka.wire.names import RunTopics


class TopicsNotRemoved(Exception):
    """Kafka could not be asked, or said no."""


async def remove_topics(training: Mapping[str, Any], bootstrap_servers: str) -> int:
    """Delete a saved training's topics there unless its spec retains them; how many. Raises TopicsNotRemoved."""
    run = (training.get("status") or {}).get("kafkaId")
    if run is None or retains_topics(training):
        return 0
    topics = RunTopics(run=str(run))
    provisioner = AdminProvisioner(client_settings(KafkaAccess(bootstrap_servers=bootstrap_servers)))
    try:
        ours = {topics.spec, topics.journal, topics.audit, topics.model, topics.state}
        found = [name for name, its_id in (await provisioner.topic_ids(sorted(ours))).items() if its_id is not None]
        found += await provisioner.list_topics(topics.update_prefix)
        await provisioner.delete_topics(found)
    except ProvisioningError as error:
        raise TopicsNotRemoved(
            f"the topics of run {run} could not be removed from the Kafka at {bootstrap_servers}: {error}"
        ) from error
    return len(found)


def retains_topics(training: Mapping[str, Any]) -> bool:
    """Whether the spec says that topics outlive the training."""
    return (training["spec"].get("kafka") or {}).get("reclaimPolicy") == ReclaimPolicy.RETAIN
