"""The operator's own user on a Kafka with users: what an administrator grants it by docs/install.md, and no more.

`tests/kafka_rights/test_as_documented.py` has Kafka's own tools grant what that page shows, and compares.
"""

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from fedka.kafka.access import Settings

from .waiting import wait_until

ON_CLUSTER = (AclOperation.DESCRIBE, AclOperation.ALTER)
ON_TOPICS = (
    AclOperation.CREATE,
    AclOperation.DELETE,
    AclOperation.DESCRIBE,
    AclOperation.READ,
    AclOperation.WRITE,
    AclOperation.DESCRIBE_CONFIGS,
    AclOperation.ALTER_CONFIGS,
)
ITERATIONS = 4096  # Kafka's least, for a random password as good as more
GENEROUS_SECONDS = 120.0


def operator_user(prefix: str = "fedka") -> str:
    """Of the installation whose topics begin with `prefix`."""
    return f"{prefix}-operator"


def operator_rights(user: str, prefix: str = "fedka") -> list[AclBinding]:
    """All that this operator needs."""
    who = (f"User:{user}", "*")
    cluster = (ResourceType.BROKER, "kafka-cluster", ResourcePatternType.LITERAL, *who)
    topics = (ResourceType.TOPIC, f"{prefix}.", ResourcePatternType.PREFIXED, *who)
    return [
        *(AclBinding(*cluster, operation, AclPermissionType.ALLOW) for operation in ON_CLUSTER),
        *(AclBinding(*topics, operation, AclPermissionType.ALLOW) for operation in ON_TOPICS),
    ]


def rights_of(user: str, administrator: AdminClient) -> set[AclBinding]:
    """That Kafka has of this user."""
    who = (f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY)
    asked = administrator.describe_acls(AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, *who))
    return set(asked.result(GENEROUS_SECONDS))


def make_operator(administrator: Settings, *, user: str, password: str, prefix: str = "fedka") -> None:
    """There may be one of that name already. Raises KafkaException."""
    client = AdminClient(dict(administrator))
    rights = operator_rights(user, prefix)
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
    made = client.alter_user_scram_credentials([UserScramCredentialUpsertion(user, scram, password.encode())])
    granted = client.create_acls(rights)
    for future in (*made.values(), *granted.values()):
        future.result(GENEROUS_SECONDS)
    # a broker applies rights a little later than the controller answers
    assert wait_until(lambda: set(rights) <= rights_of(user, client), GENEROUS_SECONDS)
