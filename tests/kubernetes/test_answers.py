"""What an API server says, in the port's words."""

import json

import pytest

from fedka.kubernetes.answers import Unauthorized, VersionGone, refusal
from fedka.reconcile.ports import (
    AlreadyExists,
    ClusterUnavailable,
    Conflict,
    Forbidden,
    Invalid,
    NotAdmitted,
    NotFound,
)


def status(code: int, message: str = "no", **more: object) -> bytes:
    return json.dumps({"kind": "Status", "code": code, "message": message, **more}).encode()


@pytest.mark.parametrize(
    ("code", "more", "expected"),
    [
        (401, {}, Unauthorized),
        (403, {"reason": "Forbidden"}, Forbidden),
        (404, {"reason": "NotFound"}, NotFound),
        (409, {"reason": "AlreadyExists"}, AlreadyExists),
        (409, {"reason": "Conflict"}, Conflict),
        (410, {"reason": "Expired"}, VersionGone),
        (429, {"reason": "TooManyRequests"}, ClusterUnavailable),
        (500, {"reason": "InternalError"}, ClusterUnavailable),
        (503, {}, ClusterUnavailable),
        (504, {"reason": "Timeout"}, ClusterUnavailable),
    ],
)
def test_each_refusal_has_its_class(code, more, expected):
    assert type(refusal(code, status(code, **more), "GET /x")) is expected


def test_what_is_invalid_names_its_fields():
    causes = [{"field": "spec.rounds.count", "message": "must be at least 1"}]
    error = refusal(422, status(422, details={"causes": causes}), "PATCH /x")
    assert isinstance(error, Invalid)
    assert [cause.field for cause in error.causes] == ["spec.rounds.count"]


def test_another_uid_is_a_conflict_as_the_object_is_another():
    causes = [{"field": "metadata.uid", "message": "field is immutable"}] * 2
    assert isinstance(refusal(422, status(422, details={"causes": causes}), "PATCH /x"), Conflict)


def test_an_undeclared_field_in_an_apply_is_invalid_and_hints_at_the_crd():
    said = "failed to create typed patch object (a/b): .status.mood: field not declared in schema"
    error = refusal(500, status(500, said), "PATCH /x")
    assert isinstance(error, Invalid)
    assert "CRD" in str(error)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (500, 'Internal error occurred: failed calling webhook "jobs.example": failed to call webhook: Post'),
        (403, 'admission webhook "jobs.example" denied the request: no'),
        (404, 'admission webhook "jobs.example" denied the request: no such owner'),
        (401, "jobs.batch \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"),
    ],
)
def test_what_is_not_admitted_is_told_from_a_server_that_is_away(code, said):
    error = refusal(code, status(code, said), "DELETE /x")
    assert type(error) is NotAdmitted
    assert said in str(error)


def test_what_a_proxy_says_is_shown():
    error = refusal(502, b"<html>Bad Gateway</html>", "GET /x")
    assert isinstance(error, ClusterUnavailable)
    assert "Bad Gateway" in str(error)


def test_an_expired_list_says_how_to_go_on():
    error = refusal(410, status(410, metadata={"continue": "token"}), "GET /x")
    assert isinstance(error, VersionGone)
    assert error.go_on == "token"
