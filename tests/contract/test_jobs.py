"""What of a Job may change, which decides how the operator suspends, ends and recreates one."""

import pytest

from fedka.reconcile.ports import Invalid


async def test_the_template_is_immutable(cluster, make):
    job = make.job()
    await cluster.apply(job, field_manager="operator")
    job["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/fraud:2"
    with pytest.raises(Invalid) as refused:
        await cluster.apply(job, field_manager="operator")
    assert [cause.field for cause in refused.value.causes] == ["spec.template"]


@pytest.mark.parametrize(("field", "value"), [("suspend", False), ("backoffLimit", 3), ("activeDeadlineSeconds", 60)])
async def test_what_ends_or_pauses_a_job_may_change(cluster, make, field, value):
    job = make.job()
    await cluster.apply(job, field_manager="operator")
    job["spec"][field] = value
    applied = await cluster.apply(job, field_manager="operator")
    assert applied["spec"][field] == value


async def test_one_field_may_be_set_by_a_manager_of_its_own(cluster, make, namespace):
    """How a running Job is suspended without saying its template again."""
    await cluster.create(make.job(), field_manager="operator")
    partial = make.job() | {"spec": {"suspend": False}}
    applied = await cluster.apply(partial, field_manager="operator-suspend")
    assert applied["spec"]["suspend"] is False
    assert applied["spec"]["template"]["spec"]["containers"][0]["command"] == ["true"]


async def test_a_name_that_is_no_label_is_refused(cluster, make):
    with pytest.raises(Invalid, match="63"):
        await cluster.create(make.job("x" * 64), field_manager="operator")


@pytest.mark.parametrize(
    ("spec", "template", "field"),
    [
        ({"podReplacementPolicy": "TerminatingOrFailed"}, {}, "spec.podReplacementPolicy"),
        ({"podReplacementPolicy": "Failed"}, {"restartPolicy": "OnFailure"}, "spec.template.spec.restartPolicy"),
    ],
)
async def test_a_pod_failure_policy_has_conditions(cluster, make, spec, template, field):
    job = make.job()
    rule = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}
    job["spec"] |= {"podFailurePolicy": {"rules": [rule]}} | spec
    job["spec"]["template"]["spec"] |= template
    with pytest.raises(Invalid) as refused:
        await cluster.create(job, field_manager="operator")
    assert field in [cause.field for cause in refused.value.causes]


async def test_an_absent_restart_policy_is_refused(cluster, make):
    job = make.job()
    del job["spec"]["template"]["spec"]["restartPolicy"]
    with pytest.raises(Invalid, match="restartPolicy"):
        await cluster.create(job, field_manager="operator")


async def test_what_is_left_out_gets_its_default(cluster, make):
    job = make.job()
    del job["spec"]["suspend"]
    created = await cluster.create(job, field_manager="operator")
    assert created["spec"]["suspend"] is False
    assert created["spec"]["podReplacementPolicy"] == "TerminatingOrFailed"


@pytest.mark.parametrize(
    ("container", "path"),
    [
        ({"name": None, "image": "registry.example/proxy:1"}, ".containers[1].name"),
        ({"name": "proxy", "image": "registry.example/proxy:1", "env": [{"value": "1"}]}, ".containers[1].env[0].name"),
        (
            {"name": "proxy", "image": "registry.example/proxy:1", "volumeMounts": [{"name": "x"}]},
            ".containers[1].volumeMounts[0].mountPath",
        ),
    ],
)
async def test_an_entry_without_its_key_is_refused_by_its_place(cluster, make, container, path):
    job = make.job()
    job["spec"]["template"]["spec"]["containers"].append(container)
    with pytest.raises(Invalid) as refused:
        await cluster.create(job, field_manager="operator")
    assert f"spec.template.spec{path}" in [cause.field for cause in refused.value.causes]


async def test_a_mount_of_no_volume_is_refused_by_its_place(cluster, make):
    job = make.job()
    job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    with pytest.raises(Invalid) as refused:
        await cluster.create(job, field_manager="operator")
    (cause,) = refused.value.causes
    assert cause.field == "spec.template.spec.containers[0].volumeMounts[0].name"
    assert 'Not found: "data"' in cause.message


async def test_a_secrets_volume_without_its_name_is_refused(cluster, make):
    job = make.job()
    job["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "secret": {}}]
    with pytest.raises(Invalid) as refused:
        await cluster.create(job, field_manager="operator")
    assert "spec.template.spec.volumes[0].secret.secretName" in [cause.field for cause in refused.value.causes]


async def test_a_member_that_is_no_list_is_refused(cluster, make):
    job = make.job()
    job["spec"]["template"]["spec"]["containers"][0]["env"] = {"EPOCHS": "3"}
    with pytest.raises(Invalid, match="env"):
        await cluster.create(job, field_manager="operator")
