"""Users and their rights on a real Apache Kafka with TLS, SCRAM and ACLs."""

import asyncio
import secrets
import time
from collections.abc import Sequence

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from fedka.kafka.errors import AccessRefused, TopicRefused
from fedka.kafka.log_view import LogView
from fedka.plan.parts import Grant, Identity, Right, TopicSpec
from fedka.provision.admin import AdminProvisioner
from fedka.reconcile.provisioning import CredentialsRefused, IdentityRefused, Login
from fedka.reconcile.provisioning import TopicRefused as TopicNotMade

from ..cluster.secured_kafka import SecuredKafka

pytestmark = pytest.mark.kafka

READ = frozenset({Right.READ, Right.DESCRIBE})
GENEROUS_SECONDS = 60.0
SECRET = "secret"


@pytest.fixture
def admin(secured_kafka: SecuredKafka) -> AdminProvisioner:
    return AdminProvisioner(secured_kafka.settings())


@pytest.fixture
async def topic(admin: AdminProvisioner) -> str:
    name = f"identities.{secrets.token_hex(4)}"
    await admin.ensure_topics([TopicSpec(name, 1)])
    return name


def login(topic: str, name: str = "a", *, password: str = SECRET) -> Login:
    return Login(Identity(f"{topic}.{name}", (Grant(topic, READ),)), password)


def look(kafka: SecuredKafka, who: Login, topic: str) -> None:
    """As that user. Raises TopicRefused or AccessRefused."""
    view = LogView(kafka.settings(who.identity.user, who.password), name="test")
    try:
        view.check_topics([topic], who.identity.user)
    finally:
        view.close()


def grant_cluster(kafka: SecuredKafka, user: str, *operations: AclOperation) -> None:
    place = (ResourceType.BROKER, "kafka-cluster", ResourcePatternType.LITERAL, f"User:{user}", "*")
    change_rights(kafka, [AclBinding(*place, operation, AclPermissionType.ALLOW) for operation in operations])


def change_rights(kafka: SecuredKafka, bindings: Sequence[AclBinding]) -> None:
    """Add them, and wait until a broker knows of them."""
    client = AdminClient(kafka.settings())
    for future in client.create_acls(list(bindings)).values():
        future.result(GENEROUS_SECONDS)
    deadline = time.monotonic() + GENEROUS_SECONDS
    users = {binding.principal.removeprefix("User:") for binding in bindings}
    while not set(bindings) <= {found for user in users for found in rights_of(kafka, user)}:
        assert time.monotonic() < deadline


def rights_of(kafka: SecuredKafka, user: str) -> Sequence[AclBinding]:
    anything = (ResourceType.ANY, None, ResourcePatternType.ANY)
    wanted = AclBindingFilter(*anything, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY)
    client = AdminClient(kafka.settings())
    return client.describe_acls(wanted).result(GENEROUS_SECONDS)


async def until_allowed(kafka: SecuredKafka, who: Login, operations: Sequence[AclOperation]) -> None:
    client = AdminClient(kafka.settings(who.identity.user, who.password))

    def allowed() -> bool:
        described = client.describe_cluster(include_authorized_operations=True).result(GENEROUS_SECONDS)
        return set(operations) <= set(described.authorized_operations)

    async with asyncio.timeout(GENEROUS_SECONDS):
        while not await asyncio.to_thread(allowed):  # brokers apply it a little later
            pass


async def as_user(kafka: SecuredKafka, admin: AdminProvisioner, who: Login, *rights: AclOperation) -> AdminProvisioner:
    """A provisioner of that user, who has these rights on the cluster."""
    await admin.ensure_identities([who])
    if rights:
        await asyncio.to_thread(grant_cluster, kafka, who.identity.user, *rights)
    return AdminProvisioner(kafka.settings(who.identity.user, who.password))


async def test_a_user_can_do_what_it_may_as_soon_as_it_is_made(
    admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str
):
    who = login(topic)
    await admin.ensure_identities([who])
    await asyncio.to_thread(look, secured_kafka, who, topic)


async def test_a_right_is_for_the_named_topic_only(admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str):
    await admin.ensure_topics([TopicSpec(f"{topic}.more", 1)])
    who = login(topic)
    await admin.ensure_identities([who])
    with pytest.raises(TopicRefused, match=f"{who.identity.user} lacks Describe on topic {topic}.more"):
        await asyncio.to_thread(look, secured_kafka, who, f"{topic}.more")


async def test_a_prefixed_right_is_for_all_topics_that_begin_so(
    admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str
):
    await admin.ensure_topics([TopicSpec(f"{topic}.more", 1)])
    who = Login(Identity(f"{topic}.p", (Grant(f"{topic}.", READ, prefixed=True),)), "secret")
    await admin.ensure_identities([who])
    await asyncio.to_thread(look, secured_kafka, who, f"{topic}.more")
    with pytest.raises(TopicRefused):
        await asyncio.to_thread(look, secured_kafka, who, topic)


async def test_a_new_password_makes_the_old_one_void(admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str):
    await admin.ensure_identities([login(topic, password="first")])
    await admin.ensure_identities([login(topic, password="second")])
    await asyncio.to_thread(look, secured_kafka, login(topic, password="second"), topic)
    with pytest.raises(AccessRefused):
        await asyncio.to_thread(look, secured_kafka, login(topic, password="first"), topic)


