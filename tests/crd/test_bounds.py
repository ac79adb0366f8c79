"""The real server and our own admission give the same verdict on every bound and type, and name the same place."""

from typing import Any

import pytest

from fedka.api.validation import admit

from ..api.conftest import apply_edits
from ..api.test_bounds import ACCEPTED, REFUSED
from .conftest import Judge

pytestmark = pytest.mark.kubernetes
# these it sees before it looks at schemas, and has words of its own for
DECODED = {"apiVersion": 'in version "v1"', "metadata.labels.a": "ObjectMeta.labels"}


@pytest.mark.parametrize("edits", ACCEPTED, ids=lambda edits: str(edits)[:60])
def test_accepts_and_stores_the_same(judge: Judge, training: dict[str, Any], edits: dict[str, Any]):
    obj = apply_edits(training, edits)
    verdict = judge.create(obj)
    assert verdict.accepted, verdict.message
    assert verdict.body["spec"] == admit(obj)["spec"]


@pytest.mark.parametrize(("edits", "path", "_message"), REFUSED, ids=[str(case[0])[:60] for case in REFUSED])
def test_refuses_and_names_the_place(
    judge: Judge, training: dict[str, Any], edits: dict[str, Any], path: str, _message: str
):
    verdict = judge.create(apply_edits(training, edits))
    assert not verdict.accepted
    assert DECODED.get(path, path) in verdict.message
