"""Two judges, one verdict: generated objects, right and nearly right, before our admission and the real server."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from fedka.api.defaulting import prune
from fedka.api.errors import InvalidResource
from fedka.api.validation import admit, admit_status, validate_object

from ..api.test_agreement import SPEC, STATUS, fitting, spoilt
from .conftest import Judge

pytestmark = pytest.mark.kubernetes
THOROUGH = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
Object = dict[str, Any]


def resource(spec: Any) -> Object:
    metadata = {"name": "generated", "namespace": "consortium"}
    return {"apiVersion": "fedka.dev/v1alpha1", "kind": "FederatedTraining", "metadata": metadata, "spec": spec}


def status_accepted(obj: Object) -> bool:
    try:
        admit_status(obj)
    except InvalidResource:
        return False
    return True


def has_list_for_a_moment(value: Any) -> bool:
    """Where they differ on purpose: an API server (1.34) takes any list for a string of the format date-time."""
    if isinstance(value, list):
        return any(has_list_for_a_moment(item) for item in value)
    if not isinstance(value, dict):
        return False
    return any(
        has_list_for_a_moment(item) or (key.endswith("Time") and isinstance(item, list)) for key, item in value.items()
    )


@given(spec=fitting(SPEC))
@THOROUGH
def test_of_what_fits_the_schema_the_rules_decide_alike(judge: Judge, spec: Object):
    obj = resource(spec)
    verdict = judge.create(obj)
    assert verdict.accepted == (validate_object(obj) == []), verdict.body
    if verdict.accepted:
        assert verdict.body["spec"] == admit(obj)["spec"]


@given(spec=spoilt(SPEC))
@THOROUGH
def test_of_what_is_nearly_right_they_think_alike(judge: Judge, spec: Object):
    obj = resource(spec)
    verdict = judge.create(obj)
    assert verdict.accepted == (validate_object(obj) == []), verdict.body


@given(status=fitting(STATUS))
@THOROUGH
def test_a_status_that_fits_is_stored_whole(judge: Judge, stored: dict[str, Object], status: Object):
    verdict = judge.write_status(stored["running"] | {"status": status})
    assert verdict.accepted, verdict.message
    assert verdict.body.get("status", {}) == status


@given(status=spoilt(STATUS))
@THOROUGH
def test_of_a_status_that_is_nearly_right_they_think_alike(judge: Judge, stored: dict[str, Object], status: Any):
    obj = stored["running"] | {"status": prune(status, STATUS)}
    assume(not has_list_for_a_moment(obj["status"]))
    verdict = judge.write_status(obj)
    assert verdict.accepted == status_accepted(obj), verdict.body
