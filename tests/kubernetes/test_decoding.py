"""JSON of an API server: nothing that somebody may write into an object keeps it from being read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedka.kubernetes.decoding import decoded, decoded_jobs
from fedka.plan.names import ANNOTATION_HASH, ANNOTATION_RESTARTS, ANNOTATION_ROUNDS, LABEL_PARTICIPANT, LABEL_ROLE
from fedka.reconcile.views import job_view
from fedka.yaml_text import DEEPEST


def nested(levels: int, inside: str = '{"b": 1}', *, by: str = '{"a":%s}') -> str:
    before, after = by.split("%s")
    return before * levels + inside + after * levels


def below(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = value["a"] if isinstance(value, dict) else value[0]
    return value


@pytest.mark.parametrize("by", ['{"a":%s}', "[%s]"])
@pytest.mark.parametrize("levels", [300, 3000, 10_000])
def test_what_is_too_deep_is_left_out(levels: int, by: str):
    read = decoded(f'{{"first": 1, "deep": {nested(levels, by=by)}, "last": [2]}}'.encode())
    assert (read["first"], read["last"]) == (1, [2])
    assert below(read["deep"], DEEPEST - 1) is None


def test_several_that_are_too_deep_are_left_out_and_nothing_else():
    items = [nested(1000), '{"name": "one"}', nested(1000, by="[%s]"), nested(60), '{"name": "two"}']
    read = decoded(f'{{"items": [{", ".join(items)}]}}'.encode())["items"]
    assert (read[1], read[4]) == ({"name": "one"}, {"name": "two"})
    assert below(read[3], 60) == {"b": 1}


def test_brackets_in_words_do_not_count():
    read = decoded(f'{{"deep": {nested(1000)}, "said": "{"[" * 500} \\" {"{" * 500}", "{"]" * 500}": 1}}'.encode())
    assert read["said"] == "[" * 500 + ' " ' + "{" * 500
    assert read["]" * 500] == 1


@pytest.mark.parametrize(
    "text", ["", "{", nested(1000)[:-1], nested(1000) + "}", '"' + "a" * 100_000, "[" * 5000, "]" * 5000, "<html>"]
)
def test_what_is_no_json_is_refused(text: str):
    with pytest.raises(ValueError, match=r"line \d+ column \d+"):
        decoded(text.encode())


def test_text_in_another_encoding_is_refused():
    with pytest.raises(ValueError, match="line 1 column 1"):
        decoded("{}".encode("utf-16"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
)


@given(JSON)
def test_everything_else_is_read_as_it_stands(value: Any):
    assert decoded(json.dumps(value).encode()) == value


def job(**spec: Any) -> dict[str, Any]:
    """As an API server sends it, with all that a view holds."""
    return {
        "metadata": {
            "name": "fraud-bank-1",
            "namespace": "team-a",
            "uid": "uid-1",
            "resourceVersion": "7",
            "deletionTimestamp": "2026-11-30T09:00:00Z",
            "labels": {LABEL_ROLE: "participant", LABEL_PARTICIPANT: "bank-1"},
            "annotations": {ANNOTATION_HASH: "abc", ANNOTATION_RESTARTS: "2", ANNOTATION_ROUNDS: "3"},
            "managedFields": [{"manager": "fedka-operator", "fieldsV1": {"f:spec": {}}}],
        },
        "spec": {"suspend": True, "activeDeadlineSeconds": 60, "template": {"spec": {"containers": []}}} | spec,
        "status": {
            "startTime": "2026-11-30T08:00:00Z",
            "conditions": [{"type": "Failed", "status": "True", "reason": "Why", "message": "because"}],
        },
    }


def listed(*jobs: Any) -> bytes:
    return json.dumps({"metadata": {"resourceVersion": "9", "continue": "next"}, "items": list(jobs)}).encode()


def test_of_a_list_of_jobs_all_is_read_that_a_view_holds():
    read = decoded_jobs(listed(job(), {}, {"metadata": {"uid": "bare"}}))
    assert read["metadata"] == {"resourceVersion": "9", "continue": "next"}
    assert job_view(read["items"][0]) == job_view(job())
    assert read["items"][1:] == [{}, {"metadata": {"uid": "bare"}}]


def test_of_a_list_of_jobs_nothing_is_read_that_no_view_holds():
    read = decoded_jobs(listed(job()))["items"][0]
    assert "template" not in read["spec"]
    assert "managedFields" not in read["metadata"]


@pytest.mark.parametrize("template", [json.loads(nested(150)), json.loads(nested(400))])
def test_a_job_that_is_too_deep_keeps_no_other_from_being_read(template: Any):
    read = decoded_jobs(listed(job(), job(template=template)))
    assert [job_view(each) for each in read["items"]] == [job_view(job())] * 2


@pytest.mark.parametrize("text", [b'{"kind": "Status", "code": 500}', b"[]", b'{"items": null}', b'{"items": [1]}'])
def test_what_is_no_list_of_jobs_is_read_as_it_stands(text: bytes):
    assert decoded_jobs(text) == ({} if b"Status" in text else json.loads(text))
