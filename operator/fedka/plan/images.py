"""The images that a run keeps to. They are named when its first pods are made, and by digest once a pod reports one.

So neither an operator of another version, whose default images are others, nor a tag that was moved changes what a run
is made of. Suspending forgets them: what resumes is made of what the spec and the operator say then.
"""

from collections.abc import Iterator, Mapping

from fedka.api.pods import PodTemplate
from fedka.api.status import MAX_IMAGES, ImageStatus
from fedka.plan.pod_template import image_reference
from fedka.plan.snapshot import Role, Snapshot
from fedka.plan.stage import Stage, stage

LONGEST_IMAGE = 512
_DIGEST = "@sha256:"


def default_image(snapshot: Snapshot, role: Role) -> str:
    """What a pod of the role runs where no template names an image."""
    spec, settings = snapshot.training.spec, snapshot.settings
    if role is Role.PARTICIPANT and spec.app.image is not None:
        return spec.app.image
    kept = next((entry.image for entry in snapshot.status.images if entry.name == role), None)
    return kept or (settings.aggregator_image if role is Role.AGGREGATOR else settings.participant_image)


def pins(snapshot: Snapshot) -> Mapping[str, str]:
    """Images by digest, by the name that they were asked for with."""
    return {entry.image: entry.image_id for entry in reversed(snapshot.status.images) if entry.image_id is not None}


def images_status(snapshot: Snapshot) -> tuple[ImageStatus, ...]:
    """The images of the run as they are to stand in the status, at most 16: the roles', then participants' own."""
    now, before = stage(snapshot), snapshot.status.images
    if now is Stage.SUSPENDED:
        return ()
    if now is not Stage.LIVE:
        return before
    known = {entry.image: entry.image_id for entry in before if entry.image_id is not None}
    reported = dict(_reported(snapshot))
    wanted = {name: image for name, image in _wanted(snapshot) if 0 < len(image) <= LONGEST_IMAGE}
    entries = (
        ImageStatus(name=name, image=image, image_id=known.get(image) or reported.get(image))
        for name, image in wanted.items()
    )
    return tuple(entries)[:MAX_IMAGES]


def _wanted(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Name and image of each role that has had a Job, then the images that only some participants' templates name. A
    Job that is to be made again has none for a moment, or for as long as a quota is used up.
    """
    spec, kept = snapshot.training.spec, {entry.name for entry in snapshot.status.images}
    shared: Mapping[Role, PodTemplate | None] = {
        Role.AGGREGATOR: spec.aggregator.template,
        Role.PARTICIPANT: spec.participant_template,
    }
    begun = {job.role for job in snapshot.jobs.values()}
    seen = set()
    for role, template in shared.items():
        if role in begun or role in kept:
            image = image_reference(role, default_image(snapshot, role), (template,))
            seen.add(image)
            yield str(role), image
    working = {job.participant for job in snapshot.jobs.values()}
    for participant in spec.participants:
        image = image_reference(Role.PARTICIPANT, "", (participant.template,))
        name = f"{Role.PARTICIPANT}/{participant.name}"
        if (participant.name in working or name in kept) and image and image not in seen:
            seen.add(image)
            yield name, image


def _reported(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """What running pods say of their images, where it names the repository that was asked for and a digest."""
    for pod in snapshot.pods:
        image_id = pod.image_id.partition("://")[2] or pod.image_id  # some runtimes say how the image was pulled
        if pod.phase == "Running" and not pod.deleting and _pulled_from(image_id, pod.image):
            yield pod.image, image_id


def _pulled_from(image_id: str, image: str) -> bool:
    """Whether it can be pulled again by this id. One that was loaded into the node has an id of no repository, or of
    one that does not exist.
    """
    repository, digest, _ = image_id.partition(_DIGEST)
    if not digest or "@" in image:
        return False
    asked = _repository(image)
    return repository == asked or (not _has_host(asked) and repository.endswith(f"/{asked}"))


def _repository(image: str) -> str:
    """The image's name without its tag; a colon before a slash belongs to the host's port."""
    path, colon, tag = image.rpartition(":")
    return path if colon and "/" not in tag else image


def _has_host(repository: str) -> bool:
    first, slash, _ = repository.partition("/")
    return bool(slash) and (first == "localhost" or "." in first or ":" in first)
