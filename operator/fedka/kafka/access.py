"""Client settings: every one that differs from librdkafka's default has its reason here."""

from pathlib import Path

from fedka.wire.bundle import KafkaAccess

Settings = dict[str, str | int | float | bool]

MIB = 2**20
JOURNAL_TIMEOUT_MS = 120_000


def client_settings(access: KafkaAccess, directory: Path | None = None) -> Settings:
    """What all clients of one connection share. `directory` holds the files that the access names."""
    settings: Settings = {
        "bootstrap.servers": access.bootstrap_servers,
        "security.protocol": access.security_protocol,
        "enable.sparse.connections": False,  # the first produce waits 49 ms for a connection otherwise
        "topic.metadata.refresh.interval.ms": 600_000,  # topics of a run do not move; errors refresh anyway
        "reconnect.backoff.ms": 50,  # a broker's restart shows at once...
        "reconnect.backoff.max.ms": 500,  # ...and 10 s of back-off would cost the round
        "socket.timeout.ms": 10_000,  # 60 s hide a dead connection for longer than a presence time-out
        "socket.nagle.disable": True,  # control records are small and awaited
        "log.connection.close": False,  # idle connections are closed by brokers; that is no news
    }
    if access.ca_file:
        settings["ssl.ca.location"] = str(_beside(directory, access.ca_file))
    if access.sasl_mechanism:
        settings["sasl.mechanism"] = access.sasl_mechanism
        settings["sasl.username"] = access.username or ""
        if access.password_file:
            settings["sasl.password"] = _beside(directory, access.password_file).read_text().strip()
    return settings


_ONE_BATCH: Settings = {
    "fetch.message.max.bytes": 1,  # a broker gives whole batches, and at least one
    "fetch.max.bytes": 10 * MIB,  # the largest chunk that a layout may name; must be below the next
    "fetch.queue.backoff.ms": 5,  # 1 s of pause after each record that fills the queue by itself
    "receive.message.max.bytes": 16 * MIB,  # to how much a batch of zstd is unpacked: 100 MB otherwise
}


def _beside(directory: Path | None, name: str) -> Path:
    return (directory or Path()) / name


def control_consumer_settings(shared: Settings, *, careful: bool = False) -> Settings:
    """For consumers that follow control records for life: the default long poll costs the broker least (p50 1.4 ms).

    `careful`: one batch at a time. A batch of 500 bytes may unpack to 15 MiB, and all that a fetch brings is unpacked
    at once; where that has ended a process, its successor has to get past it.
    """
    return {
        **shared,
        "group.id": "fedka-unused",  # librdkafka demands one; nothing is committed and no group is joined
        "enable.auto.commit": False,  # positions come from the journal
        "enable.auto.offset.store": False,  # the same
        "auto.offset.reset": "error",  # a position that is gone is a loss to report, never to skip
        "isolation.level": "read_uncommitted",  # we write no transactions; a stranger's open one would hide records
        "queued.max.messages.kbytes": 8 * 1024,  # control records are small: 64 MiB of queue would be waste
        "fetch.message.max.bytes": MIB,  # records are at most 256 KiB
        "fetch.error.backoff.ms": 100,  # 500 ms after a broker's restart would be paid by the round
        **(_ONE_BATCH if careful else {}),
    }


def range_consumer_settings(shared: Settings, *, careful: bool = False) -> Settings:
    """For consumers that read ranges of chunks and are reassigned all the time; `careful` as above."""
    return {
        **control_consumer_settings(shared),
        "enable.partition.eof": True,  # an offset that holds no record (a marker of transactions) would be waited for
        "fetch.wait.max.ms": 1,  # an assignment waits for the running long poll, and finished ranges leave one behind
        "fetch.queue.backoff.ms": 5,  # 1 s of pause whenever the queue was full would halve the speed
        "queued.max.messages.kbytes": 8 * 1024,  # flat memory
        "queued.min.messages": 16,  # 100,000 chunks ahead make no sense
        "fetch.message.max.bytes": 8 * MIB,  # one fetch for several chunks: a request each costs big models a fifth
        **(_ONE_BATCH if careful else {}),
    }


def record_producer_settings(shared: Settings) -> Settings:
    """For small records whose order is their meaning."""
    return {
        **shared,
        "acks": "all",
        "linger.ms": 0,  # somebody waits for each of them
        "max.in.flight.requests.per.connection": 1,  # order must survive a lost connection
        "message.timeout.ms": JOURNAL_TIMEOUT_MS,
        "retry.backoff.ms": 50,  # a broker's restart should not cost more than it takes
        "retry.backoff.max.ms": 500,
    }


def bulk_producer_settings(shared: Settings) -> Settings:
    """For chunks: their order is in the pointer, so many may be in flight."""
    return {
        **shared,
        "acks": "all",
        "enable.idempotence": False,  # its window is 5 messages: 9-50 MB/s at 100 ms round-trip time
        "max.in.flight.requests.per.connection": 16,
        "compression.type": "none",  # float32 noise does not compress
        "linger.ms": 0,  # a chunk fills a request by itself
        "queue.buffering.max.kbytes": 8 * 1024,  # flat memory
        "message.max.bytes": 9 * MIB,  # the largest chunk that a layout may name, and its headers
        "batch.size": MIB,  # one chunk a request
        "message.timeout.ms": JOURNAL_TIMEOUT_MS,
        "retry.backoff.ms": 50,
        "retry.backoff.max.ms": 500,
        "message.copy.max.bytes": 0,  # librdkafka's own copy is avoided as far as it can be
    }
