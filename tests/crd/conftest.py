"""The real API server as a judge of FederatedTrainings: most answers are dry runs over one connection, 5 ms each."""

import http.client
import json
import ssl
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from ..api.conftest import TRAINING, apply_edits
from ..cluster.api_server import ApiServer
from ..cluster.control_plane import token_of

NAMESPACE = "consortium"
TRAININGS = f"/apis/fedka.dev/v1alpha1/namespaces/{NAMESPACE}/federatedtrainings"
ANSWER_SECONDS = 60
Object = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the server says of an object: how it would be stored, or why it is not."""

    status: int
    body: Object

    @property
    def accepted(self) -> bool:
        return self.status in {200, 201}

    @property
    def message(self) -> str:
        return str(self.body["message"])


class Judge:
    """One connection to the API server, for one test at a time."""

    def __init__(self, server: ApiServer) -> None:
        trust = ssl.create_default_context(cafile=server.plane.ca_file)
        self._connection = http.client.HTTPSConnection(
            server.plane.address, server.plane.api_port, timeout=ANSWER_SECONDS, context=trust
        )

    def create(self, obj: Object, *, dry_run: bool = True) -> Verdict:
        """With unknown fields refused, as kubectl asks for it."""
        return self._ask("POST", TRAININGS, obj, dry_run=dry_run)

    def update(self, obj: Object, *, dry_run: bool = True) -> Verdict:
        """Of the training of that name, which exists."""
        return self._ask("PUT", f"{TRAININGS}/{obj['metadata']['name']}", obj, dry_run=dry_run)

    def write_status(self, obj: Object, *, dry_run: bool = True) -> Verdict:
        """The same, of its status alone."""
        return self._ask("PUT", f"{TRAININGS}/{obj['metadata']['name']}/status", obj, dry_run=dry_run)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, obj: Object, *, dry_run: bool) -> Verdict:
        headers = {"Authorization": f"Bearer {token_of('admin')}", "Content-Type": "application/json"}
        query = "?fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
        self._connection.request(method, path + query, json.dumps(obj), headers)
        response = self._connection.getresponse()
        return Verdict(response.status, json.loads(response.read()))


@pytest.fixture(scope="session")
def consortium(api_server: ApiServer) -> ApiServer:
    """The server, with the namespace that the sample training is in."""
    api_server.create_namespace(NAMESPACE)
    return api_server


@pytest.fixture(scope="session")
def judge(consortium: ApiServer) -> Iterator[Judge]:
    judge = Judge(consortium)
    yield judge
    judge.close()


@pytest.fixture
def training() -> Object:
    """As in the tests of the models."""
    obj: Object = yaml.safe_load(TRAINING)
    return obj


@pytest.fixture(scope="session")
def stored(judge: Judge) -> dict[str, Object]:
    """Trainings that exist, by what they are: each with its resourceVersion, so that it can be updated."""
    sample = yaml.safe_load(TRAINING)
    variants: dict[str, Object] = {
        "running": {},
        "suspended": {"spec.suspend": True},
        "bare": {"spec.participantTemplate": "<removed>"},
        "defaulted": {"spec.update": {}, "spec.strategy": {}, "spec.kafka": {}},
    }
    made = {}
    for name, edits in variants.items():
        obj = apply_edits(sample, edits | {"metadata.name": f"stored-{name}"})
        verdict = judge.create(obj, dry_run=False)
        assert verdict.accepted, verdict.message
        made[name] = _as_written(obj, verdict.body)
    return made


def _as_written(obj: Object, stored: Object) -> Object:
    written = deepcopy(obj)
    written["metadata"]["resourceVersion"] = stored["metadata"]["resourceVersion"]
    return written
