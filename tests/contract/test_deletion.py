"""Deletion: finalizers, owners and what they own, namespaces."""

import pytest

from fedka.reconcile.ports import (
    FEDERATED_TRAINING,
    JOB,
    NAMESPACE,
    POD,
    SECRET,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)

FINALIZER = "fedka.dev/cleanup"
ATTEMPTS = 10


async def finalized(cluster, make, namespace):
    created = await cluster.create(make.training(), field_manager="user")
    return await cluster.add_finalizer(
        FEDERATED_TRAINING,
        namespace,
        "fraud",
        uid=created["metadata"]["uid"],
        finalizer=FINALIZER,
        field_manager="operator-finalizer",
    )


async def test_a_deleted_object_is_gone(cluster, make, namespace, gone):
    created = await cluster.create(make.secret(), field_manager="user")
    await cluster.delete(SECRET, namespace, "bundle", uid=created["metadata"]["uid"])
    await gone(SECRET, "bundle")


async def test_deleting_nothing_is_not_found(cluster, namespace):
    with pytest.raises(NotFound):
        await cluster.delete(SECRET, namespace, "bundle", uid="00000000-0000-4000-8000-000000000000")


async def test_a_delete_spares_a_namesake(cluster, make, namespace):
    await cluster.create(make.secret(), field_manager="user")
    with pytest.raises(Conflict):
        await cluster.delete(SECRET, namespace, "bundle", uid="00000000-0000-4000-8000-000000000000")
    assert await cluster.get(SECRET, namespace, "bundle")


async def test_a_delete_takes_what_the_object_owns(cluster, make, namespace, gone):
    job = await cluster.create(make.job(), field_manager="operator")
    await cluster.create(make.pod(ownerReferences=[make.owner(job)]), field_manager="node")
    await cluster.delete(JOB, namespace, "fraud-job", uid=job["metadata"]["uid"])
    await gone(POD, "fraud-pod")


async def test_a_delete_goes_down_all_generations(cluster, make, namespace, gone):
    training = await cluster.create(make.training(), field_manager="user")
    job = await cluster.create(make.job(ownerReferences=[make.owner(training)]), field_manager="operator")
    await cluster.create(make.pod(ownerReferences=[make.owner(job)]), field_manager="node")
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=training["metadata"]["uid"])
    await gone(JOB, "fraud-job")
    await gone(POD, "fraud-pod")


async def test_a_raw_delete_of_a_job_orphans_its_pods(cluster, make, namespace, raw_delete, gone):
    """Why the port's delete always says Background. A real garbage collector orphans only what it has heard of: a pod
    that was made a moment ago may not be among it, so there are several tries.
    """
    for attempt in range(ATTEMPTS):
        name = f"fraud-pod-{attempt}"
        job = await cluster.create(make.job(), field_manager="operator")
        await cluster.create(make.pod(name=name, ownerReferences=[make.owner(job)]), field_manager="node")
        await raw_delete(JOB, namespace, "fraud-job")
        await gone(JOB, "fraud-job")
        if await is_orphan(cluster, namespace, name):
            return
    pytest.fail(f"none of {ATTEMPTS} pods was orphaned")


async def is_orphan(cluster, namespace, pod) -> bool:
    try:
        return not (await cluster.get(POD, namespace, pod))["metadata"].get("ownerReferences")
    except NotFound:
        return False


async def test_a_child_of_an_absent_owner_is_collected(cluster, make, namespace, gone):
    training = await cluster.create(make.training(), field_manager="user")
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=training["metadata"]["uid"])
    await gone(FEDERATED_TRAINING, "fraud")
    await cluster.create(make.job(ownerReferences=[make.owner(training)]), field_manager="operator")
    await gone(JOB, "fraud-job")


async def test_a_child_of_two_owners_outlives_one(cluster, make, namespace, eventually):
    one = await cluster.create(make.training("one"), field_manager="user")
    two = await cluster.create(make.training("two"), field_manager="user")
    references = [make.owner(one), make.owner(two) | {"controller": False}]
    await cluster.create(make.secret(ownerReferences=references), field_manager="operator")
    await cluster.delete(FEDERATED_TRAINING, namespace, "one", uid=one["metadata"]["uid"])

    async def has_one_owner():
        secret = await cluster.get(SECRET, namespace, "bundle")
        return [owner["name"] for owner in secret["metadata"]["ownerReferences"]] == ["two"]

    await eventually(has_one_owner)


async def test_a_finalizer_holds_a_deleted_object(cluster, make, namespace):
    training = await finalized(cluster, make, namespace)
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=training["metadata"]["uid"])
    held = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    assert held["metadata"]["deletionTimestamp"]


async def test_marking_for_deletion_raises_the_generation(cluster, make, namespace):
    """So observedGeneration falls behind: the operator must not take the mark for a change of the spec."""
    training = await finalized(cluster, make, namespace)
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=training["metadata"]["uid"])
    held = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    assert held["metadata"]["generation"] == training["metadata"]["generation"] + 1


async def test_a_held_object_keeps_what_it_owns(cluster, make, namespace):
    training = await finalized(cluster, make, namespace)
    await cluster.create(make.secret(ownerReferences=[make.owner(training)]), field_manager="operator")
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=training["metadata"]["uid"])
    assert await cluster.get(SECRET, namespace, "bundle")


async def test_deleting_a_held_object_again_changes_nothing(cluster, make, namespace):
    uid = (await finalized(cluster, make, namespace))["metadata"]["uid"]
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=uid)
    first = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=uid)
    again = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    assert again["metadata"]["deletionTimestamp"] == first["metadata"]["deletionTimestamp"]


