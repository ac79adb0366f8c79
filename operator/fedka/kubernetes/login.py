"""One source of access for everything that talks to the API server, so that no two parts disagree.

A kubeconfig named by KUBECONFIG comes first, as whoever sets it means it; then the ServiceAccount of the pod; then the
kubeconfig of the home directory. Tokens of a ServiceAccount are replaced by the kubelet every hour: the client's own
hook reads the file again each minute, and an answer 401 has everything loaded anew.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from kubernetes.aio.client import Configuration
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.incluster_config import (
    SERVICE_HOST_ENV_NAME,
    SERVICE_TOKEN_FILENAME,
    load_incluster_config,
)
from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

from fedka.kubernetes.login_programs import ProgramFailed, credentials_of

NAMESPACE_FILE = Path(SERVICE_TOKEN_FILENAME).with_name("namespace")


class NoClusterAccess(Exception):
    """There is no kubeconfig and no ServiceAccount, or the one there is cannot be used."""


class NoCredentials(NoClusterAccess):
    """The program that the kubeconfig names to log in with gives none."""


class Login(Protocol):
    """Loads where the API server is and what to say to it."""

    async def __call__(self) -> Configuration:
        """What is valid now. Raises NoClusterAccess."""
        ...


def find_login(
    *, kubeconfig: str | None = None, context: str | None = None, environment: Mapping[str, str] | None = None
) -> Login:
    """How to log in: `kubeconfig` and `context` if given, else what the module says. Nothing is read yet."""
    environ = os.environ if environment is None else environment
    named = kubeconfig or environ.get("KUBECONFIG")

    async def login() -> Configuration:
        configuration = Configuration()
        try:
            if not named and not context and in_cluster(environ):
                load_incluster_config(client_configuration=configuration)
            else:
                path = named or str(Path.home() / ".kube" / "config")
                _check_exists(path)
                await _load(path, context, configuration)
        except ProgramFailed as error:
            raise NoCredentials(f"cannot log in to a Kubernetes cluster: {error}") from error
        except (ConfigException, OSError, ValueError) as error:
            raise NoClusterAccess(f"cannot log in to a Kubernetes cluster: {error}") from error
        await _check_token(configuration)
        configuration.retries = None  # what may be repeated is decided where it is known what was asked
        return configuration

    return login


def in_cluster(environment: Mapping[str, str]) -> bool:
    """Whether this process is a pod that was given a ServiceAccount's token."""
    return SERVICE_HOST_ENV_NAME in environment and Path(SERVICE_TOKEN_FILENAME).is_file()


def own_namespace() -> str | None:
    """The namespace of this pod, None outside of a cluster."""
    return NAMESPACE_FILE.read_text().strip() or None if NAMESPACE_FILE.is_file() else None


async def _load(paths: str, context: str | None, configuration: Configuration) -> None:
    """From the kubeconfigs. Raises ConfigException, ProgramFailed."""
    config = KubeConfigMerger(paths).config
    loader = KubeConfigLoader(config, active_context=context, config_base_path=None)
    named = config["users"].get_with_name(loader.current_context["context"].get("user"), safe=True)
    user = named.value.get("user") if named is not None else None
    if isinstance(user, dict) and "exec" in user and "auth-provider" not in user:
        given = await credentials_of(user.pop("exec"))
        user.update(given)  # which the loader reads
    await loader.load_and_set(configuration)


async def _check_token(configuration: Configuration) -> None:
    """No header can hold a line break, and the error of whoever tries says nothing of where it came from."""
    header = await configuration.get_api_key_with_prefix("BearerToken")
    if header and not header.isprintable():
        raise NoClusterAccess("cannot log in to a Kubernetes cluster: the token has a line break in it")


def _check_exists(paths: str) -> None:
    """KUBECONFIG may list several files; the library only logs that none of them is there."""
    if not any(Path(path).expanduser().is_file() for path in paths.split(os.pathsep)):
        raise NoClusterAccess(
            f"no kubeconfig at {paths}, and no ServiceAccount of a pod: set KUBECONFIG, or run inside the cluster"
        )
