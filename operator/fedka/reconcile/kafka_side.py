"""The part of a plan that is Kafka's: topics, users, the run's logs, the spec record, the removal of it all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.log_record import LogRecord
from fedka.plan.parts import IdentityRemoval, TopicRemoval, TopicSpec
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.outage import Outage
from fedka.reconcile.projection import Projection
from fedka.reconcile.provisioning import Login, Provisioner
from fedka.reconcile.run_log import RunLogs
from fedka.reconcile.spec_topic import SpecTopics
from fedka.wire.names import RunTopics
from fedka.wire.records import Spec

ReceiveRecords = Callable[[Sequence[LogRecord]], None]
ReceiveTrouble = Callable[[KafkaTrouble], None]


@dataclass(frozen=True, slots=True)
class KafkaSide:
    """All that the operator does with one Kafka cluster. One that is dead must not stall the others, nor, by `outage`,
    each of its trainings all the rest of them.
    """

    provisioner: Provisioner
    run_logs: RunLogs
    spec_topics: SpecTopics
    outage: Outage = field(default_factory=Outage)

    async def ensure(self, topics: Sequence[TopicSpec], memory: RunMemory) -> None:
        """Bring topics about, and remember that and their ids.

        Whether Kafka is there at all is asked first: topics may take half a minute to make, and nothing can be said of
        a training meanwhile.
        """
        async with self.outage.asking():
            await self.provisioner.topic_ids([topics[0].name])
            memory.topic_ids.update(await self.provisioner.ensure_topics(topics))
        memory.ensured.update({topic.name: topic for topic in topics})
        memory.trouble = None

    async def look_up(self, names: Sequence[str], memory: RunMemory) -> None:
        """Ask for ids; an answer also ends a trouble."""
        async with self.outage.asking():
            memory.topic_ids.update(await self.provisioner.topic_ids(names))
        memory.trouble = None
        memory.doubt = False

    async def follow(
        self, topics: RunTopics, memory: RunMemory, *, deliver: ReceiveRecords, trouble: ReceiveTrouble
    ) -> None:
        """Begin to read the run's logs from the first record, and know the newest spec record."""
        memory.published = await self.spec_topics.newest(topics.spec)
        memory.projection = Projection()
        memory.audit_next = 0
        memory.ends = await self.run_logs.follow(topics, deliver=deliver, trouble=trouble)
        memory.followed = topics
        memory.note_progress()

    async def unfollow(self, memory: RunMemory) -> None:
        """Read no more. What has been read stays known."""
        topics, memory.followed = memory.followed, None
        if topics is not None:
            await self.run_logs.unfollow(topics)

    async def publish(self, topics: RunTopics, spec: Spec, memory: RunMemory) -> None:
        """Deliver a spec record."""
        memory.published = await self.spec_topics.publish(topics.spec, spec)

    async def provision(self, logins: Sequence[Login], memory: RunMemory) -> None:
        """Bring users and their rights about."""
        async with self.outage.asking():
            await self.provisioner.ensure_identities(logins)
        if memory.users is not None:
            memory.users.update(login.identity.user for login in logins)
        memory.trouble = None

    async def look_up_users(self, topics: RunTopics, memory: RunMemory) -> None:
        """Ask which users of the run there are; an answer also ends a trouble."""
        async with self.outage.asking():
            memory.users = set(await self.provisioner.users_of(topics.journal, topics.users_prefix))
        memory.trouble = None

    async def revoke(self, users: Sequence[str], memory: RunMemory) -> None:
        """Remove users and their rights."""
        async with self.outage.asking():
            await self.provisioner.remove_identities(users)
        memory.users = (memory.users or set()) - set(users)
        memory.trouble = None

    async def remove_identities(self, removal: IdentityRemoval, memory: RunMemory) -> None:
        """Remove the run's users, those of participants that were removed long ago included."""
        async with self.outage.asking():
            others = await self.provisioner.users_of(removal.topic, removal.prefix)
            await self.provisioner.remove_identities(sorted({*removal.users, *others}))
        memory.identities_removed = True

    async def remove(self, removal: TopicRemoval, memory: RunMemory) -> None:
        """Delete the run's topics, those of participants that were removed long ago included."""
        async with self.outage.asking():
            others = await self.provisioner.list_topics(removal.prefix)
            await self.provisioner.delete_topics(sorted({*removal.names, *others}))
        memory.topics_deleted = True
        memory.ensured.clear()

    async def close(self) -> None:
        """Close what is open."""
        await self.run_logs.close()
        await self.spec_topics.close()
