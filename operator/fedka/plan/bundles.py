"""A Secret for each pod, and for each External participant to hand over: the connection bundle."""

from base64 import b64encode

from fedka.plan.hashing import digest
from fedka.plan.names import ANNOTATION_HASH, child_metadata, child_name
from fedka.plan.parts import BundleSecret, Part
from fedka.plan.pod_template import CODE_DIRECTORY
from fedka.plan.refusals import refused
from fedka.plan.snapshot import Role, Snapshot
from fedka.plan.stage import Stage, stage
from fedka.plan.topics import topics_made
from fedka.wire.bundle import DOCUMENT, AppSettings, Bundle


def bundles(snapshot: Snapshot) -> Part:
    """Make the Secrets of what has no Job yet; those of running pods are left alone, as pods read them at start.

    A participant's settings may change while it runs: they arrive when its Job is made again.
    """
    if stage(snapshot) is not Stage.LIVE:
        return Part()
    names = {child_name(snapshot.training, role, participant) for role, participant in members(snapshot)}
    wanted = (_missing(snapshot, role, participant) for role, participant in members(snapshot))
    return Part(
        bundles=tuple(secret for secret in wanted if secret is not None),
        bundle_removals=tuple(sorted(set(snapshot.bundles) - names)),
    )


def _missing(snapshot: Snapshot, role: Role, participant: str | None) -> BundleSecret | None:
    """The Secret to make before a Job is made or goes on, or to hand over."""
    name = child_name(snapshot.training, role, participant)
    job = snapshot.jobs.get(name)
    if name in snapshot.conflicts or refused(snapshot, name):
        return None
    if not snapshot.run_known or not topics_made(snapshot, participant):
        return None
    if job is not None and not job.suspended:
        return None
    secret = bundle_secret(snapshot, role, participant)
    if job is None and participant not in external(snapshot):
        return secret
    return secret if snapshot.bundles.get(secret.name) != secret.hash else None


def members(snapshot: Snapshot) -> list[tuple[Role, str | None]]:
    """The aggregator, and every participant of the spec."""
    return [(Role.AGGREGATOR, None), *((Role.PARTICIPANT, p.name) for p in snapshot.training.spec.participants)]


def external(snapshot: Snapshot) -> frozenset[str]:
    """The participants that others run."""
    return frozenset(p.name for p in snapshot.training.spec.participants if not p.managed)


def bundle_secret(snapshot: Snapshot, role: Role, participant: str | None) -> BundleSecret:
    """The Secret as it should be."""
    document = bundle_document(snapshot, role, participant).model_dump_json(by_alias=True, exclude_none=True).encode()
    data = {DOCUMENT: b64encode(document).decode()}
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
    return BundleSecret(name=metadata["name"], hash=content, manifest=manifest)


def bundle_document(snapshot: Snapshot, role: Role, participant: str | None) -> Bundle:
    """What the pod reads."""
    training, kafka = snapshot.training, snapshot.kafka
    if kafka is None:
        raise ValueError(f"no Kafka cluster {training.spec.kafka.cluster_name!r}: there is nothing to connect to")
    return Bundle(
        role="aggregator" if role is Role.AGGREGATOR else "participant",
        run=snapshot.run_id,
        training=training.metadata.name,
        namespace=training.metadata.namespace,
        topic_prefix=kafka.prefix,
        participant=participant,
        seed=training.spec.rounds.seed,
        kafka=kafka.access,
        app=_app(snapshot, participant),
        state_directory=_state_directory(snapshot, participant),
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
