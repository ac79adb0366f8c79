"""The pod of an aggregator or a participant: what Fedka sets, the user's template over it, and the guarded fields last.

The pods' contract is one command, one mounted directory named by FEDKA_BUNDLE, and no other environment of ours.
"""

from collections.abc import Mapping
from typing import Any

from fedka.api.pods import PodTemplate
from fedka.plan.snapshot import Role
from fedka.wire.bundle import VARIABLE

BUNDLE_DIRECTORY = "/etc/fedka/bundle"
_BUNDLE_VOLUME = "fedka-bundle"

# Lists that are merged entry by entry, and the member that tells entries apart; all other lists are replaced whole.
_KEYS: Mapping[str, str] = {"containers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath"}


def pod_template(
    *, role: Role, image: str, secret: str, labels: Mapping[str, str], templates: tuple[PodTemplate | None, ...]
) -> dict[str, Any]:
    """The PodTemplateSpec; later templates win over earlier ones, and Fedka's guarded fields over all."""
    template: dict[str, Any] = {
        "metadata": {"labels": {}},
        "spec": {"containers": [{"name": str(role), "image": image}]},
    }
    for over in templates:
        if over is not None:
            template = _merge(template, over.to_object())
    return _merge(template, _guarded(role, secret, labels))


def _guarded(role: Role, secret: str, labels: Mapping[str, str]) -> dict[str, Any]:
    container = {
        "name": str(role),
        "command": ["fedka", str(role)],
        "args": [],
        "env": [{"name": VARIABLE, "value": BUNDLE_DIRECTORY}],
        "volumeMounts": [{"name": _BUNDLE_VOLUME, "mountPath": BUNDLE_DIRECTORY, "readOnly": True}],
        "terminationMessagePolicy": "FallbackToLogsOnError",  # the status shows the last lines of what went wrong
    }
    return {
        "metadata": {"labels": dict(labels)},
        "spec": {
            "restartPolicy": "Never",  # restarts are ours: the supervisor's inside the pod, the operator's outside
            "automountServiceAccountToken": False,  # no training pod holds a Kubernetes credential
            "containers": [container],
            "volumes": [{"name": _BUNDLE_VOLUME, "secret": {"secretName": secret}}],
        },
    }


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        old = merged.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[name] = _merge(old, value)
        elif name in _KEYS and isinstance(old, list):
            merged[name] = _merge_list(old, value, _KEYS[name])
        else:
            merged[name] = value
    return merged


def _merge_list(under: list[Any], over: list[Any], key: str) -> list[Any]:
    entries = {entry[key]: entry for entry in under}
    for entry in over:
        entries[entry[key]] = _merge(entries.get(entry[key], {}), entry)
    return list(entries.values())
