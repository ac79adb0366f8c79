"""What nobody who takes part in a run may do to Kafka, whatever else it may do."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka import KafkaError as Code
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from .parties import Run

pytestmark = pytest.mark.kafka

GENEROUS_SECONDS = 60.0
PARTIES = ("a", "aggregator", "reader")
UNSEEN = Code._NOENT  # librdkafka does not even ask for a topic that the metadata does not show
DENIED = (Code.TOPIC_AUTHORIZATION_FAILED, Code.CLUSTER_AUTHORIZATION_FAILED, UNSEEN)
EVERYWHERE = ("journal", "model", "state", "update.a", "update.b")

OnTopic = Callable[[AdminClient, str], dict[Any, "Future[Any]"]]


def change_setting(client: AdminClient, topic: str) -> dict[Any, "Future[Any]"]:
    entry = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    return client.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])])


ON_TOPIC: dict[str, OnTopic] = {
    "delete records": lambda client, topic: client.delete_records([TopicPartition(topic, 0, 1)]),
    "delete topic": lambda client, topic: client.delete_topics([topic]),
    "add partitions": lambda client, topic: client.create_partitions([NewPartitions(topic, 3)]),
    "change settings": change_setting,
}


def codes(futures: Iterable["Future[Any]"]) -> list[int]:
    """Each answer's error code; 0 where it was done."""
    found = []
    for future in futures:
        try:
            future.result(GENEROUS_SECONDS)
        except KafkaException as error:
            found.append(error.args[0].code())
        else:
            found.append(0)
    return found


@pytest.fixture(scope="module")
def clients(own: Run) -> dict[str, AdminClient]:
    """By party; one that is let go of answers nothing more."""
    return {who: AdminClient(own.parties[who].settings) for who in PARTIES}


@pytest.mark.parametrize("who", PARTIES)
@pytest.mark.parametrize("doing", ON_TOPIC)
def test_nobody_deletes_or_changes_a_topic(own: Run, clients: dict[str, AdminClient], who: str, doing: str):
    for short in EVERYWHERE:
        answers = codes(ON_TOPIC[doing](clients[who], own.topic(short)).values())
        assert [answer in DENIED for answer in answers] == [True], (short, answers)


@pytest.mark.parametrize("who", PARTIES)
def test_nobody_makes_a_topic(own: Run, clients: dict[str, AdminClient], who: str):
    names = [own.topics.update("forged"), f"{own.topics.prefix}.forged", "forged"]
    answers = codes(clients[who].create_topics([NewTopic(name, 1, 1) for name in names]).values())
    assert [answer in DENIED for answer in answers] == [True] * 3


@pytest.mark.parametrize("who", PARTIES)
def test_nobody_gives_itself_a_right(own: Run, clients: dict[str, AdminClient], who: str):
    party = own.parties[who]
    place = (ResourceType.TOPIC, own.topic("update.b"), ResourcePatternType.LITERAL, f"User:{party.user}", "*")
    wanted = AclBinding(*place, AclOperation.READ, AclPermissionType.ALLOW)
    assert codes(clients[who].create_acls([wanted]).values()) == [Code.CLUSTER_AUTHORIZATION_FAILED]


@pytest.mark.parametrize("who", PARTIES)
def test_nobody_changes_a_password(own: Run, clients: dict[str, AdminClient], who: str):
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    users = [own.parties[who].user, own.topics.aggregator_user, "admin"]
    wanted = [UserScramCredentialUpsertion(user, info, b"mine now") for user in dict.fromkeys(users)]
    answers = codes(clients[who].alter_user_scram_credentials(wanted).values())
    assert set(answers) == {Code.CLUSTER_AUTHORIZATION_FAILED}


@pytest.mark.parametrize("who", PARTIES)
def test_nobody_joins_a_consumer_group(own: Run, who: str):
    consumer = Consumer({**own.parties[who].settings, "group.id": f"forged-{who}"})
    consumer.subscribe([own.topic("journal")])
    try:
        message = consumer.poll(GENEROUS_SECONDS)
        assert message is not None
        error = message.error()
        assert error is not None
        assert error.code() == Code.GROUP_AUTHORIZATION_FAILED
    finally:
        consumer.close()


@pytest.mark.parametrize("who", PARTIES)
def test_nobody_begins_a_transaction(own: Run, who: str):
    producer = Producer({**own.parties[who].settings, "transactional.id": own.topics.aggregator_user})
    with pytest.raises(KafkaException) as refusal:
        producer.init_transactions(GENEROUS_SECONDS)
    assert refusal.value.args[0].code() == Code.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


@pytest.mark.parametrize("who", PARTIES)
def test_nobody_sees_topics_that_are_not_its_business(own: Run, clients: dict[str, AdminClient], who: str):
    seen = set(clients[who].list_topics(timeout=GENEROUS_SECONDS).topics)
    allowed = {own.topic(short) for short in ("spec", "journal", "audit", "model", "state")}
    assert {name for name in seen if not name.startswith(own.topics.update_prefix)} <= allowed
    others = {name for name in seen if name.startswith(own.topics.update_prefix)}
    assert who == "aggregator" or others <= {own.topic("update.a")}
