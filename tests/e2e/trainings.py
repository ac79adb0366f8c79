"""A training on a real cluster, as its user has it: applied, watched, changed and deleted by the API alone."""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.client.exceptions import ApiException

from kubernetes import client, config, watch

from ..cluster.chart import RESTRICTED
from .small_app import CODE, NAME, SOURCE

GROUP, VERSION, PLURAL = "fedka.dev", "v1alpha1", "federatedtrainings"
GENEROUS_SECONDS = 240
GONE = 404

Status = dict[str, Any]


class NotReached(AssertionError):
    """What was waited for did not come; the message has the last status."""


@dataclass(frozen=True)
class Api:
    """The API server, as an administrator sees it."""

    kubeconfig: Path

    def __post_init__(self) -> None:
        made = config.new_client_from_config(str(self.kubeconfig))
        object.__setattr__(self, "_client", made)

    @property
    def custom(self) -> client.CustomObjectsApi:
        return client.CustomObjectsApi(self._client)

    @property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self._client)

    @property
    def apps(self) -> client.AppsV1Api:
        return client.AppsV1Api(self._client)

    @property
    def batch(self) -> client.BatchV1Api:
        return client.BatchV1Api(self._client)

    @property
    def coordination(self) -> client.CoordinationV1Api:
        return client.CoordinationV1Api(self._client)

    @property
    def networking(self) -> client.NetworkingV1Api:
        return client.NetworkingV1Api(self._client)


class Training:
    """One FederatedTraining of a namespace."""

    def __init__(self, api: Api, namespace: str, manifest: dict[str, Any]) -> None:
        self.api = api
        self.namespace = namespace
        self.name: str = manifest["metadata"]["name"]
        self.manifest = manifest

    def create(self) -> "Training":
        self.api.custom.create_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.manifest)
        return self

    def get(self) -> dict[str, Any]:
        return dict(self.api.custom.get_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name))

    def patch(self, spec: dict[str, Any]) -> None:
        self._patch({"spec": spec})

    def patch_metadata(self, metadata: dict[str, Any]) -> None:
        self._patch({"metadata": metadata})

    def _patch(self, body: dict[str, Any]) -> None:
        self.api.custom.patch_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name, body)

    def delete(self) -> None:
        self.api.custom.delete_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL, self.name)

    @property
    def status(self) -> Status:
        return self.get().get("status", {})

    def until(self, reached: Callable[[Status], bool], what: str, *, seconds: float = GENEROUS_SECONDS) -> Status:
        """The first status for which `reached` holds."""
        deadline, last = time.monotonic() + seconds, self.get()
        while True:
            if reached(last.get("status", {})):
                return dict(last.get("status", {}))
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotReached(f"{self.name}: not {what} within {seconds:.0f} s: {json.dumps(last.get('status'))}")
            last = self._next(last, left)

    def until_complete(self) -> Status:
        return self.until(lambda status: ended(status) is not None, "ended")

    def until_round(self, number: int) -> Status:
        """At least so many rounds are done."""
        return self.until(lambda status: completed(status) >= number, f"past round {number}")

    def until_gone(self, *, seconds: float = GENEROUS_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                last = self.get()
            except ApiException as error:
                if error.status == GONE:
                    return
                raise
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotReached(f"{self.name} has not gone within {seconds:.0f} s: {json.dumps(last)}")
            self._next(last, left)

    def _next(self, last: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The object after its next change, or as it is when the time is over."""
        changes = watch.Watch().stream(
            self.api.custom.list_namespaced_custom_object,
            GROUP,
            VERSION,
            self.namespace,
            PLURAL,
            field_selector=f"metadata.name={self.name}",
            resource_version=last["metadata"]["resourceVersion"],
            timeout_seconds=max(1, int(min(seconds, 30))),
        )
        try:
            with contextlib.closing(changes):
                for change in changes:
                    return dict(change["object"])
        except ApiException:  # the resourceVersion is too old, or the server restarts: what it is now is asked below
            pass
        try:
            return self.get()
        except ApiException as error:
            if error.status == GONE:
                return last
            raise

    def wait_for(self, reached: Callable[[], bool], what: str, *, seconds: float = GENEROUS_SECONDS) -> None:
        """For what shows in no training's status."""
        deadline = time.monotonic() + seconds
        while not reached():
            if time.monotonic() > deadline:
                raise NotReached(f"{self.name}: not {what} within {seconds:.0f} s")
            time.sleep(0.2)

    def pods(self, *, role: str | None = None, participant: str | None = None) -> Sequence[Any]:
        labels = {"fedka.dev/training": self.name}
        labels |= {"fedka.dev/role": role} if role else {}
        labels |= {"fedka.dev/participant": participant} if participant else {}
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return list(self.api.core.list_namespaced_pod(self.namespace, label_selector=selector).items)


def make_namespace(api: Api, name: str) -> None:
    """With the small app's code, and for pods that Pod Security `restricted` accepts."""
    api.core.create_namespace({"metadata": {"name": name, "labels": RESTRICTED}})
    code = client.V1ConfigMap(metadata=client.V1ObjectMeta(name=CODE), data={f"{NAME}.py": SOURCE})
    api.core.create_namespaced_config_map(name, code)


def completed(status: Status) -> int:
    return int(status.get("rounds", {}).get("completed", 0))


def condition(status: Status, type_: str) -> dict[str, Any]:
    return next((found for found in status.get("conditions", []) if found["type"] == type_), {})


def holds(status: Status, type_: str) -> bool:
    return bool(condition(status, type_).get("status") == "True")


def ended(status: Status) -> str | None:
    return next((type_ for type_ in ("Complete", "Failed") if holds(status, type_)), None)


def digest(status: Status) -> str:
    return str(status["model"]["digest"])
