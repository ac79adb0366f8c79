"""One look at one training: it is observed, planned for, and the plan carried out.

Whatever goes wrong is dealt with here, so that one training cannot stop the others.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from fedka.plan.planner import make_plan
from fedka.plan.settings import Settings
from fedka.plan.topics import PROBE_SECONDS
from fedka.reconcile.apply import Applier, NotLeaderError, Subject
from fedka.reconcile.cache import Cache, CachedTraining, TrainingKey
from fedka.reconcile.meter import Outcome
from fedka.reconcile.observe import observe
from fedka.reconcile.ports import ClusterError, ClusterUnavailable, Conflict, NotFound
from fedka.reconcile.provisioning import KafkaUnavailable, ProvisioningRefused
from fedka.reconcile.queue import KeyedQueue
from fedka.reconcile.reach import Reach
from fedka.reconcile.refused import ChildRefusedError
from fedka.reconcile.runs import Runs
from fedka.reconcile.throttle import StatusThrottle

LOGGER = logging.getLogger("fedka.reconcile")


class Reconciler:
    """Works on the keys of a queue, and puts them back into it for when they are to be looked at again."""

    def __init__(
        self,
        *,
        cache: Cache,
        reach: Reach,
        runs: Runs,
        queue: KeyedQueue[TrainingKey],
        throttle: StatusThrottle[TrainingKey],
        applier: Applier,
        settings: Settings,
        clock: Callable[[], datetime],
    ) -> None:
        self._cache = cache
        self._reach = reach
        self._runs = runs
        self._queue = queue
        self._throttle = throttle
        self._applier = applier
        self._settings = settings
        self._clock = clock

    async def attempt(self, key: TrainingKey) -> Outcome:
        """Reconcile once, and see to it that what failed is tried again in its time. Raises nothing."""
        outcome = Outcome.DONE
        try:
            settled = await self._reconcile(key)
        except (Conflict, NotFound) as error:
            LOGGER.debug("%s has changed meanwhile: %s", key, error)
            self._queue.retry(key)
            outcome = Outcome.OUTDATED
        except ChildRefusedError as error:
            LOGGER.warning("%s: %s", key, error)
            self._queue.add(key)  # now that it is known, the status can say it
            outcome = Outcome.REFUSED
        except KafkaUnavailable as error:
            news = self._runs.note_unavailable(key, error)
            LOGGER.log(logging.WARNING if news else logging.DEBUG, "%s: Kafka is not reached: %s", key, error)
            self._queue.add(key, after=0.0 if news else PROBE_SECONDS)
            outcome = Outcome.KAFKA_AWAY
        except ProvisioningRefused as error:
            LOGGER.warning("%s: Kafka refuses: %s", key, error)
            self._runs.note_refused(key, str(error))
            self._queue.add(key)
            outcome = Outcome.REFUSED
        except ClusterError as error:
            LOGGER.warning("%s: tried again in %.1f s: %s", key, self._queue.retry(key), error)
            outcome = Outcome.CLUSTER_AWAY if isinstance(error, ClusterUnavailable) else Outcome.REFUSED
        except NotLeaderError as error:
            LOGGER.info("%s is left alone: %s", key, error)
            outcome = Outcome.NOT_LEADER
        except Exception:
            delay = self._queue.retry(key)
            LOGGER.exception("reconciling %s failed; tried again in %.1f s", key, delay)
            outcome = Outcome.FAILED
        else:
            if settled:
                self._queue.succeeded(key)
        return outcome

    async def _reconcile(self, key: TrainingKey) -> bool:
        """Observe, plan, apply; whether all that was planned has been done.

        What has to wait for its turn is no success: what failed before may well fail again when that comes.
        """
        cached = self._cache.training(key)
        if not isinstance(cached, CachedTraining):  # gone; or not understood, and left as it is
            await self._runs.keep(key, cached.uid if cached is not None else None)
            self._throttle.forget(key)
            return True
        if not self._reach.covers(key.namespace) and cached.training.metadata.deletion_timestamp is None:
            return True  # by half of what there is, it would be misjudged; it comes again with the other half
        memory = await self._runs.memory(key, cached.training)
        snapshot = observe(
            cached,
            cache=self._cache,
            reach=self._reach,
            memory=memory,
            settings=self._settings,
            now=self._clock(),
        )
        plan = make_plan(snapshot)
        after = plan.requeue_after
        if not plan.is_empty():
            deliver, trouble = self._runs.receivers(key, memory)
            subject = Subject(key, cached, memory, snapshot, deliver=deliver, trouble=trouble)
            after = await self._applier.apply(plan, subject)
            if plan.teaches():
                self._queue.add(key)  # no watch event will tell of what was learnt of Kafka
        if after is not None:
            self._queue.add(key, after=after)
        return after == plan.requeue_after
