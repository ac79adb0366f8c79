"""One dead Kafka cluster stalls no other."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fedka.plan.parts import TopicSpec

from .conftest import World
from .fakes import FakeKafka

MANY = 12  # more than an operator with one Kafka cluster has workers


@dataclass
class HangingKafka(FakeKafka):
    """Takes every request, and answers none."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def ensure_topics(self, topics: Sequence[TopicSpec]) -> Mapping[str, str]:  # noqa: ARG002  the port's
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def topic_ids(self, names: Sequence[str]) -> Mapping[str, str | None]:  # noqa: ARG002  the same
        return await self.ensure_topics(())


def on_kafka(name: str) -> dict[str, Any]:
    return {"kafka": {"clusterName": name}}


async def test_trainings_of_a_kafka_that_hangs_hold_up_no_others(world: World):
    hanging = HangingKafka()
    world.start(others={"hanging": hanging.side()})
    for number in range(MANY):
        await world.create(f"stuck-{number}", **on_kafka("hanging"))
    await asyncio.wait_for(hanging.asked.wait(), 60)
    topics = await world.create("fraud")
    await world.started(topics)


async def test_trainings_of_unknown_kafkas_are_told_so_meanwhile(world: World):
    hanging = HangingKafka()
    world.start(others={"hanging": hanging.side()})
    for number in range(MANY):
        await world.create(f"stuck-{number}", **on_kafka("hanging"))
    await asyncio.wait_for(hanging.asked.wait(), 60)
    await world.create("lost", **on_kafka("nowhere"))

    async def told() -> bool:
        return await world.condition("Stalled", "lost") == ("True", "UnknownKafkaCluster")

    await world.until(told)
