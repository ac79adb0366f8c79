"""What the API server checks before it stores an object, so that `fedka run` refuses what a cluster would refuse.

Only rules that Fedka's own objects can break are here. A `FederatedTraining` is judged by its CRD: defaults, pruning
and CEL, see `fedka.api.validation`.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

from fedka.local.objects import Json, describe
from fedka.reconcile.ports import EVENT, FEDERATED_TRAINING, JOB, POD, SECRET, Cause, Invalid, Kind

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LONGEST_NAME = 253
_LONGEST_LABEL = 63
_LONGEST_NOTE = 1024  # bytes: what the API server counts, though it says characters
_JOB_FIXED = ("template", "selector", "completions", "completionMode", "podFailurePolicy", "podReplacementPolicy")
_JOB_DEFAULTS = {
    "parallelism": 1,
    "completions": 1,
    "completionMode": "NonIndexed",
    "backoffLimit": 6,
    "suspend": False,
}


class Admission(Protocol):
    """A CRD's schema and rules. Both return the object as it is to be stored, or raise `Invalid`."""

    def admit(self, new: Json, old: Json | None) -> Json:
        """Defaults, pruning, bounds and rules of everything but the status; `old` is None on create."""
        ...

    def admit_status(self, new: Json, old: Json) -> Json:
        """The same for a write of the status."""
        ...


class Rules:
    """The rules of all kinds; `training` speaks for the FederatedTraining's CRD."""

    def __init__(self, training: Admission) -> None:
        self._training = training

    def admit(self, kind: Kind, new: Json, old: Json | None) -> Json:
        """The object with its defaults; raises `Invalid` with all causes found."""
        new = self._training.admit(new, old) if kind == FEDERATED_TRAINING else _defaulted(kind, new)
        causes = [*_metadata_causes(new, old), *_kind_causes(kind, new, old)]
        if causes:
            metadata = new["metadata"]
            raise Invalid(describe(kind, metadata.get("namespace"), metadata.get("name", "")), causes)
        return new

    def admit_status(self, kind: Kind, new: Json, old: Json) -> Json:
        """The same for a write of the status; only the CRD has rules for it."""
        return self._training.admit_status(new, old) if kind == FEDERATED_TRAINING else new


def _defaulted(kind: Kind, obj: Json) -> Json:
    if kind == SECRET and "stringData" in obj:
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in obj["stringData"].items()}
        kept = {name: value for name, value in obj.items() if name != "stringData"}
        return kept | {"data": {**obj.get("data", {}), **encoded}}
    if kind == POD:
        return obj | {"spec": {"terminationGracePeriodSeconds": 30} | obj.get("spec", {})}
    if kind != JOB:
        return obj
    spec = _JOB_DEFAULTS | obj.get("spec", {})
    replacement = "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
    return obj | {"spec": {"podReplacementPolicy": replacement} | spec}


def _metadata_causes(new: Json, old: Json | None) -> Iterator[Cause]:
    metadata = new["metadata"]
    name = metadata.get("name") or ""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        yield Cause("metadata.name", f"{name!r} must be lower case letters, digits, '-' and '.', at most 253 of them")
    for label, value in (metadata.get("labels") or {}).items():
        if len(value) > _LONGEST_LABEL:
            yield Cause("metadata.labels", f"{label}: {value!r} must be no more than 63 characters")
    references = metadata.get("ownerReferences") or ()
    if sum(bool(reference.get("controller")) for reference in references) > 1:
        yield Cause("metadata.ownerReferences", "only one reference can have controller set to true")
    if old is not None and "deletionTimestamp" in old["metadata"]:
        added = set(metadata.get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ())
        if added:
            message = f"no new finalizers can be added if the object is being deleted: {', '.join(sorted(added))}"
            yield Cause("metadata.finalizers", message)


def _kind_causes(kind: Kind, new: Json, old: Json | None) -> Iterator[Cause]:
    if kind == JOB:
        yield from _job_causes(new, old)
    if kind == SECRET:
        yield from _secret_causes(new)
    if kind == EVENT:
        yield from _event_causes(new)


