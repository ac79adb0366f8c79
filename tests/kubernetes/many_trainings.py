"""Thousands of suspended trainings, and how an operator copes with them: shared by its test and by `bench/`.

One of them is made as users and operators make it. The others are copies of it, put where the API server keeps its
objects: in a second, where requests for each would take a busy machine many minutes. Only words of the same length
differ, so a copy is right in whatever encoding an object is stored.
"""

import base64
import itertools
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from fedka.api.training import FederatedTraining
from fedka.kubernetes.api import Api
from fedka.kubernetes.cluster import KubernetesCluster
from fedka.kubernetes.login import find_login
from fedka.plan.jobs import job_manifest
from fedka.plan.names import LABEL_UID, child_name
from fedka.plan.settings import KafkaCluster, Settings
from fedka.plan.snapshot import Role, Snapshot
from fedka.wire.bundle import KafkaAccess

from ..cluster.api_server import ApiServer
from ..cluster.waiting import wait_until

SETTINGS = Settings({"default": KafkaCluster(KafkaAccess(bootstrap_servers="kafka:9092"))})
NOBODY = "fedka.dev/nobody"  # the Job controller would write to each Job, for minutes
IN_ONE_REQUEST = 100  # objects; etcd takes 128
ETCD_SECONDS = 60
COPIED_SECONDS = 600.0
TICK = os.sysconf("SC_CLK_TCK")

Figures = Mapping[str, float]
Object = dict[str, Any]


def name_of(number: int) -> str:
    """All of one length."""
    return f"many-{number:05}"


def training(namespace: str, participants: int) -> Object:
    """A suspended one, which the others are copies of."""
    return {
        "apiVersion": "fedka.dev/v1alpha1",
        "kind": "FederatedTraining",
        "metadata": {"name": name_of(0), "namespace": namespace},
        "spec": {
            "app": {"image": "registry.example/app:1", "entrypoint": "app:app"},
            "rounds": {"count": 10},
            "participants": [{"name": f"participant-{index}"} for index in range(participants)],
            "suspend": True,
        },
    }


async def make_first(kubeconfig: Path, namespace: str, *, participants: int, jobs: int) -> None:
    """With so many of its Jobs, the aggregator's first, as an operator has made and suspended them."""
    api = Api(find_login(kubeconfig=str(kubeconfig)))
    cluster = KubernetesCluster(api)
    try:
        made = FederatedTraining.from_object(
            await cluster.create(training(namespace, participants), field_manager="user")
        )
        snapshot = Snapshot(training=made, settings=SETTINGS, now=datetime.now(UTC))
        for role, participant in itertools.islice(_members(made), jobs):
            job = job_manifest(snapshot, role, participant)
            job["spec"] |= {"suspend": True, "managedBy": NOBODY}
            await cluster.create(job, field_manager="fedka-operator")
    finally:
        await api.close()


def copy_first(server: ApiServer, namespace: str, numbers: range) -> None:
    """The first training as it is by now, status and all, and its Jobs; returns when the API server knows of them."""
    place = f"--namespace={namespace}"
    original = server.get(f"ft/{name_of(0)}", place)
    jobs = server.get("jobs", f"--selector={LABEL_UID}={original['metadata']['uid']}", place)["items"]
    paths = [f"{trainings_path(namespace)}/{name_of(0)}"]
    paths += [f"/apis/batch/v1/namespaces/{namespace}/jobs/{job['metadata']['name']}" for job in jobs]
    etcd = _Etcd(server.plane.etcd_port)
    stored = {path.encode(): etcd.get(_key(path)) for path in paths}
    found, last = FederatedTraining.from_object(original), paths
    at_once = IN_ONE_REQUEST // len(paths)
    for begin in range(0, len(numbers), at_once):  # Python 3.11 has no itertools.batched
        some = numbers[begin : begin + at_once]
        pairs = [pair for number in some for pair in _copied(stored, _words(found, jobs, number))]
        etcd.put([(_key(path.decode()), value) for path, value in pairs])
        last = [path.decode() for path, _ in pairs[-len(paths) :]]
    assert wait_until(lambda: all(_is_known(server, path) for path in last), COPIED_SECONDS)


