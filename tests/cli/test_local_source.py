"""A run on this machine seen from another terminal: while it goes on, interrupted, and ended."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from fedka import exit_codes
from fedka.cli.errors import CommandFailed
from fedka.cli.local_source import local_source
from fedka.cli.pod_logs import Logs, Wanted
from fedka.cli.source import NoSuchTraining
from fedka.cli.status import status
from fedka.cli.watch import watch
from fedka.local.kafka_errors import LocalKafkaError
from fedka.local.state_dir import StateDir, StateDirInUse, Use

from .clusters import NOW
from .kept import COMPLETE, RUNNING, called, keep, log_of, pod_wrote

PATIENCE = 60


@pytest.fixture
def home(tmp_path):
    """The directory of a run that was called, and has got somewhere."""
    return called(keep(tmp_path / "state", RUNNING), tmp_path / "t.yaml", "rounds.count=5")


@pytest.fixture
def under_way(home):
    """Somebody runs it."""
    state_dir = StateDir(home)
    yield home
    state_dir.release()


def source_of(home, say=print):
    return local_source(home, "tiny", named=True, say=say)


async def shown(home, capsys, output=None) -> str:
    async with source_of(home) as source:
        await status(source, output=output, clock=lambda: NOW)
    return capsys.readouterr().out


async def test_status_of_a_run_under_way_is_as_in_a_cluster(under_way, capsys):
    text = await shown(under_way, capsys)
    assert text.startswith("tiny  Running  FedAvg  1:15")
    assert f"next: follow it: fedka watch tiny --state-dir {under_way}" in text


async def test_interrupted_run_says_so_and_how_to_go_on(home, capsys):
    text = await shown(home, capsys)
    assert text.startswith("tiny  Interrupted  FedAvg")
    assert "Interrupted: nobody runs it: its process ended before the run had" in " ".join(text.split())
    again = f"fedka run {home.parent}/t.yaml --set rounds.count=5 --state-dir {home}"
    assert f"next: go on where it was: {again}" in " ".join(text.split())


async def test_interrupted_run_says_so_to_programs(home, capsys):
    told = json.loads(await shown(home, capsys, output="json"))
    ready = next(each for each in told["status"]["conditions"] if each["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "Interrupted")


async def test_run_that_is_read_by_another_command_is_interrupted_all_the_same(home, capsys):
    reader = StateDir(home, Use.READING)
    assert (await shown(home, capsys)).startswith("tiny  Interrupted")
    reader.release()


async def test_ended_run_is_not_interrupted(home, capsys):
    keep(home, COMPLETE)
    text = await shown(home, capsys)
    assert text.startswith("tiny  Complete")
    assert f"fedka model get tiny -o tiny.safetensors --state-dir {home}" in text


async def test_run_that_is_just_beginning_is_waited_for(tmp_path):
    state_dir = StateDir(called(tmp_path / "state", tmp_path / "t.yaml"))
    said: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), source_of(state_dir.path, said.put_nowait) as source:
        asked = asyncio.create_task(source.training())
        assert "is just beginning" in await said.get()
        keep(state_dir.path, RUNNING)
        assert (await asked).metadata.name == "tiny"
    state_dir.release()


async def test_run_that_ends_before_it_has_begun_is_none(tmp_path):
    state_dir = StateDir(called(tmp_path / "state", tmp_path / "t.yaml"))
    said: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.timeout(PATIENCE), source_of(state_dir.path, said.put_nowait) as source:
        asked = asyncio.create_task(source.training())
        await said.get()
        state_dir.discard()
        state_dir.release()
        with pytest.raises(NoSuchTraining, match="ended before it had begun"):
            await asked


@asynccontextmanager
async def watched(home):
    """A watch of the run that has begun to show it, as a task."""
    async with asyncio.timeout(PATIENCE), source_of(home) as source:
        first_line = asyncio.Event()

        def clock():
            first_line.set()
            return NOW

        watching = asyncio.create_task(watch(source, quiet=False, clock=clock))
        await first_line.wait()
        yield watching


async def test_watch_follows_the_file_to_the_end(under_way, capsys):
    async with watched(under_way) as watching:
        keep(under_way, COMPLETE)
        assert await watching == exit_codes.OK
    assert capsys.readouterr().out.startswith("tiny: Complete")


async def test_watch_says_when_the_run_is_interrupted(home):
    state_dir = StateDir(home)
    async with watched(home) as watching:
        state_dir.release()
        with pytest.raises(CommandFailed, match=r"nobody runs it.*to go on: fedka run") as raised:
            await watching
    assert raised.value.code == exit_codes.RUN_FAILED


async def logged(home, wanted, capsys, *, previous: bool = False) -> list[str]:
    async with source_of(home) as source:
        await Logs(source, wanted).show(previous=previous)
    return capsys.readouterr().out.splitlines()


async def test_logs_are_told_apart_by_who_wrote_them(home, capsys):
    pod_wrote(home, None, "epoch 1")
    pod_wrote(home, "bank-a", "a 1", "a 2")
    assert await logged(home, Wanted(), capsys) == ["aggregator | epoch 1", "bank-a | a 1", "bank-a | a 2"]


async def test_log_is_that_of_the_newest_pod_and_previous_that_of_the_one_before(home, capsys):
    pod_wrote(home, "bank-a", "first", suffix="bbbbb")
    pod_wrote(home, "bank-a", "second", "--- no pod begins here: it only looks so", suffix="ccccc")
    newest = await logged(home, Wanted("bank-a"), capsys)
    assert newest == ["second", "--- no pod begins here: it only looks so"]
    assert await logged(home, Wanted("bank-a"), capsys, previous=True) == ["first"]
    assert await logged(home, Wanted("bank-a", tail=1), capsys) == newest[1:]


async def test_following_goes_on_to_the_end_of_the_run_over_pods(home, capsys):
    state_dir = StateDir(home)
    pod_wrote(home, "bank-a", "one", suffix="bbbbb")
    async with asyncio.timeout(PATIENCE), source_of(home) as source:
        following = asyncio.create_task(Logs(source, Wanted("bank-a")).follow())
        told = ""
        while "one" not in told:
            await asyncio.sleep(0.01)
            told += capsys.readouterr().out
        pod_wrote(home, "bank-a", "two", suffix="ccccc")
        with log_of(home, "bank-a")[0].open("a") as log:
            log.write("a line without an end")
        keep(home, COMPLETE)
        state_dir.release()
        await following
    assert (told + capsys.readouterr().out).splitlines() == ["one", "two", "a line without an end"]


async def test_following_a_run_that_has_ended_prints_what_there_is(home, capsys):
    keep(home, COMPLETE)
    pod_wrote(home, None, "epoch 1")
    pod_wrote(home, "bank-b", "b 1")
    async with asyncio.timeout(PATIENCE), source_of(home) as source:
        await Logs(source, Wanted()).follow()
    assert capsys.readouterr().out.splitlines() == ["aggregator | epoch 1", "bank-b | b 1"]


async def test_bytes_that_are_no_text_and_lines_without_end_are_shown(home, capsys):
    file, _ = log_of(home, "bank-a")
    pod_wrote(home, "bank-a", "x")
    with file.open("ab") as log:
        log.write(b"\xff\n" + b"y" * 3 * 2**20)
    lines = await logged(home, Wanted("bank-a"), capsys)
    assert lines[:2] == ["x", "\N{REPLACEMENT CHARACTER}"]
    assert [len(line) for line in lines[2:]] == [2**20] * 3


async def test_run_without_kafka_data_says_what_is_missing(home):
    async with source_of(home) as source:
        with pytest.raises(LocalKafkaError, match=r"holds no data of Kafka.*--bootstrap-servers"):
            async with source.reader():
                pass


async def test_kafka_of_a_run_that_has_not_got_it_yet_is_not_guessed(under_way):
    async with source_of(under_way) as source:
        with pytest.raises(LocalKafkaError, match="its Kafka does not answer yet"):
            async with source.reader():
                pass


async def test_kafka_elsewhere_is_read_there(home, tmp_path):
    called(home, tmp_path / "t.yaml", servers="kafka.example:9092")
    async with source_of(home) as source, source.reader() as reader:
        assert reader.settings["bootstrap.servers"] == "kafka.example:9092"
        assert reader.topics.run == "default.tiny.5b3d1f7c"


def test_run_is_told_that_somebody_reads_its_directory(home):
    reader = StateDir(home, Use.READING)
    with pytest.raises(StateDirInUse, match=r"process \d+, which reads it. Wait until that is done"):
        StateDir(home)
    reader.release()
    StateDir(home).release()