def _job_causes(new: Json, old: Json | None) -> Iterator[Cause]:
    spec = new["spec"]
    if len(new["metadata"].get("name") or "") > _LONGEST_LABEL:
        yield Cause("metadata.name", "must be no more than 63 characters: it becomes a label of the pods")
    pod: dict[str, Any] = spec.get("template", {}).get("spec", {})
    if not pod.get("containers"):
        yield Cause("spec.template.spec.containers", "Required value")
    yield from _pod_causes(pod)
    if pod.get("restartPolicy") not in ("Never", "OnFailure"):
        yield Cause("spec.template.spec.restartPolicy", "Required value: valid values: 'OnFailure', 'Never'")
    if "podFailurePolicy" in spec:
        if pod.get("restartPolicy") != "Never":
            yield Cause("spec.template.spec.restartPolicy", "only 'Never' is supported when podFailurePolicy is used")
        if spec["podReplacementPolicy"] != "Failed":
            yield Cause("spec.podReplacementPolicy", "must be 'Failed' when podFailurePolicy is used")
    if old is not None:
        for name in _JOB_FIXED:
            if spec.get(name) != old["spec"].get(name):
                yield Cause(f"spec.{name}", "field is immutable")


def _pod_causes(pod: Json) -> Iterator[Cause]:
    """Lists that users fill in by hand, and whose entries are told apart by a member."""
    path = "spec.template.spec"
    yield from _entry_causes(pod, path, "volumes", "name")
    yield from _secret_volume_causes(pod, path)
    volumes = {volume.get("name") for volume in _entries(pod, "volumes")}
    for kind in ("initContainers", "containers"):
        yield from _entry_causes(pod, path, kind, "name")
        for index, container in enumerate(pod.get(kind) or ()):
            at = f"{path}.{kind}[{index}]"
            yield from _entry_causes(container, at, "env", "name")
            yield from _entry_causes(container, at, "volumeMounts", "mountPath")
            yield from _mount_causes(container, at, volumes)


def _secret_volume_causes(pod: Json, path: str) -> Iterator[Cause]:
    for index, volume in enumerate(_entries(pod, "volumes")):
        if isinstance(volume.get("secret"), dict) and not volume["secret"].get("secretName"):
            yield Cause(f"{path}.volumes[{index}].secret.secretName", "Required value")


def _mount_causes(container: Json, path: str, volumes: set[Any]) -> Iterator[Cause]:
    for index, wanted in enumerate(_entries(container, "volumeMounts")):
        if wanted.get("name") not in volumes:
            yield Cause(f"{path}.volumeMounts[{index}].name", f"Not found: {json.dumps(wanted.get('name') or '')}")


def _entries(parent: Json, member: str) -> list[Json]:
    """Those that can be looked into; the others have been found fault with."""
    entries = parent.get(member) or []
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _entry_causes(parent: Json, path: str, member: str, key: str) -> Iterator[Cause]:
    entries = parent.get(member) or []
    if not isinstance(entries, list):
        yield Cause(f"{path}.{member}", f"must be a list, not {type(entries).__name__}")
        return
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict) or not entry.get(key):
            yield Cause(f"{path}.{member}[{index}].{key}", "Required value")


def _secret_causes(new: Json) -> Iterator[Cause]:
    for name, value in (new.get("data") or {}).items():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError):
            yield Cause(f"data[{name}]", "must be base64")


def _event_causes(new: Json) -> Iterator[Cause]:
    if new.get("type") not in ("Normal", "Warning"):
        yield Cause("type", f"{new.get('type')!r} must be Normal or Warning")
    if len(new.get("note", "").encode()) > _LONGEST_NOTE:
        yield Cause("note", f"can have at most {_LONGEST_NOTE} characters")
    for required in ("reason", "action"):
        if not new.get(required):
            yield Cause(required, "Required value")
