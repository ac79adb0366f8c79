"""The namespace that a person means who names none: that of the kubeconfig's context, as kubectl has it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.kube_config import list_kube_config_contexts

from fedka.kubernetes.login import NoClusterAccess, in_cluster, own_namespace

DEFAULT_NAMESPACE = "default"


def namespace_of_context(*, kubeconfig: str | None, context: str | None, environment: Mapping[str, str]) -> str:
    """The namespace of `context`, or of the current one; inside a pod, the pod's. Raises NoClusterAccess."""
    named = kubeconfig or _named_by_environment(environment)
    if not named and not context and in_cluster(environment):
        return own_namespace() or DEFAULT_NAMESPACE
    files = named or str(Path.home() / ".kube" / "config")
    if not any(Path(path).is_file() for path in files.split(os.pathsep)):
        raise NoClusterAccess(f"there is no kubeconfig at {files}")
    try:
        contexts, current = list_kube_config_contexts(files)
    except (ConfigException, OSError, ValueError) as error:
        raise NoClusterAccess(f"the kubeconfig cannot be used: {error}") from error
    return _namespace(contexts, context, current)


def _named_by_environment(environment: Mapping[str, str]) -> str:
    """What KUBECONFIG names, with home directories written out; empty where it names nothing."""
    named = [path for path in environment.get("KUBECONFIG", "").split(os.pathsep) if path]
    return os.pathsep.join(str(Path(path).expanduser()) for path in named)


def _namespace(contexts: list[Mapping[str, Any]], wanted: str | None, current: Mapping[str, Any] | None) -> str:
    chosen = current if wanted is None else next((each for each in contexts if each["name"] == wanted), None)
    if chosen is None:
        known = ", ".join(sorted(str(each["name"]) for each in contexts)) or "none"
        raise NoClusterAccess(f"the kubeconfig has no context {wanted or 'that is current'}; there are: {known}")
    return str(chosen["context"].get("namespace") or DEFAULT_NAMESPACE)
