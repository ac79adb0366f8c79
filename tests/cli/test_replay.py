"""`fedka replay` on a real broker: honest logs, logs that somebody changed, logs of which some has gone."""

import json
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fedka import exit_codes
from fedka.aggregator.evidence import Contradiction, KafkaEvidence, NotRetained
from fedka.cli.errors import CommandFailed
from fedka.cli.replay import replay
from fedka.cli.source import RunReader
from fedka.kafka.access import client_settings
from fedka.wire.bundle import DOCUMENT, Bundle, KafkaAccess
from fedka.wire.names import BULK_PARTITION, CONTROL_PARTITION

from ..aggregator.tampering import LAST, Document, chunk_of, flipped, forge
from ..integration.topics import delete_records
from ..wire.recorded_log import RecordedLog, load
from .command import Directory
from .copied_log import copy_to
from .trainings import training

pytestmark = pytest.mark.kafka

RECORDED = Path(__file__).parents[1] / "wire" / "recorded" / "0.1" / "troubled.jsonl"
Change = Callable[[RecordedLog], None]


class Copy:
    """A copy of the recorded log in Kafka, changed on the way."""

    def __init__(self, bootstrap: str, change: Change = lambda _: None) -> None:
        self.bootstrap = bootstrap
        self.log = load(RECORDED).under(f"copy-{secrets.token_hex(4)}")
        change(self.log)
        self.access = KafkaAccess(bootstrap_servers=bootstrap)
        self.reader = RunReader(client_settings(self.access), self.log.topics, "the reader")
        copy_to(self.reader.settings, self.log)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[RunReader]:
        yield self.reader

    def lose(self, topic: str, partition: int, before: int) -> None:
        delete_records(self.bootstrap, topic, partition, before)

    def bundle(self, directory: Path) -> str:
        topics = self.log.topics
        bundle = Bundle(
            role="reader",
            run=topics.run,
            training="tiny",
            namespace="default",
            topic_prefix=topics.prefix,
            kafka=self.access,
        )
        directory.mkdir()
        (directory / DOCUMENT).write_text(bundle.model_dump_json(by_alias=True))
        return str(directory)


async def report(copy: Copy, capsys: pytest.CaptureFixture[str]) -> tuple[int, Document]:
    code = await replay(copy.reading(), as_json=True)
    return code, json.loads(capsys.readouterr().out)


def outcomes(told: Document) -> dict[int, str]:
    return {each["round"]: each["outcome"] for each in told["rounds"]}


ALL_MATCH = dict.fromkeys([0, 1, 2, 3, LAST], "Matches")


async def test_all_rounds_of_an_honest_log_match(kafka, capsys):
    copy = Copy(kafka.bootstrap_servers)
    code, told = await report(copy, capsys)
    assert (code, outcomes(told)) == (exit_codes.OK, ALL_MATCH)
    counts = {name: told[name] for name in ("checked", "matched", "differ", "notCheckable", "tornAt", "ended")}
    assert counts == {
        "checked": 5,
        "matched": 5,
        "differ": 0,
        "notCheckable": 0,
        "tornAt": None,
        "ended": True,
    }


def flip_an_update(log: RecordedLog) -> None:
    chunk = chunk_of(log, 3, "b")
    log.change(chunk.topic, BULK_PARTITION, chunk.offset, flipped(chunk.value))


def forge_a_digest(log: RecordedLog) -> None:
    forge(log, "round.closed", 3, lambda said: said["model"]["pointer"].update(digest="0" * 64))


async def test_a_flipped_byte_of_a_chunk_is_found(kafka, capsys):
    code, told = await report(Copy(kafka.bootstrap_servers, flip_an_update), capsys)
    assert (code, outcomes(told)) == (exit_codes.DIFFERS, ALL_MATCH | {3: "Differs"})
    assert "is another's" in told["rounds"][3]["reason"]


async def test_a_forged_digest_is_found_and_what_is_built_on_it_too(kafka, capsys):
    code, told = await report(Copy(kafka.bootstrap_servers, forge_a_digest), capsys)
    assert (code, outcomes(told)) == (exit_codes.DIFFERS, ALL_MATCH | {3: "Differs", LAST: "Differs"})
    third = told["rounds"][3]
    assert third["digest"] == "0" * 64
    assert third["recomputed"] not in (None, "0" * 64)


