"""From a bundle Secret to a Kafka user who may do what its pod needs; any step may be the last before a crash.

A mark on the Secret says that all of it was done, for which Kafka and with which rights. So an operator that has just
started asks for nothing twice, and one that was killed on the way takes up what is not marked. A mark does not say that
Kafka still has the user: where a pod was refused, it is made again, from the same Secret.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from fedka.plan.bundles import external
from fedka.plan.events import hand_over_again, users_made_again
from fedka.plan.hashing import digest
from fedka.plan.parts import EventNote, Identity
from fedka.plan.snapshot import Snapshot
from fedka.reconcile.children import Children, MadeBundle
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.provisioning import Login
from fedka.reconcile.refused import each_of
from fedka.reconcile.telling import Teller


async def bring_about(
    made: Sequence[MadeBundle],
    side: KafkaSide,
    children: Children,
    memory: RunMemory,
    *,
    snapshot: Snapshot,
    teller: Teller,
    check_leader: Callable[[], None],
) -> None:
    """Make the users of these bundles, as far as they have not been made or may have been lost. Pods that hold a
    password which is void from now on are made anew; who holds an External participant's is told.
    """
    logins = {
        bundle.secret.name: Login(bundle.secret.identity, bundle.password)
        for bundle in made
        if bundle.secret.identity is not None and bundle.password is not None
    }
    if not logins:
        return
    cluster = await side.provisioner.cluster_id()
    marks = {name: f"{cluster}/{rights_digest(login.identity)}" for name, login in logins.items()}
    wanting = [bundle for bundle in made if bundle.mark != marks.get(bundle.secret.name, bundle.mark)]
    lost = [bundle for bundle in made if bundle.secret.anew and bundle.secret.name in logins and bundle not in wanting]
    if not wanting and not lost:
        memory.users_in_doubt = False
        return
    unknown = [bundle for bundle in wanting if not bundle.mark.startswith(f"{cluster}/")]
    void = await _void(unknown, side, memory, snapshot)
    check_leader()
    await side.provision([logins[bundle.secret.name] for bundle in (*wanting, *lost)], memory)
    memory.users_in_doubt = False
    await teller.tell([*void, *_mended(lost, memory)])

    async def mark(bundle: MadeBundle) -> None:
        if bundle.secret.in_use_by is not None and bundle in unknown:
            await children.delete_job(bundle.secret.in_use_by)
            check_leader()
        await children.mark_bundle(bundle, marks[bundle.secret.name])

    await each_of(wanting, mark, check_leader=check_leader)


async def _void(
    unknown: Sequence[MadeBundle], side: KafkaSide, memory: RunMemory, snapshot: Snapshot
) -> list[EventNote]:
    """Of External participants whose users are there, though no Secret says with which password. If it is the same, as
    the operator was killed before it could mark the Secret, a bundle is handed over once too often.
    """
    names = {snapshot.topics.participant_user(name): name for name in external(snapshot)}
    users = {bundle.secret.identity.user for bundle in unknown if bundle.secret.identity is not None} & names.keys()
    if users and memory.users is None:
        await side.look_up_users(snapshot.topics, memory)
    metadata = snapshot.training.metadata
    again = sorted(names[user] for user in users & (memory.users or set()))
    return [hand_over_again(metadata.name, metadata.namespace, name) for name in again]


def _mended(lost: Sequence[MadeBundle], memory: RunMemory) -> list[EventNote]:
    """Of those whose pods were refused. The others are made again in case they were lost, which nobody knows."""
    users = []
    for bundle in lost:
        name, identity = bundle.secret.name, bundle.secret.identity
        failure = memory.failures.get(name)
        if failure is not None and identity is not None:
            memory.failures[name] = replace(failure, mended=True)
            users.append(identity.user)
    return [users_made_again(sorted(users))] if users else []


def rights_digest(identity: Identity) -> str:
    """Tells whether a user has the rights that are wanted now; a newer operator may want others."""
    grants = [(grant.topic, grant.prefixed, sorted(grant.rights)) for grant in identity.grants]
    return digest([identity.user, sorted(grants)])
