"""An operator that lacks a right says which, and does not take Kafka for away."""

import pytest

from fedka.reconcile.provisioning import TopicRefused
from fedka.reconcile.spec_topic import KafkaSpecTopics
from fedka.wire import records as r

from .parties import Run

pytestmark = pytest.mark.kafka


async def test_a_spec_record_that_it_may_not_write_is_refused(own: Run):
    """Participants may look at the spec topic and not write to it."""
    spec = r.Spec(generation=1, participants=("a",), rounds=r.Rounds(count=1))
    topics = KafkaSpecTopics(own.parties["a"].settings)
    try:
        with pytest.raises(TopicRefused, match="grant the operator Write"):
            await topics.publish(own.topics.spec, spec)
    finally:
        await topics.close()
