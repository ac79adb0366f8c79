"""resourceVersion and generation: what the operator's cache and its status writes stand on."""

import pytest

from fedka.reconcile.ports import FEDERATED_TRAINING, JOB, SECRET, AlreadyExists, Conflict, NotFound


async def test_create_gives_uid_version_and_first_generation(cluster, make):
    created = await cluster.create(make.training(), field_manager="user")
    assert created["metadata"]["uid"]
    assert created["metadata"]["resourceVersion"]
    assert created["metadata"]["generation"] == 1


async def test_create_ignores_a_status(cluster, make):
    created = await cluster.create(make.training() | {"status": {"phase": "Complete"}}, field_manager="user")
    assert created.get("status", {}).get("phase") != "Complete"


async def test_create_never_changes_a_namesake(cluster, make, namespace):
    await cluster.create(make.secret(), field_manager="user")
    with pytest.raises(AlreadyExists):
        await cluster.create(make.secret() | {"data": {"token": "b3RoZXI="}}, field_manager="user")
    listed = await cluster.list(SECRET, namespace=namespace)
    assert [obj["data"] for obj in listed] == [{"token": "c2VjcmV0"}]


async def test_an_apply_that_changes_nothing_keeps_the_version(cluster, make):
    first = await cluster.apply(make.training(), field_manager="user")
    again = await cluster.apply(make.training(), field_manager="user")
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_status_apply_that_changes_nothing_keeps_the_version(cluster, make):
    live = await cluster.apply(make.training(), field_manager="user")
    first = await cluster.apply_status(live | {"status": {"phase": "Running"}}, field_manager="operator")
    again = await cluster.apply_status(first | {"status": {"phase": "Running"}}, field_manager="operator")
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


async def test_a_change_of_the_spec_raises_the_generation(cluster, make):
    training = make.training()
    await cluster.apply(training, field_manager="user")
    training["spec"]["rounds"]["count"] = 4
    changed = await cluster.apply(training, field_manager="user")
    assert changed["metadata"]["generation"] == 2


async def test_a_change_of_metadata_or_status_keeps_the_generation(cluster, make):
    await cluster.apply(make.training(), field_manager="user")
    labelled = await cluster.apply(make.training(labels={"team": "risk"}), field_manager="user")
    written = await cluster.apply_status(labelled | {"status": {"phase": "Running"}}, field_manager="operator")
    assert written["metadata"]["generation"] == 1


async def test_an_apply_with_a_stale_version_conflicts(cluster, make):
    stale = await cluster.apply(make.training(), field_manager="user")
    await cluster.apply(make.training(labels={"team": "risk"}), field_manager="user")
    version = {"resourceVersion": stale["metadata"]["resourceVersion"]}
    with pytest.raises(Conflict):
        await cluster.apply(make.training(**version), field_manager="user")


async def test_a_status_write_with_a_stale_version_conflicts(cluster, make):
    stale = await cluster.apply(make.training(), field_manager="user")
    await cluster.apply(make.training(labels={"team": "risk"}), field_manager="user")
    with pytest.raises(Conflict):
        await cluster.apply_status(stale | {"status": {"phase": "Running"}}, field_manager="operator")


async def test_a_status_write_without_a_version_is_refused(cluster, make):
    await cluster.apply(make.training(), field_manager="user")
    with pytest.raises(ValueError, match="resourceVersion"):
        await cluster.apply_status(make.training() | {"status": {"phase": "Running"}}, field_manager="operator")


async def test_a_status_write_ignores_the_uid(cluster, make):
    live = await cluster.apply(make.training(), field_manager="user")
    foreign = live["metadata"] | {"uid": "00000000-0000-4000-8000-000000000000"}
    status = {"phase": "Running"}
    written = await cluster.apply_status(live | {"metadata": foreign, "status": status}, field_manager="operator")
    assert written["status"]["phase"] == "Running"


async def test_a_status_write_changes_nothing_but_the_status(cluster, make):
    live = await cluster.apply(make.training(), field_manager="user")
    other = make.training(labels={"team": "risk"}, resourceVersion=live["metadata"]["resourceVersion"])
    other["spec"]["rounds"]["count"] = 9
    written = await cluster.apply_status(other | {"status": {"phase": "Running"}}, field_manager="operator")
    assert written["spec"]["rounds"]["count"] == 3
    assert "labels" not in written["metadata"]


async def test_a_status_write_to_nothing_is_not_found(cluster, make):
    absent = make.training(resourceVersion="1")
    with pytest.raises(NotFound):
        await cluster.apply_status(absent | {"status": {"phase": "Running"}}, field_manager="operator")


async def test_an_apply_leaves_the_status_alone(cluster, make):
    live = await cluster.apply(make.training(), field_manager="user")
    await cluster.apply_status(live | {"status": {"phase": "Running"}}, field_manager="operator")
    applied = await cluster.apply(make.training() | {"status": {"phase": "Failed"}}, field_manager="user")
    assert applied["status"]["phase"] == "Running"


async def test_an_apply_with_a_foreign_uid_conflicts(cluster, make):
    await cluster.apply(make.training(), field_manager="user")
    with pytest.raises(Conflict):
        await cluster.apply(make.training(uid="00000000-0000-4000-8000-000000000000"), field_manager="user")


async def test_an_apply_with_a_uid_creates_nothing(cluster, make, namespace):
    with pytest.raises(Conflict):
        await cluster.apply(make.job(uid="00000000-0000-4000-8000-000000000000"), field_manager="user")
    assert await cluster.list(JOB, namespace=namespace) == []


async def test_what_a_read_returns_is_the_callers_own(cluster, make, namespace):
    await cluster.apply(make.training(), field_manager="user")
    read = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    read["spec"]["rounds"]["count"] = 99
    again = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    assert again["spec"]["rounds"]["count"] == 3


async def test_what_was_written_stays_the_callers_own(cluster, make, namespace):
    training = make.training()
    await cluster.apply(training, field_manager="user")
    training["spec"]["rounds"]["count"] = 99
    live = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    assert live["spec"]["rounds"]["count"] == 3


async def test_a_list_is_narrowed_by_labels(cluster, make, namespace):
    await cluster.create(make.secret("one", labels={"app": "fedka", "run": "1"}), field_manager="user")
    await cluster.create(make.secret("two", labels={"app": "fedka", "run": "2"}), field_manager="user")
    listed = await cluster.list(SECRET, namespace=namespace, labels={"app": "fedka", "run": "2"})
    assert [obj["metadata"]["name"] for obj in listed] == ["two"]


async def test_a_list_of_metadata_names_and_versions_what_there_is(cluster, make):
    created = await cluster.create(make.secret(labels={"app": "fedka"}), field_manager="user")
    (listed,) = (await cluster.list_metadata(SECRET)).objects
    for field in ("name", "namespace", "uid", "resourceVersion", "labels"):
        assert listed["metadata"][field] == created["metadata"][field]
    assert "data" not in listed
