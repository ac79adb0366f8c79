"""SCRAM users and ACLs by Kafka's own admin API.

Which users a run has is read off the ACLs of its journal: each of them may at least look at it. Kafka's list of SCRAM
users is never asked for, as librdkafka (2.16) aborts the process where the answer is that one may not ask. Whether we
may is asked first in any case: a refused look at ACLs is an empty answer there, which would pass for "nobody".
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its own type hints do not say what it exports
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from fedka.plan.parts import Identity, Right
from fedka.provision.answers import ANSWER_SECONDS, CHANGE_SECONDS, NO_SUCH_USER, Answers
from fedka.reconcile.provisioning import IdentityRefused, KafkaUnavailable, Login

ITERATIONS = 4096  # Kafka's least: passwords are 256 random bits, which no number of guesses finds
BATCH = 100  # users of one request: a controller takes 10,000 records at a time
POLL_SECONDS = 0.02
PRINCIPAL = "User:"
OPERATIONS: Mapping[Right, AclOperation] = {
    Right.READ: AclOperation.READ,
    Right.WRITE: AclOperation.WRITE,
    Right.DESCRIBE: AclOperation.DESCRIBE,
}
NEEDED = (AclOperation.DESCRIBE, AclOperation.ALTER)


class AdminIdentities:
    """Users and rights on one Kafka cluster."""

    def __init__(self, client: AdminClient, answers: Answers) -> None:
        self._client = client
        self._answers = answers

    async def ensure(self, logins: Sequence[Login]) -> None:
        """See `Provisioner.ensure_identities`."""
        await self._check_rights()
        for first in range(0, len(logins), BATCH):
            batch = logins[first : first + BATCH]
            await self._upsert(batch)
            await self._grant([login.identity for login in batch])

    async def users_of(self, topic: str, prefix: str) -> frozenset[str]:
        """See `Provisioner.users_of`."""
        await self._check_rights()
        on_topic = _filter(resource=ResourceType.TOPIC, name=topic, pattern=ResourcePatternType.LITERAL)
        found = await self._described(on_topic, f"asking who has rights on topic {topic}")
        users = (binding.principal.removeprefix(PRINCIPAL) for binding in found)
        return frozenset(user for user in users if user.startswith(prefix))

    async def remove(self, users: Sequence[str]) -> None:
        """See `Provisioner.remove_identities`. Users first: as long as there are rights, a second try finds them."""
        if not users:
            return
        await self._check_rights()
        deletions: list[UserScramCredentialAlteration] = [
            UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512) for user in users
        ]
        futures = self._client.alter_user_scram_credentials(deletions, request_timeout=CHANGE_SECONDS)
        for user, future in futures.items():
            await self._answers.succeeded(future, f"removing user {user}", unless=NO_SUCH_USER)
        asked = self._client.delete_acls([_of_user(user) for user in users], request_timeout=CHANGE_SECONDS)
        for future in asked.values():
            await self._answers.value_of(future, "removing rights of users")

    async def _check_rights(self) -> None:
        asked = self._client.describe_cluster(include_authorized_operations=True, request_timeout=ANSWER_SECONDS)
        described = await self._answers.value_of(asked, "asking for the operator's own rights")
        allowed = described.authorized_operations or ()  # nothing at all without Describe
        missing = [operation for operation in NEEDED if operation not in allowed]
        if missing:
            names = " and ".join(operation.name.capitalize() for operation in missing)
            raise IdentityRefused(
                f"{self._answers.principal} lacks {names} on the cluster: grant it, as with it the operator makes the "
                "users of runs and their rights"
            )

    async def _upsert(self, logins: Sequence[Login]) -> None:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        wanted: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(login.identity.user, info, login.password.encode()) for login in logins
        ]
        futures = self._client.alter_user_scram_credentials(wanted, request_timeout=CHANGE_SECONDS)
        for user, future in futures.items():
            await self._answers.value_of(future, f"making user {user}")

    async def _grant(self, identities: Sequence[Identity]) -> None:
        """After the users, and until it is seen: the log of metadata is in order, so the users are there as well."""
        wanted = [binding for identity in identities for binding in _bindings(identity)]
        futures = self._client.create_acls(wanted, request_timeout=CHANGE_SECONDS)
        for binding, future in futures.items():
            await self._answers.value_of(future, f"granting {binding.principal} its rights on {binding.name}")
        for identity in identities:
            await self._confine(identity)

    async def _confine(self, identity: Identity) -> None:
        """Wait until the rights apply, and take away what is beyond them; what an administrator denies stays denied."""
        wanted = frozenset(_bindings(identity))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CHANGE_SECONDS
        doing = f"asking for the rights of user {identity.user}"
        while not wanted <= (found := await self._described(_of_user(identity.user), doing)):
            if loop.time() >= deadline:
                raise KafkaUnavailable(
                    f"the rights of user {identity.user} do not apply after {CHANGE_SECONDS:.0f} s: look at the brokers"
                )
            await asyncio.sleep(POLL_SECONDS)  # brokers apply ACLs a little later than the controller answers
        beyond = [binding for binding in found - wanted if binding.permission_type == AclPermissionType.ALLOW]
        if beyond:
            await self._delete(beyond)

    async def _delete(self, bindings: Iterable[AclBinding]) -> None:
        filters = [
            AclBindingFilter(
                binding.restype,
                binding.name,
                binding.resource_pattern_type,
                binding.principal,
                binding.host,
                binding.operation,
                binding.permission_type,
            )
            for binding in bindings
        ]
        for future in self._client.delete_acls(filters, request_timeout=CHANGE_SECONDS).values():
            await self._answers.value_of(future, "removing rights beyond those of the identity")

    async def _described(self, wanted: AclBindingFilter, doing: str) -> frozenset[AclBinding]:
        asked = self._client.describe_acls(wanted, request_timeout=ANSWER_SECONDS)
        return frozenset(await self._answers.value_of(asked, doing))


def _bindings(identity: Identity) -> list[AclBinding]:
    return [
        AclBinding(
            ResourceType.TOPIC,
            grant.topic,
            ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL,
            f"{PRINCIPAL}{identity.user}",
            "*",
            OPERATIONS[right],
            AclPermissionType.ALLOW,
        )
        for grant in identity.grants
        for right in sorted(grant.rights)
    ]


def _of_user(user: str) -> AclBindingFilter:
    return _filter(principal=f"{PRINCIPAL}{user}")


def _filter(
    *,
    resource: ResourceType = ResourceType.ANY,
    name: str | None = None,
    pattern: ResourcePatternType = ResourcePatternType.ANY,
    principal: str | None = None,
) -> AclBindingFilter:
    """All that is not named may be anything."""
    who, host = cast("str", principal), cast("str", None)  # None is "any", which the client's type hints do not know
    return AclBindingFilter(resource, cast("str", name), pattern, who, host, AclOperation.ANY, AclPermissionType.ANY)
