"""A Secret for each pod, for each External participant to hand over, and for who fetches the model: the connection
bundle.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

from fedka.plan.hashing import digest
from fedka.plan.identities import held_back, identity
from fedka.plan.names import ANNOTATION_HASH, child_metadata, child_name
from fedka.plan.parts import NOTHING, BundleSecret, JobDeletion, Part
from fedka.plan.pod_template import CODE_DIRECTORY
from fedka.plan.refusals import keeping, unavailable
from fedka.plan.settings import KafkaCluster
from fedka.plan.snapshot import JobView, Role, Snapshot
from fedka.plan.stage import Stage, stage
from fedka.plan.topics import topics_made
from fedka.wire.bundle import CA_FILE, DOCUMENT, PASSWORD_FILE, AppSettings, Bundle, KafkaAccess

_ROLES: Mapping[Role, Literal["aggregator", "participant", "reader"]] = {
    Role.AGGREGATOR: "aggregator",
    Role.PARTICIPANT: "participant",
    Role.READER: "reader",
}


def bundles(snapshot: Snapshot) -> Part:
    """Make the Secrets of what has no Job yet; those of running pods are left alone, as pods read them at start.

    A participant's settings may change while it runs: they arrive when its Job is made again.
    """
    if stage(snapshot) is not Stage.LIVE or held_back(snapshot):
        return NOTHING
    names = {child_name(snapshot.training, role, participant) for role, participant in members(snapshot)}
    wanted = (_missing(snapshot, role, participant) for role, participant in members(snapshot))
    extra = sorted({*snapshot.bundles, *_with_jobs(snapshot)} - names)
    return Part(
        bundles=tuple(secret for secret in wanted if secret is not None),
        bundle_removals=tuple(name for name in extra if keeping(snapshot, name) is None),
    )


def _with_jobs(snapshot: Snapshot) -> Iterator[str]:
    """Also of Secrets that an operator which has just started does not know: each goes before the Job of its name."""
    return (name for name, job in snapshot.jobs.items() if not job.deleting and keeping(snapshot, job.uid) is None)


def _missing(snapshot: Snapshot, role: Role, participant: str | None) -> BundleSecret | None:
    """The Secret to make before a Job is made or goes on, or to hand over."""
    name = child_name(snapshot.training, role, participant)
    job = snapshot.jobs.get(name)
    if unavailable(snapshot, name):
        return None
    if not snapshot.run_known or not topics_made(snapshot, participant):
        return None
    if job is not None and not job.suspended:
        return _of_running_pods(snapshot, job)
    secret = bundle_secret(snapshot, role, participant)
    if role is Role.READER or participant in external(snapshot):
        secret = replace(secret, anew=_may_be_lost(snapshot, participant))
    elif job is None:
        if unavailable(snapshot, child_name(snapshot.training, role)):
            return None  # no Job will be made
        failure = snapshot.failures.get(name)
        return replace(secret, anew=failure is not None and failure.refused)
    return secret if snapshot.bundles.get(secret.name) != secret.hash else None


def _may_be_lost(snapshot: Snapshot, participant: str | None) -> bool:
    """Of who has no pod nobody tells that Kafka refuses it; who is present is let in."""
    return snapshot.users_in_doubt and participant not in snapshot.state.present


def _of_running_pods(snapshot: Snapshot, job: JobView) -> BundleSecret | None:
    """Left alone, unless nobody knows whether it is there: without it, who is to say what the password was."""
    if job.name in snapshot.bundles or identity(snapshot, job.role, job.participant) is None:
        return None
    if keeping(snapshot, job.uid):  # to go with its void password, but may not
        return None
    secret = bundle_secret(snapshot, job.role, job.participant)
    return replace(secret, in_use_by=JobDeletion(job.name, job.uid))


def members(snapshot: Snapshot) -> list[tuple[Role, str | None]]:
    """The aggregator, every participant of the spec and, where there are identities, the reader."""
    reader = [(Role.READER, None)] if identity(snapshot, Role.READER, None) is not None else []
    named = ((Role.PARTICIPANT, p.name) for p in snapshot.training.spec.participants)
    return [(Role.AGGREGATOR, None), *named, *reader]


def external(snapshot: Snapshot) -> frozenset[str]:
    """The participants that others run."""
    return frozenset(p.name for p in snapshot.training.spec.participants if not p.managed)


def bundle_secret(snapshot: Snapshot, role: Role, participant: str | None) -> BundleSecret:
    """The Secret as it should be."""
    document = bundle_document(snapshot, role, participant).model_dump_json(by_alias=True, exclude_none=True)
    data = {DOCUMENT: b64encode(document.encode()).decode()}
    if snapshot.kafka is not None and snapshot.kafka.ca:
        data[CA_FILE] = b64encode(snapshot.kafka.ca.encode()).decode()
    content = digest(data)
    metadata = child_metadata(snapshot.training, role, participant, {ANNOTATION_HASH: content})
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": "Opaque",
        "immutable": True,  # a pod must not see it change: it is replaced, together with the pod
        "data": data,
    }
    return BundleSecret(
        name=metadata["name"], hash=content, manifest=manifest, identity=identity(snapshot, role, participant)
    )


def bundle_document(snapshot: Snapshot, role: Role, participant: str | None) -> Bundle:
    """What the pod reads."""
    training, kafka = snapshot.training, snapshot.kafka
    if kafka is None:
        raise ValueError(f"no Kafka cluster {training.spec.kafka.cluster_name!r}: there is nothing to connect to")
    return Bundle(
        role=_ROLES[role],
        run=snapshot.run_id,
        training=training.metadata.name,
        namespace=training.metadata.namespace,
        topic_prefix=kafka.prefix,
        participant=participant,
        seed=training.spec.rounds.seed,
        kafka=_access(snapshot, kafka, role, participant),
        app=_app(snapshot, participant),
        state_directory=_state_directory(snapshot, participant),
    )


def _access(snapshot: Snapshot, kafka: KafkaCluster, role: Role, participant: str | None) -> KafkaAccess:
    ca_file = CA_FILE if kafka.ca else kafka.access.ca_file
    who = identity(snapshot, role, participant)
    if who is None:
        return kafka.access.model_copy(update={"ca_file": ca_file})
    return KafkaAccess(
        bootstrap_servers=kafka.access.bootstrap_servers,
        security_protocol="SASL_SSL",
        ca_file=ca_file,
        sasl_mechanism="SCRAM-SHA-512",
        username=who.user,
        password_file=PASSWORD_FILE,
    )


def _app(snapshot: Snapshot, participant: str | None) -> AppSettings | None:
    spec = snapshot.training.spec
    own = next((p for p in spec.participants if p.name == participant), None)
    if own is None:
        return None
    shared = spec.app.config if own.managed else {}
    return AppSettings(
        entrypoint=spec.app.entrypoint,
        code_directory=CODE_DIRECTORY if own.managed and spec.app.code_config_map_ref is not None else None,
        config={**shared, **(own.config or {})},
    )


def _state_directory(snapshot: Snapshot, participant: str | None) -> str | None:
    root = snapshot.settings.state_directory
    return None if root is None or participant is None else f"{root.rstrip('/')}/{participant}"
