"""Server-side apply: who owns which field, and what happens to one that is left out."""

import pytest

from fedka.reconcile.ports import Invalid


async def test_a_field_left_out_is_removed(cluster, make):
    await cluster.apply(make.secret(labels={"app": "fedka", "run": "1"}), field_manager="operator")
    applied = await cluster.apply(make.secret(labels={"app": "fedka"}), field_manager="operator")
    assert applied["metadata"]["labels"] == {"app": "fedka"}


async def test_a_field_of_somebody_else_stays(cluster, make):
    await cluster.apply(make.secret(labels={"app": "fedka"}), field_manager="operator")
    partial = make.secret(annotations={"note": "mine"})
    del partial["data"]
    applied = await cluster.apply(partial, field_manager="user")
    assert applied["metadata"]["labels"] == {"app": "fedka"}
    assert applied["data"] == {"token": "c2VjcmV0"}


async def test_a_field_of_two_owners_stays_when_one_leaves_it_out(cluster, make):
    await cluster.apply(make.secret(labels={"app": "fedka"}), field_manager="operator")
    await cluster.apply(make.secret(labels={"app": "fedka"}), field_manager="user")
    applied = await cluster.apply(make.secret(), field_manager="operator")
    assert applied["metadata"]["labels"] == {"app": "fedka"}


async def test_a_forced_apply_takes_a_field_over(cluster, make):
    await cluster.apply(make.secret(labels={"app": "theirs"}), field_manager="user")
    await cluster.apply(make.secret(labels={"app": "ours"}), field_manager="operator")
    applied = await cluster.apply(make.secret(), field_manager="user")
    assert applied["metadata"]["labels"] == {"app": "ours"}


async def test_a_field_taken_over_goes_with_its_new_owner(cluster, make):
    await cluster.apply(make.secret(labels={"app": "theirs"}), field_manager="user")
    await cluster.apply(make.secret(labels={"app": "ours"}), field_manager="operator")
    applied = await cluster.apply(make.secret(), field_manager="operator")
    assert "labels" not in applied["metadata"]


async def test_what_was_created_stays_when_an_apply_leaves_it_out(cluster, make):
    await cluster.create(make.secret(labels={"app": "fedka"}), field_manager="operator")
    applied = await cluster.apply(make.secret(), field_manager="operator")
    assert applied["metadata"]["labels"] == {"app": "fedka"}


async def test_a_list_that_is_a_map_is_merged_by_its_keys(cluster, make):
    await cluster.apply(make.training(), field_manager="user")
    more = make.training()
    more["spec"] = {"participants": [{"name": "bank-c"}]}
    applied = await cluster.apply(more, field_manager="other-user")
    assert [participant["name"] for participant in applied["spec"]["participants"]] == ["bank-a", "bank-b", "bank-c"]


async def test_an_item_left_out_of_a_list_that_is_a_map_is_removed(cluster, make):
    training = make.training()
    await cluster.apply(training, field_manager="user")
    training["spec"]["participants"] = [{"name": "bank-b"}]
    applied = await cluster.apply(training, field_manager="user")
    assert applied["spec"]["participants"] == [{"name": "bank-b"}]


async def test_conditions_of_two_writers_stand_side_by_side(cluster, make):
    ready = {"type": "Ready", "status": "True", "reason": "Done", "message": "", "lastTransitionTime": _LONG_AGO}
    live = await cluster.apply(make.training(), field_manager="user")
    live = await cluster.apply_status(live | {"status": {"conditions": [ready]}}, field_manager="operator")
    other = ready | {"type": "Stalled"}
    written = await cluster.apply_status(live | {"status": {"conditions": [other]}}, field_manager="second")
    assert {condition["type"] for condition in written["status"]["conditions"]} == {"Ready", "Stalled"}


async def test_a_condition_left_out_is_removed(cluster, make):
    ready = {"type": "Ready", "status": "True", "reason": "Done", "message": "", "lastTransitionTime": _LONG_AGO}
    live = await cluster.apply(make.training(), field_manager="user")
    both = {"conditions": [ready, ready | {"type": "Stalled"}]}
    live = await cluster.apply_status(live | {"status": both}, field_manager="operator")
    written = await cluster.apply_status(live | {"status": {"conditions": [ready]}}, field_manager="operator")
    assert [condition["type"] for condition in written["status"]["conditions"]] == ["Ready"]


async def test_a_name_given_twice_in_a_list_that_is_a_map_is_refused(cluster, make):
    training = make.training()
    training["spec"]["participants"] = [{"name": "bank-a"}, {"name": "bank-a"}]
    with pytest.raises(Invalid, match="Duplicate value"):
        await cluster.create(training, field_manager="user")


async def test_a_second_controller_is_refused(cluster, make):
    one = await cluster.create(make.training("one"), field_manager="user")
    two = await cluster.create(make.training("two"), field_manager="user")
    await cluster.apply(make.job(ownerReferences=[make.owner(one)]), field_manager="operator")
    with pytest.raises(Invalid, match="controller"):
        await cluster.apply(make.job(ownerReferences=[make.owner(two)]), field_manager="another")


async def test_the_same_manager_takes_a_child_over(cluster, make):
    """Why the planner never touches a child whose uid label is another's."""
    one = await cluster.create(make.training("one"), field_manager="user")
    two = await cluster.create(make.training("two"), field_manager="user")
    await cluster.apply(make.job(ownerReferences=[make.owner(one)]), field_manager="operator")
    taken = await cluster.apply(make.job(ownerReferences=[make.owner(two)]), field_manager="operator")
    assert [owner["name"] for owner in taken["metadata"]["ownerReferences"]] == ["two"]


_LONG_AGO = "2020-01-01T00:00:00Z"