async def test_rights_that_are_no_longer_wanted_are_taken_away(
    admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str
):
    await admin.ensure_topics([TopicSpec(f"{topic}.before", 1)])
    before = Login(Identity(f"{topic}.a", (Grant(f"{topic}.before", READ), Grant(topic, READ))), "secret")
    await admin.ensure_identities([before])
    await admin.ensure_identities([login(topic)])

    def refused() -> bool:
        try:
            look(secured_kafka, before, f"{topic}.before")
        except TopicRefused:
            return True
        return False

    async with asyncio.timeout(GENEROUS_SECONDS):
        while not await asyncio.to_thread(refused):  # brokers apply it a little later
            pass


async def test_what_an_administrator_denies_a_user_stays_denied(
    admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str
):
    who = login(topic)
    await admin.ensure_identities([who])
    place = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{who.identity.user}", "*")
    denied = AclBinding(*place, AclOperation.READ, AclPermissionType.DENY)
    await asyncio.to_thread(change_rights, secured_kafka, [denied])
    await admin.ensure_identities([who])
    await admin.ensure_identities([login(topic, "later")])  # once it is seen, all that came before it is
    assert denied in await asyncio.to_thread(rights_of, secured_kafka, who.identity.user)


async def test_the_users_with_a_right_on_a_topic_are_listed_by_prefix(admin: AdminProvisioner, topic: str):
    other = Login(Identity(f"other.{topic}", (Grant(topic, READ),)), "secret")
    await admin.ensure_identities([login(topic, "a"), login(topic, "b"), other])
    assert await admin.users_of(topic, f"{topic}.") == {f"{topic}.a", f"{topic}.b"}
    assert await admin.users_of(f"{topic}.other", f"{topic}.") == frozenset()


async def test_removed_users_are_let_in_no_longer_and_have_no_rights(
    admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str
):
    gone, stays = login(topic, "gone"), login(topic, "stays")
    await admin.ensure_identities([gone, stays])
    await admin.remove_identities([gone.identity.user])
    await admin.remove_identities([gone.identity.user, f"{topic}.never"])
    await until_users(admin, topic, {stays.identity.user})
    with pytest.raises(AccessRefused):
        await asyncio.to_thread(look, secured_kafka, gone, topic)
    await asyncio.to_thread(look, secured_kafka, stays, topic)


async def until_users(admin: AdminProvisioner, topic: str, users: set[str]) -> None:
    async with asyncio.timeout(GENEROUS_SECONDS):
        while await admin.users_of(topic, f"{topic}.") != users:  # brokers apply it a little later
            pass


async def test_many_users_at_once(admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str):
    logins: Sequence[Login] = [login(topic, f"n{number}") for number in range(120)]
    await admin.ensure_identities(logins)
    assert len(await admin.users_of(topic, f"{topic}.")) == 120
    await asyncio.to_thread(look, secured_kafka, logins[-1], topic)


@pytest.mark.parametrize(
    ("granted", "missing"),
    [((), "Describe and Alter"), ((AclOperation.DESCRIBE,), "Alter")],
    ids=["no rights", "Describe only"],
)
async def test_an_operator_without_rights_is_told_which_it_lacks(
    admin: AdminProvisioner,
    secured_kafka: SecuredKafka,
    topic: str,
    granted: tuple[AclOperation, ...],
    missing: str,
):
    who = login(topic, "operator")
    poor = await as_user(secured_kafka, admin, who, *granted)
    if granted:
        await until_allowed(secured_kafka, who, granted)
    said = rf"User:{who.identity.user} lacks {missing} on the cluster: grant it"
    with pytest.raises(IdentityRefused, match=said):
        await poor.ensure_identities([login(topic, "b")])
    with pytest.raises(IdentityRefused, match=said):
        await poor.remove_identities([f"{topic}.b"])
    with pytest.raises(IdentityRefused, match=said):
        await poor.users_of(topic, topic)


async def test_an_operator_that_may_make_no_topics_is_told_so(
    admin: AdminProvisioner, secured_kafka: SecuredKafka, topic: str
):
    who = login(topic, "operator")
    poor = await as_user(secured_kafka, admin, who)
    with pytest.raises(TopicNotMade, match=rf"creating topic {topic}\.b: .*grant User:{who.identity.user} Create"):
        await poor.ensure_topics([TopicSpec(f"{topic}.b", 1)])


async def test_an_operator_with_the_wrong_password_is_told_so(secured_kafka: SecuredKafka):
    wrong = AdminProvisioner(secured_kafka.settings(password="wrong"))
    with pytest.raises(CredentialsRefused, match="the password of user admin was refused"):
        await wrong.topic_ids(["any"])


async def test_an_operator_that_trusts_another_authority_is_told_so(secured_kafka: SecuredKafka):
    settings = secured_kafka.settings()
    del settings["ssl.ca.location"]
    with pytest.raises(CredentialsRefused, match="the broker's certificate does not fit the CA"):
        await AdminProvisioner(settings).topic_ids(["any"])


async def test_a_kafka_has_an_id_of_its_own(admin: AdminProvisioner):
    assert await admin.cluster_id() == await admin.cluster_id() != ""
