"""The pod of an aggregator or a participant: Fedka's defaults, the user's templates over them, what is guarded last.

The defaults are those that a namespace of Pod Security `restricted` asks for, so it takes every pod whose template does
not loosen them. The pods' contract is one command, one mounted directory named by FEDKA_BUNDLE, and no other
environment of ours. `/tmp` is the only place to write to; Fedka's images name it as their user's home.
"""

from collections.abc import Mapping
from typing import Any

from fedka.api.pods import PodTemplate
from fedka.plan.snapshot import Role
from fedka.wire.bundle import VARIABLE

BUNDLE_DIRECTORY = "/etc/fedka/bundle"
CODE_DIRECTORY = "/etc/fedka/code"
TEMPORARY_DIRECTORY = "/tmp"  # noqa: S108  a path in a pod, whose one user is ours
USER = 65532  # that of Fedka's images; an image of one's own is run as it, too, unless the template says otherwise
_BUNDLE_VOLUME = "fedka-bundle"
CODE_VOLUME = "fedka-code"
TEMPORARY_VOLUME = "fedka-tmp"

# Lists that are merged entry by entry, and the member that tells entries apart; all other lists are replaced whole.
_KEYS: Mapping[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
}

# Replaced whole by any `resources` of a template: a request of ours above a limit of the user's would be refused.
# No limits: nobody but the user knows the model's size, and a guess would end in an out-of-memory kill.
_RESOURCES: Mapping[Role, Mapping[str, Any]] = {
    Role.AGGREGATOR: {"requests": {"cpu": "100m", "memory": "256Mi"}},
    Role.PARTICIPANT: {"requests": {"cpu": "100m", "memory": "512Mi"}},
}

# What the CRD refuses in a template; it may be that of an older release, so here it cannot come through either.
_REFUSED = ("hostNetwork", "hostPID", "hostIPC", "serviceAccountName", "serviceAccount")
_REFUSED_SOURCES = {"serviceAccountToken", "podCertificate"}


def pod_template(
    *,
    role: Role,
    image: str,
    secret: str,
    labels: Mapping[str, str],
    templates: tuple[PodTemplate | None, ...],
    code: str | None = None,
    pins: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The PodTemplateSpec; later templates win over earlier ones, and Fedka's guarded fields over all.

    `code` names a ConfigMap with the app's modules. `pins` are images by digest, to run in place of those named.
    A template that makes no sense is kept as it is, for the API server to refuse by name.
    """
    template = _defaults(role, image)
    for over in templates:
        if over is not None:
            template = _merge(template, over.to_object())
    spec = {name: value for name, value in template["spec"].items() if name not in _REFUSED}
    mounts = {BUNDLE_DIRECTORY: (_BUNDLE_VOLUME, {"secret": {"secretName": secret}})}
    if code is not None:
        mounts[CODE_DIRECTORY] = (CODE_VOLUME, {"configMap": {"name": code}})
    for kind in ("initContainers", "containers"):
        spec |= {kind: [_confined(each) for each in spec[kind]]} if kind in spec else {}
    spec["containers"] = [
        _our_container(each, role, mounts, pins or {}) if each.get("name") == role else each
        for each in spec["containers"]
    ]
    guarded = {
        "restartPolicy": "Never",  # restarts are ours: the supervisor's inside the pod, the operator's outside
        "automountServiceAccountToken": False,  # no training pod holds a Kubernetes credential
        "enableServiceLinks": False,  # no environment but what was asked for
        "volumes": _put(_harmless(spec["volumes"]), "name", *({"name": name, **src} for name, src in mounts.values())),
    }
    return _merge(template, {"metadata": {"labels": dict(labels)}}) | {"spec": spec | guarded}


def image_reference(role: Role, image: str, templates: tuple[PodTemplate | None, ...]) -> str:
    """The image that the role's container is to run, before it is pinned."""
    for template in templates:
        spec = template.spec if template is not None else None
        for container in (spec.containers if spec is not None else None) or ():
            given = container.model_extra or {}
            if given.get("name") == role and isinstance(given.get("image"), str):
                image = given["image"]
    return image


def _defaults(role: Role, image: str) -> dict[str, Any]:
    container = {
        "name": str(role),
        "image": image,
        "securityContext": {"readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": TEMPORARY_VOLUME, "mountPath": TEMPORARY_DIRECTORY}],
    }
    pod = {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    volumes = [{"name": TEMPORARY_VOLUME, "emptyDir": {}}]
    return {"metadata": {}, "spec": {"securityContext": pod, "containers": [container], "volumes": volumes}}


def _confined(container: Mapping[str, Any]) -> dict[str, Any]:
    """A container without rights beyond its user's, unless the template gives it some; privileged is never given."""
    given = {name: value for name, value in container.get("securityContext", {}).items() if name != "privileged"}
    least = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {**container, "securityContext": _merge(least, given)}


def _our_container(
    container: Mapping[str, Any],
    role: Role,
    mounts: Mapping[str, tuple[str, Any]],
    pins: Mapping[str, str],
) -> dict[str, Any]:
    image = container.get("image")
    ours = ({"name": name, "mountPath": path, "readOnly": True} for path, (name, _) in mounts.items())
    return {
        "resources": _RESOURCES[role],
        **container,
        "image": pins.get(image, image) if isinstance(image, str) else image,
        "command": ["fedka", str(role)],
        "args": [],
        "env": _put(container.get("env", []), "name", {"name": VARIABLE, "value": BUNDLE_DIRECTORY}),
        "volumeMounts": _put(container["volumeMounts"], "mountPath", *ours),
        "terminationMessagePolicy": "FallbackToLogsOnError",  # the status shows the last lines of what went wrong
    }


def _harmless(volumes: Any) -> Any:
    """Without what the CRD refuses: the node's files and Kubernetes credentials. Its mount is then refused by name."""
    if not isinstance(volumes, list):
        return volumes
    return [each for each in volumes if not isinstance(each, Mapping) or not _is_refused(each)]


def _is_refused(volume: Mapping[str, Any]) -> bool:
    projected = volume.get("projected")
    sources = projected.get("sources") if isinstance(projected, Mapping) else None
    named = {name for source in sources or () if isinstance(source, Mapping) for name in source}
    return "hostPath" in volume or bool(named & _REFUSED_SOURCES)


def _put(entries: Any, key: str, *ours: Mapping[str, Any]) -> Any:
    """The list with our entries whole in place of any of the same key."""
    if not isinstance(entries, list):
        return entries
    keys = [each[key] for each in ours]
    return [each for each in entries if _key_of(each, key) not in keys] + [dict(each) for each in ours]


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in over.items():
        old = merged.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[name] = _merge(old, value)
        elif name in _KEYS and isinstance(old, list) and isinstance(value, list):
            merged[name] = _merge_list(old, value, _KEYS[name])
        else:
            merged[name] = value
    return merged


def _merge_list(under: list[Any], over: list[Any], key: str) -> list[Any]:
    """Entries of the same key merged; one without a key is added as it is."""
    merged = list(under)
    for entry in over:
        own = _key_of(entry, key)
        at = next((index for index, each in enumerate(merged) if own is not None and _key_of(each, key) == own), None)
        if at is None:
            merged.append(entry)
        else:
            merged[at] = _merge(merged[at], entry)
    return merged


def _key_of(entry: Any, key: str) -> Any:
    return entry.get(key) if isinstance(entry, Mapping) else None
