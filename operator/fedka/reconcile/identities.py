"""From a bundle Secret to a Kafka user who may do what its pod needs; any step may be the last before a crash.

A mark on the Secret says that all of it was done, for which Kafka and with which rights. So an operator that has just
started asks for nothing twice, and one that was killed on the way takes up what is not marked.
"""

from collections.abc import Callable, Sequence

from fedka.plan.hashing import digest
from fedka.plan.parts import Identity
from fedka.reconcile.children import Children, MadeBundle
from fedka.reconcile.kafka_side import KafkaSide
from fedka.reconcile.memory import RunMemory
from fedka.reconcile.provisioning import Login


async def bring_about(
    made: Sequence[MadeBundle],
    side: KafkaSide,
    children: Children,
    memory: RunMemory,
    *,
    check_leader: Callable[[], None],
) -> None:
    """Make the users of these bundles. Pods that hold a password which is void from now on are made anew."""
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
    if not wanting:
        return
    check_leader()
    await side.provision([logins[bundle.secret.name] for bundle in wanting], memory)
    for bundle in wanting:
        known_before = bundle.mark.startswith(f"{cluster}/")
        if bundle.secret.in_use_by is not None and not known_before:
            check_leader()
            await children.delete_job(bundle.secret.in_use_by)
        check_leader()
        await children.mark_bundle(bundle, marks[bundle.secret.name])


def rights_digest(identity: Identity) -> str:
    """Tells whether a user has the rights that are wanted now; a newer operator may want others."""
    grants = [(grant.topic, grant.prefixed, sorted(grant.rights)) for grant in identity.grants]
    return digest([identity.user, sorted(grants)])
