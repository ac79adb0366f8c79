"""Every training is looked at again now and then."""

from fedka.reconcile.ports import SECRET

from .conftest import World


async def test_a_secret_that_was_deleted_by_hand_is_made_again(world: World):
    """That of an External participant: nothing else would tell of it."""
    world.start(resync_seconds=0.2)
    await world.create(participants=[{"name": "a"}, {"name": "b", "mode": "External"}])

    async def bundle() -> dict | None:
        secrets = await world.cluster.list(SECRET, labels={"fedka.dev/participant": "b"})
        return secrets[0]["metadata"] if secrets else None

    async def made() -> bool:
        return await bundle() is not None

    await world.until(made)
    lost = await bundle()
    await world.cluster.delete(SECRET, "default", lost["name"], uid=lost["uid"])
    await world.until(made)
    assert (await bundle())["uid"] != lost["uid"]
