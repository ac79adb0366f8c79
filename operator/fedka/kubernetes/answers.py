"""What an API server's refusal means in the port's words."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fedka.kubernetes.decoding import decoded
from fedka.reconcile.ports import (
    AlreadyExists,
    Cause,
    ClusterError,
    ClusterUnavailable,
    Conflict,
    Forbidden,
    Invalid,
    NotAdmitted,
    NotFound,
)


class Unauthorized(ClusterError):
    """The API server does not know who is asking: the login is wrong or has run out."""


class VersionGone(ClusterError):
    """The resourceVersion to go on from has been forgotten by the server: list anew, or go on by the token given."""

    def __init__(self, message: str, go_on: str = "") -> None:
        super().__init__(message)
        self.go_on = go_on


class AnswerTooLong(ClusterError):
    """There is more to an answer than is read of one."""


def refusal(code: int, body: bytes, asked: str) -> ClusterError:
    """The error for an answer that is not 2xx. `asked` says what for."""
    status = _status(body)
    message = f"{asked}: {status.get('message') or code}"
    if code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY} or _UNTYPED in message:
        return _invalid(status, asked)
    if _NOT_ADMITTED.search(message):
        return NotAdmitted(message)
    if code == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(f"{message}: the credentials are wrong or have run out")
    if code == HTTPStatus.GONE:
        return VersionGone(message, (status.get("metadata") or {}).get("continue") or "")
    if code == HTTPStatus.CONFLICT and status.get("reason") == "AlreadyExists":
        return AlreadyExists(message)
    return _BY_CODE.get(code, ClusterUnavailable)(message)


_UNTYPED = "failed to create typed patch object"  # an apply with an undeclared field, which is answered with 500
_NOT_ADMITTED = re.compile(  # the code is 500 where a webhook does not answer, and whatever it likes where one refuses
    r"failed calling webhook|admission webhook \".*\" denied the request|ValidatingAdmissionPolicy .* denied request"
)

_BY_CODE: Mapping[int, type[ClusterError]] = {
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
}


def _status(body: bytes) -> Mapping[str, Any]:
    try:
        status = decoded(body)
    except ValueError:  # a proxy in between answers in its own way
        return {"message": body.decode(errors="replace")[:500]}
    return status if isinstance(status, dict) else {"message": str(status)[:500]}


def _invalid(status: Mapping[str, Any], asked: str) -> ClusterError:
    """What breaks a rule; another uid than the live one, which custom resources call an immutable field."""
    details = status.get("details") or {}
    causes = [Cause(each.get("field", ""), each.get("message", "")) for each in details.get("causes") or ()]
    if {cause.field for cause in causes} == {"metadata.uid"}:
        return Conflict(f"{asked}: {causes[0].message}")
    message = status.get("message") or "the request is not understood"
    if _UNTYPED in message:
        message += " (if it is a FederatedTraining: is its CRD of another version than this program?)"
    return Invalid(asked, causes or [Cause("", message)])
