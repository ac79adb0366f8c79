"""Gives a pod's process its volumes: directories of this machine in place of mounts, and paths rewritten to them.

A container finds a Secret at its mountPath. A plain process cannot have a mount of its own, so the Secret is written
below the node's state directory, readable by this user only, and wherever an argument or a variable names the
mountPath, it names that directory instead. That is all it takes for the pods' command lines to be the same as in a
cluster: they learn of their bundle from `FEDKA_BUNDLE` alone.
"""

import base64
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from fedka.local.objects import Json
from fedka.plan.pod_template import CODE_VOLUME, TEMPORARY_VOLUME
from fedka.wire.bundle_file import write_files

_OF_THE_MACHINE = (CODE_VOLUME, TEMPORARY_VOLUME)  # the code lies where the pod starts, and it has the machine's /tmp


class UnsupportedPod(Exception):
    """The pod cannot run as a process of this machine: its template has to change."""


def secrets_of(pod: Json) -> tuple[str, ...]:
    """Names of the Secrets that the pod mounts."""
    volumes = pod["spec"].get("volumes") or ()
    return tuple(volume["secret"]["secretName"] for volume in volumes if "secret" in volume)


def mount(pod: Json, directory: Path, secret: Callable[[str], Mapping[str, Any]]) -> dict[str, Path]:
    """Write the volumes of the pod's container below `directory`; returns mountPath -> directory.

    `secret` returns the object of a Secret's name. Raises `UnsupportedPod` for any volume but Secret and emptyDir.
    """
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or ()}
    mounts: dict[str, Path] = {}
    unmount(directory)
    for wanted in container_of(pod).get("volumeMounts") or ():
        if wanted["name"] in _OF_THE_MACHINE:
            continue
        volume, at = volumes[wanted["name"]], directory / wanted["name"]
        if "secret" not in volume and "emptyDir" not in volume:
            raise UnsupportedPod(f"volume {wanted['name']!r} is neither a Secret nor an emptyDir: a local run has none")
        at.mkdir(mode=0o700, parents=True)
        if "secret" in volume:
            _write(at, secret(volume["secret"]["secretName"]).get("data") or {})
        mounts[wanted["mountPath"]] = at
    return mounts


def unmount(directory: Path) -> None:
    """Remove what `mount` wrote, credentials among it."""
    if directory.exists():
        shutil.rmtree(directory)


def rewritten(text: str, mounts: Mapping[str, Path]) -> str:
    """The text, with a path in a mounted volume replaced by the path on this machine."""
    for mount_path, at in mounts.items():
        if text == mount_path or text.startswith(f"{mount_path}/"):
            return str(at / PurePosixPath(text).relative_to(mount_path))
    return text


def container_of(pod: Json) -> Json:
    """The pod's one container; `UnsupportedPod` if there are more, or if only an image knows what to run."""
    containers: list[Json] = pod["spec"]["containers"]
    if len(containers) != 1 or pod["spec"].get("initContainers"):
        raise UnsupportedPod("a local run starts one container a pod: remove initContainers and sidecars")
    if not containers[0].get("command"):
        raise UnsupportedPod(
            f"container {containers[0]['name']!r} has no command, and there is no image to ask for one"
        )
    return containers[0]


def _write(directory: Path, data: Mapping[str, str]) -> None:
    write_files(directory, {name: base64.b64decode(value) for name, value in data.items()})
