"""The memories of all runs, and what Kafka's clients tell of them between two reconciles."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from fedka.api.training import FederatedTraining
from fedka.kafka.errors import KafkaTrouble
from fedka.kafka.log_record import LogRecord
from fedka.plan.snapshot import Trouble
from fedka.reconcile.cache import TrainingKey
from fedka.reconcile.kafka_side import KafkaSide, ReceiveRecords, ReceiveTrouble
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.projection import has_turned, read_audit, read_journal
from fedka.reconcile.provisioning import CredentialsRefused, KafkaUnavailable
from fedka.wire.run_state import At


class News(Protocol):
    """Is told of a training."""

    def __call__(self, key: TrainingKey, *, turned: bool) -> None:
        """It should be looked at again."""
        ...


class Runs:
    """One memory a training. `news` is called when a run should be looked at again; `turned`: not only for progress."""

    def __init__(
        self,
        *,
        kafka: Mapping[str, KafkaSide],
        clock: Callable[[], datetime],
        news: News,
        pods_end_with_us: bool = False,
    ) -> None:
        self._kafka = kafka
        self._clock = clock
        self._news = news
        self._pods_end_with_us = pods_end_with_us
        self._memories: dict[TrainingKey, RunMemory] = {}

    async def memory(self, key: TrainingKey, training: FederatedTraining) -> RunMemory:
        """What is remembered of this training; nothing of an earlier one of the same name."""
        await self.keep(key, training.metadata.uid)
        held = self._memories.get(key)
        if held is not None:
            return held
        made = RunMemory(
            uid=training.metadata.uid, kafka=training.spec.kafka.cluster_name, expects_start=self._pods_end_with_us
        )
        self._memories[key] = made
        return made

    async def keep(self, key: TrainingKey, uid: str | None) -> None:
        """Forget all but the training of this UID; None: whichever there was has gone."""
        held = self._memories.get(key)
        if held is None or held.uid == uid:
            return
        del self._memories[key]
        side = self._kafka.get(held.kafka)
        if side is not None:
            await side.unfollow(held)

    def recheck(self, key: TrainingKey) -> bool:
        """Believe no longer that Secrets, NetworkPolicies and users are still as they were made: who changed or deleted
        one by hand is not heard of. And ask again for what was refused. Whether there was anything of all that.
        """
        held = self._memories.get(key)
        if held is None:
            return False
        believed = (held.bundles, held.network_policies, held.refusals, held.unpatched, held.kept)
        any_at_all = any(believed)
        held.users_in_doubt = True
        for each in believed:
            each.clear()
        return any_at_all

    def kafka_of(self, key: TrainingKey) -> str | None:
        """The name of the Kafka cluster that the run is known to use."""
        held = self._memories.get(key)
        return held.kafka if held is not None else None

    def unreachable(self) -> frozenset[str]:
        """The names of Kafka clusters of which a run has found that they do not answer."""
        memories = self._memories.values()
        return frozenset(held.kafka for held in memories if held.trouble is not None and not held.trouble.refused)

    def followed_journal(self, kafka: str) -> str | None:
        """The journal of any run that is read from this cluster and knows of no trouble with it."""
        memories = (held for held in self._memories.values() if held.kafka == kafka and held.trouble is None)
        return next((held.followed.journal for held in memories if held.followed is not None), None)

    def note_away(self, kafka: str, error: KafkaUnavailable) -> None:
        """A whole cluster does not answer."""
        for key, held in self._memories.items():
            if held.kafka == kafka and held.followed is not None and self.note_unavailable(key, error):
                self._news(key, turned=True)

    def receivers(self, key: TrainingKey, memory: RunMemory) -> tuple[ReceiveRecords, ReceiveTrouble]:
        """What a run's logs are to be delivered to."""
        return (
            lambda records: self._deliver(key, memory, records),
            lambda news: self._hear(key, memory, news),
        )

    def note_unavailable(self, key: TrainingKey, error: KafkaUnavailable) -> bool:
        """Kafka did not answer, or not to us; whether that is news."""
        memory = self._memories.get(key)
        if memory is None:
            return False
        denied = isinstance(error, CredentialsRefused)
        known = memory.trouble is not None and not memory.trouble.refused and memory.trouble.denied is denied
        at = memory.trouble.at if memory.trouble is not None and known else self._clock()
        memory.trouble = Trouble(str(error), at, denied=denied)
        memory.doubt = False
        return not known

    def note_refused(self, key: TrainingKey, message: str) -> None:
        """Kafka answered, and said no."""
        memory = self._memories.get(key)
        if memory is not None:
            memory.trouble = Trouble(message, self._clock(), refused=True)

    def _deliver(self, key: TrainingKey, memory: RunMemory, records: Sequence[LogRecord]) -> None:
        if memory.followed is None:
            return
        projection = memory.projection
        for record in records:
            if record.topic == memory.followed.journal:
                projection = read_journal(projection, record.value, At(record.offset, record.time_ms))
            else:
                projection = read_audit(projection, record.value)
                memory.audit_next = record.offset + 1
        before, memory.projection = memory.projection, projection
        memory.note_progress()
        turned = memory.doubt or memory.trouble is not None or has_turned(before.view, memory.projection.view)
        memory.doubt = False
        if memory.trouble is not None and not memory.trouble.refused:
            memory.trouble = None
        self._news(key, turned=turned)

    def _hear(self, key: TrainingKey, memory: RunMemory, trouble: KafkaTrouble) -> None:
        """A client goes on by itself, so its complaint only raises a doubt; one that has ended must be replaced."""
        if trouble.fatal:
            memory.trouble = Trouble(trouble.message, self._clock(), refused=True)
            memory.followed = None
        elif memory.trouble is None:
            memory.doubt = True
        self._news(key, turned=True)
