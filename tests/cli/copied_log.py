"""A recorded log as topics of a broker: the copy that an auditor may hold, with the original's offsets and times."""

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from fedka.kafka.access import Settings, record_producer_settings

from ..integration.topics import make_topics
from ..wire.recorded_log import RecordedLog

TOPIC = {
    "retention.ms": "-1",
    "message.timestamp.type": "CreateTime",  # a copy keeps the times of the original
    "message.timestamp.after.max.ms": "9223372036854775807",  # which this machine's clock may not have reached
}


def copy_to(settings: Settings, log: RecordedLog) -> None:
    """Make the topics and write every record; where retention had freed some, it has again."""
    partitions: dict[str, int] = {}
    for topic, partition in log.places:
        partitions[topic] = max(partitions.get(topic, 0), partition + 1)
    admin = AdminClient(dict(settings))
    make_topics(admin, [NewTopic(topic, count, 1, config=TOPIC) for topic, count in partitions.items()])
    producer = Producer(record_producer_settings(settings))
    for (topic, partition), held in log.places.items():
        for offset, stored in sorted(held.items()):
            assert offset == stored.record.offset
            producer.produce(
                topic,
                stored.record.value,
                partition=partition,
                timestamp=stored.record.time_ms,
                headers=list(stored.headers),
            )
    assert producer.flush(60) == 0
