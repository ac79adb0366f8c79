"""A mark that the operator writes on an immutable Secret once the user that it is for has been made."""

from fedka.reconcile.ports import SECRET

from .conftest import MANAGER, Subject

DATA = {"password": "c2VjcmV0"}


async def test_a_mark_on_an_immutable_secret_changes_nothing_else(subject: Subject):
    place = {"name": "bundle", "namespace": subject.namespace}
    notes = {"fedka.dev/hash": "1"}
    whole = {"apiVersion": "v1", "kind": "Secret", "metadata": place | {"annotations": notes}, "immutable": True}
    made = await subject.cluster.create(whole | {"data": DATA}, field_manager=MANAGER)
    mark = place | {"uid": made["metadata"]["uid"], "annotations": {"fedka.dev/provisioned": "kafka/rights"}}
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": mark}
    await subject.cluster.apply(manifest, field_manager="marks")
    found = await subject.cluster.get(SECRET, subject.namespace, "bundle")
    assert found["metadata"]["annotations"] == {"fedka.dev/hash": "1", "fedka.dev/provisioned": "kafka/rights"}
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    assert found["data"] == DATA
    assert found["immutable"] is True
