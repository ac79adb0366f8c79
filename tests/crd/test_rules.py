"""The CEL rules on the real server: what our own engine refuses it refuses, in the same words."""

from typing import Any

import pytest

from ..api.conftest import apply_edits
from ..api.test_rules import (
    ALLOWED_CHANGES,
    ALLOWED_WHILE_SUSPENDED,
    BROKEN,
    FORBIDDEN_CHANGES,
    IMMUTABLE,
)
from .conftest import Judge

pytestmark = pytest.mark.kubernetes
Object = dict[str, Any]


@pytest.mark.parametrize(("edits", "path", "message"), BROKEN, ids=[str(case[0])[:60] for case in BROKEN])
def test_refuses_what_breaks_a_rule(judge: Judge, training: Object, edits: Object, path: str, message: str):
    verdict = judge.create(apply_edits(training, edits))
    assert verdict.status == 422
    assert message in verdict.message
    assert path in verdict.message


@pytest.mark.parametrize(
    ("edits", "path", "message"), FORBIDDEN_CHANGES, ids=[str(case[0])[:60] for case in FORBIDDEN_CHANGES]
)
def test_refuses_the_change(judge: Judge, stored: dict[str, Object], edits: Object, path: str, message: str):
    verdict = judge.update(apply_edits(stored["running"], edits))
    assert verdict.status == 422
    assert message in verdict.message
    assert path in verdict.message


@pytest.mark.parametrize("edits", ALLOWED_CHANGES, ids=str)
def test_allows_the_change_while_running(judge: Judge, stored: dict[str, Object], edits: Object):
    verdict = judge.update(apply_edits(stored["running"], edits))
    assert verdict.accepted, verdict.message


@pytest.mark.parametrize("edits", ALLOWED_WHILE_SUSPENDED, ids=str)
def test_allows_the_change_while_suspended(judge: Judge, stored: dict[str, Object], edits: Object):
    verdict = judge.update(apply_edits(stored["suspended"], edits))
    assert verdict.accepted, verdict.message


@pytest.mark.parametrize(("field", "other"), IMMUTABLE)
def test_removing_a_field_first_does_not_unlock_it(judge: Judge, stored: dict[str, Object], field: str, other: Any):
    before = stored["defaulted"]
    removed = apply_edits(before, {field: "<removed>"})
    assert judge.update(removed).accepted
    verdict = judge.update(apply_edits(removed, {field: other}))
    assert verdict.status == 422
    assert field in verdict.message


def test_a_template_cannot_be_added_while_running(judge: Judge, stored: dict[str, Object]):
    verdict = judge.update(apply_edits(stored["bare"], {"spec.participantTemplate": {"spec": {}}}))
    assert verdict.status == 422
    assert "spec.participantTemplate" in verdict.message


def test_participants_are_told_apart_by_name_not_by_place(judge: Judge, stored: dict[str, Object]):
    before = stored["running"]
    turned = {**before, "spec": {**before["spec"], "participants": before["spec"]["participants"][::-1]}}
    assert judge.update(turned).accepted
