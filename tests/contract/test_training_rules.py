"""The FederatedTraining's CRD at work: the same file is refused, filled in and pruned alike by every adapter."""

import pytest

from fedka.reconcile.ports import Invalid


async def test_what_is_left_out_gets_its_default(cluster, make):
    training = make.training()
    del training["spec"]["suspend"]
    created = await cluster.create(training, field_manager="user")
    assert created["spec"]["suspend"] is False
    assert created["spec"]["kafka"]["reclaimPolicy"] == "Delete"


async def test_no_default_appears_inside_participants(cluster, make):
    """Or GitOps tools would never be in sync."""
    created = await cluster.create(make.training(), field_manager="user")
    assert created["spec"]["participants"] == [{"name": "bank-a"}, {"name": "bank-b"}]


async def test_a_field_left_out_of_an_apply_falls_back_to_its_default(cluster, make):
    training = make.training()
    training["spec"]["rounds"]["deadlineSeconds"] = 7
    await cluster.apply(training, field_manager="user")
    applied = await cluster.apply(make.training(), field_manager="user")
    assert applied["spec"]["rounds"]["deadlineSeconds"] == 600


async def test_an_apply_of_the_same_keeps_the_version_despite_defaults(cluster, make):
    first = await cluster.apply(make.training(), field_manager="user")
    again = await cluster.apply(make.training(), field_manager="user")
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_value_out_of_bounds_is_refused_with_its_path(cluster, make):
    training = make.training()
    training["spec"]["rounds"]["count"] = 0
    with pytest.raises(Invalid) as refused:
        await cluster.create(training, field_manager="user")
    assert [cause.field for cause in refused.value.causes] == ["spec.rounds.count"]


async def test_a_rule_over_several_fields_is_refused(cluster, make):
    training = make.training()
    training["spec"]["rounds"]["minAvailable"] = 3
    with pytest.raises(Invalid, match="minAvailable"):
        await cluster.create(training, field_manager="user")


async def test_an_immutable_field_stays(cluster, make):
    await cluster.apply(make.training(), field_manager="user")
    training = make.training()
    training["spec"]["kafka"] = {"clusterName": "other"}
    with pytest.raises(Invalid, match="immutable"):
        await cluster.apply(training, field_manager="user")


async def test_the_app_changes_only_while_suspended(cluster, make):
    training = make.training()
    await cluster.apply(training, field_manager="user")
    training["spec"]["app"]["image"] = "registry.example/fraud:2"
    with pytest.raises(Invalid, match="suspended"):
        await cluster.apply(training, field_manager="user")


async def test_the_app_changes_while_suspended(cluster, make):
    training = make.training()
    training["spec"]["suspend"] = True
    await cluster.apply(training, field_manager="user")
    training["spec"]["app"]["image"] = "registry.example/fraud:2"
    applied = await cluster.apply(training, field_manager="user")
    assert applied["spec"]["app"]["image"] == "registry.example/fraud:2"


async def test_an_unknown_field_in_an_apply_of_the_status_is_refused(cluster, make):
    live = await cluster.apply(make.training(), field_manager="user")
    with pytest.raises(Invalid, match="mood"):
        await cluster.apply_status(live | {"status": {"phase": "Running", "mood": "fine"}}, field_manager="op")


async def test_an_unknown_field_in_an_apply_of_the_spec_is_refused(cluster, make):
    training = make.training()
    training["spec"]["mood"] = "fine"
    with pytest.raises(Invalid, match="mood"):
        await cluster.apply(training, field_manager="user")


async def test_a_status_out_of_bounds_is_refused(cluster, make):
    live = await cluster.apply(make.training(), field_manager="user")
    with pytest.raises(Invalid, match="phase"):
        await cluster.apply_status(live | {"status": {"phase": "Dreaming"}}, field_manager="op")


async def test_a_refused_write_changes_nothing(cluster, make):
    live = await cluster.apply(make.training(), field_manager="user")
    training = make.training()
    training["spec"]["rounds"]["count"] = 0
    with pytest.raises(Invalid):
        await cluster.apply(training, field_manager="user")
    again = await cluster.apply(make.training(), field_manager="user")
    assert again["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"]