async def test_taking_the_last_finalizer_off_ends_it(cluster, make, namespace, gone):
    uid = (await finalized(cluster, make, namespace))["metadata"]["uid"]
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=uid)
    await cluster.remove_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer=FINALIZER, known=[FINALIZER]
    )
    await gone(FEDERATED_TRAINING, "fraud")


async def test_a_finalizer_of_an_exported_manifest_is_taken_off_too(cluster, make, namespace, gone):
    """`kubectl get -o yaml`, a backup, GitOps of an export: whoever applies that owns the finalizer beside us."""
    created = await cluster.apply(make.training(finalizers=[FINALIZER]), field_manager="user")
    uid = created["metadata"]["uid"]
    await cluster.add_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer=FINALIZER, field_manager="operator-finalizer"
    )
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=uid)
    await cluster.remove_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer=FINALIZER, known=[FINALIZER]
    )
    await gone(FEDERATED_TRAINING, "fraud")


async def test_a_finalizer_that_was_taken_off_is_nobodys(cluster, make, namespace):
    """It does not come back with the next apply of whoever had put it there, unless that one names it again."""
    uid = (await finalized(cluster, make, namespace))["metadata"]["uid"]
    await cluster.remove_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer=FINALIZER, known=[FINALIZER]
    )
    left = await cluster.add_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer="other.dev/hold", field_manager="operator-finalizer"
    )
    assert left["metadata"]["finalizers"] == ["other.dev/hold"]


async def test_finalizers_of_others_stay(cluster, make, namespace):
    uid = (await finalized(cluster, make, namespace))["metadata"]["uid"]
    both = await cluster.add_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer="other.dev/hold", field_manager="other"
    )
    known = both["metadata"]["finalizers"]
    assert set(known) == {FINALIZER, "other.dev/hold"}
    left = await cluster.remove_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer=FINALIZER, known=known
    )
    assert left["metadata"]["finalizers"] == ["other.dev/hold"]


async def test_no_finalizer_is_taken_off_an_object_that_has_got_another(cluster, make, namespace):
    """Or that one would go with it, unseen."""
    uid = (await finalized(cluster, make, namespace))["metadata"]["uid"]
    await cluster.add_finalizer(
        FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer="other.dev/hold", field_manager="other"
    )
    with pytest.raises(Conflict):
        await cluster.remove_finalizer(
            FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer=FINALIZER, known=[FINALIZER]
        )


async def test_no_finalizer_is_taken_off_what_is_gone(cluster, namespace):
    uid = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(NotFound):
        await cluster.remove_finalizer(
            FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer=FINALIZER, known=[FINALIZER]
        )


async def test_finalizers_of_a_namesake_are_spared(cluster, make, namespace):
    await finalized(cluster, make, namespace)
    with pytest.raises(Conflict):
        await cluster.remove_finalizer(
            FEDERATED_TRAINING,
            namespace,
            "fraud",
            uid="00000000-0000-4000-8000-000000000000",
            finalizer=FINALIZER,
            known=[FINALIZER],
        )


async def test_an_object_under_deletion_takes_no_new_finalizer(cluster, make, namespace):
    uid = (await finalized(cluster, make, namespace))["metadata"]["uid"]
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=uid)
    with pytest.raises(Invalid, match="no new finalizers"):
        await cluster.add_finalizer(
            FEDERATED_TRAINING, namespace, "fraud", uid=uid, finalizer="other.dev/hold", field_manager="other"
        )


async def test_the_status_of_an_object_under_deletion_can_be_written(cluster, make, namespace):
    uid = (await finalized(cluster, make, namespace))["metadata"]["uid"]
    await cluster.delete(FEDERATED_TRAINING, namespace, "fraud", uid=uid)
    held = await cluster.get(FEDERATED_TRAINING, namespace, "fraud")
    written = await cluster.apply_status(held | {"status": {"phase": "Failed"}}, field_manager="operator")
    assert written["status"]["phase"] == "Failed"


async def test_nothing_is_created_without_its_namespace(cluster, make):
    secret = make.secret()
    secret["metadata"]["namespace"] = "nowhere"
    with pytest.raises(NotFound):
        await cluster.create(secret, field_manager="operator")


async def test_a_terminating_namespace_refuses_creates(cluster, make, doomed):
    secret = make.secret()
    secret["metadata"]["namespace"] = doomed
    with pytest.raises(Forbidden):
        await cluster.create(secret, field_manager="operator")
    with pytest.raises(Forbidden):
        await cluster.apply(secret, field_manager="operator")


async def test_a_terminating_namespace_still_takes_status_writes(cluster, doomed):
    training = await cluster.get(FEDERATED_TRAINING, doomed, "fraud")
    written = await cluster.apply_status(training | {"status": {"phase": "Failed"}}, field_manager="operator")
    assert written["status"]["phase"] == "Failed"


async def test_a_terminating_namespace_ends_with_the_last_finalizer(cluster, doomed, eventually):
    training = await cluster.get(FEDERATED_TRAINING, doomed, "fraud")
    await cluster.remove_finalizer(
        FEDERATED_TRAINING,
        doomed,
        "fraud",
        uid=training["metadata"]["uid"],
        finalizer="fedka.dev/contract",
        known=training["metadata"]["finalizers"],
    )

    async def ended():
        return doomed not in [obj["metadata"]["name"] for obj in await cluster.list(NAMESPACE)]

    await eventually(ended)