def trainings_path(namespace: str) -> str:
    return f"/apis/fedka.dev/v1alpha1/namespaces/{namespace}/federatedtrainings"


def _key(path: str) -> str:
    """Where the object of a path is kept."""
    _, _, group, _, _, namespace, plural, name = path.split("/")
    return "/".join(("/registry", *((group,) if "." in group else ()), plural, namespace, name))


def _is_known(server: ApiServer, path: str) -> bool:
    """Whether the API server has read as far as this object: it reads one kind's in the order of their making."""
    try:
        server.plane.ask("GET", f"{path}?resourceVersion=0")
    except urllib.error.HTTPError:
        return False
    return True


def _copied(stored: Mapping[bytes, bytes], words: Mapping[bytes, bytes]) -> Iterator[tuple[bytes, bytes]]:
    pattern = re.compile(b"|".join(sorted(map(re.escape, words), key=len, reverse=True)))  # the longest first

    def copied(text: bytes) -> bytes:
        return pattern.sub(lambda match: words[match.group()], text)

    for key, value in stored.items():
        yield copied(key), copied(value)


def _words(original: FederatedTraining, jobs: list[Object], number: int) -> dict[bytes, bytes]:
    """What a copy has instead."""
    identity = {"name": name_of(number), "uid": str(uuid4())}
    copy = original.model_copy(update={"metadata": original.metadata.model_copy(update=identity)})
    words = {original.metadata.name: copy.metadata.name, original.metadata.uid: copy.metadata.uid}
    words |= {job["metadata"]["uid"]: str(uuid4()) for job in jobs}
    for role, participant in itertools.islice(_members(original), len(jobs)):
        words[child_name(original, role, participant)] = child_name(copy, role, participant)
    assert all(len(old) == len(new) for old, new in words.items())
    return {old.encode(): new.encode() for old, new in words.items()}


def _members(made: FederatedTraining) -> Iterator[tuple[Role, str | None]]:
    yield Role.AGGREGATOR, None
    for participant in made.spec.participants:
        yield Role.PARTICIPANT, participant.name


class _Etcd:
    """Its keys and values over HTTP."""

    def __init__(self, port: int) -> None:
        self._port = port

    def get(self, key: str) -> bytes:
        [found] = self._ask("range", {"key": _text(key.encode())})["kvs"]
        return base64.b64decode(found["value"])

    def put(self, pairs: Iterable[tuple[str, bytes]]) -> None:
        """All at once, at most 128."""
        puts = [{"requestPut": {"key": _text(key.encode()), "value": _text(value)}} for key, value in pairs]
        assert self._ask("txn", {"success": puts})["succeeded"]

    def _ask(self, what: str, question: Object) -> Object:
        url, data = f"http://127.0.0.1:{self._port}/v3/kv/{what}", json.dumps(question).encode()
        with urllib.request.urlopen(url, data, timeout=ETCD_SECONDS) as answer:
            found: Object = json.loads(answer.read())
            return found


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def read_figures(text: str) -> Figures:
    """The operator's metrics by name and labels."""
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def settled(figures: Figures, count: int) -> bool:
    """Whether each training has been looked at, and has a status."""
    done = figures.get('fedka_reconciles_total{outcome="done"}', 0)
    pending = figures.get('fedka_trainings{phase="Pending"}', count)
    return done >= count and figures.get("fedka_queue_depth") == 0 and pending == 0


def cpu_seconds(pid: int) -> float:
    """Of all threads, from the beginning."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mib(pid: int, line: str = "VmRSS") -> int:
    """`VmRSS` (now) or `VmHWM` (the most so far)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(row.split()[1] for row in status.splitlines() if row.startswith(line))) // 1024