async def test_rounds_whose_updates_are_no_longer_retained_are_said_not_to_be_checkable(kafka, capsys):
    copy = Copy(kafka.bootstrap_servers)
    copy.lose(copy.log.topics.update("a"), BULK_PARTITION, chunk_of(copy.log, 3, "a").offset)
    code, told = await report(copy, capsys)
    gone = dict.fromkeys([0, 1, 2], "NotCheckable")
    assert (code, outcomes(told)) == (exit_codes.OK, ALL_MATCH | gone)
    assert "no longer in the log" in told["rounds"][1]["reason"]


async def test_nothing_checkable_is_no_success(kafka, capsys):
    copy = Copy(kafka.bootstrap_servers)
    for name in ("a", "b"):
        copy.lose(copy.log.topics.update(name), CONTROL_PARTITION, 8)
    code, told = await report(copy, capsys)
    assert (code, set(outcomes(told).values())) == (exit_codes.FAILED, {"NotCheckable"})
    assert "no longer retained" in told["rounds"][0]["reason"]


async def test_a_journal_without_its_head_is_refused(kafka):
    copy = Copy(kafka.bootstrap_servers)
    copy.lose(copy.log.topics.journal, 0, 3)
    with pytest.raises(CommandFailed, match=r"the first 3 records of .* are gone"):
        await replay(copy.reading(), as_json=True)


def test_what_is_named_beyond_the_ends_of_logs_was_never_there(kafka):
    """And is not waited for."""
    copy = Copy(kafka.bootstrap_servers)
    evidence = KafkaEvidence(copy.reader.settings, copy.log.topics, "the reader")
    try:
        end = len(copy.log.records(copy.log.topics.update("a")))
        for offset in (end, end + 1, 2**62):
            with pytest.raises(Contradiction, match=rf"ends at {end}, before offset {offset}"):
                evidence.control({"a": offset})
        with pytest.raises(NotRetained, match="the update topic of zoe no longer exists"):
            evidence.control({"zoe": 0})
        (record,) = evidence.control({"a": end - 1}).values()
        assert record.offset == end - 1
    finally:
        evidence.close()


def test_the_command_reads_an_auditors_bundle_and_says_what_it_found(kafka, directory: Directory, tmp_path):
    honest = Copy(kafka.bootstrap_servers).bundle(tmp_path / "honest")
    forged = Copy(kafka.bootstrap_servers, forge_a_digest).bundle(tmp_path / "forged")
    fine = directory.fedka("replay", "--bundle", honest)
    assert (fine.wait(), fine.stderr) == (exit_codes.OK, "")
    assert "5 of 5 models recomputed from the log: all match" in fine.stdout
    bad = directory.fedka("replay", "tiny", "--bundle", forged)
    assert bad.wait() == exit_codes.DIFFERS
    assert "2 DIFFER from what was published" in bad.stdout
    (line,) = [line for line in bad.stdout.splitlines() if line.split()[:2] == ["3", "1"]]
    assert "DIFFERS" in line
    wrong = directory.fedka("replay", "other", "--bundle", honest)
    assert wrong.wait() == exit_codes.USAGE
    assert "the bundle is for training tiny, not for other" in wrong.stderr


def test_a_run_on_this_machine_is_replayed_while_it_goes_on_and_when_it_was_stopped(kafka, directory: Directory):
    app = {"entrypoint": "tiny_app:app", "config": {"pause": "0.05"}}
    file = directory.write(training(app=app, rounds={"count": 2000}))
    running = directory.start("run", file, "--bootstrap-servers", kafka.bootstrap_servers, "--state-dir", "state")
    running.until("round 3/2000  ")
    during = directory.fedka("replay", "tiny", "--state-dir", "state", "-o", "json")
    running.send(signal.SIGINT)
    assert running.wait() == exit_codes.INTERRUPTED
    after = directory.fedka("replay", "tiny", "--state-dir", "state", "-o", "json")
    for replayed in (during, after):
        assert replayed.wait() == exit_codes.OK, replayed.stderr
        told = json.loads(replayed.stdout)
        assert told["matched"] == len(told["rounds"]) > 3
        assert not told["ended"]
    assert len(json.loads(after.stdout)["rounds"]) >= len(json.loads(during.stdout)["rounds"])
