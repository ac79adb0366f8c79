"""Trainings as they are stored, and what is left to go by of one that this version does not understand.

A newer version may have stored it, and its CRD stays when the operator is rolled back. While such a training lives, it
is left alone. But one that is being deleted must not stay for ever because of a field that cleaning up does not read.
"""

import zlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from fedka.api.fields import MAX_PARTICIPANTS, Name
from fedka.api.learning import Kafka, ReclaimPolicy
from fedka.api.training import FederatedTraining

PARSED = 256  # trainings that are kept as models, of 35 KiB each
FASTEST = 1  # of zlib's levels: a training needs a third of its bytes; the best would spare 6 % more
SMALL = 4096  # bytes of JSON, of which zlib would spare 2000 for 50 us
NOT_UNDERSTOOD = "not-understood"  # stands where a name has to, and is nobody's

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_MADE_UP = {"app": {"entrypoint": "not:understood"}, "rounds": {"count": 1}}  # cleaning up reads neither


class Fault(NamedTuple):
    """What is not understood, without its content; and what there is to clean up by, where it is being deleted."""

    sentence: str
    remains: FederatedTraining | None


def packed(text: bytes) -> bytes:
    """An object's JSON as it is stored by the thousand."""
    return text if len(text) <= SMALL else zlib.compress(text, FASTEST)


def parsed(stored: bytes) -> FederatedTraining | Fault:
    """The training that was `packed`."""
    obj = from_json(stored if stored.startswith(b"{") else zlib.decompress(stored))  # which begins with an x
    try:
        return FederatedTraining.from_object(obj)
    except ValidationError as error:  # stored by a newer version, or before a schema became stricter
        first = error.errors(include_url=False, include_input=False)[0]  # not its content
        sentence = f"{'.'.join(str(name) for name in first['loc'])}: {first['msg']}"
        return Fault(sentence, _remains(obj) if "deletionTimestamp" in obj["metadata"] else None)


@lru_cache(maxsize=PARSED)
def parsed_once(stored: bytes) -> FederatedTraining | Fault:
    """The same, for those that are looked at many times: the same bytes give the same training, which nobody can
    change.
    """
    return parsed(stored)


def part(obj: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """What stands there, where it has members at all."""
    for name in path:
        member = obj.get(name)
        if not isinstance(member, Mapping):
            return {}
        obj = member
    return obj


def _remains(obj: Mapping[str, Any]) -> FederatedTraining:
    """Metadata, the Kafka cluster, what is to become of the topics, and those participants that have a name.

    Topics go only where it is understood that they shall: what was deleted does not come back.
    """
    kafka = part(obj, "spec", "kafka")
    cluster = {"clusterName": kafka["clusterName"]} if "clusterName" in kafka else {}
    policy = {"reclaimPolicy": kafka["reclaimPolicy"]} if "reclaimPolicy" in kafka else {}
    wanted = {
        "clusterName": _readable_kafka(cluster, Kafka(cluster_name=NOT_UNDERSTOOD)).cluster_name,
        "reclaimPolicy": _readable_kafka(policy, Kafka(reclaim_policy=ReclaimPolicy.RETAIN)).reclaim_policy.value,
    }
    names = list(dict.fromkeys(_names(part(obj, "spec").get("participants"))))[:MAX_PARTICIPANTS] or [NOT_UNDERSTOOD]
    spec = _MADE_UP | {"kafka": wanted, "participants": [{"name": name} for name in names]}
    return FederatedTraining.from_object({"metadata": obj["metadata"], "spec": spec})


def _readable_kafka(values: Mapping[str, Any], otherwise: Kafka) -> Kafka:
    try:
        return Kafka.model_validate(values, by_alias=True, by_name=False)
    except ValidationError:
        return otherwise


def _names(participants: Any) -> Iterator[str]:
    for each in participants if isinstance(participants, list) else ():
        name = each.get("name") if isinstance(each, Mapping) else None
        try:
            yield _NAME.validate_python(name)
        except ValidationError:  # its topic and its user are found by the run's id
            continue
